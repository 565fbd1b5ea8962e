"""Colorizing picture files by a server."""

import os
import threading
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent import futures
from typing import Protocol

import numpy as np

from tfcolor import atomic
from tfcolor.data import files
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.inference.output_paths import PictureJob
from tfcolor.pictures import decode
from tfcolor.pictures import encode
from tfcolor.pictures import jpeg_end
from tfcolor.pictures import pillow_limit
from tfcolor.serving import defaults
from tfcolor.serving.failure import ServerError

# What an exported model decodes to the same pixels as tfcolor itself.
_PNG = b"\x89PNG\r\n\x1a\n"
_SENT_AS_THEY_ARE = (b"\xff\xd8\xff", _PNG)

# Of a picture's path and pixels [H, W, C] to float32 [N, 4], yxyx pixels.
FindBoxes = Callable[[str, np.ndarray], np.ndarray]


class Client(Protocol):
    """What colorizes encoded pictures."""

    def colorize(
        self, picture: bytes, *, boxes: np.ndarray | None = None
    ) -> bytes:
        """Colorizes a picture; see `RestClient`."""


def colorize_files(
    client: Client,
    jobs: Sequence[PictureJob],
    *,
    find_boxes: FindBoxes | None = None,
    parallel: int = defaults.PARALLEL,
    retries: int = defaults.RETRIES,
    first_wait: float = defaults.FIRST_WAIT,
    stop: Callable[[], bool] = outcome_lib.never,
    max_pixels: int = pillow_limit.MAX_PIXELS,
) -> Iterator[Outcome]:
    """Colorizes picture files; a bad one does not stop the others.

    Args:
        client: RestClient or GrpcClient.
        jobs: PictureJobs, each with an output.
        find_boxes: FindBoxes or None, for a model that takes boxes.
        parallel: int. Requests at once.
        retries: int. Further tries of a request that failed for a passing
            reason: the server is not there or busy.
        first_wait: float. Seconds before the first of them; doubled for each.
        stop: function without arguments, asked after each picture. Once it
            returns True no other picture is sent.
        max_pixels: int. A picture of more is not sent, but fails.

    Yields:
        Outcome of each job, in order.
    """
    pool = futures.ThreadPoolExecutor(parallel)
    ended = threading.Event()

    def one(job):
        # An error that a future kept would keep what was sent.
        try:
            return Outcome(job.source, (job.output,), notes=colorize(job))
        except Exception as error:
            reason = files.one_line(
                error, path=False, try_less="smaller pictures"
            )
            return Outcome(job.source, reason=reason)

    def colorize(job):
        notes = []
        sent, boxes = _request(job.source, find_boxes, max_pixels, notes)
        png = _with_retries(
            lambda: client.colorize(sent, boxes=boxes),
            retries,
            first_wait,
            ended,
        )
        _write(job.output, png, max_pixels)
        return tuple(notes)

    try:
        for future in [pool.submit(one, job) for job in jobs]:
            yield future.result()
            if stop():
                break
    finally:
        ended.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _request(source, find_boxes, max_pixels, notes) -> tuple:
    """Returns the bytes that are sent for a picture, and its boxes or None."""
    data = pillow_limit.read_file(source, max_pixels=max_pixels)
    boxes = None
    if find_boxes is not None:
        picture = decode.decode_picture(data, max_pixels=max_pixels)
        boxes = find_boxes(source, picture.pixels)
        # A list that JSON can tell the shape of.
        boxes = boxes if len(boxes) else np.zeros([1, 4], np.float32)
    sent = fit_to_send(data, max_pixels=max_pixels, say=notes.append)
    return sent, boxes


def _write(output: str, png: bytes, max_pixels: int) -> None:
    if not png.startswith(_PNG):
        raise ValueError(
            "A server must answer with a PNG. "
            f"Received: {len(png)} bytes of something else"
        )
    extension = os.path.splitext(output)[1]
    if extension.lower() != ".png":
        pixels = decode.decode_picture(png, max_pixels=max_pixels).pixels
        png = encode.encode_picture(pixels, extension)
    atomic.write_bytes(output, png)


def fit_to_send(
    data: bytes,
    *,
    max_pixels: int = pillow_limit.MAX_PIXELS,
    say: Callable[[str], None] = lambda line: None,
) -> bytes:
    """Makes a picture one that an exported model decodes.

    Args:
        data: bytes of a picture file of any kind that tfcolor reads.
        max_pixels: int, of the picture.
        say: function of a line of text, told what is left out or ignored.

    Returns:
        bytes of a JPEG or PNG: the same ones where it is one already.

    Raises:
        OSError: `data` is not a picture that can be read.
        ValueError: the kind of picture is not supported, or it is too large.
    """
    plain = data.startswith(_SENT_AS_THEY_ARE)
    if plain and decode.is_plain(data, max_pixels=max_pixels):
        if damage := jpeg_end.damage(data):
            say(damage)
        return data
    picture = decode.decode_picture(data, max_pixels=max_pixels)
    for note in picture.notes:
        say(note)
    pixels = picture.pixels
    pixels = decode.to_8_bit(pixels) if picture.bits == 8 else pixels
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    return encode.encode_picture(pixels, ".png")


def _with_retries(
    ask, retries: int, first_wait: float, ended: threading.Event
) -> bytes:
    """Asks until there is an answer; not again once nobody waits for it."""
    for attempt in range(retries + 1):
        try:
            return ask()
        except ServerError as error:
            last = not error.passing or attempt == retries
            if last or ended.wait(first_wait * 2**attempt):
                raise
    raise ValueError(f"`retries` must be 0 or above. Received: {retries}")
