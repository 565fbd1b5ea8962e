"""The colors a picture shows, as sRGB: its ICC profile or PNG's gAMA, cHRM.

See docs/color_management.md for the rules.
"""

import functools
import io
from collections.abc import Callable

import numpy as np
from PIL import Image
from PIL import ImageCms

from tfcolor.pictures import icc_profile
from tfcolor.pictures.icc_profile import Profile
from tfcolor.pictures.icc_profile import ProfileError

# Linear sRGB to XYZ of D50, by Bradford's transform: what the colorants of an
# sRGB profile are. ICC.1:2022, annex E; http://www.brucelindbloom.com.
_XYZ_FROM_SRGB = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
_SRGB_FROM_XYZ = np.linalg.inv(_XYZ_FROM_SRGB)
# The Bradford transform, ICC.1:2022, annex E.2.
_BRADFORD = np.array(
    [
        [0.8951, 0.2664, -0.1614],
        [-0.7502, 1.7135, 0.0367],
        [0.0389, -0.0685, 1.0296],
    ]
)
_D50 = np.array([0.9642, 1.0, 0.8249])
_SRGB_CHROMATICITIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
# A profile that moves no color further than this is sRGB by another name.
_SAME = 0.75 / 255
_SAME_LIGHT, _SAME_BLACK = 0.005, 1e-4
# The range around 1 / 2.2 in which libpng sees no difference either
# (PNG_GAMMA_THRESHOLD): such files mean sRGB.
_GAMMA_TOLERANCE = 0.05
# Outside of it libpng ignores a gAMA (png_colorspace_set_gamma): the file's
# numbers, of 100000 for 1.
_GAMMA_RANGE = 16, 625000000
_STRIP_PIXELS = 2**20
_GRID = 52
_TABLE = np.linspace(0, 1, 65536)

# Of uint8 or uint16 [H, W, 1 or 3] to uint16 of the same shape.
Conversion = Callable[[np.ndarray], np.ndarray]


def srgb_profile() -> bytes:
    """Returns an sRGB profile, always the same bytes."""
    return _srgb_profile()


@functools.cache
def _srgb_profile() -> bytes:
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # The time it was made, ICC.1:2022, 7.2.8: here 1 January 2000.
    date = b"".join(n.to_bytes(2, "big") for n in (2000, 1, 1, 0, 0, 0))
    return made[:24] + date + made[36:]


def conversion(
    picture: Image.Image, channels: int
) -> tuple[Conversion | None, str | None]:
    """Finds how a picture's numbers become the sRGB of what it shows.

    Args:
        picture: PIL.Image.Image, as opened.
        channels: int. 1 for a grey picture, 3 for RGB.

    Returns:
        A function from uint8 or uint16 [H, W, channels] to uint16 of the
        same shape, or None where the numbers are sRGB; and a note, or None,
        on what is ignored. A GRAY profile of an RGB picture converts the
        first channel: use it where all three are equal.
    """
    if "icc_profile" in picture.info:
        data = picture.info["icc_profile"]
        if data is None:
            return None, "its ICC profile is ignored: it is damaged"
        if data:
            try:
                return _of_profile(data, channels), None
            except ProfileError as error:
                return None, f"its ICC profile is ignored: {error}"
    if picture.format == "PNG" and "srgb" not in picture.info:
        return _of_png_chunks(picture.info, channels)
    return None, None


def _of_png_chunks(info: dict, channels: int):
    """Returns what `conversion` does, of a PNG without a profile."""
    gamma, chromaticities = info.get("gamma"), info.get("chromaticity")
    notes = []
    if gamma is not None:
        stored, (lowest, highest) = round(gamma * 100000), _GAMMA_RANGE
        if not lowest <= stored <= highest:
            gamma = None
            notes.append(
                f"its gAMA is ignored: gAMA must be {lowest} to {highest}. "
                f"Received: {stored}"
            )
    convert = None
    if gamma or chromaticities:
        try:
            convert = _of_png(gamma, chromaticities, channels)
        except ProfileError as error:
            convert = _of_png(gamma, None, channels)
            notes.append(f"its cHRM is ignored: {error}")
    return convert, "; ".join(notes) or None


def is_grey_profile(data: bytes | None) -> bool:
    """Tells whether an ICC profile says that it is one of grey pictures."""
    return bool(data) and data[16:20] == b"GRAY"


def is_converted(picture: Image.Image) -> bool:
    """Tells whether a picture's numbers are not those of sRGB.

    Args:
        picture: PIL.Image.Image of any mode but CMYK, as opened.

    Returns:
        bool.
    """
    if not picture.info.get("icc_profile") and picture.format != "PNG":
        return False
    grey = is_grey_profile(picture.info.get("icc_profile"))
    return conversion(picture, 1 if grey else 3)[0] is not None


