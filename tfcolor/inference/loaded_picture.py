"""A picture file that was read, and the part of it that is to be colored."""

import dataclasses

import numpy as np

from tfcolor.boxes import picture_boxes
from tfcolor.boxes.picture_boxes import Finder
from tfcolor.boxes.picture_boxes import PictureBoxes
from tfcolor.inference import color_pictures
from tfcolor.inference import colorizer
from tfcolor.inference import defaults
from tfcolor.inference import flat_frame
from tfcolor.inference import hint_points
from tfcolor.inference import visible
from tfcolor.inference.hint_points import HintPoint
from tfcolor.pictures import decode
from tfcolor.pictures import pillow_limit

RECOLORED = (
    "it is a color picture and got new colors; `skip_color` leaves such "
    "pictures out"
)


class IsColor(ValueError):
    """The picture is in color, and such pictures are to be left out."""


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A picture that was read.

    Attributes:
        picture: decode.Picture.
        found: PictureBoxes, in pixels of the picture.
        hints: tuple of HintPoint, in pixels of the picture.
        inner: flat_frame.Inner or None. The photo inside a flat frame.
        notes: tuple of str. What there is to say of it.
    """

    picture: decode.Picture
    found: PictureBoxes
    hints: tuple[HintPoint, ...]
    inner: flat_frame.Inner | None
    notes: tuple[str, ...]

    @property
    def pixels(self) -> np.ndarray:
        """What is to be colored: [H, W, 1 or 3]."""
        pixels = self.picture.pixels
        return pixels if self.inner is None else self.inner.cut(pixels)

    @property
    def seen(self) -> np.ndarray | None:
        """What the network looks at instead, or None."""
        alpha = self.picture.alpha
        if self.inner is not None:
            alpha = self.inner.cut(alpha)
        return visible.visible_pixels(self.pixels, alpha)

    @property
    def boxes(self) -> PictureBoxes:
        """Boxes in pixels of what is to be colored."""
        if self.inner is None:
            return self.found
        top, left = self.inner.top, self.inner.left
        moved = self.found.boxes - np.array([top, left] * 2, np.float32)
        return dataclasses.replace(self.found, boxes=moved)

    @property
    def points(self) -> tuple[HintPoint, ...]:
        """Hints in pixels of what is to be colored."""
        if self.inner is None:
            return self.hints
        height, width = self.picture.pixels.shape[:2]
        # What a hint without a radius covers does not change.
        radius = defaults.HINT_RADIUS * min(width, height)
        return tuple(
            dataclasses.replace(
                point,
                x=point.x - self.inner.left,
                y=point.y - self.inner.top,
                radius=point.radius or radius,
            )
            for point in self.hints
        )

    def whole(self, rgb: np.ndarray) -> np.ndarray:
        """Returns the whole result: the frame, if there is one, stays grey.

        Args:
            rgb: array [H, W, 3], the colored `pixels`.

        Returns:
            array [H, W, 3] of the size of the picture.
        """
        if self.inner is None:
            return rgb
        result = colorizer.grey(self.picture.pixels)
        self.inner.cut(result)[...] = rgb
        return result


def load(
    source: str,
    *,
    hints: tuple[HintPoint, ...],
    find_boxes: Finder | None,
    skip_color: bool,
    max_pixels: int = pillow_limit.MAX_PIXELS,
) -> Loaded:
    """Reads a picture and looks at what it is.

    Args:
        source: str, its path.
        hints: tuple of HintPoint, in pixels of the upright picture.
        find_boxes: Finder or None.
        skip_color: bool. Whether color pictures are left out.
        max_pixels: int. A picture of more is not decoded.

    Returns:
        Loaded.

    Raises:
        IsColor: the picture is in color, and `skip_color`.
        OSError: it cannot be read.
        ValueError: it is of a kind that is not supported, too large, or a
            hint lies out of it.
    """
    data = pillow_limit.read_file(source, max_pixels=max_pixels)
    picture = decode.decode_picture(data, max_pixels=max_pixels)
    height, width = picture.pixels.shape[:2]
    hint_points.check_inside(hints, width=width, height=height)
    notes = list(picture.notes)
    seen = visible.visible_pixels(picture.pixels, picture.alpha)
    looked_at = picture.pixels if seen is None else seen
    if color_pictures.is_color(looked_at):
        if skip_color:
            raise IsColor("a color picture")
        notes.append(RECOLORED)
    found = picture_boxes.none()
    if find_boxes is not None:
        found = find_boxes(source, looked_at)
    inner = flat_frame.find_inner(looked_at)
    if inner is not None and not _all_inside(hints, inner):
        inner = None
    if inner is not None:
        notes.append(
            "its flat frame stays grey, and the photo inside, "
            f"{inner.right - inner.left} x {inner.bottom - inner.top} pixels, "
            "is colored by itself"
        )
    return Loaded(picture, found, hints, inner, tuple(notes))


def _all_inside(points, inner: flat_frame.Inner) -> bool:
    return all(
        inner.left <= point.x < inner.right
        and inner.top <= point.y < inner.bottom
        for point in points
    )
