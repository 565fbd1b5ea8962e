"""Which entry of a collection of boxes belongs to which picture.

For `box_folder` and `coco_boxes` alike, which both keep boxes under the path of
their picture below some folder: the entry of a picture is the one that its
absolute path ends with, whole names compared. Where several do, the longest is
meant.
"""

import os
from collections.abc import Callable
from collections.abc import Iterable


def path_ends(picture: str) -> list[str]:
    """Lists all that a picture's absolute path ends with, the longest first.

    Args:
        picture: str. A path, or a name made like one.

    Returns:
        list of str with `/`: "c/b/a.jpg", "b/a.jpg", "a.jpg" for /c/b/a.jpg.
    """
    path = os.path.abspath(picture).replace(os.sep, "/")
    parts = path.lstrip("/").split("/")
    return ["/".join(parts[i:]) for i in range(len(parts))]


def count_matches(
    pictures: Iterable[str], find: Callable[[str], str | None], *, where: str
) -> int:
    """Counts the pictures that have an entry and checks that none share one.

    Args:
        pictures: paths.
        find: function of a path that returns an entry, or None.
        where: str. What the entries are in, for the error.

    Returns:
        int.

    Raises:
        ValueError: two pictures have one entry.
    """
    taken = {}
    for picture in pictures:
        entry = find(picture)
        if entry is None:
            continue
        other = taken.setdefault(entry, picture)
        if os.path.abspath(other) != os.path.abspath(picture):
            raise ValueError(
                f"{where} must have boxes of its own for each picture, but "
                f"{entry!r} fits {other!r} and {picture!r}; `tfcolor detect` "
                "keeps them apart, if it is given the folder that holds both"
            )
    return len(taken)
