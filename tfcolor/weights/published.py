"""The published colorizers by name: where they are, and their cache.

On first use a file is fetched from where its authors put it, checked,
converted once and kept; from then on no network is needed. Nothing is fetched
unless a name that needs it is asked for. The cache is `$TFCOLOR_CACHE`, else
`$XDG_CACHE_HOME/tfcolor`, else `~/.cache/tfcolor`; each model has a folder of
its own there, `published/NAME`.

Checksums: those of Hugging Face are the ones its pages show for the pinned
revision; of the file of `instcolorization` only the beginning is known, which
its name carries, and of `ddcolor_paper` nothing: the host names the SHA-256
while the file is fetched.
"""

import dataclasses
import os
import shutil
import urllib.parse
from collections.abc import Callable
from collections.abc import Iterable

from tfcolor import atomic
from tfcolor.data import files
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.weights import download

# Why nothing was to be done for a model.
CACHED_ALREADY = "cached already"
NOT_CACHED = "was not cached"
# What a fetched file needs beside itself while it is converted.
_ROOM = 2.1
_MODELS = "https://huggingface.co/piddnad"
_WEIGHTS = "pytorch_model.bin"


@dataclasses.dataclass(frozen=True)
class Published:
    """A published file.

    Attributes:
        name: str, by which people ask for it.
        network: str, for people.
        kind: str, one of `pytorch_models.KINDS`.
        address: str.
        sha256: str, its checksum, or as much of its beginning as is known.
        size: int or None, in bytes, where it is known exactly.
        about: str, the size for people, where it is not.
        license: str, of the weights, as SPDX writes it.
        figures: str, quality as its authors measured it, where they did.
    """

    name: str
    network: str
    kind: str
    address: str
    sha256: str
    size: int | None
    license: str
    about: str = ""
    figures: str = ""

    @property
    def file_name(self) -> str:
        """The name of the published file, str."""
        path = urllib.parse.urlsplit(self.address).path
        return os.path.basename(path)

    @property
    def megabytes(self) -> str:
        """The size for people, str."""
        return self.about or f"{self.size / 1e6:.0f} MB"


_LARGE = "DDColor, ConvNeXt-L (Kang et al., ICCV 2023)"

# The one place that names networks and files. `pytorch_models` builds the
# network of a kind.
CATALOG = {
    entry.name: entry
    for entry in (
        Published(
            name="ddcolor",
            network=_LARGE,
            kind="ddcolor",
            address=f"{_MODELS}/ddcolor_modelscope/resolve/"
            f"060f67494e31883a4b13cb27f889f3154847ada4/{_WEIGHTS}",
            sha256="d81711971ec59200da26d5e8a1afae8d"
            "d3778d495ea8ad7a7dadc769f403f7e7",
            size=911_914_869,
            license="Apache-2.0",
        ),
        Published(
            name="ddcolor_artistic",
            network=_LARGE,
            kind="ddcolor",
            address=f"{_MODELS}/ddcolor_artistic/resolve/"
            f"aa10f72fffc89a6658e37b48556050b4d9a26f63/{_WEIGHTS}",
            sha256="5a076e84efce59848394f572a105f7b7"
            "8f7f6e917f615d1ee88537241b96dca3",
            size=911_914_869,
            license="Apache-2.0",
        ),
        Published(
            name="ddcolor_paper",
            network=_LARGE,
            kind="ddcolor",
            address=f"{_MODELS}/ddcolor_paper/resolve/main/{_WEIGHTS}",
            sha256="",
            size=None,
            about="912 MB",
            license="Apache-2.0",
            figures="FID 3.92, PSNR 23.85 (authors, ImageNet)",
        ),
        Published(
            name="ddcolor_tiny",
            network="DDColor, ConvNeXt-T (Kang et al., ICCV 2023)",
            kind="ddcolor",
            address=f"{_MODELS}/ddcolor_paper_tiny/resolve/"
            f"cf9fd99c1d7472689ec7413441c1b799a51866a3/{_WEIGHTS}",
            sha256="8a1277bc90a1bfbb6d2d83933a9a6bc8"
            "21931879ca93e26e4fcec12165d41fce",
            size=220_372_845,
            license="Apache-2.0",
            figures="FID 4.38, PSNR 23.54 (authors, ImageNet)",
        ),
        Published(
            name="eccv16",
            network="Colorful Image Colorization (Zhang et al., ECCV 2016)",
            kind="eccv16",
            address="https://colorizers.s3.us-east-2.amazonaws.com/"
            "colorization_release_v2-9b330a0b.pth",
            sha256="9b330a0bae53f4ded77b1e23defbf78b"
            "eaa09c10ebc4c4999e8e4f4a160b93f9",
            size=None,
            about="129 MB",
            license="BSD-2-Clause",
        ),
        Published(
            name="siggraph17",
            network="SIGGRAPH'17, takes hints (Zhang et al., 2017)",
            kind="siggraph17",
            address="https://colorizers.s3.us-east-2.amazonaws.com/"
            "siggraph17-df00044c.pth",
            sha256="df00044c0a4d7c3edcecf6f75437ce34"
            "6a66e7a42612d9b968e1a7e17dbc6f66",
            size=136_787_426,
            license="BSD-2-Clause",
            figures="PSNR 24.43 (authors, ImageNet)",
        ),
        Published(
            name="instcolorization",
            network="InstColorization, takes boxes (Su et al., CVPR 2020)",
            kind="mmagic",
            address="https://download.openmmlab.com/mmediting/"
            "inst_colorization/inst-colorizatioon_full_official_cocostuff-"
            "256x256-5b9d4eee.pth",
            sha256="5b9d4eee",
            size=None,
            about="415 MB",
            license="MIT",
        ),
    )
}


