"""From a model to an ONNX file of its network, checked with onnxruntime.

The file takes what the network takes, by name: `L` and, where it listens to
them, `hints` and `mask`, or `classes`; it returns `ab`, or what a classifier
has. Sides and the number of pictures stay free where the network's are. Before
and after it belong `prepare` and `finish`, as with LiteRT; around a
classifier's, what `class_network` does.
"""

import importlib.util
import os
import warnings

import keras
import numpy as np

from tfcolor import extras
from tfcolor import keras_backend
from tfcolor.export import classifier_export
from tfcolor.export import export_model
from tfcolor.export import model_card
from tfcolor.export import saved_model
from tfcolor.export.colorizer_export import NOTE
from tfcolor.export.verification import VerificationError
from tfcolor.inference import checks
from tfcolor.inference import class_network
from tfcolor.inference import colorization_model
from tfcolor.models import architecture
from tfcolor.weights.model_file import ModelInfo

CARD = "model_card.md"
PACKAGES = ("tf2onnx", "onnx", "onnxruntime")
# Of ab in CIELAB units and of logits; of values above 100 in proportion, since
# float32 has seven digits.
TOLERANCE = 1e-3
_LARGE = 100.0
_CLASSES = "classes"
_SEED = 0
_PROVIDER = "CPUExecutionProvider"


def export_onnx(
    model: str | None,
    path: str,
    *,
    image_size: int | None = None,
    style: str | float | None = None,
    overwrite: bool = False,
) -> float:
    """Writes an ONNX file, a card and, of a model with classes, their names.

    Args:
        model: str, the path of a `.keras` file or the name of a shipped
            model; None for the shipped one.
        path: str. The folder to make.
        image_size: int or None. Side in pixels at which the file is checked;
            None for the model's own.
        style: str, float or None; see `tfcolor.Colorizer`.
        overwrite: bool. Whether an older export is replaced.

    Returns:
        float, the largest difference to Keras that was found.

    Raises:
        FileNotFoundError: there is no such model file.
        ImportError: a package of the extra [onnx] is not installed.
        ValueError: the model is not known or takes boxes, the size is none
            that it takes, or the folder exists.
        VerificationError: answers differ by more than `TOLERANCE`; nothing is
            left behind.
    """
    keras_backend.require_tensorflow("An ONNX file")
    check_packages()
    with saved_model.replaced_at_end(path, overwrite=overwrite) as folder:
        network, info = colorization_model.open_model(model, style=style)
        classifies = info.architecture in class_network.ARCHITECTURES
        if not classifies:
            colorization_model.check(network)
        takes = architecture.takes(network)
        size = image_size or info.image_size
        checks.check_image_size(size, takes)
        os.makedirs(folder)
        stem = export_model.file_stem(model, style)
        file = os.path.join(folder, f"{stem}.onnx")
        exported = convert(network, file, image_size=size)
        difference = _check(file, exported, size, takes.size_multiple)
        options = {"image_size": size}
        described = model_card.versions(
            *(info, export_model.name_of(model)),
            options | export_model.style_option(model, style),
        )
        notes = _classifier_notes(exported, info) if classifies else [NOTE]
        texts = {
            CARD: model_card.onnx_card(
                described, notes, exported.input, exported.output, difference
            )
        }
        if info.class_names:
            texts[classifier_export.LABELS] = classifier_export.labels_text(
                info.class_names
            )
        for file_name, content in texts.items():
            with open(os.path.join(folder, file_name), "w") as text:
                text.write(content)
    return difference


def _classifier_notes(model: keras.Model, info: ModelInfo) -> list[str]:
    """Returns what people should know of a classifier's file."""
    notes = [
        classifier_export.NOTE,
        "the softmax of `logits` are the probabilities of the classes, in the "
        f"order of {classifier_export.LABELS}",
    ]
    if "hints" in model.input:
        notes.append(
            "trained on color: `hints` must be the picture's own ab, CIELAB, "
            "and `mask` 1 everywhere"
            if info.inputs == "L_ab"
            else "trained on lightness alone: `hints` and `mask` must be 0"
        )
    return notes


