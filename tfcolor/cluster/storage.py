"""Files on disks and in object stores, by their paths or URLs.

A URL is whatever fsspec opens: s3://bucket/key, gs://bucket/key, memory://x.
Everything else is a path of the file system that all machines share. Objects
appear whole or not at all by themselves; files do by `atomic`.
"""

import os
import re

from tfcolor import atomic
from tfcolor.data import files

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_WILDCARDS = re.compile(r"[*?\[]")
# What stores call what changes with an object, in small letters.
_CHANGING = {"etag", "generation", "lastmodified", "mtime", "created"}


def is_url(path: str) -> bool:
    """Tells whether a path is a URL."""
    return _URL.match(path) is not None


def join(folder: str, name: str) -> str:
    """Puts a name with `/` below a folder or a URL."""
    if is_url(folder):
        return f"{folder.rstrip('/')}/{name}"
    return os.path.join(folder, name)


def beside(output: str, ending: str) -> str:
    """Returns a path beside a folder, or inside of a whole bucket."""
    path = output.rstrip("/")
    if is_url(output) and "/" not in path.partition("://")[2]:
        return join(path, ending.lstrip("."))
    return path + ending


def read(path: str, start: int | None = None, end: int | None = None) -> bytes:
    """Reads a file, or some of its bytes.

    Args:
        path: str, path or URL.
        start: int or None. The first byte wanted.
        end: int or None. The first byte that is not.

    Returns:
        bytes.

    Raises:
        OSError: it cannot be read.
        ImportError: what reads this kind of URL is not installed.
    """
    if is_url(path):
        system, inner = _open(path)
        return system.cat_file(inner, start=start, end=end)
    with open(path, "rb") as file:
        file.seek(start or 0)
        return file.read(-1 if end is None else end - (start or 0))


def exists(path: str) -> bool:
    """Tells whether a file is there.

    Args:
        path: str, path or URL.
    """
    if not is_url(path):
        return os.path.lexists(path)
    system, inner = _open(path)
    try:
        # Its first byte is one request of the cheap kind. Where nothing is,
        # `exists` lists too, which costs twelve times as much in S3.
        system.cat_file(inner, start=0, end=1)
    except FileNotFoundError:
        return False
    except Exception:
        # An empty object has no first byte; each kind of store says that, and
        # what it does with folders, in its own way.
        return system.exists(inner)
    return True


def stamp(path: str) -> list | None:
    """Returns what tells a file from the one that replaces it.

    Args:
        path: str, path or URL.

    Returns:
        list of str and int, for comparison: the size and the time of a file,
        what its store says of an object. None if it is not there, or if the
        store says nothing that changes with the object.
    """
    if not is_url(path):
        try:
            found = os.stat(path)
        except OSError:
            return None
        return [found.st_size, found.st_mtime_ns]
    try:
        system, inner = _open(path)
        told = system.info(inner)
    except Exception:
        # Each kind of store has errors of its own.
        return None
    if not _CHANGING & {key.lower() for key in told}:
        return None
    return sorted(f"{key}: {value}" for key, value in told.items())


def write(path: str, data: bytes) -> None:
    """Writes a file that appears whole or not at all.

    Args:
        path: str, path or URL.
        data: bytes.

    Raises:
        OSError: it cannot be written.
    """
    if is_url(path):
        system, inner = _open(path)
        with atomic.writing(path):
            system.pipe_file(inner, data)
    else:
        atomic.write_bytes(path, data)


def fetch(path: str, local: str) -> None:
    """Copies an object to a file of this machine.

    Args:
        path: str, a URL.
        local: str.

    Raises:
        OSError: it cannot be read.
    """
    system, inner = _open(path)
    system.get_file(inner, local)


def put(local: str, path: str) -> None:
    """Copies a file of this machine to an object.

    Args:
        local: str.
        path: str, a URL.

    Raises:
        OSError: it cannot be written.
    """
    system, inner = _open(path)
    with atomic.writing(path):
        system.put_file(local, inner)


def remove(path: str) -> None:
    """Removes a file, if it is there.

    Args:
        path: str, path or URL.
    """
    if exists(path):
        if is_url(path):
            system, inner = _open(path)
            system.rm_file(inner)
        else:
            os.remove(path)


def make_folder(folder: str) -> None:
    """Makes the output folder; an error now spares a long wait.

    Args:
        folder: str, path or URL. A store's bucket must be there.

    Raises:
        OSError: it cannot be made or written to.
        ImportError: what writes this kind of URL is not installed.
    """
    if not is_url(folder):
        files.make_output_folder(folder)
        return
    probe = join(folder, ".tfcolor-cluster-probe")
    write(probe, b"")
    remove(probe)


def list_pictures(pattern: str) -> list[tuple[str, str]]:
    """Lists the pictures below a URL, or those that a glob of URLs finds.

    Args:
        pattern: str, a URL: of an object, of a folder, or with wildcards.

    Returns:
        list of (URL, name), sorted; names are relative to the folder, or to
        what lies before the first wildcard. Hidden ones are left out.

    Raises:
        FileNotFoundError: it finds no picture.
    """
    system, inner = _open(pattern)
    scheme = pattern.partition("://")[0]
    if _WILDCARDS.search(inner):
        root = os.path.dirname(inner[: _WILDCARDS.search(inner).start()] + "x")
        found = system.glob(inner)
    elif system.isfile(inner):
        root, found = os.path.dirname(inner), [inner]
    else:
        root, found = inner.rstrip("/"), system.find(inner)
    pairs = [
        (f"{scheme}://{path.lstrip('/')}", os.path.relpath(path, root))
        for path in sorted(found)
        if files.is_picture(path)
    ]
    pairs = [
        (url, name)
        for url, name in pairs
        if not any(part.startswith(".") for part in name.split("/"))
    ]
    if not pairs:
        raise FileNotFoundError(
            "Every input must be a picture, a folder with pictures or a glob "
            f"that finds some. Received: {pattern!r}"
        )
    return pairs


def _open(path: str):
    """Returns the file system of a URL and the path in it."""
    import fsspec

    return fsspec.core.url_to_fs(path, use_listings_cache=False)
