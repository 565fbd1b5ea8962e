"""Telling from its signature how an exported detector wants to be used.

Two conventions are known. Both take pictures and return `detection_boxes`,
yxyx, with `detection_scores`, `detection_classes` and `num_detections`.

- TensorFlow Model Garden (official.vision.serving): boxes in pixels of the
  picture as the network saw it, resized and padded, and `image_info`, which
  tells how it was resized.
- TensorFlow Object Detection API: boxes as shares of height and width, classes
  as floating point numbers, no `image_info`.
"""

import contextlib
import dataclasses
import logging
import os

import tensorflow as tf

MODEL_GARDEN = "Model Garden"
OBJECT_DETECTION_API = "Object Detection API"

_SIGNATURE = "serving_default"
_FILES = ("saved_model.pb", "saved_model.pbtxt")
# Both kinds of downloads and exports keep the SavedModel in this sub-folder.
_SUBFOLDER = "saved_model"
_OUTPUTS = (
    "detection_boxes",
    "detection_scores",
    "detection_classes",
    "num_detections",
)


@dataclasses.dataclass(frozen=True)
class Convention:
    """How to call a detector and how to read what it returns.

    Attributes:
        name: str, MODEL_GARDEN or OBJECT_DETECTION_API.
        input_name: str, of the signature's only argument.
        batch_size: int or None. Pictures it takes at once; None for any.
        encoded: bool. Whether it takes encoded pictures instead of pixels.
    """

    name: str
    input_name: str
    batch_size: int | None
    encoded: bool


def find_saved_model(path: str) -> str | None:
    """Returns the folder of a SavedModel.

    Args:
        path: str. The folder, or one with a sub-folder `saved_model`, as
            exports and downloads have it.

    Returns:
        str, or None if there is no SavedModel.
    """
    for folder in (path, os.path.join(path, _SUBFOLDER)):
        for name in _FILES:
            if os.path.isfile(os.path.join(folder, name)):
                return folder
    return None


def load_signature(path: str) -> tuple[object, object]:
    """Loads a SavedModel and its signature `serving_default`.

    Args:
        path: str. See `find_saved_model`.

    Returns:
        The loaded object, which must be kept as long as the signature is
        used, and the signature.

    Raises:
        FileNotFoundError: there is no SavedModel.
        ValueError: it cannot be loaded, or has no such signature.
    """
    folder = find_saved_model(path)
    if folder is None:
        raise FileNotFoundError(
            "A detector must be a SavedModel, a folder with saved_model.pb. "
            f"Received: {path!r}"
        )
    try:
        with _without_warnings():
            loaded = tf.saved_model.load(folder)
    except Exception as error:
        # TensorFlow raises errors of many kinds on damaged files.
        raise ValueError(
            f"The SavedModel in {folder!r} cannot be loaded: {error}"
        ) from error
    if _SIGNATURE not in loaded.signatures:
        raise ValueError(
            f"A detector must have the signature {_SIGNATURE!r}. Received: "
            f"{folder!r} with {sorted(loaded.signatures)}"
        )
    return loaded, loaded.signatures[_SIGNATURE]


@contextlib.contextmanager
def _without_warnings():
    """Keeps TensorFlow from listing what only training would miss.

    A Mask R-CNN of the Model Garden has hundreds of functions whose gradients
    were not saved, and a warning comes for each.
    """
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def recognize(signature) -> Convention:
    """Recognizes the convention of a signature.

    Args:
        signature: what `load_signature` returned.

    Returns:
        Convention.

    Raises:
        ValueError: it follows neither; the message says what it has.
    """
    inputs = signature.structured_input_signature[1]
    outputs = signature.structured_outputs
    name = _convention_name(outputs) if isinstance(outputs, dict) else None
    taken = _input_kind(next(iter(inputs.values()))) if len(inputs) == 1 else ()
    if name is None or not taken:
        raise ValueError(
            "A detector must take uint8 pictures [B, None, None, 3] and "
            "return detection_boxes, detection_scores, detection_classes and "
            "num_detections, with image_info (Model Garden) or with classes "
            "as floating point numbers (Object Detection API). Received: "
            f"inputs {_describe(inputs)}; outputs {_describe(outputs)}"
        )
    batch_size, encoded = taken
    return Convention(name, next(iter(inputs)), batch_size, encoded)


def _convention_name(outputs: dict) -> str | None:
    if not all(name in outputs for name in _OUTPUTS):
        return None
    if "image_info" in outputs:
        return MODEL_GARDEN
    classes = outputs["detection_classes"].dtype
    return OBJECT_DETECTION_API if classes.is_floating else None


def _input_kind(spec) -> tuple:
    """Returns batch size and whether pictures are encoded, or nothing."""
    shape = spec.shape
    if spec.dtype == tf.string and shape.rank == 1:
        return shape[0], True
    if spec.dtype == tf.uint8 and shape.rank == 4:
        # Squashing pictures to a size of the detector's is not its export's
        # intention: pictures go in as they are.
        if shape[1] is None and shape[2] is None and shape[3] in (3, None):
            return shape[0], False
    return ()


def _describe(specs) -> str:
    if not isinstance(specs, dict):
        return repr(specs)
    return ", ".join(
        f"{name}: {spec.dtype.name} {spec.shape}"
        for name, spec in sorted(specs.items())
    )
