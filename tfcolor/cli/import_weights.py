"""`tfcolor import-weights`: published PyTorch weights as a .keras model."""

import argparse

# None of them imports TensorFlow.
from tfcolor.cli import shared
from tfcolor.weights import pytorch_keys

_DESCRIPTION = """\
Converts published PyTorch weights into a .keras model. Every array must be
used exactly once: a missing, renamed or left-over one is an error that lists
all of them, and nothing is written. Then the file is read again and, where
PyTorch is installed, compared with PyTorch's own layers on a random picture
(ddcolor is only read).
"""

_EPILOG = """\
architectures:
  full              colorization-pytorch (siggraph_retrained) and
                    InstColorization's latest_net_GComp.pth
  siggraph17        `colorizers` (siggraph17-df00044c.pth) and
                    colorization-pytorch (siggraph_caffemodel): mask as it is
  instance          InstColorization's latest_net_G.pth
  fusion            InstColorization's latest_net_GF.pth
  eccv16            `colorizers` (colorization_release_v2-9b330a0b.pth)
  instcolorization  a folder with these three files, as one model
  mmagic            mmagic's single file with all three, as one model
  ddcolor           DDColor's pytorch_model.bin, of either encoder
  alexnet           torchvision's AlexNet, any classes: a grey classifier
                    (kernels of the three channels summed), for
                    --initial_weights of trainers.train_alexnet
  resnet18          torchvision's ResNet-18 without its classes, likewise, for
                    --initial_weights of trainers.train_resnet_colorizer

Reads .pth, .pt, .bin, .ckpt, .safetensors, and .npz with the same arrays under
the same names, without PyTorch. Files from before PyTorch 1.6 are read if their
names end in the beginning of their SHA-256, as published ones' do.

examples:
  tfcolor import-weights siggraph17-df00044c.pth --architecture=siggraph17 \\
      --output=siggraph17.keras
  tfcolor import-weights checkpoints/coco_finetuned_mask_256_ffs \\
      --architecture=instcolorization --output=instcolorization.keras

exit status: 0 done; 1 the written model differs from PyTorch's layers (it is
removed); 2 wrong usage, or weights that do not fit.
"""


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Adds the sub-command to the `tfcolor` command.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returned.

    Returns:
        argparse.ArgumentParser of the sub-command.
    """
    parser = shared.add_command(
        subparsers,
        "import-weights",
        help="convert published PyTorch weights",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help="a .pth, .safetensors or .npz file; a folder for instcolorization",
    )
    parser.add_argument(
        "--architecture",
        required=True,
        choices=pytorch_keys.KINDS,
        help="whose weights they are",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="MODEL.keras",
        help="the file to write",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an earlier file",
    )
    parser.set_defaults(run=run)
    return shared.complete(parser, kind="--architecture")


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if the model is not what PyTorch computes,
        2 for wrong usage or weights that do not fit.
    """
    from tfcolor.weights import import_checkpoint

    return shared.run_single(
        args.command,
        lambda: import_checkpoint.import_checkpoint(
            args.checkpoint,
            args.output,
            kind=args.architecture,
            overwrite=args.overwrite,
            say=print,
        ),
        end=lambda checked: print(f"{args.output}: written; {checked.how}"),
        failed=import_checkpoint.DiffersError,
        # Names every array that does not fit, on a line of its own.
        keep_lines=True,
    )
