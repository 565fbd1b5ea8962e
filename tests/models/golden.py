"""Golden files of the published networks, as tfcolor's inputs and outputs."""

import pathlib

import numpy as np
import tensorflow as tf

FOLDER = pathlib.Path(__file__).parent.parent / "golden"
NARROW = ("instance_aware_narrow_32px", "instance_aware_narrow_48px")


def load(name):
    """All arrays of a golden file, as a dict."""
    with np.load(FOLDER / f"{name}.npz") as arrays:
        return {key: arrays[key] for key in arrays.files}


def inputs(golden):
    """The pictures' inputs, and L of the crops."""
    if "full_input" in golden:
        full = golden["full_input"]
        picture = {
            "L": full[..., :1] * 100 + 50,
            "hints": full[..., 1:3] * 110,
            "mask": full[..., 3:] + 0.5,
        }
        return _tensors(picture), tf.constant(golden["instance_L"] * 100 + 50)
    size = int(golden["size"])
    rng = np.random.default_rng(int(golden["seed"]))
    L = rng.uniform(0, 100, (1, size, size, 1))
    mask = rng.uniform(size=(1, size, size, 1)) < 0.1
    hints = rng.uniform(-80, 80, (1, size, size, 2)) * mask
    boxes = len(golden["boxes"])
    crops = rng.uniform(0, 100, (boxes, size, size, 1)).astype(np.float32)
    return _tensors({"L": L, "hints": hints, "mask": mask}), tf.constant(crops)


def box_inputs(golden):
    """The boxes as a batch of one picture."""
    boxes = golden["boxes"][None, :, [1, 0, 3, 2]]
    return {
        "boxes": tf.constant(boxes, tf.float32),
        "box_valid": tf.ones(boxes.shape[:2], tf.bool),
        "picture_size": tf.constant(golden["picture_size"][None], tf.int32),
    }


def crop_inputs(crops):
    """What the instance network sees: L, no hints."""
    nothing = tf.zeros_like(crops)
    hints = tf.concat([nothing, nothing], axis=-1)
    return {"L": crops, "hints": hints, "mask": nothing}


def _tensors(arrays):
    return {key: tf.constant(v, tf.float32) for key, v in arrays.items()}
