"""Colorizing picture files by a server."""

import os
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent import futures
from typing import Protocol

import numpy as np

from tfcolor import atomic
from tfcolor.data import decode
from tfcolor.data import encode
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.inference.output_paths import PictureJob
from tfcolor.serving import defaults
from tfcolor.serving.failure import ServerError

# What an exported model decodes to the same pixels as tfcolor itself.
_SENT_AS_THEY_ARE = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")

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
    stop: Callable[[], bool] = lambda: False,
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

    Yields:
        Outcome of each job, in order.
    """
    pool = futures.ThreadPoolExecutor(parallel)

    def one(job):
        _colorize_file(client, job, find_boxes, retries, first_wait)

    try:
        running = [(job, pool.submit(one, job)) for job in jobs]
        for job, future in running:
            if error := future.exception():
                reason = outcome_lib.one_line(
                    error, try_less="smaller pictures"
                )
                yield Outcome(job.source, reason=reason)
            else:
                yield Outcome(job.source, (job.output,))
            if stop():
                break
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _colorize_file(client, job, find_boxes, retries, first_wait) -> None:
    with open(job.source, "rb") as file:
        data = atomic.read_unchanged(file)
    boxes = None
    if find_boxes is not None:
        boxes = find_boxes(job.source, decode.decode_picture(data).pixels)
        # A list that JSON can tell the shape of.
        boxes = boxes if len(boxes) else np.zeros([1, 4], np.float32)
    sent = fit_to_send(data)
    png = _with_retries(
        lambda: client.colorize(sent, boxes=boxes), retries, first_wait
    )
    extension = os.path.splitext(job.output)[1]
    if extension.lower() != ".png":
        pixels = decode.decode_picture(png).pixels
        png = encode.encode_picture(pixels, extension)
    encode.write_atomically(job.output, png)


def fit_to_send(data: bytes) -> bytes:
    """Makes a picture one that an exported model decodes.

    Args:
        data: bytes of a picture file of any kind that tfcolor reads.

    Returns:
        bytes of a JPEG or PNG: the same ones where it is one already.

    Raises:
        OSError: `data` is not a picture that can be read.
        ValueError: the kind of picture is not supported.
    """
    if data.startswith(_SENT_AS_THEY_ARE) and decode.is_plain(data):
        return data
    picture = decode.decode_picture(data)
    pixels = picture.pixels
    pixels = decode.to_8_bit(pixels) if picture.bits == 8 else pixels
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    return encode.encode_picture(pixels, ".png")


def _with_retries(ask, retries: int, first_wait: float) -> bytes:
    for attempt in range(retries + 1):
        try:
            return ask()
        except ServerError as error:
            if not error.passing or attempt == retries:
                raise
        time.sleep(first_wait * 2**attempt)
    raise ValueError(f"`retries` must be 0 or above. Received: {retries}")
