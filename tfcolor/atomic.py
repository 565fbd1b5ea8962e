"""Files and folders that appear whole or not at all.

What is being written lies in a hidden folder beside its place,
`.tfcolor-*.tmp`, and is renamed when it is whole and on the disk. A process
that is killed leaves that folder behind; `remove_leftovers` removes it, and
puts back what was about to be replaced. A lock that ends with its process says
which of them are in use; where the file system has no locks, as some network
file systems, leftovers stay.
"""

import contextlib
import glob
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable
from collections.abc import Iterator
from typing import BinaryIO

try:
    import fcntl
except ImportError:
    # Not on Windows: leftovers stay there.
    fcntl = None

_START, _END = ".tfcolor-", ".tmp"
_NEW, _OLD = "new", "old"
# What is locked in temporary folders.
_IN_USE = "in_use"


@contextlib.contextmanager
def replacing(path: str, *, extension: str = "") -> Iterator[str]:
    """Gives a path to write to that becomes `path` when all went well.

    Args:
        path: str, a file or a folder. Folders above it are made; what is there
            is replaced, and stays if the body raises.
        extension: str, that the path to write to must have.

    Yields:
        str, a path beside it where nothing is yet. The body makes a file or a
        folder there.

    Raises:
        OSError: a folder cannot be made, or what is there not be replaced;
            nothing is left behind.
    """
    path = path.rstrip(os.sep) or path
    folder = os.path.dirname(path) or os.curdir
    with writing(path):
        os.makedirs(folder, exist_ok=True)
        place, lock = _make_place(folder)
    try:
        new = os.path.join(place, _NEW + extension)
        yield new
        with writing(path):
            _to_disk(new)
            _rename(new, path, os.path.join(place, _OLD))
    finally:
        shutil.rmtree(place, ignore_errors=True)
        _unlock(lock)


