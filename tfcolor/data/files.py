"""Finding pictures: files, folders and globs in a stable order.

A picture is a file with one of `EXTENSIONS`, in upper or lower case. Hidden
files and folders (a name that starts with a dot) count only when they are
named themselves. Links are followed, and every real file counts once.
"""

import collections
import contextlib
import fnmatch
import glob
import os
import re
import stat
from collections.abc import Callable
from collections.abc import Mapping

from PIL import features

from tfcolor.data import memory

# Those that Pillow was built without cannot be read.
_OPTIONAL = (
    (".avif", "avif"),
    (".jp2", "jpg_2000"),
    (".j2k", "jpg_2000"),
    (".jpx", "jpg_2000"),
)
EXTENSIONS = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".apng",
    ".webp",
    ".bmp",
    ".dib",
    ".tif",
    ".tiff",
    ".gif",
    ".tga",
    ".pbm",
    ".pgm",
    ".ppm",
    ".pnm",
    *(extension for extension, name in _OPTIONAL if features.check(name)),
)
# Films: FFmpeg decides what they are, their names only that they are some.
FILM_EXTENSIONS = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg"),
    *(".m2ts", ".mts", ".ts", ".wmv", ".flv", ".ogv", ".3gp", ".vob", ".mxf"),
)
# Kinds of files that are named in the line of what was left out.
_NAMED_KINDS = 4
# Characters of an error's message: some repeat what a file holds.
_MAX_LINE = 2000
# Control characters, and those that turn the direction of a text.
_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# What an error quotes; an argument in backticks, perhaps with a value; and one
# before the value that came, which stands behind `_RECEIVED`.
_IN_ERRORS = re.compile(
    r"(?<!\w)(?P<quote>['\"]).*?(?P=quote)(?!\w)"
    r"|`(?P<name>\w+)(?P<value>=[^`]*)?`"
    r"|(?<![^\s(])(?P<given>\w+)(?==(?!=))"
)
_RECEIVED = "Received:"
# What is not a regular file or a folder.
_SPECIAL = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def is_picture(path: str) -> bool:
    """Tells whether a path ends like a picture file that can be read."""
    return path.lower().endswith(EXTENSIONS)


def is_film(path: str) -> bool:
    """Tells whether a path ends like a film."""
    return path.lower().endswith(FILM_EXTENSIONS)


def shown_name(path: str) -> str:
    r"""Returns a path, or a text that a file holds, as one line of text.

    Args:
        path: str. Bytes of a file name that are not UTF-8 are surrogates in
            it, as Python has them.

    Returns:
        str, with `\xNN` for each of those bytes, and for what would not be
        seen but move a console's cursor or change its colors.
    """
    # Surrogates of other origin too.
    data = path.encode("utf-8", "surrogatepass")
    with contextlib.suppress(UnicodeEncodeError):
        data = os.fsencode(path)
    text = data.decode("utf-8", "backslashreplace")
    return _UNSEEN.sub(
        lambda found: found[0].encode("unicode_escape").decode(), text
    )


def make_output_folder(folder: str) -> None:
    """Makes a folder for results; an error now spares a long wait.

    Args:
        folder: str.

    Raises:
        OSError: it cannot be made or written to.
    """
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"The output folder {folder!r} cannot be made: {error.strerror}"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(f"The output folder {folder!r} is read-only.")


def one_line(
    error: BaseException, *, path: bool = True, try_less: str | None = None
) -> str:
    """Returns an error's message as one line.

    Args:
        error: BaseException.
        path: bool. Whether an OSError names its file; without it the system's
            words are all, for where the file is named anyway.
        try_less: str or None, what takes less memory, for when it has run out.

    Returns:
        str, not empty; of a very long message the beginning and the end.
    """
    if try_less is not None:
        if (known := memory.ran_out(error, try_less)) is not None:
            return known
    if not path and isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = shown_name(" ".join(str(error).split())) or type(error).__name__
    if len(text) > _MAX_LINE:
        half = _MAX_LINE // 2
        text = f"{text[:half]} ... {text[-half:]}"
    return text


