"""How different two colors look: CIEDE2000."""

import math

from keras import ops

_POW_25_7 = 25.0**7
# Squares below this underflow somewhere in the gradient; they count as 0.
_TINY = 1e-30


def _root(square):
    """Square root whose gradient at 0 is 0 instead of infinite."""
    positive = square > _TINY
    return ops.where(positive, ops.sqrt(ops.where(positive, square, 1.0)), 0.0)


def _hue(a, b):
    """Hue angle in radians, 0..2 pi; 0 for greys."""
    grey = a * a + b * b <= _TINY
    angle = ops.arctan2(b, ops.where(grey, 1.0, a))
    return ops.where(angle < 0, angle + 2 * math.pi, angle)


def _mean_hue(h1, h2, far, either_grey):
    """Equation 14: the mean of two angles on the shorter way round."""
    total = h1 + h2
    turned = ops.where(
        total < 2 * math.pi, total + 2 * math.pi, total - 2 * math.pi
    )
    return ops.where(either_grey, total, ops.where(far, turned, total) / 2)


def _chroma_ratio(chroma):
    """sqrt(C^7 / (C^7 + 25^7)), equations 4 and 19."""
    power = chroma**7
    return _root(power / (power + _POW_25_7))


def ciede2000(lab1, lab2):
    """Computes the CIEDE2000 color difference, with kL = kC = kH = 1.

    Args:
        lab1: float32 tensor [..., 3], CIELAB.
        lab2: float32 tensor [..., 3], CIELAB.

    Returns:
        float32 tensor [...], 0 for equal colors; 1 is about what an eye can
        just tell apart.

    Reference:
        G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000 Color-Difference
        Formula", Color Research and Application 30 (1), 2005. Equation
        numbers are theirs.
    """
    L1, a1, b1 = ops.unstack(ops.convert_to_tensor(lab1, "float32"), axis=-1)
    L2, a2, b2 = ops.unstack(ops.convert_to_tensor(lab2, "float32"), axis=-1)

    # Equations 2-7: a is stretched for colors of low chroma.
    Cbar = (_root(a1 * a1 + b1 * b1) + _root(a2 * a2 + b2 * b2)) / 2
    stretch = 1 + 0.5 * (1 - _chroma_ratio(Cbar))
    a1, a2 = a1 * stretch, a2 * stretch
    C1, C2 = _root(a1 * a1 + b1 * b1), _root(a2 * a2 + b2 * b2)
    h1, h2 = _hue(a1, b1), _hue(a2, b2)

    # Equations 8-11: lightness, chroma and hue differences. The last one is
    # 2 sqrt(C1 C2) sin(dh / 2); the sine makes wrapping dh needless but for
    # its sign.
    either_grey = C1 * C2 == 0
    dh = h2 - h1
    # Whether dh is beyond 180 degrees: float32 angles are too coarse for
    # opposite hues, where the cross product, of the sign of sin(dh), is exact.
    cross = a1 * b2 - a2 * b1
    far = (ops.abs(dh) > math.pi / 2) & (dh * cross < 0)
    dh = ops.where(far, dh - 2 * math.pi * ops.sign(dh), dh)
    dH = 2 * _root(C1 * C2) * ops.sin(ops.where(either_grey, 0.0, dh) / 2)
    dL, dC = L2 - L1, C2 - C1

    # Equations 12-17: the weights of the three terms.
    Lbar, Cbar = (L1 + L2) / 2, (C1 + C2) / 2
    hbar = _mean_hue(h1, h2, far, either_grey)
    T = (
        1
        - 0.17 * ops.cos(hbar - math.radians(30))
        + 0.24 * ops.cos(2 * hbar)
        + 0.32 * ops.cos(3 * hbar + math.radians(6))
        - 0.20 * ops.cos(4 * hbar - math.radians(63))
    )
    Lbar50 = (Lbar - 50) ** 2
    SL = 1 + 0.015 * Lbar50 / ops.sqrt(20 + Lbar50)
    SC = 1 + 0.045 * Cbar
    SH = 1 + 0.015 * Cbar * T

    # Equations 18-21: the hue rotation term, for blues.
    turn = (hbar - math.radians(275)) / math.radians(25)
    dtheta = math.radians(30) * ops.exp(-turn * turn)
    RT = -2 * _chroma_ratio(Cbar) * ops.sin(2 * dtheta)

    # Equation 22.
    lightness, chroma, hue = dL / SL, dC / SC, dH / SH
    square = lightness**2 + chroma**2 + hue**2 + RT * chroma * hue
    return _root(square)
