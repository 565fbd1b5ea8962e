"""Color points given by people, and the JSON files that hold them.

For one picture:

    {"points": [{"x": 120, "y": 80, "color": "#3b7dd8", "radius": 6}, ...]}

For several, by the names relative to the input folder:

    {"album/boat.jpg": [{"x": 120, "y": 80, "color": "#3b7dd8"}, ...], ...}

`x` counts columns from the left and `y` rows from the top of the upright
picture, both from 0; `radius` is in picture pixels as well and may be left
out: it is then 1/50 of the short side. A film's points may have a "frame",
counted from 0, and hold through the scene that it belongs to.
"""

import dataclasses
import math
import numbers
import re
import reprlib

from tfcolor.pictures import foreign_files

_COLOR = re.compile("#[0-9a-fA-F]{6}")
# Pixels: no picture is as large.
_MOST = 2**31
# Of a hints file: a million points.
_MAX_BYTES = 2**26


@dataclasses.dataclass(frozen=True)
class HintPoint:
    """A color that somebody wants to see at a place.

    Attributes:
        x: float. Column of the center, in pixels of the upright picture;
            0 is the leftmost.
        y: float. Row of the center; 0 is the top one.
        color: str. sRGB as `#rrggbb`. Only its hue and chroma count: the
            lightness stays the picture's.
        radius: float or None. Pixels around the center that get the color;
            None means 1/50 of the picture's short side.
        frame: int. Of a film: which frame it was set on, from 0.

    Raises:
        ValueError: a value is of another type or out of range.
    """

    x: float
    y: float
    color: str
    radius: float | None = None
    frame: int = 0

    def __post_init__(self):
        for name in ("x", "y"):
            if not _is_number(getattr(self, name)) or getattr(self, name) < 0:
                raise ValueError(
                    f"`{name}` of a hint must be a number of pixels, 0 or "
                    f"above. Received: {name}={getattr(self, name)!r}"
                )
        if not isinstance(self.color, str) or not _COLOR.fullmatch(self.color):
            raise ValueError(
                "`color` of a hint must be a text like '#3b7dd8'. "
                f"Received: color={self.color!r}"
            )
        radius = self.radius
        if radius is not None and (not _is_number(radius) or radius <= 0):
            raise ValueError(
                "`radius` of a hint must be a number of pixels above 0. "
                f"Received: radius={radius!r}"
            )
        frame = self.frame
        if not _is_number(frame) or frame != int(frame) or frame < 0:
            raise ValueError(
                "`frame` of a hint must be a whole number, 0 or above. "
                f"Received: frame={frame!r}"
            )


def check_inside(points: list[HintPoint], *, width: int, height: int) -> None:
    """Raises ValueError if a point lies out of a picture."""
    for point in points:
        if point.x >= width or point.y >= height:
            raise ValueError(
                "A hint must lie in its picture, which is "
                f"{width} x {height} pixels. "
                f"Received: x={point.x}, y={point.y}"
            )


def read_hints(path: str, names: list[str]) -> dict[str, list[HintPoint]]:
    """Reads a hints file.

    Args:
        path: str. A JSON file of one of the two forms above.
        names: list of str. The pictures at hand; the first form needs
            exactly one, the second may leave out some.

    Returns:
        dict from names to their points.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a hints file, or names a picture that is not
            at hand; the message begins with the path.
    """
    try:
        content = foreign_files.read_json(path, max_bytes=_MAX_BYTES)
        return _parse(content, names)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} does not exist") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _parse(content, names: list[str]) -> dict[str, list[HintPoint]]:
    if not isinstance(content, dict):
        raise ValueError("A hints file must hold a JSON object.")
    if "points" in content:
        if len(content) > 1 or len(names) != 1:
            raise ValueError(
                '"points" must be the only entry, and is for one picture; '
                "give the points of several by the pictures' names. "
                f"Received: {len(content)} entries, {len(names)} pictures"
            )
        return {names[0]: _parse_points("points", content["points"])}
    unknown = sorted(set(content) - set(names))
    if unknown:
        raise ValueError(
            "A hints file must name pictures of this run, relative to the "
            f'input folder, or hold "points". Received: {unknown[0]!r}'
        )
    return {name: _parse_points(name, content[name]) for name in content}


def _parse_points(name: str, points) -> list[HintPoint]:
    if not isinstance(points, list):
        raise ValueError(
            f"{name}: hints must be a list of points. "
            f"Received: {reprlib.repr(points)}"
        )
    return [
        _parse_point(f"{name}, point {number}", point)
        for number, point in enumerate(points, start=1)
    ]


def _parse_point(where: str, point) -> HintPoint:
    known = {field.name for field in dataclasses.fields(HintPoint)}
    required = known - {"radius", "frame"}
    if not isinstance(point, dict) or not required <= set(point) <= known:
        raise ValueError(
            f'{where}: a point must have "x", "y" and "color", and may have '
            f'"radius" and "frame". Received: {reprlib.repr(point)}'
        )
    try:
        return HintPoint(**point)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _is_number(value) -> bool:
    # In Python True is a number.
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    # An integer may be too large for a floating point number.
    return number and abs(value) < _MOST and math.isfinite(value)