@contextlib.contextmanager
def writing(path: str) -> Iterator[None]:
    """Names a file in the errors of writing it; a context manager.

    Args:
        path: str.

    Raises:
        OSError: the body raised one; the message names the file.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise OSError(f"{path} cannot be written: {reason}") from error


def write_bytes(path: str, data: bytes) -> None:
    """Writes a file so that nobody ever sees a part of it.

    Args:
        path: str. Folders that are missing are made; a file is replaced.
        data: bytes.

    Raises:
        OSError: the file cannot be written; nothing is left behind.
    """
    with (
        replacing(path) as new,
        writing(path),
        open(new, "xb") as file,
    ):
        file.write(data)


@contextlib.contextmanager
def held(folder: str) -> Iterator[None]:
    """Makes a folder and keeps other processes from it; a context manager.

    Args:
        folder: str.

    Raises:
        OSError: it cannot be made, or another process has it.
    """
    with writing(folder):
        os.makedirs(folder, exist_ok=True)
        try:
            lock = _lock(folder)
        except BlockingIOError as error:
            raise OSError("another process is writing it") from error
    try:
        yield
    finally:
        _unlock(lock)


@contextlib.contextmanager
def temporary_folder(prefix: str) -> Iterator[str]:
    """Makes a folder among the system's temporary ones; a context manager.

    It is deleted at the end. A process that is killed cannot do that: the next
    one with the same prefix does it then; see `remove_temporary`.

    Args:
        prefix: str, with which its name begins.

    Yields:
        str, its path.

    Raises:
        OSError: it cannot be made.
    """
    remove_temporary(prefix)
    folder = tempfile.mkdtemp(prefix=prefix)
    mark = _mark_in_use(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(mark)


def remove_temporary(prefix: str) -> None:
    """Removes the `temporary_folder`s of processes that were killed.

    Those of living ones are locked, whichever container they run in.

    Args:
        prefix: str.
    """
    if fcntl is None:
        return
    pattern = os.path.join(glob.escape(tempfile.gettempdir()), f"{prefix}*")
    for folder in glob.glob(pattern):
        # Whatever cannot be opened or locked is somebody's.
        with (
            contextlib.suppress(OSError),
            open(os.path.join(folder, _IN_USE)) as file,
        ):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _mark_in_use(folder: str) -> int | None:
    """Marks a folder as in use until the result is given to `_unlock`."""
    if fcntl is None:
        return None
    unlocked = os.path.join(folder, f"{_IN_USE}.tmp")
    mark = os.open(unlocked, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(mark, fcntl.LOCK_EX)
    os.rename(unlocked, os.path.join(folder, _IN_USE))
    return mark


def remove_leftovers(paths: Iterable[str]) -> None:
    """Removes what killed processes were writing beside some paths.

    What other processes are writing stays. Where one was killed between taking
    an old folder away and putting the new one there, the old one comes back.

    Args:
        paths: iterable of str, files and folders that `replacing` writes.
    """
    for folder in {os.path.dirname(path) or os.curdir for path in paths}:
        with contextlib.suppress(OSError):
            for name in os.listdir(folder):
                if name.startswith(_START) and name.endswith(_END):
                    _remove_leftover(folder, name)


def _remove_leftover(folder: str, name: str) -> None:
    place = os.path.join(folder, name)
    with contextlib.suppress(OSError):
        lock = _lock(place)
        if lock is None:
            return
        try:
            # Never what another user has put there.
            if os.fstat(lock).st_uid != os.geteuid():
                return
            _put_back(os.path.join(place, _OLD), folder)
            shutil.rmtree(place, ignore_errors=True)
        finally:
            _unlock(lock)


def read_unchanged(file: BinaryIO) -> bytes:
    """Reads a file that nobody may write to in the meantime.

    Args:
        file: binary file, opened for reading.

    Returns:
        bytes, all of it.

    Raises:
        OSError: it was written to while it was read: the bytes would be of
            two files.
    """
    before = os.fstat(file.fileno())
    data = file.read()
    after = os.fstat(file.fileno())
    if (before.st_mtime_ns, before.st_size) != (
        after.st_mtime_ns,
        after.st_size,
    ):
        raise OSError("The file was changed while it was read.")
    return data


def _make_place(folder: str) -> tuple[str, int | None]:
    """Makes a hidden folder; returns it and its lock, if there are locks."""
    while True:
        place = os.path.join(folder, f"{_START}{uuid.uuid4().hex}{_END}")
        os.mkdir(place)
        try:
            lock = _lock(place)
        except (BlockingIOError, FileNotFoundError):
            # Taken for a leftover before it was locked.
            continue
        if os.path.isdir(place):
            return place, lock
        _unlock(lock)


def _lock(place: str) -> int | None:
    """Locks a folder; returns what to `_unlock`, None if nothing locks here.

    Raises:
        BlockingIOError: another process has it.
        FileNotFoundError: it is gone.
    """
    if fcntl is None:
        return None
    lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise
    except OSError:
        os.close(lock)
        return None
    return lock


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _to_disk(path: str) -> None:
    """Waits until a file, or all of a folder, would outlive a power cut."""
    paths = [path]
    if os.path.isdir(path):
        paths = [
            os.path.join(root, name)
            for root, _, names in os.walk(path)
            for name in names
        ]
    for name in paths:
        file = os.open(name, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def _rename(new: str, path: str, old: str) -> None:
    """Puts `new` at `path`; a folder that is there goes into `old`."""
    if os.path.islink(path) or not os.path.isdir(path):
        os.replace(new, path)
        return
    os.mkdir(old)
    aside = os.path.join(old, os.path.basename(path))
    os.replace(path, aside)
    try:
        os.replace(new, path)
    except OSError:
        os.replace(aside, path)
        raise


def _put_back(old: str, folder: str) -> None:
    """Moves what was taken away back where nothing has taken its place."""
    if not os.path.isdir(old):
        return
    for name in os.listdir(old):
        place = os.path.join(folder, name)
        if not os.path.lexists(place):
            os.replace(os.path.join(old, name), place)
