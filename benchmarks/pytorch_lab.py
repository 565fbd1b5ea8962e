"""CIELAB and back in PyTorch, as InstColorization computes it.

Reference:
    https://github.com/ericsujw/InstColorization, util/util.py.
"""

import torch

_WHITE = (0.95047, 1.0, 1.08883)


def rgb_to_lab(rgb: torch.Tensor) -> torch.Tensor:
    """Converts sRGB to CIELAB.

    Args:
        rgb: float32 [B, 3, H, W], 0..1.

    Returns:
        float32 [B, 3, H, W].
    """
    return _xyz_to_lab(_rgb_to_xyz(rgb))


def lab_to_rgb(lab: torch.Tensor) -> torch.Tensor:
    """Converts CIELAB to sRGB.

    Args:
        lab: float32 [B, 3, H, W].

    Returns:
        float32 [B, 3, H, W], above 1 where sRGB does not hold the color.
    """
    return _xyz_to_rgb(_lab_to_xyz(lab))


def _rgb_to_xyz(rgb):
    mask = (rgb > 0.04045).type(torch.FloatTensor)
    rgb = (((rgb + 0.055) / 1.055) ** 2.4) * mask + rgb / 12.92 * (1 - mask)
    r, g, b = rgb[:, 0, :, :], rgb[:, 1, :, :], rgb[:, 2, :, :]
    x = 0.412453 * r + 0.357580 * g + 0.180423 * b
    y = 0.212671 * r + 0.715160 * g + 0.072169 * b
    z = 0.019334 * r + 0.119193 * g + 0.950227 * b
    return torch.cat((x[:, None], y[:, None], z[:, None]), dim=1)


def _xyz_to_lab(xyz):
    white = torch.Tensor(_WHITE)[None, :, None, None]
    scaled = xyz / white
    mask = (scaled > 0.008856).type(torch.FloatTensor)
    f = scaled ** (1 / 3.0) * mask
    f = f + (7.787 * scaled + 16.0 / 116.0) * (1 - mask)
    L = 116.0 * f[:, 1] - 16.0
    a = 500.0 * (f[:, 0] - f[:, 1])
    b = 200.0 * (f[:, 1] - f[:, 2])
    return torch.cat((L[:, None], a[:, None], b[:, None]), dim=1)


def _lab_to_xyz(lab):
    y = (lab[:, 0] + 16.0) / 116.0
    x = lab[:, 1] / 500.0 + y
    z = torch.clamp(y - lab[:, 2] / 200.0, min=0)
    f = torch.cat((x[:, None], y[:, None], z[:, None]), dim=1)
    mask = (f > 0.2068966).type(torch.FloatTensor)
    scaled = f**3.0 * mask + (f - 16.0 / 116.0) / 7.787 * (1 - mask)
    return scaled * torch.Tensor(_WHITE)[None, :, None, None]


def _xyz_to_rgb(xyz):
    x, y, z = xyz[:, 0], xyz[:, 1], xyz[:, 2]
    r = 3.24048134 * x - 1.53715152 * y - 0.49853633 * z
    g = -0.96925495 * x + 1.87599 * y + 0.04155593 * z
    b = 0.05564664 * x - 0.20404134 * y + 1.05731107 * z
    rgb = torch.cat((r[:, None], g[:, None], b[:, None]), dim=1)
    rgb = torch.clamp(rgb, min=0)
    mask = (rgb > 0.0031308).type(torch.FloatTensor)
    return (1.055 * rgb ** (1 / 2.4) - 0.055) * mask + 12.92 * rgb * (1 - mask)
