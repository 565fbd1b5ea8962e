"""Colorizes picture files with PyTorch, as InstColorization's programs do.

    python -m benchmarks.pytorch_colorize PICTURES OUTPUT --weights=full.pth

The way of its test program and its notebook for pictures without boxes, stated
again: one picture after the other is read by Pillow, resized to --size,
converted to CIELAB in PyTorch and colorized; as in the notebook, ab is resized
to the picture and put beside its own L. It writes the picture's own format, as
tfcolor does with equal settings, where the original writes PNG; it loads one
network where the original loads three, and keeps nothing for gradients. All
three make it quicker than what was released.

Reference:
    https://github.com/ericsujw/InstColorization, test_fusion.py,
    fusion_dataset.py, models/fusion_model.py and InstColorization.ipynb.
"""

import argparse
import os
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from benchmarks import pytorch_lab
from benchmarks import pytorch_networks
from benchmarks import pytorch_runs

_AB_NORM, _L_CENTER, _L_NORM = 110.0, 50.0, 100.0
_MASK_CENTER = 0.5
# Those of tfcolor.
_JPEG_OPTIONS = {"quality": 95, "subsampling": 0}


def save_weights(path: str, *, width: float) -> None:
    """Writes random weights of the network of whole pictures.

    Args:
        path: str, the file to write.
        width: float, multiplies the filters.
    """
    network = pytorch_runs.build(width=width, original=None)["full"]
    torch.save(network.state_dict(), path)


def load(path: str, *, width: float) -> torch.nn.Module:
    """Builds the network of whole pictures with the weights of a file.

    Args:
        path: str, a file of `save_weights`.
        width: float.

    Returns:
        nn.Module, in evaluation mode.
    """
    network = pytorch_networks.Full(width)
    network.load_state_dict(torch.load(path))
    return network.eval()


def colorize(network: torch.nn.Module, path: str, *, size: int) -> Image.Image:
    """Colorizes a picture file.

    Args:
        network: nn.Module, of `load`.
        path: str.
        size: int, side of the network's square, pixels.

    Returns:
        Image, of the size of the picture.
    """
    picture = Image.open(path)
    if np.asarray(picture).ndim == 2:
        picture = Image.fromarray(np.stack([np.asarray(picture)] * 3, 2))
    square = picture.resize((size, size), Image.Resampling.BILINEAR)
    L = pytorch_lab.rgb_to_lab(_to_tensor(square))[:, :1]
    hints = torch.zeros(1, 2, size, size)
    mask = torch.zeros_like(L) - _MASK_CENTER
    with torch.no_grad():
        _, ab = network((L - _L_CENTER) / _L_NORM, hints, mask)
        ab = torch.nn.functional.interpolate(
            ab * _AB_NORM, picture.size[::-1], mode="bilinear"
        )
        L = pytorch_lab.rgb_to_lab(_to_tensor(picture))[:, :1]
        rgb = pytorch_lab.lab_to_rgb(torch.cat((L, ab), dim=1)).clamp(0, 1)
    pixels = (rgb[0] * 255).round().to(torch.uint8)
    return Image.fromarray(pixels.numpy().transpose(1, 2, 0))


def _to_tensor(picture):
    # torchvision.transforms.ToTensor.
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    return pixels.contiguous().div(255)[None]


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
        argv: sequence of str or None. Arguments; those of the program when
            None.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures", help="a picture, or a folder of them")
    parser.add_argument("output", help="a folder")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--size", type=int, default=256)
    args = parser.parse_args(argv)
    os.makedirs(args.output, exist_ok=True)
    network = load(args.weights, width=args.width)
    paths = [args.pictures]
    if os.path.isdir(args.pictures):
        names = sorted(os.listdir(args.pictures))
        paths = [os.path.join(args.pictures, name) for name in names]
    for path in paths:
        name = os.path.basename(path)
        options = _JPEG_OPTIONS if name.endswith(".jpg") else {}
        colorized = colorize(network, path, size=args.size)
        colorized.save(os.path.join(args.output, name), **options)


if __name__ == "__main__":
    main()