def in_flags(text: str, flags: Mapping[str, str]) -> str:
    """Says an error of the library to people who gave flags to a program.

    `by_class` becomes --by_class and `by_class=True` --by_class=True; behind
    "Received:" so does by_class=True without backticks. All else stays as it
    is: files may be called seed=3.png.

    Args:
        text: str.
        flags: mapping from the name of an argument to what people know it as.
            Other names stay.

    Returns:
        str.
    """
    received = text.find(_RECEIVED)

    def said(found):
        if (name := found["name"]) in flags:
            return flags[name] + (found["value"] or "")
        if 0 <= received < found.start():
            return flags.get(found["given"], found[0])
        return found[0]

    return _IN_ERRORS.sub(said, text)


def split_list(text: str) -> list[str]:
    """Splits comma-separated paths; a path that exists counts as it is.

    Args:
        text: str. Paths, folders and globs.

    Returns:
        list of str, without empty ones and spaces around them. Where several
        parts together are an existing path, comma and all, they are one.
    """
    parts = text.split(",")
    found, start = [], 0
    while start < len(parts):
        for end in range(len(parts), start, -1):
            joined = ",".join(parts[start:end])
            texts = (joined, joined.strip())
            existing = [path for path in texts if os.path.lexists(path)]
            if existing:
                break
        found.append(existing[0] if existing else joined.strip())
        start = end
    return [path for path in found if path]


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
    *patterns: str,
    exclude: str | None = None,
    films: bool = False,
    say: Callable[[str], None] | None = None,
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
        films: bool. Whether films are listed too.
        say: function of a line of text, or None. Told what is left out:
            files of other kinds, links to what is found anyway, what has the
            name of a picture and is no file, and folders that may not be
            read.

    Returns:
        list of (path, name), sorted by path, each real file once: for a file
        found by several patterns the first one gives the name.

    Raises:
        FileNotFoundError: a pattern finds no picture.
    """
    found, others, links, unusable = {}, set(), set(), set()

    def is_wanted(path):
        return is_picture(path) or (films and is_film(path))

    for pattern in patterns:
        root, matches, loops, unread = _search(pattern)
        links |= set(loops)
        unusable |= set(unread)
        if exclude is not None and not os.path.isfile(pattern):
            matches = _outside(exclude, root, matches)
        unusable |= {
            path
            for path in matches
            if is_wanted(path)
            and not os.path.isfile(path)
            and not os.path.isdir(path)
        }
        matches = [path for path in matches if os.path.isfile(path)]
        pictures = [path for path in matches if is_wanted(path)]
        if not pictures:
            raise FileNotFoundError(_nothing_found(pattern))
        others |= set(matches) - set(pictures)
        # A file comes before links to it.
        for path in sorted(pictures, key=lambda p: (os.path.islink(p), p)):
            name = os.path.relpath(path, root or os.curdir)
            real = os.path.realpath(path)
            known, _ = found.setdefault(real, (path, name))
            if os.path.abspath(known) != os.path.abspath(path):
                links.add(os.path.abspath(path))
    if say is not None:
        _say_left_out(say, others, links)
        for path in sorted(unusable):
            say(f"{shown_name(path)} was left out: it is {_what(path)}")
    return sorted(found.values())


def _nothing_found(pattern: str) -> str:
    if pattern and not glob.has_magic(pattern) and not os.path.exists(pattern):
        link = "is a link to what " if os.path.lexists(pattern) else ""
        return (
            "Every input must be a file, a folder or a glob that is there. "
            f"Received: {pattern!r}, which {link}does not exist"
        )
    if os.path.exists(pattern) and not os.path.isfile(pattern):
        folder = os.path.isdir(pattern) and os.access(pattern, os.R_OK)
        if not folder:
            return (
                "Every input must be a regular file, a folder or a glob. "
                f"Received: {pattern!r}, which is {_what(pattern)}"
            )
    return (
        "Every input must be a picture, a folder with pictures or a "
        f"glob that finds some ({', '.join(EXTENSIONS)}). "
        f"Received: {pattern!r}"
    )


def _what(path: str) -> str:
    """Says what a path is that cannot be read as a picture or a folder."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return "a link to nothing"
    except OSError as error:
        return f"not to be read ({error.strerror})"
    if stat.S_ISDIR(mode):
        return "a folder that may not be read"
    return next((what for test, what in _SPECIAL if test(mode)), "no file")


