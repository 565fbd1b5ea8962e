"""ICC profiles of grey and RGB pictures: curves and a matrix, in floats.

Pillow's ImageCms works in 8 bits, which is not enough for 16-bit pictures nor
for the dark tones of linear ones. Profiles made of curves and a matrix, which
nearly all are, are therefore evaluated here.

Reference:
    ICC.1:2022, sections 7.2 (header), 7.3 (tags), 8.3 and 8.4 (what an input
    or display profile holds), 10.6 and 10.18 (curves), F.2 and F.3 (models).
"""

import dataclasses
import struct

import numpy as np

# Device classes of profiles that say what a picture's numbers mean.
_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")
GREY, RGB = "GRAY", "RGB "
# A table of 0..65535 is as fine as a curve has to be.
_STEPS = np.linspace(0, 1, 65536)
# Bytes. Those of printing presses are the largest, at about 4 million.
_MAX_BYTES = 2**24
_LEAST_RANGE = 0.1


class ProfileError(ValueError):
    """A profile is damaged, or not one of a picture's colors."""


@dataclasses.dataclass(frozen=True)
class Profile:
    """What a profile says.

    Attributes:
        space: str, the color space of the picture: "GRAY", "RGB " or other.
        curves: tuple of float64 arrays [65536], one a channel, from encoded
            values 0..1 to linear light 0..1; None where the profile is made
            of tables of many dimensions.
        to_xyz: float64 array [3, 3] from linear RGB to XYZ (D50); None for
            grey, or of such tables.
        data: bytes of the profile.
    """

    space: str
    curves: tuple[np.ndarray, ...] | None
    to_xyz: np.ndarray | None
    data: bytes


def in_jpeg2000(data) -> bytes | None:
    """Finds the ICC profile of a JPEG 2000 file, which Pillow does not read.

    The first color specification counts, as for every reader of JP2.

    Args:
        data: bytes, or a memory map of a file.

    Returns:
        bytes of the profile; None where the file has none, is a codestream
        without boxes, or names its colors by a number.

    Source: ISO/IEC 15444-1, annex I.4 (boxes) and I.5.3.3 (colr); its part
        2, annex M.11.7.3 (method 3).
    """
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind != b"jp2h":
            continue
        for part, first, last in _boxes(data, start, end):
            # Method, precedence, approximation; then what the method says.
            if part == b"colr" and last - first > 3:
                is_profile = data[first] in (2, 3)
                return bytes(data[first + 3 : last]) if is_profile else None
    return None


def _boxes(data, start: int, end: int):
    """Yields each box's kind, and where its content begins and ends."""
    while start + 8 <= end:
        size, kind = struct.unpack(">I4s", data[start : start + 8])
        content = start + 8
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack(">Q", data[content : content + 8])
            content += 8
        # 0: to the end of the file.
        last = start + size if size else end
        if not content <= last <= end:
            return
        yield kind, content, last
        start = last


def parse(data: bytes) -> Profile:
    """Reads a profile.

    Args:
        data: bytes of an ICC profile.

    Returns:
        Profile.

    Raises:
        ProfileError: the profile is damaged, or of a class or color space
            that no picture can have.
    """
    if len(data) > _MAX_BYTES:
        raise ProfileError(
            f"an ICC profile must have at most {_MAX_BYTES} bytes. "
            f"Received: {len(data)} bytes"
        )
    if len(data) < 132 or data[36:40] != b"acsp":
        raise ProfileError(
            "an ICC profile must be whole. Received: damaged or truncated "
            f"bytes of length {len(data)}"
        )
    if data[12:16] not in _CLASSES:
        raise ProfileError(
            "an ICC profile must be one of an input, a display, an output or "
            f"a color space. Received: class {_text(data[12:16])!r}"
        )
    space = _text(data[16:20])
    try:
        tags = _tags(data)
        if space not in (GREY, RGB) or b"A2B0" in tags or b"D2B0" in tags:
            return Profile(space, None, None, data)
        if space == GREY:
            curve = _curve(tags[b"kTRC"])
            if data[20:24] == b"Lab ":
                curve = _light_of_L(100 * curve)
            return Profile(space, (curve,), None, data)
        columns = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        names = (b"rTRC", b"gTRC", b"bTRC")
        curves = tuple(_curve(tags[name]) for name in names)
    except (KeyError, struct.error, ValueError, IndexError) as error:
        raise ProfileError(
            "an ICC profile must be whole. Received: one whose curves or "
            "primaries are missing or damaged"
        ) from error
    to_xyz = np.stack(columns, axis=1)
    if not np.isfinite(to_xyz).all() or to_xyz[1].sum() <= 0.1:
        raise ProfileError(
            "an ICC profile must have primaries that make white. Received: "
            f"{to_xyz.tolist()}"
        )
    return Profile(space, curves, to_xyz, data)


def _text(data: bytes) -> str:
    return data.decode("ascii", "backslashreplace")


def _tags(data: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">L", data, 128)
    if count > 1000:
        raise ValueError("too many tags")
    found = {}
    for number in range(count):
        at = 132 + 12 * number
        name, offset, size = struct.unpack_from(">4sLL", data, at)
        if offset + size > len(data):
            raise ValueError("a tag lies outside the profile")
        found[name] = data[offset : offset + size]
    return found


def _xyz(tag: bytes) -> np.ndarray:
    if tag[:4] != b"XYZ ":
        raise ValueError("not a color")
    return np.array(struct.unpack_from(">3l", tag, 8)) / 65536


def _curve(tag: bytes) -> np.ndarray:
    """Returns a curve at 65536 places, clipped to 0..1."""
    curve = _any_curve(tag)
    # Not a number compares as false.
    if not np.ptp(curve) > _LEAST_RANGE:
        raise ValueError("a curve that makes one tone of all")
    return curve


def _any_curve(tag: bytes) -> np.ndarray:
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">L", tag, 8)
        if count == 0:
            return _STEPS
        table = np.frombuffer(tag, ">u2", count, 12)
        if count == 1:
            return _STEPS ** (table[0] / 256)
        places = np.linspace(0, 1, count)
        return np.interp(_STEPS, places, table / 65535)
    if tag[:4] != b"para":
        raise ValueError("not a curve")
    (kind,) = struct.unpack_from(">H", tag, 8)
    counts = (1, 3, 4, 5, 7)
    values = np.array(struct.unpack_from(f">{counts[kind]}l", tag, 12)) / 65536
    with np.errstate(all="ignore"):
        return np.clip(_parametric(kind, *values), 0, 1)


def _parametric(kind, g, a=1.0, b=0.0, c=0.0, d=0.0, e=0.0, f=0.0):
    """Returns a curve of section 10.18, table 68."""
    x = _STEPS
    power = np.maximum(a * x + b, 0) ** g
    if kind == 0:
        return power
    if kind in (1, 2):
        # c is added on both sides of the place where the base becomes 0.
        return np.where(a * x + b >= 0, power, 0) + (c if kind == 2 else 0)
    if kind == 3:
        return np.where(x >= d, power, c * x)
    return np.where(x >= d, power + e, c * x + f)


def _light_of_L(L: np.ndarray) -> np.ndarray:
    """Returns the linear light of lightness, CIE 15:2004, section 8.2.1."""
    f = (L + 16) / 116
    return np.where(L > 8, f**3, L / (24389 / 27))