def names() -> list[str]:
    """Returns the names of the published models."""
    return list(CATALOG)


def cache_folder() -> str:
    """Returns the folder of the cache, which need not exist, str."""
    own = os.environ.get("TFCOLOR_CACHE")
    if own:
        return os.path.abspath(os.path.expanduser(own))
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification ignores paths that are not absolute.
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "tfcolor")


def folder_of(name: str) -> str:
    """Returns a model's folder in the cache, str."""
    return os.path.join(cache_folder(), "published", entry_of(name).name)


def fetched_path(name: str) -> str:
    """Returns where a model's published file is put, by hand too, str."""
    return os.path.join(folder_of(name), entry_of(name).file_name)


def converted_path(name: str) -> str:
    """Returns where a converted model is kept, str.

    It has the checksum and the revision in its name: a file of an earlier
    catalog is not taken for the one of today.
    """
    mark = entry_of(name).sha256[:8] or "unpinned"
    return os.path.join(folder_of(name), f"{name}-{mark}.tfcolor")


def entry_of(name: str) -> Published:
    """Returns a model's entry.

    Args:
        name: str.

    Returns:
        Published.

    Raises:
        ValueError: there is no such model.
    """
    _check_known([name])
    return CATALOG[name]


def _check_known(asked: list[str]) -> None:
    """Raises ValueError, naming all that are not, unless all are models."""
    if unknown := [name for name in asked if name not in CATALOG]:
        raise ValueError(
            f"A published model must be one of {', '.join(CATALOG)}. "
            f"Received: {', '.join(map(repr, unknown))}"
        )


def state_of(name: str) -> str:
    """Says what the cache has of a model.

    Args:
        name: str, one of `names()`.

    Returns:
        str: "cached", "fetched" (not yet converted), "partly fetched, N MB" or
        "-".
    """
    if os.path.isfile(converted_path(name)):
        return "cached"
    path = fetched_path(name)
    if os.path.isfile(path):
        return "fetched"
    if os.path.isfile(f"{path}.part"):
        return f"partly fetched, {os.path.getsize(f'{path}.part') / 1e6:.0f} MB"
    return "-"


def remove(name: str) -> bool:
    """Deletes all that the cache has of a model.

    Args:
        name: str, one of `names()`.

    Returns:
        bool, whether there was something.

    Raises:
        ValueError: there is no such model.
    """
    if not os.path.isdir(folder_of(name)):
        return False
    shutil.rmtree(folder_of(name))
    return True


def load(name: str):
    """Loads a model, from the cache or, at first, from its authors' place.

    Args:
        name: str, one of `names()`.

    Returns:
        keras.Model and model_file.ModelInfo.

    Raises:
        ValueError: there is no such model, or a file is not the published one.
        OSError: the file cannot be fetched, or the cache cannot be written.
    """
    return _load(name)[:2]


