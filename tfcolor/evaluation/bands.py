"""Bands of rows, for metrics that hold dozens of values a pixel."""

from collections.abc import Iterator

# A picture of 24 megapixels at once would take several gigabytes.
PIXELS = 2**21


def bands(height: int, width: int) -> Iterator[slice]:
    """Yields slices of rows of about `PIXELS` pixels that cover a picture.

    Args:
        height: int.
        width: int.

    Yields:
        slice, at least one row each.
    """
    rows = max(1, PIXELS // width)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))