def _say_left_out(say, others: set[str], links: set[str]) -> None:
    """Says in one line each what was found and is no input."""
    if links:
        plural = "link was" if len(links) == 1 else "links were"
        say(
            f"{len(links)} {plural} left out: what they lead to is found "
            "already, and every file counts once"
        )
    if others:
        kinds = collections.Counter(
            os.path.splitext(path)[1].lower() or "without extension"
            for path in others
        )
        named = [
            f"{count} {shown_name(kind)}"
            for kind, count in kinds.most_common(_NAMED_KINDS)
        ]
        if len(kinds) > _NAMED_KINDS:
            named.append("and others")
        plural = "file was" if len(others) == 1 else "files were"
        say(
            f"{len(others)} {plural} left out, of kinds that are not read as "
            f"pictures: {', '.join(named)}"
        )


def _search(pattern: str) -> tuple[str, list[str], list[str], list[str]]:
    """Searches for a pattern.

    Returns:
        The folder that names are relative to, the files that were found,
        links to folders that were not followed, as absolute paths, and
        folders that may not be read.
    """
    if os.path.isfile(pattern):
        return os.path.dirname(pattern), [pattern], [], []
    if os.path.isdir(pattern):
        return pattern, *_walk(pattern, hidden=False)
    root = os.path.dirname(pattern)
    while glob.has_magic(root):
        root = os.path.dirname(root)
    if "**" not in _parts(pattern):
        return root, glob.glob(pattern), [], []
    # `glob` follows links in circles.
    hidden = _wants_hidden(pattern)
    paths, loops, unread = _walk(root or os.curdir, hidden=hidden)
    if not root:
        paths = [os.path.relpath(path) for path in paths]
    matched = [p for p in paths if _matches(p, pattern)]
    return root, matched, loops, unread


def _parts(pattern: str) -> list[str]:
    """Returns the parts of a path or pattern, without empty and `.` ones."""
    normal = pattern.replace(os.sep, "/")
    return [part for part in normal.split("/") if part not in ("", ".")]


def _wants_hidden(pattern: str) -> bool:
    """Tells whether a pattern has a part for names that start with a dot."""
    return any(
        part.startswith(".") and part != ".." for part in _parts(pattern)
    )


def _matches(path: str, pattern: str) -> bool:
    """Tells whether a path matches a pattern, by the rules of Python's `glob`.

    Args:
        path: str. Absolute if the pattern is, else relative to the same place.
        pattern: str, in which `**` stands for any number of folders. Names that
            start with a dot match only where the pattern has the dot.

    Returns:
        bool.
    """
    return _match(tuple(_parts(path)), tuple(_parts(pattern)))


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


def _walk(root: str, *, hidden: bool) -> tuple[list[str], list[str], list[str]]:
    """Lists the files of a folder, each folder once.

    Args:
        root: str.
        hidden: bool. Whether hidden files and folders count.

    Returns:
        Paths of files; absolute paths of links to folders that were searched
        already; paths of folders that may not be read.
    """
    # Folders are searched before links, which then lead to what is known.
    folders, links = collections.deque([root]), collections.deque()
    seen, paths, loops, unread = set(), [], [], []
    while folders or links:
        is_link = not folders
        folder = links.popleft() if is_link else folders.popleft()
        real = os.path.realpath(folder)
        if real in seen:
            loops.append(os.path.abspath(folder))
            continue
        seen.add(real)
        try:
            entries = _entries(folder)
        except OSError:
            unread.append(folder)
            continue
        for entry in entries:
            if entry.name.startswith(".") and not hidden:
                continue
            path = os.path.join(folder, entry.name)
            if not os.path.isdir(path):
                paths.append(path)
            elif entry.is_symlink():
                links.append(path)
            else:
                folders.append(path)
    return paths, loops, unread


def _entries(folder: str) -> list[os.DirEntry]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _outside(folder: str, root: str, paths: list[str]) -> list[str]:
    """Drops the paths inside a folder, if that lies below the search root."""
    inside = os.path.join(os.path.realpath(folder), "")
    searched = os.path.join(os.path.realpath(root or os.curdir), "")
    if inside == searched or not inside.startswith(searched):
        return paths
    return [p for p in paths if not os.path.realpath(p).startswith(inside)]
