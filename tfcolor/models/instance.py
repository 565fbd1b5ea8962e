"""The instance network: colorizes a box, and hands on what it saw.

It is the full-picture network without its class output. Its 13 feature maps
go to the fusion network (see `fusion`).

Reference:
    J.-W. Su, H.-K. Chu, J.-B. Huang, "Instance-aware Image Colorization",
    CVPR 2020, section 3.2. https://arxiv.org/abs/2005.10825
"""

import keras

from tfcolor.color import scaling
from tfcolor.models import architecture
from tfcolor.models.siggraph import siggraph
from tfcolor.models.siggraph_blocks import MAPS

# The layer whose output is the map. The published networks overwrite their
# sums of block and skip connection by what ReLU makes of them, so that the
# fusion network was trained on instances AFTER and pictures BEFORE ReLU.
_MAP_LAYERS = {
    name: f"{name}_bn" for name in MAPS if not name.endswith("_up")
} | {
    "block8_up": "block8_relu",
    "block9_up": "block9_relu",
    "block10_up": "block10_relu",
    "block10": "block10_relu2",
}


_SHARED_OPTIONS = ("width", "initializer", "mask_center")


def with_maps(model: keras.Model, *, name: str = "instance") -> keras.Model:
    """Makes an instance network out of a full-picture network.

    Args:
        model: keras.Model, of `siggraph`. The result shares its weights.
        name: str. Name of the new model.

    Returns:
        keras.Model from the inputs of `model` to `{"ab": float32 [M, s, s,
        2], CIELAB, and each of `siggraph_blocks.MAPS`: float [M, s/k, s/k,
        C]}`.

    Raises:
        ValueError: `model` lacks a layer of the full-picture network.
    """
    outputs = {
        map_name: model.get_layer(layer).output
        for map_name, layer in _MAP_LAYERS.items()
    }
    result = keras.Model(
        inputs=model.input,
        outputs={"ab": model.get_layer("ab").output} | outputs,
        name=name,
    )
    seen = architecture.of(model).options
    options = {key: seen[key] for key in _SHARED_OPTIONS if key in seen}
    return architecture.attach(
        result, architecture.Architecture("instance", options | {"name": name})
    )


def instance(
    *,
    width: float = 1.0,
    initializer: str = "normal",
    mask_center: float = scaling.MASK_CENTER,
    name: str = "instance",
) -> keras.Model:
    """Builds the instance network.

    Args:
        width: float above 0. Multiplies the filters of every block.
        initializer: str, "normal" or "he_normal".
        mask_center: float. Subtracted from the mask.
        name: str. Name of the model.

    Returns:
        keras.Model from `{"L": float32 [M, s, s, 1], 0..100, "hints": float32
        [M, s, s, 2], CIELAB, "mask": float32 [M, s, s, 1], 0 or 1}` to
        `{"ab": float32 [M, s, s, 2], CIELAB, "block1": [M, s, s, C], ...}`,
        with the 13 maps of `siggraph_blocks.MAPS`; `block8_up`, `block9_up`
        and `block10_up` after ReLU. s is a multiple of 8.

    Raises:
        ValueError: an option has a value that is not listed above.

    Example:
        >>> model = instance(width=0.25)
        >>> L = tf.zeros([3, 64, 64, 1])
        >>> maps = model({"L": L, "hints": tf.zeros([3, 64, 64, 2]), "mask": L})
        >>> maps["block4"].shape
        TensorShape([3, 8, 8, 128])
    """
    model = siggraph(
        width=width, initializer=initializer, mask_center=mask_center
    )
    return with_maps(model, name=name)
