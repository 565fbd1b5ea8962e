"""How InstColorization's training programs load pictures, stated again.

Its `Training_Full_Dataset` with its `DataLoader`, and what its loop does with
every batch before the network sees it: a grey copy of each picture by
scikit-image at full size, torchvision's `Resize` and `ToTensor` of both
(Pillow, and a division), CIELAB of both in PyTorch, batch by batch, and the
removal of nearly grey pictures. It knows no TensorFlow: processes that load
pictures import it.

Reference:
    https://github.com/ericsujw/InstColorization, fusion_dataset.py,
    image_util.py, util/util.py and train.py.
"""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from skimage import color

from benchmarks import pytorch_lab

_AB_NORM, _L_CENTER, _L_NORM = 110.0, 50.0, 100.0
_MASK_CENTER = 0.5
_MIN_RANGE = 10.0


class PictureDataset(torch.utils.data.Dataset):
    """Pictures and their grey copies, as squares.

    Args:
        paths: list of str.
        size: int, pixels.
    """

    def __init__(self, paths: list[str], size: int):
        self._paths = paths
        self._size = size

    def __len__(self):
        return len(self._paths)

    def __getitem__(self, index):
        rgb = Image.open(self._paths[index])
        if len(np.asarray(rgb).shape) == 2:
            rgb = Image.fromarray(np.stack([np.asarray(rgb)] * 3, 2))
        grey = np.round(color.rgb2gray(np.asarray(rgb)) * 255.0)
        grey = np.stack([grey.astype(np.uint8)] * 3, -1)
        return {
            "rgb_img": self._transform(rgb),
            "gray_img": self._transform(Image.fromarray(grey)),
        }

    def _transform(self, picture):
        # torchvision.transforms.Resize and ToTensor.
        size = (self._size, self._size)
        pixels = np.array(picture.resize(size, Image.Resampling.BILINEAR))
        return torch.from_numpy(pixels).permute(2, 0, 1).contiguous().div(255)


def _colorization_data(rgb, *, min_range):
    """`get_colorization_data` with p=1.0: no hints."""
    lab = pytorch_lab.rgb_to_lab(rgb)
    L = (lab[:, [0]] - _L_CENTER) / _L_NORM
    ab = lab[:, 1:] / _AB_NORM
    if min_range > 0:
        high = torch.max(torch.max(ab, dim=3)[0], dim=2)[0]
        low = torch.min(torch.min(ab, dim=3)[0], dim=2)[0]
        spread = torch.sum(torch.abs(high - low), dim=1)
        colored = spread >= min_range / _AB_NORM
        L, ab = L[colored], ab[colored]
    mask = torch.zeros_like(L) - _MASK_CENTER
    return {"A": L, "B": ab, "hint_B": torch.zeros_like(ab), "mask_B": mask}


def loader(
    paths: list[str], *, size: int, batch_size: int, workers: int, shuffle: bool
) -> Callable:
    """Prepares passes over pictures.

    Args:
        paths: list of str.
        size: int, pixels.
        batch_size: int.
        workers: int, processes that load pictures; 0 is this one, with one
            thread.
        shuffle: bool.

    Returns:
        Function without arguments that passes over all pictures once, to the
        ab of the last batch, float32 array [B, S, S, 2], CIELAB.
    """
    if not workers:
        torch.set_num_threads(1)
    batches = torch.utils.data.DataLoader(
        PictureDataset(paths, size),
        batch_size=batch_size,
        shuffle=shuffle,
        num_workers=workers,
        persistent_workers=workers > 0,
        # The process that starts them holds TensorFlow, whose threads a fork
        # would not have.
        multiprocessing_context="spawn" if workers else None,
    )

    def run():
        for batch in batches:
            inputs = _colorization_data(batch["gray_img"], min_range=0)
            true = _colorization_data(batch["rgb_img"], min_range=_MIN_RANGE)
            inputs |= {k: true[k] for k in ("B", "hint_B", "mask_B")}
        return inputs["B"].numpy().transpose(0, 2, 3, 1) * _AB_NORM

    return run
