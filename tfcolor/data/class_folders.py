"""Labelled pictures in folders: one folder a class, its name the label.

Either a folder holds the class folders, or it holds `train` and perhaps `val`
and `test`, which do. Labels are the places of the class folders' names in
alphabetical order.
"""

import dataclasses
import hashlib
import os
from collections.abc import Callable

from tfcolor.data import decoding
from tfcolor.data import files
from tfcolor.data.drop_log import DropLog
from tfcolor.pictures import decode

TRAIN, VALIDATION, TEST = "train", "val", "test"
# What people call the folders of a split.
_FOLDERS = {
    TRAIN: ("train", "training"),
    VALIDATION: ("val", "validation", "valid"),
    TEST: ("test", "testing"),
}
# What the arguments of `labelled_parts.open_parts` about them begin with.
_ARGUMENTS = {VALIDATION: "validation", TEST: "test"}
# Pictures that a part has at least, or one a class.
_FEWEST = 8
# One picture can be learned by heart, but not recognized again.
MIN_TRAINING = 2


@dataclasses.dataclass(frozen=True)
class ClassFolders:
    """The pictures of one part of a data set, class by class.

    Attributes:
        folder: str.
        paths: dict from the name of a class to a sorted list of readable
            picture files.
    """

    folder: str
    paths: dict[str, list[str]]

    def __len__(self):
        return sum(map(len, self.paths.values()))

    def replace(self, paths: dict[str, list[str]]) -> "ClassFolders":
        """Returns the same folder with other pictures."""
        return dataclasses.replace(self, paths=paths)


def find_parts(folder: str) -> dict[str, str]:
    """Finds the folders `train`, `val` and `test` of a data set.

    Args:
        folder: str.

    Returns:
        dict from some of `TRAIN`, `VALIDATION`, `TEST` to a folder; `folder`
        itself is the training part if there is no folder `train`.
    """
    found = {
        part: os.path.join(folder, name)
        for part, names in _FOLDERS.items()
        for name in reversed(names)
        if os.path.isdir(os.path.join(folder, name))
    }
    return found if TRAIN in found else {TRAIN: folder}


