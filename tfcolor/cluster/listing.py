"""What a cluster is to do: from inputs as people name them to a plan.

Inputs are files, folders and globs of a shared file system, URLs of object
stores, and manifests: `@scans.txt` is a text file with a picture in each line.
Manifests are read line by line, whatever their length; of each line a few
bytes are remembered. The plan is a file of one line for each picture, of which
workers read their part.
"""

import array
import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from tfcolor.cluster import storage
from tfcolor.data import files
from tfcolor.pictures import encode

MANIFEST = "@"
# In an output folder, while a run is at work; hidden to all that list it.
PLAN_FOLDER = ".tfcolor-cluster"


@dataclasses.dataclass(frozen=True)
class Entry:
    """A picture and what its result is called.

    Attributes:
        source: str, path or URL.
        name: str, relative to its input, with `/`.
        target: str, the name of the result: `name`, or another extension
            where the format cannot be written.
    """

    source: str
    name: str
    target: str


@dataclasses.dataclass(frozen=True)
class Plan:
    """A file with the entries of a run, in chunks.

    Attributes:
        path: str, path or URL of the file.
        offsets: int64 array [chunks + 1], where each chunk begins, in bytes.
        pictures: int, entries in all.
    """

    path: str
    offsets: np.ndarray
    pictures: int

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return len(self.offsets) - 1

    def in_chunks(self, size: int) -> "Plan":
        """Returns it in chunks of so many of its present ones."""
        inner = self.offsets[:-1:size]
        offsets = np.append(inner, self.offsets[-1])
        return dataclasses.replace(self, offsets=offsets)


def read_chunk(path: str, start: int, end: int) -> list[Entry]:
    """Reads one chunk of a plan.

    Args:
        path: str, of the plan.
        start: int, its first byte.
        end: int, the first byte after it.

    Returns:
        list of Entry.
    """
    lines = storage.read(path, start, end).splitlines()
    return [Entry(*json.loads(line)) for line in lines]


class Manifest:
    """The pictures that a text file names, one a line.

    Lines may be URLs, paths, or paths relative to the manifest's folder; empty
    lines do not count. Names are what follows the folder that all lines have
    in common. It may be iterated any number of times.

    Args:
        path: str, path or URL.

    Raises:
        OSError: it cannot be read.
        ValueError: it names nothing, or lines have no folder in common.
    """

    def __init__(self, path: str):
        self._path = path
        self._root = self._find_root()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        start = len(self._root)
        for line in self._lines():
            yield line, line[start:].lstrip("/")

    def _lines(self) -> Iterator[str]:
        folder = os.path.dirname(self._path)
        if not storage.is_url(self._path):
            folder = os.path.abspath(folder)
        try:
            file = _open_text(self._path)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"The manifest {self._path!r} does not exist"
            ) from error
        with file:
            for line in file:
                line = line.rstrip("\r\n")
                if not line.strip():
                    continue
                if not storage.is_url(line) and not os.path.isabs(line):
                    line = storage.join(folder, os.path.normpath(line))
                yield line

    def _find_root(self) -> str:
        root = None
        for line in self._lines():
            if root is None:
                root = os.path.dirname(line)
            while root and not line.startswith(root.rstrip("/") + "/"):
                root = os.path.dirname(root) if root != "/" else ""
            if not root:
                break
        if not root:
            raise ValueError(
                "A manifest must name pictures, one a line, all of them paths "
                f"or all of them URLs of one kind. Received: {self._path!r}"
            )
        return root


def _open_text(path: str):
    # Names of files need not be UTF-8.
    options = {"encoding": "utf-8", "errors": "surrogateescape"}
    if storage.is_url(path):
        import fsspec

        return fsspec.open(path, "r", **options).open()
    return open(path, **options)


class Listing:
    """The pictures that inputs name; may be iterated any number of times.

    Args:
        inputs: sequence of str: files, folders, globs, URLs, manifests.
        exclude: str or None. A folder whose content is no input; see
            `files.list_named_pictures`.
        say: function of a line of text, or None. Told what is left out.

    Raises:
        OSError: an input finds no picture.
        ValueError: a manifest is not right.
    """

    def __init__(
        self,
        inputs: Sequence[str],
        *,
        exclude: str | None = None,
        say: Callable[[str], None] | None = None,
    ):
        self._parts = []
        local = []
        for path in inputs:
            if path.startswith(MANIFEST) and not os.path.lexists(path):
                self._parts.append(Manifest(path.removeprefix(MANIFEST)))
            elif storage.is_url(path):
                self._parts.append(storage.list_pictures(path))
            else:
                local.append(path)
        if local:
            found = files.list_named_pictures(*local, exclude=exclude, say=say)
            self._parts.append(
                [(path, name.replace(os.sep, "/")) for path, name in found]
            )

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for part in self._parts:
            yield from part


def as_png(name: str) -> str:
    """Returns what the result of a picture of no writable format is called."""
    return os.path.splitext(name)[0] + ".png"


