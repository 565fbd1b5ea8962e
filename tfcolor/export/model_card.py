"""What lies beside an exported model for those who meet it later."""

from collections.abc import Sequence

import keras
import tensorflow as tf

import tfcolor
from tfcolor.export.served import Served
from tfcolor.weights.model_file import ModelInfo


def versions(info: ModelInfo, name: str, options: dict) -> dict:
    """Returns what an export was made of and with.

    Args:
        info: ModelInfo.
        name: str, of the model.
        options: dict, what the graph was made with.

    Returns:
        dict, fit for JSON.
    """
    return {
        "model": name,
        "architecture": info.architecture,
        "description": info.description,
        "options": options,
        "tfcolor": tfcolor.__version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }


def saved_model_card(described: dict, served: Served) -> str:
    """Writes the card of a SavedModel.

    Args:
        described: dict of `versions`.
        served: Served.

    Returns:
        str, Markdown.
    """
    rows = []
    for signature in served.signatures:
        inputs, outputs = (
            "<br>".join(_tensor(spec) for spec in specs)
            for specs in (signature.inputs, signature.outputs)
        )
        rows.append(f"| `{signature.name}` | {inputs} | {outputs} |")
    return "\n".join(
        [
            *_head(described, served.note),
            "| signature | inputs | outputs |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def litert_card(described: dict, note: str, figures: list[str]) -> str:
    """Writes the card of LiteRT files.

    Args:
        described: dict of `versions`.
        note: str. What people should know of the answers.
        figures: list of str, rows of a Markdown table with its head.

    Returns:
        str, Markdown.
    """
    return "\n".join([*_head(described, note), *figures, ""])


def onnx_card(
    described: dict,
    notes: Sequence[str],
    inputs: dict,
    outputs: dict,
    difference: float,
) -> str:
    """Writes the card of an ONNX file.

    Args:
        described: dict of `versions`.
        notes: sequence of str, a line each. What people should know of the
            answers, and of what the file is given.
        inputs: dict of keras.KerasTensor by name.
        outputs: dict of keras.KerasTensor by name.
        difference: float, the largest one between onnxruntime and Keras.

    Returns:
        str, Markdown.
    """
    rows = [
        f"| {kind} | `{name}` {x.dtype} [{_sides(x.shape)}] |"
        for kind, tensors in (("input", inputs), ("output", outputs))
        for name, x in tensors.items()
    ]
    return "\n".join(
        [
            *_head(described, *notes),
            "| | |",
            "|---|---|",
            *rows,
            "",
            f"Largest difference to Keras when it was written: "
            f"{difference:.1e}.",
            "",
        ]
    )


def _sides(shape) -> str:
    return ", ".join("?" if side is None else str(side) for side in shape)


def _head(described: dict, *notes: str) -> list[str]:
    options = ", ".join(f"{k} {v}" for k, v in described["options"].items())
    lines = [
        f"# {described['model']}",
        "",
        described["description"],
        "",
        f"- architecture: {described['architecture']}",
        f"- made with: {options}",
        f"- versions: tfcolor {described['tfcolor']}, TensorFlow "
        f"{described['tensorflow']}, Keras {described['keras']}",
        *(f"- {note}" for note in notes),
        "",
    ]
    if not described["description"]:
        del lines[2:4]
    return lines


def _tensor(spec: tf.TensorSpec) -> str:
    return f"`{spec.name}` {spec.dtype.name} [{_sides(spec.shape)}]"
