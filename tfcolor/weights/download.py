"""Fetching a large file so that a broken connection costs little.

What has come is kept in `PATH.part`, and the next try, in this run or in one
next week, asks the server for the rest. The file gets its name only when it is
whole and its SHA-256 is the published one.

Libraries for this were looked at: pooch (1.9) begins a broken download from
its start, of 912 MB, and knows whole checksums alone, where two of ours are
known by their beginning or from the host; huggingface_hub resumes, but from
its own host only. What is needed is a page on top of requests.
"""

import contextlib
import hashlib
import os
import re
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator

import requests
import tqdm
import urllib3

from tfcolor import atomic

# Seconds until a connection is given up: to be made, and to say something.
_TIMEOUT = (10, 60)
# Tries after which nothing new had come, and tries in all.
_FRUITLESS_TRIES = 4
_TRIES = 50
# Seconds before another try; twice as long each time nothing had come.
_WAIT = 0.5
_CHUNK = 2**16
_NO_CONNECTION = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
)
# Servers that are busy or ill, and may be well soon.
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")
_SHA256 = re.compile(r'"?([0-9a-f]{64})"?')


class FetchError(OSError):
    """A file could not be fetched; the message says why."""


class _Broken(Exception):
    """The connection ended early, or the server asks for patience."""


class _Unreachable(_Broken):
    """There was no connection at all."""


def say(line: str) -> None:
    """Prints a line for people, beside what a program's result is."""
    print(f"note: {line}", file=sys.stderr)


def download(
    address: str,
    path: str,
    *,
    sha256: str,
    size: int | None = None,
    name: str,
) -> str:
    """Fetches a file, or the rest of it, and checks it.

    Args:
        address: str, http or https.
        path: str, the file to make; its folder exists.
        sha256: str, the checksum in hexadecimal digits or its beginning; ""
            if none is known: then the one that the host names counts.
        size: int or None, the file's bytes, if they are known.
        name: str, shown before the progress bar.

    Returns:
        str, the file's whole SHA-256.

    Raises:
        FetchError: the server cannot be reached, refuses, or breaks off again
            and again; what has come is kept for the next time.
        ValueError: the file has another checksum or size; it is deleted.
    """
    part = f"{path}.part"
    tries, fruitless, came = 0, 0, False
    while True:
        before = _size(part)
        try:
            vouched = _receive(address, part, size=size, name=name)
            break
        except _Broken as error:
            tries += 1
            fruitless = 0 if _size(part) > before else fruitless + 1
            came = came or not fruitless
            # Without a network people must not wait.
            offline = isinstance(error, _Unreachable) and not came
            if offline or fruitless >= _FRUITLESS_TRIES or tries >= _TRIES:
                kept = f", {_size(part)} bytes are kept" * bool(_size(part))
                raise FetchError(f"{error}{kept}") from error
            time.sleep(_WAIT * 2**fruitless)
    wanted = sha256 or vouched
    if not wanted:
        say(f"{name}: nobody names a checksum; the file is taken as it came")
    digest = check(part, wanted or "", size=size, delete=True)
    os.replace(part, path)
    return digest


def check(
    path: str, sha256: str, *, size: int | None = None, delete: bool = False
) -> str:
    """Checks a file's SHA-256.

    Args:
        path: str.
        sha256: str, hexadecimal digits, or their beginning, or "".
        size: int or None, bytes, if they are known.
        delete: bool. Whether a file that is another is deleted.

    Returns:
        str, the file's whole SHA-256.

    Raises:
        ValueError: it is another file.
    """
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    found = os.path.getsize(path)
    if digest.startswith(sha256) and size in (None, found):
        return digest
    if delete:
        os.remove(path)
    which = "begins with" if len(sha256) < 64 else "is"
    raise ValueError(
        f"The file must be the published one, whose SHA-256 {which} {sha256}"
        f"{f' and which has {size} bytes' if size else ''}. "
        f"Received: {path!r} with {digest}, {found} bytes"
        f"{', which was deleted' if delete else ''}"
    )


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _receive(address, part, *, size, name) -> str | None:
    """Appends to `part`; returns the SHA-256 that the host names, if any."""
    start = _size(part)
    # Packed on its way, a file's rest could not be asked for.
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with _as_fetch_errors(), requests.Session() as session:
        response = session.get(
            address, headers=headers, stream=True, timeout=_TIMEOUT
        )
        with response:
            _check_redirects(address, response)
            if response.status_code == 416:
                return _nothing_left(response, part, start)
            _check_status(response)
            begin, total = _place(response, start)
            if size is not None and total not in (None, size):
                raise FetchError(f"a file of {total} bytes, not {size}")
            chunks = response.iter_content(_CHUNK)
            _write(chunks, part, begin, total, limit=size, name=name)
            return _named_by_host(response)


