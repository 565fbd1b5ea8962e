"""Finding pictures: files, folders and globs in a stable order.

A picture is a file with one of `EXTENSIONS`, in upper or lower case. Hidden
files and folders (a name that starts with a dot) count only when they are
named themselves.
"""

import glob
import os

EXTENSIONS = (
    ".jpg",
    ".jpeg",
    ".png",
    ".webp",
    ".bmp",
    ".tif",
    ".tiff",
    ".gif",
)


def is_picture(path: str) -> bool:
    """Tells whether a path ends like a picture file that can be read."""
    return path.lower().endswith(EXTENSIONS)


def list_pictures(*patterns: str) -> list[str]:
    """Lists picture files, sorted by path, each once.

    Args:
        *patterns: paths of files, of folders (searched recursively) or globs
            (`**` searches recursively).

    Returns:
        list of paths.

    Raises:
        FileNotFoundError: a pattern finds no picture.
    """
    return [path for path, _ in list_named_pictures(*patterns)]


def list_named_pictures(
    *patterns: str, exclude: str | None = None
) -> list[tuple[str, str]]:
    """Lists picture files with the names their results should have.

    The name of a file that is given itself is its file name. In a folder it
    is the path relative to that folder, and for a glob the path relative to
    the folder before the first wildcard, so that folder structures are kept.

    Args:
        *patterns: paths of files, of folders (searched recursively) or globs
            (`**` searches recursively).
        exclude: str or None. A folder; what folders and globs find inside it
            is left out if it lies below the folder that is searched.

    Returns:
        list of (path, name), sorted by path, each file once: for a file found
        by several patterns the first one gives the name.

    Raises:
        FileNotFoundError: a pattern finds no picture.
    """
    found = {}
    for pattern in patterns:
        root, matches = _search(pattern)
        if exclude is not None and not os.path.isfile(pattern):
            matches = _outside(exclude, root, matches)
        pictures = [p for p in matches if is_picture(p) and os.path.isfile(p)]
        if not pictures:
            raise FileNotFoundError(
                "Every input must be a picture, a folder with pictures or a "
                f"glob that finds some ({', '.join(EXTENSIONS)}). "
                f"Received: {pattern!r}"
            )
        for path in pictures:
            name = os.path.relpath(path, root or os.curdir)
            found.setdefault(os.path.abspath(path), (path, name))
    return sorted(found.values())


def _search(pattern: str) -> tuple[str, list[str]]:
    """Returns the folder that names are relative to, and what was found."""
    if os.path.isfile(pattern):
        return os.path.dirname(pattern), [pattern]
    if os.path.isdir(pattern):
        everything = os.path.join(glob.escape(pattern), "**")
        return pattern, glob.glob(everything, recursive=True)
    root = os.path.dirname(pattern)
    while glob.has_magic(root):
        root = os.path.dirname(root)
    return root, glob.glob(pattern, recursive=True)


def _outside(folder: str, root: str, paths: list[str]) -> list[str]:
    """Drops the paths inside a folder, if that lies below the search root."""
    inside = os.path.join(os.path.realpath(folder), "")
    searched = os.path.join(os.path.realpath(root or os.curdir), "")
    if inside == searched or not inside.startswith(searched):
        return paths
    return [p for p in paths if not os.path.realpath(p).startswith(inside)]