@functools.lru_cache(maxsize=64)
def _of_profile(data: bytes, channels: int) -> Conversion | None:
    profile = icc_profile.parse(data)
    # A profile of RGB says what R = G = B means as well.
    grey = (icc_profile.GREY, icc_profile.RGB)
    if profile.space not in (grey if channels == 1 else (icc_profile.RGB,)):
        raise ProfileError(
            "an ICC profile must be of the picture's colors, "
            f"{'RGB' if channels == 3 else 'grey'}. "
            f"Received: one of {profile.space.strip()!r}"
        )
    if profile.curves is None:
        return _by_tables(profile)
    if profile.space == icc_profile.GREY or channels == 1:
        light = profile.curves[0]
        if profile.space == icc_profile.RGB:
            weights = profile.to_xyz[1]
            light = sum(
                w * c for w, c in zip(weights, profile.curves, strict=True)
            )
        return _grey(light)
    return _rgb(profile.curves, _SRGB_FROM_XYZ @ profile.to_xyz)


@functools.lru_cache(maxsize=64)
def _of_png(gamma, chromaticities, channels: int) -> Conversion | None:
    """Applies gAMA and cHRM, PNG specification, 11.3.2.1 and 11.3.2.2."""
    if gamma is None or abs(gamma * 2.2 - 1) <= _GAMMA_TOLERANCE:
        light = _srgb_to_linear(_TABLE)
    else:
        light = _TABLE ** (1 / gamma)
    if channels == 1:
        return _grey(light)
    chromaticities = chromaticities or _SRGB_CHROMATICITIES
    matrix = np.eye(3)
    if np.abs(np.subtract(chromaticities, _SRGB_CHROMATICITIES)).max() > 1e-3:
        try:
            with np.errstate(all="ignore"):
                matrix = _SRGB_FROM_XYZ @ _primaries(*chromaticities)
        except (np.linalg.LinAlgError, ZeroDivisionError):
            matrix = np.full([3, 3], np.nan)
        if not np.isfinite(matrix).all():
            raise ProfileError(
                "cHRM must have primaries that make white. "
                f"Received: {chromaticities}"
            )
    return _rgb((light,) * 3, matrix)


def _primaries(white_x, white_y, *primaries) -> np.ndarray:
    """Returns linear RGB to XYZ of D50, of chromaticities."""
    x, y = np.array(primaries[::2]), np.array(primaries[1::2])
    colors = np.stack([x, y, 1 - x - y])
    white = np.array([white_x, white_y, 1 - white_x - white_y]) / white_y
    to_xyz = colors * np.linalg.solve(colors, white)
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapt = np.linalg.solve(_BRADFORD, scale[:, None] * _BRADFORD)
    return adapt @ to_xyz


def _grey(light: np.ndarray) -> Conversion | None:
    """Returns a conversion by one curve; None where it is sRGB's."""
    encoded = _linear_to_srgb(np.clip(light, 0, 1))
    if np.abs(encoded - _TABLE).max() <= _SAME:
        return None
    table = np.round(encoded * 65535).astype(np.uint16)

    def convert(pixels):
        return table[_as_16_bit(pixels)]

    return convert