@contextlib.contextmanager
def _as_fetch_errors() -> Iterator[None]:
    """Tells connections that broke from requests that cannot succeed."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise FetchError(_reason(error)) from error
    except (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
    ) as error:
        inner = getattr(error.args[0] if error.args else None, "reason", None)
        none = isinstance(inner, _NO_CONNECTION)
        raise (_Unreachable if none else _Broken)(_reason(error)) from error
    except requests.RequestException as error:
        raise FetchError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """Returns the innermost reason, on one line."""
    while error.args and isinstance(error.args[-1], Exception):
        error = error.args[-1]
    inner = getattr(error, "reason", None)
    if isinstance(inner, Exception):
        return _reason(inner)
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"


def _check_redirects(address: str, response) -> None:
    steps = [step.url for step in (*response.history[1:], response)]
    if address.startswith("https:"):
        plain = [url for url in steps if not url.startswith("https:")]
        if plain:
            raise FetchError(f"a redirect to {plain[0]}, which is not https")


def _check_status(response) -> None:
    status = f"HTTP {response.status_code} {response.reason}"
    if response.status_code in _PASSING:
        raise _Broken(status)
    if response.status_code not in (200, 206):
        raise FetchError(status)


def _place(response, start: int) -> tuple[int, int | None]:
    """Returns where the answer's bytes belong, and the file's length."""
    if response.status_code == 200:
        # The server does not know parts: all from the start.
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdigit() else None
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None or match.group(1) != str(start):
        raise FetchError("HTTP 206 with another part than the one asked for")
    total = match.group(2)
    return start, int(total) if total != "*" else None


def _nothing_left(response, part: str, start: int) -> str | None:
    """Answers to 416: either all has come, or something else."""
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is not None and match.group(2) == str(start):
        return _named_by_host(response)
    os.remove(part)
    raise _Broken("HTTP 416: what was kept is no part of the file")


def _write(
    chunks, part: str, begin: int, total, *, limit: int | None, name: str
) -> None:
    with atomic.writing(part):
        # Without a buffer: what cannot be written is said where it is known.
        opened = open(part, "ab", buffering=0)
    with (
        opened as file,
        tqdm.tqdm(
            total=total,
            initial=begin,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            desc=name,
            file=sys.stderr,
        ) as progress,
    ):
        with atomic.writing(part):
            file.truncate(begin)
        written = begin
        for chunk in chunks:
            written += len(chunk)
            if limit is not None and written > limit:
                raise FetchError(f"more than the file's {limit} bytes")
            with atomic.writing(part):
                rest = memoryview(chunk)
                while rest:
                    rest = rest[file.write(rest) :]
            progress.update(len(chunk))
    if total is not None and written < total:
        raise _Broken(f"{written} of {total} bytes")


def _named_by_host(response) -> str | None:
    """Returns the SHA-256 by which Hugging Face names a file's content."""
    for step in (*response.history, response):
        match = _SHA256.fullmatch(step.headers.get("X-Linked-Etag", ""))
        if match is not None:
            return match.group(1)
    return None


@contextlib.contextmanager
def alone(folder: str, *, wait: Callable[[], None]) -> Iterator[None]:
    """Makes other processes wait that want the same folder.

    Args:
        folder: str, which exists.
        wait: function, called once if another process has it.
    """
    try:
        import fcntl
    except ImportError:
        # Not on Windows: there two processes may fetch a file twice.
        yield
        return
    with open(os.path.join(folder, ".lock"), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            # No locks here, as on some network file systems.
            pass
        yield
