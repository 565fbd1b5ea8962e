"""CIELAB of NumPy arrays, for programs that do not wait for TensorFlow.

The formulas are those of `srgb`, `lab` and `gamut`, on planes: float32 arrays
[...] of one channel each. Results differ by rounding alone.
"""

import functools

import numpy as np

from tfcolor.color import standards

_RATIOS_FROM_RGB = np.array(standards.XYZ_FROM_RGB) / np.transpose(
    [standards.WHITE]
)
_RGB_FROM_RATIOS = np.array(standards.RGB_FROM_XYZ) * standards.WHITE


def rgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """Converts sRGB to CIELAB; see `lab.rgb_to_lab`.

    Args:
        rgb: float32 array [..., 3], encoded sRGB, 0..1, or uint8 array.

    Returns:
        float32 array [..., 3]: L 0..100, a and b.
    """
    if rgb.dtype == np.uint8:
        linear = _linear_of_values(rgb.dtype.name)[rgb]
    else:
        linear = _srgb_to_linear(rgb)
    planes = np.moveaxis(linear, -1, 0)
    fx, fy, fz = (_f(_sum(row, planes)) for row in _RATIOS_FROM_RGB)
    return np.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], -1)


def encoded_L(rgb: np.ndarray) -> np.ndarray:
    """Returns the lightness of encoded colors between whole values.

    Args:
        rgb: float32 array [..., C], encoded sRGB, 0..1, of 3 channels or of
            one, grey.

    Returns:
        float32 array [...], 0..100.
    """
    linear = np.moveaxis(_srgb_to_linear(rgb), -1, 0)
    Y = linear[0] if len(linear) == 1 else _sum(_RATIOS_FROM_RGB[1], linear)
    return 116 * _f(Y) - 16


def picture_L(picture: np.ndarray) -> np.ndarray:
    """Returns a picture's lightness; see `prepare.picture_L`.

    Args:
        picture: uint8 or uint16 array [..., C] of 3 channels or of one, grey.

    Returns:
        float32 array [...], 0..100.
    """
    tables = _luminance_of_values(picture.dtype.name)
    if picture.shape[-1] == 1:
        return tables[3][picture[..., 0]]
    Y = tables[0][picture[..., 0]]
    Y += tables[1][picture[..., 1]]
    Y += tables[2][picture[..., 2]]
    return 116 * _f(Y) - 16


def shown_values(L, a, b, dtype) -> np.ndarray:
    """Converts CIELAB to the whole values of a picture.

    Colors outside sRGB lose chroma until they fit; see `gamut.reduce_chroma`.

    Args:
        L: float32 array [...], 0..100.
        a: float32 array [...].
        b: float32 array [...].
        dtype: np.uint8 or np.uint16.

    Returns:
        array [..., 3] of that dtype, sRGB.
    """
    linear = _to_linear(L, a, b)
    outside = ~_in_gamut(linear)
    # Only the pixels outside pay for the search: usually very few.
    if outside.any():
        planes = [np.broadcast_to(p, L.shape)[outside] for p in (L, a, b)]
        for plane, fitting in zip(linear, _reduced(*planes), strict=True):
            plane[outside] = fitting
    values = np.empty((*L.shape, 3), dtype)
    encode = _encoded_by_table if dtype == np.uint8 else _encoded
    for i, plane in enumerate(linear):
        values[..., i] = encode(plane)
    return values


def _encoded(linear):
    """Returns whole values of 16 bits, as float32, of linear ones."""
    values, high = _linear_to_srgb(linear), np.iinfo(np.uint16).max
    values *= high
    np.rint(values, out=values)
    return np.clip(values, 0, high, out=values)


def _encoded_by_table(linear):
    """Returns uint8 values; changes its argument.

    They are off by 0.025 levels before they are rounded, near black; less
    elsewhere.
    """
    table = _values_of_linear()
    linear *= len(table) - 1
    linear += np.float32(0.5)
    np.clip(linear, 0, len(table) - 1, out=linear)
    return table[linear.astype(np.uint16)]


def _reduced(L, a, b):
    """Returns the linear RGB of colors outside sRGB with less chroma."""
    low, high = np.zeros_like(L), np.ones_like(L)
    for _ in range(standards.GAMUT_STEPS):
        middle = (low + high) / 2
        fits = _in_gamut(_to_linear(L, middle * a, middle * b))
        low = np.where(fits, middle, low)
        high = np.where(fits, high, middle)
    return _to_linear(L, low * a, low * b)