def _rgb(curves, matrix: np.ndarray) -> Conversion | None:
    """Returns a conversion by curves and a matrix; None where it is sRGB."""
    curves = [curve.astype(np.float32) for curve in curves]
    matrix = matrix.astype(np.float32)
    luminance = _XYZ_FROM_SRGB[1].astype(np.float32)

    def linear_srgb(rgb):
        light = np.stack([c[rgb[..., i]] for i, c in enumerate(curves)], -1)
        return _into_gamut(light @ matrix.T, luminance)

    def convert(pixels):
        result = np.empty(pixels.shape, np.uint16)
        rows = max(1, _STRIP_PIXELS // pixels.shape[1])
        for top in range(0, len(pixels), rows):
            strip = linear_srgb(_as_16_bit(pixels[top : top + rows]))
            encoded = _linear_to_srgb(strip) * np.float32(65535)
            result[top : top + rows] = np.round(encoded)
        return result

    return None if _is_srgb(curves, matrix) else convert


def _is_srgb(curves, matrix: np.ndarray) -> bool:
    """Tells whether curves and a matrix are sRGB's but for rounding."""
    grey = np.stack(curves, -1) @ matrix.T @ _XYZ_FROM_SRGB[1]
    if np.abs(_linear_to_srgb(np.clip(grey, 0, 1)) - _TABLE).max() > _SAME:
        return False
    steps = np.linspace(0, 65535, 9).round().astype(np.uint16)
    grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    light = np.stack([c[grid[:, i]] for i, c in enumerate(curves)], -1)
    expected = _srgb_to_linear(grid / 65535)
    # In linear light, beside the brightest channel: dark ones do not show.
    moved = np.abs(light @ matrix.T - expected).max(-1)
    return bool((moved <= _SAME_LIGHT * expected.max(-1) + _SAME_BLACK).all())


def _into_gamut(linear: np.ndarray, luminance: np.ndarray) -> np.ndarray:
    """Brings colors into sRGB: towards the grey of the same luminance.

    Clipping would change their lightness.
    """
    # Channel by channel, which is several times quicker than along an axis.
    red, green, blue = (linear[..., i] for i in range(3))
    lowest = np.minimum(np.minimum(red, green), blue)
    highest = np.maximum(np.maximum(red, green), blue)
    outside = (lowest < 0) | (highest > 1)
    if outside.any():
        linear[outside] = _towards_grey(linear[outside], luminance)
    return linear


def _towards_grey(linear: np.ndarray, luminance: np.ndarray) -> np.ndarray:
    grey = np.clip(linear @ luminance, 0, 1)[..., None]
    away = linear - grey
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.where(away > 0, (1 - grey) / away, grey / -away)
    share = np.nanmin(np.where(away == 0, 1, most), axis=-1, keepdims=True)
    return np.clip(grey + np.clip(share, 0, 1) * away, 0, 1)


def _by_tables(profile: Profile) -> Conversion:
    """Returns a conversion by Pillow, for profiles of many dimensions."""
    mode = {icc_profile.GREY: "L", icc_profile.RGB: "RGB"}[profile.space]
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile.data)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise ProfileError(
            "an ICC profile must be whole. Received: one that cannot be used"
        ) from error

    def convert_8_bit(pixels):
        pixels = pixels[..., 0] if mode == "L" else pixels
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        return np.asarray(ImageCms.applyTransform(picture, transform))

    def convert(pixels):
        if pixels.shape[-1] == 1 or mode == "L":
            steps = np.arange(256, dtype=np.uint8)[None, :, None]
            steps = steps if mode == "L" else np.repeat(steps, 3, -1)
            found = convert_8_bit(steps)[0].astype(np.float64)
            light = _srgb_to_linear(found / 255) @ _XYZ_FROM_SRGB[1]
            grey = _linear_to_srgb(light) * 65535
            table = np.interp(_TABLE, np.linspace(0, 1, 256), grey)
            return np.round(table).astype(np.uint16)[_as_16_bit(pixels)]
        if pixels.dtype == np.uint8:
            return _as_16_bit(convert_8_bit(pixels))
        return _interpolated(pixels, convert_8_bit)

    return convert


def _interpolated(pixels: np.ndarray, convert_8_bit) -> np.ndarray:
    """Converts 16-bit RGB by a grid of 8-bit colors, trilinearly."""
    steps = np.linspace(0, 255, _GRID).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1)
    flat = grid.reshape(1, -1, 3)
    colors = convert_8_bit(flat)[0].astype(np.float32) * 257
    result = np.empty(pixels.shape, np.uint16)
    rows = max(1, _STRIP_PIXELS // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        place = pixels[top : top + rows].astype(np.float32)
        place *= (_GRID - 1) / 65535
        low = np.minimum(place.astype(np.int32), _GRID - 2)
        share = place - low
        total = np.zeros(place.shape, np.float32)
        for corner in np.ndindex(2, 2, 2):
            at = low + corner
            index = (at[..., 0] * _GRID + at[..., 1]) * _GRID + at[..., 2]
            weight = np.where(corner, share, 1 - share).prod(-1, keepdims=True)
            total += weight * colors[index]
        result[top : top + rows] = np.round(total)
    return result


def _as_16_bit(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.uint16:
        return pixels
    # 65535 = 255 * 257.
    return pixels.astype(np.uint16) * np.uint16(257)


def _srgb_to_linear(encoded: np.ndarray) -> np.ndarray:
    """Undoes the curve of IEC 61966-2-1, without TensorFlow."""
    base = (np.maximum(encoded, 0.04045) + 0.055) / 1.055
    return np.where(encoded > 0.04045, base**2.4, encoded / 12.92)


def _linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    base = np.maximum(linear, 0.0031308)
    curved = 1.055 * base ** (1 / 2.4) - 0.055
    return np.where(linear > 0.0031308, curved, linear * 12.92)
