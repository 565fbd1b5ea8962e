"""The true pictures of an evaluation, and the methods that color them."""

import collections
import dataclasses
import functools
import os
import zlib
from collections.abc import Callable
from collections.abc import Iterable

import numpy as np

from tfcolor.data import files
from tfcolor.evaluation import geometry as geometries
from tfcolor.evaluation import measure
from tfcolor.inference import colorization_model
from tfcolor.inference.box_finder import Finder
from tfcolor.inference.colorizer import Colorizer
from tfcolor.pictures import decode
from tfcolor.pictures import encode
from tfcolor.pictures import pillow_limit


def read_rgb(
    path: str,
    *,
    say: Callable[[str], None] | None = None,
    max_pixels: int = pillow_limit.MAX_PIXELS,
) -> np.ndarray:
    """Reads a picture file: uint8 array [H, W, 3].

    Args:
        path: str.
        say: function of a line of text, or None; see `decode.decode_rgb`.
        max_pixels: int. A picture of more is not decoded.
    """
    data = pillow_limit.read_file(path, max_pixels=max_pixels)
    return decode.decode_rgb(data, say=say, max_pixels=max_pixels)


@dataclasses.dataclass(frozen=True)
class TruePicture:
    """A color picture that predictions are compared with.

    Attributes:
        index: int. Position in the evaluation, from 0.
        path: str. Where it is.
        name: str. Path relative to the folder it was found in, with `/`.
        box: tuple of 4 int or None. The part of the file that it is, yxyx in
            pixels; None for the whole.
        max_pixels: int. A file of more is not decoded.
        copy: str or None. A file of this machine with its bytes, of a picture
            that lies in an object store; `path` is its URL then.
    """

    index: int
    path: str
    name: str
    box: tuple[int, int, int, int] | None = None
    max_pixels: int = pillow_limit.MAX_PIXELS
    copy: str | None = None

    def read(self, say: Callable[[str], None] | None = None) -> np.ndarray:
        """Reads the picture: uint8 array [H, W, 3].

        Args:
            say: function of a line of text, or None; see `decode.decode_rgb`.

        Raises:
            OSError: the file cannot be read.
            ValueError: the kind of picture is not supported, or it is too
                large.
        """
        path = self.copy or self.path
        rgb = read_rgb(path, say=say, max_pixels=self.max_pixels)
        if self.box is None:
            return rgb
        top, left, bottom, right = self.box
        return rgb[top:bottom, left:right]


def _inside(path: str, folder: str | None) -> bool:
    if folder is None:
        return False
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return path.startswith(os.path.join(folder, ""))


def list_truth(
    *patterns: str,
    limit: int | None = None,
    outside: str | None = None,
    say: Callable[[str], None] | None = None,
    max_pixels: int = pillow_limit.MAX_PIXELS,
    find: Callable[[str], Iterable[tuple[str, str]]] | None = None,
) -> list[TruePicture]:
    """Lists the true pictures: sorted within each pattern, each once.

    Args:
        *patterns: folders (searched recursively), globs or files.
        limit: int or None. Keeps the first that many.
        outside: str or None. A folder whose pictures do not count: the
            report's own.
        say: function of a line of text, or None. Told what is left out.
        max_pixels: int. A file of more is not decoded.
        find: function of a pattern to (path, name) of its pictures, for
            patterns of other kinds; None is `files.list_named_pictures`.

    Returns:
        list of TruePicture, not empty.

    Raises:
        FileNotFoundError: a pattern finds no picture.
        ValueError: `limit` is below 1, or `max_pixels` out of range.
    """
    pillow_limit.check_option(max_pixels)
    if limit is not None and limit < 1:
        raise ValueError(f"`limit` must be at least 1. Received: limit={limit}")
    find = find or functools.partial(files.list_named_pictures, say=say)
    names = {}
    for pattern in patterns:
        found = [
            (path, name)
            for path, name in find(pattern)
            if not _inside(path, outside)
        ]
        if not found:
            raise FileNotFoundError(
                "The true pictures must lie outside the report. "
                f"Received: {pattern!r}"
            )
        for path, name in found:
            pair = path, name.replace(os.sep, "/")
            # A URL is what it is: two slashes in it are not one.
            there = os.path.lexists(path)
            names.setdefault(os.path.realpath(path) if there else path, pair)
    chosen = list(names.values())[:limit]
    return [
        TruePicture(i, *pair, max_pixels=max_pixels)
        for i, pair in enumerate(chosen)
    ]


def shown_names(pictures: list[TruePicture]) -> list[str]:
    """Names pictures for people, each unlike the others.

    Args:
        pictures: list of TruePicture.

    Returns:
        list of str: their names, and the whole paths of those of several
        folders that have the same name.
    """
    counts = collections.Counter(picture.name for picture in pictures)
    return [p.name if counts[p.name] == 1 else p.path for p in pictures]