def fetch_models(names: Iterable[str]) -> Outcomes:
    """Sees to it that the cache has models, while the result is iterated.

    Those that are there are read: one that broke is no use offline.

    Args:
        names: iterable of str, of `names()`.

    Returns:
        Outcomes, one for each: its `source` is the name, `written` the folder
        in the cache. One that could not be fetched has a reason, and the
        others go on.

    Raises:
        ValueError: there is no such model.
    """

    def fetch(name):
        if _load(name)[2]:
            return Outcome(name, skipped=CACHED_ALREADY)
        return Outcome(name, (folder_of(name),))

    return _each(fetch, names)


def remove_models(names: Iterable[str]) -> Outcomes:
    """Deletes models from the cache, while the result is iterated.

    Args:
        names: iterable of str, of `names()`.

    Returns:
        Outcomes, one for each: its `source` is the name.

    Raises:
        ValueError: there is no such model.
    """

    def delete(name):
        return Outcome(name, skipped=None if remove(name) else NOT_CACHED)

    return _each(delete, names)


def _each(act: Callable[[str], Outcome], names: Iterable[str]) -> Outcomes:
    names = list(names)
    _check_known(names)

    def running():
        for name in names:
            try:
                outcome = act(name)
            except (OSError, ValueError) as error:
                outcome = Outcome(name, reason=files.one_line(error))
            yield outcome

    return Outcomes(running(), len(names))


def _load(name: str) -> tuple:
    """Returns a model, its info, and whether the cache had it."""
    path = converted_path(name)
    there = os.path.isfile(path)
    if there:
        # Neither a list nor a download has to wait for Keras.
        from tfcolor.weights import model_cache

        try:
            return *model_cache.read(path), True
        except ValueError as error:
            # It stays until the new one is there: it may not be the file.
            download.say(f"{error}: it is made again")
    return *_convert(entry_of(name), again=there), False


def _convert(entry: Published, *, again: bool = False):
    """Fetches a model's file if need be, converts it and keeps the result."""
    folder, path = folder_of(entry.name), converted_path(entry.name)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OSError(
            "The cache must be a folder that can be written; TFCOLOR_CACHE "
            f"names another one. Received: {folder!r} ({error.strerror})"
        ) from error

    def wait():
        download.say(f"another process fetches {entry.name}: waiting for it")

    with download.alone(folder, wait=wait):
        atomic.remove_leftovers([path])
        there = os.path.isfile(path) and not again
        digest = None if there else _fetch(entry)
        from tfcolor.weights import model_cache
        from tfcolor.weights import pytorch_models

        if digest is None:
            return model_cache.read(path)
        source = fetched_path(entry.name)
        model, info = pytorch_models.load(
            source, kind=entry.kind, sha256=digest, origin=entry.name
        )
        model_cache.write(model, path, info, origin=digest)
        os.remove(source)
    return model, info


def _fetch(entry: Published) -> str:
    """Makes sure that a model's file is there; returns its SHA-256."""
    path = fetched_path(entry.name)
    there = os.path.isfile(path)
    if len(entry.sha256) < 64:
        known = f"begins with {entry.sha256}" if entry.sha256 else "is unknown"
        by_host = "nothing" if there else "what its host names"
        download.say(
            f"{entry.name}: the published SHA-256 {known}; the file is checked "
            f"against {'that' if entry.sha256 else by_host}"
        )
    if there:
        return download.check(path, entry.sha256, size=entry.size)
    _check_room(entry)
    try:
        return download.download(
            entry.address,
            path,
            sha256=entry.sha256,
            size=entry.size,
            name=entry.name,
        )
    except download.FetchError as error:
        raise OSError(
            f"{entry.name} needs {entry.address}, which could not be fetched: "
            f"get that file by hand and put it at {path!r}, or use it where it "
            f"is with `model=PATH.pth`. Received: {error}"
        ) from error


def _check_room(entry: Published) -> None:
    free = shutil.disk_usage(folder_of(entry.name)).free
    part = f"{fetched_path(entry.name)}.part"
    if os.path.isfile(part):
        # What has come already takes no more room.
        free += os.path.getsize(part)
    if entry.size is not None and free < _ROOM * entry.size:
        raise OSError(
            f"The cache must have room for {_ROOM} times the file of "
            f"{entry.name}, {_ROOM * entry.size / 1e6:.0f} MB; TFCOLOR_CACHE "
            f"names another folder. Received: {free / 1e6:.0f} MB in "
            f"{cache_folder()!r}"
        )
