"""From start to end of a studio: port, token, browser, temporary folder."""

import contextlib
import os
import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable
from collections.abc import Iterator

# Not what is of the extra [studio]: it may be missing.
from tfcolor import atomic
from tfcolor import extras
from tfcolor.detection import defaults
from tfcolor.pictures import pillow_limit

# Of that extra.
_PACKAGES = ("starlette", "uvicorn")
_HOST = "127.0.0.1"
# Seconds that open requests have at the end.
_GRACE = 3


class NotServedError(OSError):
    """The options are right, but the studio cannot be opened or go on.

    Mostly, the port is taken.
    """


class _Ended(Exception):
    """SIGTERM or SIGHUP has come."""


def serve(
    *,
    port: int = 0,
    model: str | None = None,
    models: str | None = None,
    boxes: str | None = None,
    max_boxes: int = defaults.MAX_BOXES,
    max_pixels: int,
    open_browser: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """Runs the studio until Ctrl-C, SIGTERM or SIGHUP, a closed terminal.

    Its temporary folder, with all photos, is deleted at the end, or, if this
    process is killed, by the next studio.

    Args:
        port: int; 0 is a free one.
        model: str or None, a name or a path to begin with.
        models: str or None, a folder of `.keras` files.
        boxes: str or None. Where things are; see `app.Studio`.
        max_boxes: int. The boxes of highest score that a photo gets.
        max_pixels: int. A photo of more is refused.
        open_browser: bool.
        say: function of a line of text. Told the address.

    Raises:
        ValueError, OSError: an option is not right.
        ImportError: a package of the extra [studio] is not installed.
        NotServedError: the port is taken or not allowed.
    """
    _check_options(port, models, boxes, max_pixels)
    _check_packages()
    import uvicorn

    from tfcolor.studio import app as app_lib
    from tfcolor.studio import guard

    with (
        _not_served(),
        _listening(port) as listener,
        _ended_by_signals() as running,
        atomic.temporary_folder("tfcolor-studio-") as folder,
    ):
        port = listener.getsockname()[1]
        token = secrets.token_urlsafe(24)
        address = f"http://{_HOST}:{port}/{token}/"
        studio = app_lib.Studio(
            folder,
            first=model,
            models=models,
            boxes=boxes,
            max_boxes=max_boxes,
            max_pixels=max_pixels,
        )
        app = guard.Guard(app_lib.make_app(studio), token=token, port=port)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE,
        )
        say(f"The studio is at {address}")
        say("Ctrl-C ends it.")
        if open_browser:
            threading.Thread(
                target=webbrowser.open, args=[address], daemon=True
            ).start()
        server = uvicorn.Server(config)
        running.append(server)
        try:
            server.run(sockets=[listener])
        finally:
            studio.close()


def _check_options(
    port: int, models: str | None, boxes: str | None, max_pixels: int
) -> None:
    if not 0 <= port <= 65535:
        raise ValueError(f"`port` must be in 0..65535. Received: {port}")
    if boxes is not None and not os.path.exists(boxes):
        raise FileNotFoundError(
            f"`boxes` must be a folder or a file. Received: {boxes!r}"
        )
    if models is not None and not os.path.isdir(models):
        raise NotADirectoryError(
            f"`models` must be a folder. Received: {models!r}"
        )
    pillow_limit.check_option(max_pixels)


def _check_packages() -> None:
    try:
        import uvicorn  # noqa: F401, I001
        import starlette  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name not in _PACKAGES:
            raise
        raise ImportError(
            f"The studio needs {extras.how_to_install('studio')}. "
            f"Received: no package {error.name!r}"
        ) from error


@contextlib.contextmanager
def _not_served() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotServedError(str(error)) from error


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """Opens the port at once: an error now comes before any waiting."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(128)
        yield listener


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[list]:
    """Makes these signals an end like any other, so that all is cleaned.

    Yields:
        list, for a Server that runs. It ends by itself, and then raises the
        signal again for whoever set a handler before. An error raised inside
        of it could be lost: it goes through code that catches all.
    """
    running = []

    def end(number, frame):
        if running and not running[0].should_exit:
            running[0].handle_exit(number, frame)
        else:
            raise _Ended

    # Windows has no SIGHUP.
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {
        getattr(signal, n): signal.getsignal(getattr(signal, n)) for n in names
    }
    for number in before:
        signal.signal(number, end)
    try:
        yield running
    except (_Ended, KeyboardInterrupt):
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
