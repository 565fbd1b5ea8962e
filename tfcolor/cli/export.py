"""`tfcolor export`: a model for TensorFlow Serving or for devices."""

import argparse
import sys

from tfcolor.cli import shared
from tfcolor.export import defaults

_DESCRIPTION = """\
Exports a model with its whole pipeline: bytes of a picture in, bytes of its
colorized copy out, with the same pixels as `tfcolor colorize
--runtime=tensorflow`, except that borders are not detected, color profiles are
ignored, and EXIF data and alpha are not kept (docs/serving.md); or, of a
classifier, the same result as `tfcolor classify`.
"""

_EPILOG = """\
--format=saved_model writes a SavedModel for TensorFlow Serving, which wants a
number, the version, as the last part of --output. Its signatures:
  serving_default  picture_bytes [B] -> png_bytes [B]
                   JPEG, PNG, WebP or BMP, each of its own size
  colorize_rgb     rgb, uint8 [B, H, W, 3] -> rgb
  predict_ab       L, float32 [B, H, W, 1] -> ab, float32 [B, H, W, 2]
A model that colors boxes by themselves takes `boxes`, float32 [B, N, 4], in
the first two; one with a class input takes `box_classes` or `classes`. A
classifier has serving_default and classify_rgb, to `classes` and `scores`.
Warm-up requests are written where TensorFlow Serving's protocol is installed:
the extra [serving]; in the checkout: pip install -c constraints.txt -e
'.[serving]'.

--format=litert writes NAME_float16.tflite and NAME_int8.tflite, the network
alone at a fixed size, and model_card.md with their size, time and PSNR against
Keras. Not for models with boxes or a class input.

--format=onnx writes NAME.onnx, the network alone for pictures of any size it
takes, checked with onnxruntime, and model_card.md. Not for models with boxes.
Needs the extra [onnx]; in the checkout: pip install -c constraints.txt -e
'.[onnx]'.

examples:
  tfcolor export --output=models/colorizer/1 --verify
  tfcolor export --model=fusion.keras --output=models/fusion/1
  tfcolor export --model=runs/fruits/model.keras --output=models/fruits/1
  tfcolor export --format=litert --image_size=128 --output=on_device
  tfcolor export --format=onnx --output=as_onnx

exit status: 0 done; 1 the check found a difference (nothing is written); 2
wrong usage; 130 interrupted.
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
        "export",
        help="export a model for a server or a device",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--output", required=True, metavar="FOLDER", help="the folder to make"
    )
    parser.add_argument(
        "--format",
        choices=defaults.FORMATS,
        default=defaults.FORMATS[0],
        help="what to write, see below (default: %(default)s)",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="load the SavedModel as TensorFlow Serving does, without Keras, "
        "and compare its answers with Python's (default: no)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an older export (default: no)",
    )
    shared.add_colorizer(parser)
    _add_limits(parser)
    return shared.complete(parser)


def _add_limits(parser) -> None:
    parser.add_argument(
        "--crop_size",
        type=int,
        metavar="PIXELS",
        help="side of the squares that boxes are resized to, a multiple of 8 "
        "(default: --image_size)",
    )
    shared.add_boxes_at_once(parser)
    parser.add_argument(
        "--max_pixels",
        type=int,
        default=defaults.MAX_PIXELS,
        metavar="N",
        help="pixels that the pictures of a request may have together "
        "(default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if the check found a difference, 2 for
        wrong usage.
    """
    from tfcolor.export.verification import VerificationError

    def say_differences(error):
        for problem in error.problems:
            print(f"differs: {problem}", file=sys.stderr)
        print(f"{args.output} was not written", file=sys.stderr)

    return shared.run_single(
        args.command,
        lambda: _export(args),
        end=lambda exported: print(_lines(args.output, exported)),
        failed=VerificationError,
        say_failed=say_differences,
    )


def _export(args):
    from tfcolor.export import export_model

    return export_model.export(
        args.model,
        args.output,
        format=args.format,
        image_size=args.image_size,
        style=args.style,
        overwrite=args.overwrite,
        verify=args.verify,
        upsampling=args.upsampling,
        saturation=args.saturation,
        crop_size=args.crop_size,
        boxes_at_once=args.boxes_at_once,
        max_pixels=args.max_pixels,
    )


def _lines(output: str, exported) -> str:
    notes = f" ({'; '.join(exported.notes)})" if exported.notes else ""
    return "\n".join([*exported.table, f"Exported into {output}{notes}"])