def check_packages() -> None:
    """Raises ImportError unless the packages of the extra [onnx] are there."""
    missing = [p for p in PACKAGES if importlib.util.find_spec(p) is None]
    if missing:
        raise ImportError(
            f"ONNX files need {', '.join(PACKAGES)}, "
            f"{extras.how_to_install('onnx')}. "
            f"Received: no {', '.join(missing)}"
        )


def convert(model: keras.Model, path: str, *, image_size: int) -> keras.Model:
    """Writes a network as an ONNX file, by Keras' own exporter.

    Args:
        model: keras.Model with a dict of inputs and one of outputs.
        path: str, the file to write.
        image_size: int. Side of the pictures that it is called with before.

    Returns:
        keras.Model, what was written: of a colorizer the output `ab` alone.

    Raises:
        ValueError: the model takes boxes.
    """
    if architecture.takes(model).boxed:
        raise ValueError(
            "An ONNX file must be made of a model without boxes, whose number "
            "differs from picture to picture: use `format=saved_model`. "
            f"Received: a model named {model.name!r}, which takes "
            f"{sorted(model.input)}"
        )
    outputs = model.output
    if "ab" in outputs:
        outputs = {"ab": outputs["ab"]}
    exported = keras.Model(model.input, outputs, name=model.name)
    # Keras exports what was called before.
    exported(random_inputs(exported, 1, image_size, image_size))
    with warnings.catch_warnings():
        # tf2onnx, and what Keras mends in it, use names that NumPy and
        # protobuf announce to drop.
        warnings.simplefilter("ignore")
        exported.export(path, format="onnx", verbose=False)
    return exported


def random_inputs(
    model: keras.Model, batch: int, height: int, width: int
) -> dict[str, np.ndarray]:
    """Makes inputs of a network, for a comparison.

    Args:
        model: keras.Model with a dict of inputs.
        batch: int, pictures.
        height: int, pixels, where the network's is free.
        width: int, pixels, likewise.

    Returns:
        dict of float32 arrays by name, values in the units of the names.
    """
    rng = np.random.default_rng(_SEED)
    arrays = {}
    for name, spec in model.input.items():
        free = iter((batch, height, width))
        shape = [next(free) if n is None else n for n in spec.shape]
        if name == "L":
            value = rng.uniform(0, 100, shape)
        elif name == "mask":
            value = rng.random(shape) < 0.05
        elif name == _CLASSES:
            value = rng.dirichlet(np.ones(shape[-1]), shape[:-1])
        else:
            value = rng.uniform(-80, 80, shape)
        arrays[name] = value.astype(np.float32)
    if "mask" in arrays and "hints" in arrays:
        arrays["hints"] *= arrays["mask"]
    return arrays


def _check(path, model, size, step) -> float:
    """Compares a file with Keras; returns the largest difference."""
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(path, providers=[_PROVIDER])
    except Exception as error:
        # Its errors have no class in common; tf2onnx leaves unknown operators
        # in the file.
        raise VerificationError(
            [f"onnxruntime cannot read the file ({error})"]
        ) from error
    names = [output.name for output in session.get_outputs()]
    sizes = [(size, size)]
    if None in model.input["L"].shape[1:3]:
        sizes.append((size + step, size))
    differences = [0.0]
    for batch, (height, width) in enumerate(sizes, 1):
        inputs = random_inputs(model, batch, height, width)
        expected = model(inputs, training=False)
        found = dict(zip(names, session.run(names, inputs), strict=True))
        for name, value in expected.items():
            differences.append(_difference(name, found[name], value))
    # NaN if one of them is, as `max` is not.
    largest = float(np.max(differences))
    if not largest <= TOLERANCE:
        raise VerificationError(
            [f"onnxruntime and Keras are {largest:.1e} apart"]
        )
    return largest


def _difference(name, found, expected) -> float:
    """Returns how far an output is from Keras', large values in proportion."""
    right = np.asarray(expected)
    if found.shape != right.shape:
        raise VerificationError(
            [f"{name} has the shape {found.shape} instead of {right.shape}"]
        )
    scale = max(1.0, float(np.abs(right).max()) / _LARGE)
    return float(np.abs(found - right).max() / scale)