def crops(truth: list[TruePicture], find_boxes: Finder) -> list[TruePicture]:
    """Makes a picture of each box of the true pictures.

    Args:
        truth: list of TruePicture.
        find_boxes: box_finder.Finder.

    Returns:
        list of TruePicture, not empty. Pictures that cannot be read stay
        whole, to be named later on.

    Raises:
        ValueError: there is no box.
    """
    parts = []
    for picture in truth:
        try:
            found = find_boxes(picture.path, picture.read())
        except (OSError, ValueError):
            parts.append((picture, None))
            continue
        parts += [(picture, tuple(map(int, box))) for box in found.boxes]
    if not parts:
        raise ValueError(
            f"A picture must have boxes. Received: {len(truth)} without any"
        )
    return [
        TruePicture(
            index,
            picture.path,
            picture.name if box is None else f"{picture.name} {box}",
            box,
            picture.max_pixels,
        )
        for index, (picture, box) in enumerate(parts)
    ]


def _stem(name: str) -> str:
    """Returns a relative name without its last extension."""
    return os.path.splitext(name)[0]


class PredictionFolder:
    """Finds the prediction of a true picture in a folder.

    A prediction has the relative name of its true picture; the extension may
    differ (`sub/a.jpg` is predicted by `sub/a.png`). The same extension wins
    where several pictures share a stem; several without it are ambiguous.
    """

    def __init__(self, folder: str, truth: list[TruePicture]):
        """Lists a folder.

        Args:
            folder: str, searched recursively.
            truth: list of TruePicture, all that are to be compared.

        Raises:
            FileNotFoundError: there is no such folder, or no picture in it.
        """
        if not os.path.isdir(folder):
            raise FileNotFoundError(
                f"Predictions must be a folder. Received: {folder!r}"
            )
        self._folder = folder
        self._names = collections.defaultdict(list)
        for path in files.list_pictures(folder):
            name = os.path.relpath(path, folder).replace(os.sep, "/")
            self._names[_stem(name)].append(name)
        self._truth_stems = collections.Counter(
            _stem(picture.name) for picture in truth
        )
        self._truth_names = collections.Counter(
            picture.name for picture in truth
        )

    def lossy(self) -> bool:
        """Tells whether a prediction of a true picture is a JPEG file."""
        return any(
            encode.FORMATS.get(os.path.splitext(name)[1].lower()) == "JPEG"
            for stem in self._truth_stems
            for name in self._names.get(stem, [])
        )

    def find(self, picture: TruePicture) -> str:
        """Returns the path of a picture's prediction.

        Args:
            picture: TruePicture.

        Returns:
            str.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is not clear which one it is.
        """
        stem = _stem(picture.name)
        names = self._names.get(stem, [])
        if not names:
            raise FileNotFoundError(f"no prediction {stem}.* in {self._folder}")
        if self._truth_names[picture.name] > 1:
            raise ValueError(
                f"several true pictures have the relative name {picture.name}"
            )
        if picture.name in names:
            return os.path.join(self._folder, picture.name)
        if len(names) > 1:
            raise ValueError(
                f"several predictions in {self._folder} share its stem: "
                + ", ".join(names)
            )
        if self._truth_stems[stem] > 1:
            raise ValueError(
                f"several true pictures have the stem of the prediction "
                f"{names[0]} in {self._folder}"
            )
        return os.path.join(self._folder, names[0])


@dataclasses.dataclass(frozen=True)
class Method:
    """A named way to colorize a true picture.

    Attributes:
        name: str, shown in tables.
        predict: function of the TruePicture and its pixels (uint8 array
            [H, W, 3], already in the geometry of the evaluation) to a uint8
            array of the same shape. May raise; the picture is then left out.
        lossy: bool. Whether it reads JPEG files.
    """

    name: str
    predict: Callable[[TruePicture, np.ndarray], np.ndarray]
    lossy: bool = False


def from_constant_ab(name: str, ab: np.ndarray) -> Method:
    """Makes a baseline that paints everything in one color.

    Args:
        name: str.
        ab: float array [2], CIELAB.

    Returns:
        Method.
    """
    return Method(name, lambda _, rgb: measure.constant_ab(rgb, ab))


def from_colorizer(
    name: str,
    colorizer: Colorizer,
    *,
    find_boxes: Finder | None = None,
    classes_of: Callable[[TruePicture], np.ndarray] | None = None,
) -> Method:
    """Makes a method of a colorizer.

    Args:
        name: str.
        colorizer: Colorizer; it sees the true picture and uses its L only.
        find_boxes: box_finder.Finder or None. Where things are, for a model
            that colors them by themselves.
        classes_of: function of a TruePicture to a float array [K], the
            classes for a class-conditional model; None for all others.

    Returns:
        Method.
    """
    if classes_of is not None:
        return Method(
            name,
            lambda picture, rgb: colorizer.colorize(
                rgb, classes=classes_of(picture)
            ),
        )
    if find_boxes is None or not colorizer.takes_boxes:
        return Method(name, lambda _, rgb: colorizer.colorize(rgb))

    def predict(picture, rgb):
        found = find_boxes(picture.path, rgb)
        boxes = found if colorizer.takes_box_classes else found.boxes
        return colorizer.colorize(rgb, boxes=boxes)

    return Method(name, predict)