def grey_values(picture: np.ndarray) -> np.ndarray:
    """Returns the greys of a picture's lightness.

    Args:
        picture: uint8 or uint16 array [..., C] of 3 channels or of one.

    Returns:
        array [..., 3] of the same dtype, R = G = B.
    """
    L = picture_L(picture)
    zero = np.zeros((), np.float32)
    grey = shown_values(L, zero, zero, picture.dtype)[..., :1]
    return np.repeat(grey, 3, axis=-1)


def _in_gamut(linear):
    lowest = np.minimum(np.minimum(linear[0], linear[1]), linear[2])
    highest = np.maximum(np.maximum(linear[0], linear[1]), linear[2])
    lowest = lowest >= -standards.GAMUT_TOLERANCE
    return lowest & (highest <= 1 + standards.GAMUT_TOLERANCE)


def _to_linear(L, a, b):
    fy = (L + np.float32(16)) * np.float32(1 / 116)
    fz = np.maximum(fy - b * np.float32(1 / 200), 0)
    ratios = [_f_inverse(f) for f in (fy + a * np.float32(1 / 500), fy, fz)]
    return [_sum(row, ratios) for row in _RGB_FROM_RATIOS]


def _sum(factors, planes):
    total = np.float32(factors[0]) * planes[0]
    for factor, plane in zip(factors[1:], planes[1:], strict=True):
        total += np.float32(factor) * plane
    return total


def _f(t):
    root = np.maximum(t, np.float32(standards.F_THRESHOLD))
    np.log(root, out=root)
    root *= np.float32(1 / 3)
    np.exp(root, out=root)
    line = np.minimum(t, np.float32(standards.F_THRESHOLD)) - np.float32(
        standards.F_THRESHOLD
    )
    return root + np.float32(standards.F_SLOPE) * line


def _f_inverse(f):
    root = np.maximum(f, np.float32(standards.F_INVERSE_THRESHOLD))
    line = np.minimum(f, np.float32(standards.F_INVERSE_THRESHOLD))
    line -= np.float32(standards.F_INVERSE_THRESHOLD)
    return root * root * root + line * np.float32(1 / standards.F_SLOPE)


def _srgb_to_linear(rgb):
    rgb = np.asarray(rgb, np.float32)
    base = np.maximum(
        rgb, np.float32(standards.ENCODED_THRESHOLD)
    ) + np.float32(standards.OFFSET)
    base *= np.float32(1 / (1 + standards.OFFSET))
    curve = np.exp(np.float32(standards.EXPONENT) * np.log(base))
    line = np.minimum(rgb, np.float32(standards.ENCODED_THRESHOLD))
    line -= np.float32(standards.ENCODED_THRESHOLD)
    return curve + line * np.float32(1 / standards.SLOPE)


def _linear_to_srgb(linear):
    curve = np.maximum(linear, np.float32(standards.LINEAR_THRESHOLD))
    np.log(curve, out=curve)
    curve *= np.float32(1 / standards.EXPONENT)
    np.exp(curve, out=curve)
    curve *= np.float32(1 + standards.OFFSET)
    line = np.minimum(linear, np.float32(standards.LINEAR_THRESHOLD))
    line -= np.float32(standards.LINEAR_THRESHOLD)
    line *= np.float32(standards.SLOPE)
    curve += line
    curve -= np.float32(standards.OFFSET)
    return curve


@functools.cache
def _values_of_linear() -> np.ndarray:
    """Returns the uint8 value of each of 65536 linear ones, from 0 to 1."""
    linear = np.linspace(0, 1, 2**16, dtype=np.float32)
    values = np.rint(_linear_to_srgb(linear) * 255)
    return np.clip(values, 0, 255).astype(np.uint8)


@functools.cache
def _linear_of_values(dtype: str) -> np.ndarray:
    high = np.iinfo(dtype).max
    return _srgb_to_linear(np.arange(high + 1, dtype=np.float32) / high)


@functools.cache
def _luminance_of_values(dtype: str) -> tuple[np.ndarray, ...]:
    """Returns what each value of R, G and B adds to Y, and L of greys."""
    linear = _linear_of_values(dtype)
    parts = [np.float32(factor) * linear for factor in _RATIOS_FROM_RGB[1]]
    return *parts, 116 * _f(linear) - 16
