"""`tfcolor import-weights`: published PyTorch weights as a .keras model."""

import argparse
import importlib.util
import os

from tfcolor import atomic
from tfcolor.cli import shared

# In the order of the help text; a test compares them with the library's.
KINDS = (
    "full",
    "siggraph17",
    "instance",
    "fusion",
    "eccv16",
    "instcolorization",
    "mmagic",
    "ddcolor",
    "alexnet",
    "resnet18",
)
_TORCHVISION = ("alexnet", "resnet18")
# Of ab in network units, of logits and features relative to the largest;
# what float32 leaves is about 1e-5.
_TOLERANCE = 1e-4
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
        choices=KINDS,
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
    return parser


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if the model is not what PyTorch computes,
        2 for wrong usage or weights that do not fit.
    """
    from tfcolor import keras_backend
    from tfcolor.weights import model_file

    try:
        keras_backend.require_tensorflow("Importing weights")
        _check_output(args)
        imported, info = _import(args)
        _say_ignored(imported)
        # It gets its name when it has been compared.
        with atomic.replacing(args.output, extension=".keras") as new:
            model_file.save(imported.model, new, info)
            # Two large models in memory would be too many.
            states = {} if args.architecture == "ddcolor" else imported.states
            del imported
            compared = _verify(args.architecture, new, states)
    except _Differs as error:
        return shared.say_error("import-weights", error, 1)
    except (OSError, ValueError) as error:
        # Names every array that does not fit, on a line of its own.
        return shared.say_error("import-weights", error, 2, keep_lines=True)
    print(f"{args.output}: written; {compared}")
    return 0


def _check_output(args) -> None:
    folder = os.path.dirname(args.output) or "."
    if not args.output.endswith(".keras"):
        raise ValueError(
            f"--output must end in '.keras'. Received: {args.output!r}"
        )
    if not os.path.isdir(folder):
        raise ValueError(
            "--output must lie in a folder that exists. "
            f"Received: {args.output!r}"
        )
    if os.path.exists(args.output) and not args.overwrite:
        raise ValueError(
            "--output must not exist, or --overwrite be given. "
            f"Received: {args.output!r}"
        )


def _import(args):
    """Reads and builds; returns what was imported, and its info."""
    from tfcolor.weights import pytorch_models

    states = pytorch_models.read(args.checkpoint, args.architecture)
    imported = pytorch_models.build(states)
    name = os.path.basename(os.path.normpath(args.checkpoint))
    return imported, pytorch_models.info_of(args.architecture, name)


def _say_ignored(imported) -> None:
    """Names the arrays without a place, by their first two parts."""
    for network, keys in imported.ignored.items():
        used = len(imported.states[network]) - len(keys)
        line = f"{network}: {used} arrays used"
        if keys:
            counters = [k for k in keys if k.endswith("num_batches_tracked")]
            others = {k.split(".")[0] for k in keys if k not in counters}
            names = sorted(others)
            names += [f"{len(counters)} num_batches_tracked"] * bool(counters)
            line += f"; ignored: {', '.join(names)}"
        print(line)


class _Differs(Exception):
    """The model does not compute what PyTorch's layers do."""


def _verify(architecture: str, path: str, states) -> str:
    """Compares a written model with PyTorch; returns the result as text."""
    from tfcolor.weights import model_file

    if architecture == "ddcolor":
        model_file.load(path)
        return "read again"
    model, _ = model_file.load(path)
    if importlib.util.find_spec("torch") is None:
        return "not compared, PyTorch is missing"
    if architecture in _TORCHVISION:
        from tfcolor.weights import torchvision_check as check
    else:
        from tfcolor.weights import pytorch_check as check

    difference = check.largest_difference(model, states)
    if not difference <= _TOLERANCE:
        raise _Differs(
            f"the model differs from PyTorch's layers by {difference:.1e} and "
            "was not written"
        )
    return f"largest difference to PyTorch's layers {difference:.1e}"
