"""Matching paths with globs in which `**` stands for any number of folders.

The rules are those of Python's `glob`: names that start with a dot match only
where the pattern has the dot.
"""

import fnmatch
import os


def parts(pattern: str) -> list[str]:
    """Returns the parts of a path or pattern, without empty and `.` ones."""
    normal = pattern.replace(os.sep, "/")
    return [part for part in normal.split("/") if part not in ("", ".")]


def wants_hidden(pattern: str) -> bool:
    """Tells whether a pattern has a part for names that start with a dot."""
    return any(part.startswith(".") and part != ".." for part in parts(pattern))


def matches(path: str, pattern: str) -> bool:
    """Tells whether a path matches a pattern.

    Args:
        path: str. Absolute if the pattern is, else relative to the same place.
        pattern: str.

    Returns:
        bool.
    """
    return _match(tuple(parts(path)), tuple(parts(pattern)))


def _match(names: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    if not wanted:
        return not names
    first, rest = wanted[0], wanted[1:]
    if first == "**":
        if _match(names, rest):
            return True
        # Folders that `**` stands for are not hidden.
        visible = bool(names) and not names[0].startswith(".")
        return visible and _match(names[1:], wanted)
    if not names:
        return False
    name = names[0]
    if name.startswith(".") and not first.startswith("."):
        return False
    return fnmatch.fnmatchcase(name, first) and _match(names[1:], rest)
