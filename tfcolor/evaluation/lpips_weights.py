"""Reading the weights of LPIPS from files that the user has.

Either one .npz with the arrays of `lpips.weight_shapes`, or PyTorch's two
files: torchvision's AlexNet (`alexnet-owt-*.pth`) and the linear weights of
LPIPS 0.1 (`alex.pth`), or .safetensors files; PyTorch is not needed.
"""

import os

from tfcolor.evaluation import lpips
from tfcolor.weights import pytorch_files

_KINDS = (".npz", pytorch_files.SAFETENSORS, *pytorch_files.PYTORCH)


def load(*paths: str) -> lpips.Lpips:
    """Reads LPIPS from one or more files that together hold all its weights.

    Args:
        *paths: str, .npz, .pth or .safetensors files.

    Returns:
        lpips.Lpips.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an unknown kind of file, a file that cannot be read (see
            `pytorch_files`), or weights are missing.
    """
    weights = {}
    for path in paths:
        if os.path.splitext(path)[1].lower() not in _KINDS:
            raise ValueError(
                f"LPIPS weights must be .npz or .pth files. Received: {path!r}"
            )
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f"LPIPS weights must be a file. Received: {path!r}"
            )
        weights.update(pytorch_files.read_state(path))
    return lpips.Lpips(weights)