def scan(folder: str, drop_log: DropLog) -> ClassFolders:
    """Lists the pictures of every class.

    Args:
        folder: str, holds a folder for each class, which is searched
            recursively; hidden files and folders are left out.
        drop_log: DropLog. Gets the names of picture files that are none.

    Returns:
        ClassFolders; a class may have no pictures.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it holds fewer than two folders, or one whose name is no
            text.
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            "Labelled pictures must be in a folder of class folders. "
            f"Received: no folder {folder!r}"
        )
    names = sorted(
        name
        for name in os.listdir(folder)
        if not name.startswith(".")
        and os.path.isdir(os.path.join(folder, name))
    )
    if len(names) < 2:
        raise ValueError(
            "Labelled pictures must be in at least two class folders, whose "
            f"names are the labels. Received: {folder!r} with {names}"
        )
    for name in names:
        # Reports and model files hold the names of classes as text.
        try:
            name.encode()
        except UnicodeEncodeError as error:
            shown = files.shown_name(name)
            raise ValueError(
                "The names of class folders must be UTF-8. Received: "
                f"{shown} in {folder!r}"
            ) from error
    return ClassFolders(
        folder,
        {
            name: _pictures(os.path.join(folder, name), drop_log)
            for name in names
        },
    )


def _pictures(folder: str, drop_log: DropLog) -> list[str]:
    try:
        listed = files.list_pictures(folder)
    except FileNotFoundError:
        return []
    kept = []
    for path in listed:
        # The head alone: quick, and finds what is no picture at all.
        if decode.count_pixels(path):
            kept.append(path)
        else:
            drop_log.record(path, decoding.UNREADABLE, "not a picture")
    return kept


def split(
    folders: ClassFolders,
    *,
    shares: dict[str, float],
    say: Callable[[str], None] | None = None,
) -> dict[str, ClassFolders]:
    """Splits pictures by a hash of their names, the same way every time.

    Adding pictures moves none from one part to another. Where so few would be
    in a part that most classes have none, it gets one of each class that can
    spare one, up to 8 in all.

    Args:
        folders: ClassFolders.
        shares: dict from the name of a part to its share, together below 1.
        say: function of a line of text, or None. Told where a part has more
            than its share.

    Returns:
        dict from each of those names, and `TRAIN` for the rest, to
        ClassFolders.
    """
    parts = {part: {} for part in (TRAIN, *shares)}
    for label, paths in folders.paths.items():
        for part in parts:
            parts[part][label] = []
        for path in paths:
            parts[_part_of(path, label, shares)][label].append(path)
    for part in shares:
        added = _fill(parts[TRAIN], parts[part])
        if added and say is not None:
            say(
                f"few pictures: {sum(map(len, parts[part].values()))} of "
                f"{len(folders)} are in the part {part!r}, more than its share "
                f"(`{_ARGUMENTS[part]}_share`, `{_ARGUMENTS[part]}_images`)"
            )
    return {part: folders.replace(paths) for part, paths in parts.items()}


def _fill(training: dict, part: dict) -> int:
    """Moves a picture a class to a part that has few; returns how many."""
    missing = min(_FEWEST, len(part)) - sum(map(len, part.values()))
    added = 0
    for label, paths in sorted(training.items(), key=lambda e: -len(e[1])):
        if added >= missing:
            break
        if not part[label] and len(paths) > MIN_TRAINING:
            first = min(paths, key=lambda path: (_place(path, label), path))
            paths.remove(first)
            part[label].append(first)
            added += 1
    return added


def _part_of(path: str, label: str, shares: dict[str, float]) -> str:
    place = _place(path, label)
    for part, share in shares.items():
        if place < share:
            return part
        place -= share
    return TRAIN


def _place(path: str, label: str) -> float:
    return _hash(f"{label}/{os.path.basename(path)}")


def _hash(text: str) -> float:
    # Not CRC-32: its values for two seeds differ by the same bits everywhere.
    digest = hashlib.sha256(os.fsencode(text)).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def take(folders: ClassFolders, count: int, *, seed: int) -> ClassFolders:
    """Takes the same number of pictures of every class.

    Equal seeds choose the same pictures, and fewer of them a part of more.

    Args:
        folders: ClassFolders.
        count: int; classes with fewer pictures keep all.
        seed: int.

    Returns:
        ClassFolders.
    """
    return folders.replace(
        {
            label: sorted(
                sorted(
                    paths,
                    key=lambda path: _hash(
                        f"{seed}/{label}/{os.path.basename(path)}"
                    ),
                )[:count]
            )
            for label, paths in folders.paths.items()
        }
    )


def check_training(folders: ClassFolders) -> None:
    """Raises ValueError, naming all classes with too few pictures."""
    broken = [
        f"{os.path.join(folders.folder, label)!r} with {len(paths) or 'none'}"
        for label, paths in folders.paths.items()
        if len(paths) < MIN_TRAINING
    ]
    if broken:
        raise ValueError(
            f"Every class must have at least {MIN_TRAINING} readable training "
            f"pictures. Received: {', '.join(broken)}"
        )


def check_other(
    folders: ClassFolders, class_names: tuple[str, ...], part: str
) -> str:
    """Checks a part that is measured on.

    Args:
        folders: ClassFolders.
        class_names: tuple of str, those of the training part.
        part: str, `VALIDATION` or `TEST`.

    Returns:
        str, says which classes have no pictures here; empty if all have.

    Raises:
        ValueError: it has no picture, or a class that is not trained.
    """
    unknown = sorted(set(folders.paths) - set(class_names))
    if unknown:
        raise ValueError(
            "Pictures to measure on must be of the classes that are trained. "
            f"Received: {folders.folder!r} with {unknown}, which are not in "
            f"{list(class_names)}"
        )
    if not len(folders):
        name = _ARGUMENTS[part]
        raise ValueError(
            f"There must be a picture to measure on; give `{name}_images` or "
            f"another `{name}_share`. Received: none for the part {part!r} in "
            f"{folders.folder!r}"
        )
    empty = [name for name in class_names if not folders.paths.get(name)]
    return f"no pictures of {', '.join(empty)}" if empty else ""
