"""Colorizing an album by a server: from inputs as people name them to files.

What `tfcolor client` does, for programs, as `inference.album` is what `tfcolor
colorize` does.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.detection import defaults as detection_defaults
from tfcolor.inference import album as album_lib
from tfcolor.pictures import pillow_limit
from tfcolor.serving import colorize_files
from tfcolor.serving import defaults
from tfcolor.serving.address import Address


def colorize_by_server(
    inputs: Sequence[str],
    output: str,
    *,
    address: Address,
    boxes: str | None = None,
    max_boxes: int = detection_defaults.MAX_BOXES,
    parallel: int = defaults.PARALLEL,
    retries: int = defaults.RETRIES,
    timeout: float = defaults.TIMEOUT,
    max_pixels: int = pillow_limit.MAX_PIXELS,
    overwrite: bool = False,
    stop: Callable[[], bool] = outcome_lib.never,
    say: Callable[[str], None] | None = None,
) -> Outcomes:
    """Colorizes picture files by a server that runs an exported model.

    What is wrong with inputs, outputs, address or boxes raises an error before
    the first picture; a picture that fails, or that the server refuses, is an
    outcome with a reason, and the others go on. Pictures are sent while the
    result is iterated.

    Args:
        inputs: sequence of str. Files, folders and globs.
        output: str. A file, or a folder; see `output_paths.plan`.
        address: Address, where the server and its model are.
        boxes: str or None. Where things are, for a model that takes boxes; see
            `box_finder.open_finder`. None sends none.
        max_boxes: int. The boxes of highest score that a picture keeps.
        parallel: int, 1 or above. Requests at once.
        retries: int, 0 or above. Further tries while the server is not there
            or busy, after 0.5 s, 1 s, 2 s and so on.
        timeout: float above 0, seconds. Of one request.
        max_pixels: int. A picture of more is not sent, but fails.
        overwrite: bool. Whether results that exist are made anew.
        stop: function without arguments, asked after each picture. Once it
            returns True no other picture is sent.
        say: function of a line of text, or None. Told what is left out.

    Returns:
        Outcomes, one for each picture: first those of earlier runs.

    Raises:
        ImportError: the address is of gRPC, and its packages are missing.
        OSError: an input finds no picture, the output folder cannot be made
            or written to, or the boxes cannot be read.
        ValueError: `output` is not what the pictures need, the boxes are not
            right, or a number is out of range.

    Example:
        >>> address = Address("http://localhost:8501")
        >>> for outcome in colorize_by_server(
        ...     ["album"], "colored/", address=address
        ... ):
        ...     print(outcome.source, outcome.reason or outcome.written)
    """
    pillow_limit.check_option(max_pixels)
    _check_at_least("parallel", parallel, 1)
    _check_at_least("retries", retries, 0)
    if not timeout > 0:
        raise ValueError(
            f"`timeout` must be above 0. Received: timeout={timeout}"
        )
    planned = album_lib.plan_album(inputs, output, overwrite=overwrite, say=say)
    if not planned.todo:
        return planned.outcomes(iter(()))
    find_boxes = _open_boxes(boxes, max_boxes, planned.todo)
    client = _connect(address, timeout)
    running = colorize_files.colorize_files(
        client,
        planned.todo,
        find_boxes=find_boxes,
        parallel=parallel,
        retries=retries,
        max_pixels=max_pixels,
        stop=stop,
    )
    return planned.outcomes(_closing(client, running))


def _closing(client, running: Iterator[Outcome]) -> Iterator[Outcome]:
    try:
        yield from running
    finally:
        client.close()


def _check_at_least(name: str, value: int, lowest: int) -> None:
    if value < lowest:
        raise ValueError(
            f"`{name}` must be {lowest} or above. Received: {name}={value}"
        )


def _open_boxes(boxes, max_boxes, jobs):
    if boxes is None:
        return None
    from tfcolor.inference import box_finder

    find = box_finder.open_finder(
        boxes, max_boxes=max_boxes, pictures=[job.source for job in jobs]
    )
    return lambda source, pixels: find(source, pixels).boxes


def _connect(address: Address, timeout: float):
    if address.is_grpc:
        from tfcolor.serving.grpc_client import GrpcClient

        return GrpcClient(address, timeout=timeout)
    from tfcolor.serving.rest_client import RestClient

    return RestClient(address, timeout=timeout)