def with_targets(
    listing: Iterable[tuple[str, str]], output: str
) -> Iterator[Entry]:
    """Names the results of a listing as `output_paths.plan` does.

    A format that can be written is kept; others become PNG: `a.gif` becomes
    `a.png`, or `a.gif.png` where another picture becomes that. A picture that
    is named twice counts once. Of each picture 16 to 24 bytes are remembered.

    Args:
        listing: iterable of (source, name), which is iterated twice.
        output: str, folder or URL of the results.

    Yields:
        Entry.

    Raises:
        ValueError: a result would replace a picture that is read.
    """
    output = _absolute(output)
    sources, kept, pngs, png_sources = (array.array("q") for _ in range(4))
    for source, name in listing:
        sources.append(hash(_absolute(source)))
        if _writable(name):
            kept.append(hash(name))
        else:
            pngs.append(hash(as_png(name)))
            png_sources.append(sources[-1])
    taken, read = _sorted(kept), _sorted(sources)
    twice, shared = _repeated(sources), _shared(pngs, png_sources)
    del sources, kept, pngs, png_sources
    seen = {}
    for source, name in listing:
        key = hash(_absolute(source))
        if key in twice:
            if source in seen.setdefault(key, set()):
                continue
            seen[key].add(source)
        target = name
        if not _writable(name):
            target = as_png(name)
            if hash(target) in shared or _has(taken, hash(target)):
                target = f"{name}.png"
                while _has(taken, hash(target)):
                    target += ".png"
        if _has(read, hash(storage.join(output, target))):
            raise ValueError(
                "`output` must not replace a picture that is read; choose "
                f"another folder. Received: {target!r} in {output!r}"
            )
        yield Entry(source, name, target)


def _absolute(path: str) -> str:
    """Returns what two names of a file have in common; links are not seen."""
    return path.rstrip("/") if storage.is_url(path) else os.path.abspath(path)


def _writable(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in encode.FORMATS


def _sorted(hashes) -> np.ndarray:
    return np.sort(np.frombuffer(hashes, np.int64)) if hashes else np.empty(0)


def _has(hashes: np.ndarray, key: int) -> bool:
    place = int(np.searchsorted(hashes, key))
    return place < len(hashes) and int(hashes[place]) == key


def _shared(hashes, sources) -> set[int]:
    """Returns the hashes that several sources have."""
    pairs = np.stack([np.array(hashes), np.array(sources)], axis=1)
    return _repeated(np.unique(pairs, axis=0)[:, 0].tobytes())


def _repeated(hashes) -> set[int]:
    found = _sorted(hashes)
    return {int(key) for key in found[1:][found[1:] == found[:-1]]}


def plan_path(inputs: Sequence[str], output: str) -> str:
    """Returns where the plan of a run lies: the same if it runs again.

    Args:
        inputs: sequence of str.
        output: str, folder or URL.
    """
    text = "\0".join(inputs).encode("utf-8", "surrogatepass")
    name = hashlib.sha256(text).hexdigest()[:16] + ".jsonl"
    return storage.join(storage.join(output, PLAN_FOLDER), name)


def write_plan(
    entries: Iterable[Entry], path: str, *, unique: bool = True
) -> Plan:
    """Writes the plan of a run.

    Args:
        entries: iterable of Entry, which is iterated once.
        path: str, path or URL of the file.
        unique: bool. Whether each result must have a name of its own.

    Returns:
        Plan, with a chunk for each entry.

    Raises:
        OSError: it cannot be written.
        ValueError: two pictures would have one result.
    """
    offsets, targets, position = array.array("q", [0]), array.array("q"), 0
    with _open_new(path) as file:
        for entry in entries:
            line = json.dumps([entry.source, entry.name, entry.target]) + "\n"
            position += file.write(line.encode())
            offsets.append(position)
            targets.append(hash(entry.target))
    if unique and (twice := _repeated(targets)):
        _refuse_collision(path, twice)
    return Plan(path, np.frombuffer(offsets, np.int64).copy(), len(targets))


def remove_plan(path: str) -> None:
    """Removes a plan, and its folder if no other is in it.

    Args:
        path: str, path or URL.
    """
    storage.remove(path)
    if not storage.is_url(path):
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(path))


def _open_new(path: str):
    if storage.is_url(path):
        import fsspec

        return fsspec.open(path, "wb").open()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return open(path, "wb")


def _refuse_collision(path: str, twice: set[int]) -> None:
    taken = {}
    with _open_text(path) as file:
        for line in file:
            entry = Entry(*json.loads(line))
            if hash(entry.target) not in twice:
                continue
            other = taken.setdefault(entry.target, entry.source)
            if other != entry.source:
                raise ValueError(
                    "Every picture must have a file of its own, but "
                    f"{other!r} and {entry.source!r} would both become "
                    f"{entry.target!r}; give the folder that holds both (its "
                    "structure is kept), or run them one after the other."
                )