def from_folder(
    name: str,
    folder: str,
    truth: list[TruePicture],
    *,
    geometry: str = "original",
    size: int = geometries.DEFAULT_SIZE,
    say: Callable[[str, str], None] | None = None,
) -> Method:
    """Makes a method of a folder of pictures colorized earlier.

    Args:
        name: str.
        folder: str.
        truth: list of TruePicture, all that are to be compared.
        geometry: str, one of `geometry.GEOMETRIES`.
        size: int, side of the square of the geometry.
        say: function of a path and a line of text, or None. Told what was
            left out or ignored of a prediction's file.

    Returns:
        Method. A prediction may have the size of the true picture's file, and
        is then brought into the geometry like the truth, or already have the
        size of the comparison.

    Raises:
        FileNotFoundError: there is no such folder, or no picture in it.
    """
    predictions = PredictionFolder(folder, truth)

    def predict(picture, rgb):
        path = predictions.find(picture)
        predicted = read_rgb(
            path,
            say=say and functools.partial(say, path),
            max_pixels=picture.max_pixels,
        )
        if predicted.shape == rgb.shape:
            return predicted
        # Cropping a picture of another shape would compare different parts.
        shape = picture.read().shape
        if predicted.shape == shape:
            return geometries.fit(predicted, geometry, size)
        raise ValueError(
            f"the prediction {path} has {_pixels(predicted.shape)} pixels, "
            f"the true picture {_pixels(shape)}"
        )

    return Method(name, predict, lossy=predictions.lossy())


def _pixels(shape) -> str:
    return f"{shape[1]} x {shape[0]}"


def unique_names(paths: list[str]) -> list[str]:
    """Names methods after their paths, as shortly as stays clear.

    Args:
        paths: list of str: folders, files or names of models.

    Returns:
        list of str: the last part of each path without `.keras`; where two
        would be equal, the folders before it that tell them apart, as in
        `first/model` and `second/model`, with `…` for those between that all
        of them have; numbered where whole paths are equal.
    """
    taken = {measure.GREY, measure.MEAN_AB}
    parts = [_parts(path) for path in paths]
    groups = {}
    for own in parts:
        groups.setdefault(own[-1], set()).add(own)
    names = []
    for own in parts:
        group = groups[own[-1]]
        name = _apart(own, group) if len(group) > 1 else own[-1]
        if name in taken and len(own) > 1:
            name = "/".join(own[-2:])
        same = sum(other.partition(" #")[0] == name for other in names)
        same += name in taken
        names.append(f"{name} #{same + 1}" if same else name)
    return names


def _parts(path: str) -> tuple[str, ...]:
    folder, _ = os.path.split(os.path.normpath(path))
    name = colorization_model.name_of(path)
    return (*(part for part in folder.split(os.sep) if part), name)


def _apart(own: tuple[str, ...], group: set[tuple[str, ...]]) -> str:
    """Names a path of a group whose last parts are equal."""
    depth = 1
    while len({parts[-depth:] for parts in group}) < len(group):
        depth += 1
    shown = []
    for place, part in enumerate(own[-depth:], -len(own[-depth:])):
        same = all(
            len(other) >= -place and other[place] == part for other in group
        )
        if not same or place == -1:
            shown.append(part)
        elif shown and shown[-1] != "…":
            shown.append("…")
    return "/".join(shown)


def class_of(picture: TruePicture) -> str:
    """Returns the class of a picture: the folder of its relative name.

    Args:
        picture: TruePicture.

    Returns:
        str.

    Raises:
        ValueError: the picture is in no class folder.
    """
    label, slash, _ = picture.name.partition("/")
    if not slash:
        raise ValueError(
            "Every true picture must be in a class folder. "
            f"Received: {picture.path!r}"
        )
    return label


def given_classes(
    picture: TruePicture, class_names: tuple[str, ...], *, shuffled: bool
) -> np.ndarray:
    """Returns the classes that a class-conditional model gets with a picture.

    Args:
        picture: TruePicture.
        class_names: tuple of K str, those of the model.
        shuffled: bool. Whether it gets a class drawn at random, which is
            the same for the same name every time.

    Returns:
        float32 array [K].

    Raises:
        ValueError: the model does not know the picture's class.
    """
    label = class_of(picture)
    if label not in class_names:
        raise ValueError(
            "The class of a picture must be one of the model's. Received: "
            f"{label!r}, not in {list(class_names)}"
        )
    place = class_names.index(label)
    if shuffled:
        rng = np.random.default_rng(zlib.crc32(os.fsencode(picture.name)))
        place = int(rng.integers(len(class_names)))
    return np.eye(len(class_names), dtype=np.float32)[place]


LONGEST_NAME = 32


def short_name(name: str) -> str:
    """Shortens a name for a plot.

    Args:
        name: str. Methods may be named by the paths of their models, whose
            ends tell them apart.

    Returns:
        str of at most `LONGEST_NAME` characters, the end of the name.
    """
    return name if len(name) <= LONGEST_NAME else "…" + name[1 - LONGEST_NAME :]
