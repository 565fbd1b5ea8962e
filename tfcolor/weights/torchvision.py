"""Weights of torchvision's AlexNet and ResNet-18, strictly, for grey pictures.

The first convolution is summed over its three input channels: what it makes of
a grey picture is then the same. Every array is used exactly once, or ignored
by these rules: counters of batch normalizations, and ResNet-18's class layer
`fc`, which the colorizers have no use for.

Reference:
    github.com/pytorch/vision, models/alexnet.py and models/resnet.py.
"""

from collections.abc import Mapping

import keras
import numpy as np

from tfcolor.models import alexnet as alexnet_lib
from tfcolor.models import resnet_blocks
from tfcolor.models import resnet_colorizer
from tfcolor.models import vgg
from tfcolor.weights import pytorch
from tfcolor.weights import pytorch_keys

KINDS = pytorch_keys.TORCHVISION_KINDS
# Places of the layers in torchvision's `features` and `classifier`, which
# count ReLUs, pools and dropouts too.
ALEXNET_MODULES = {
    "features.0": "conv1",
    "features.3": "conv2",
    "features.6": "conv3",
    "features.8": "conv4",
    "features.10": "conv5",
    "classifier.1": "fc6",
    "classifier.4": "fc7",
    "classifier.6": "logits",
}
_FIRST = {"alexnet": "features.0.weight", "resnet18": "conv1.weight"}
# An array by whose first axis the width is known: one of the widest, where
# rounding changes it least; and that axis at width 1.
_WIDEST = {
    "alexnet": ("classifier.4.weight", alexnet_lib.HIDDEN["fc7"]),
    "resnet18": ("layer4.1.conv2.weight", resnet_blocks.STAGES[4][0]),
}
_CLASSES = "classifier.6.weight"
_UNUSED = "fc"
_RGB = 3


def build(
    kind: str, state: Mapping[str, np.ndarray]
) -> tuple[keras.Model, list[str]]:
    """Builds the model that a state dict belongs to, at its width.

    Args:
        kind: str, "alexnet" or "resnet18".
        state: mapping of str to array. `module.` may prefix its keys.

    Returns:
        The model, of `alexnet` or `resnet18`, and the list of the keys that
        were ignored.

    Raises:
        ValueError: `kind` is not known; a key is missing, unexpected or there
            twice, an array has another shape, or one is not finite. All of
            them are listed.
    """
    if kind not in KINDS:
        raise ValueError(
            f"`kind` must be one of {KINDS}. Received: kind={kind!r}"
        )
    arrays, problems = pytorch.plain_arrays(state, pytorch.without_module)
    width = _axis(arrays, _WIDEST[kind][0], _WIDEST[kind][1])
    width /= _WIDEST[kind][1]
    if kind == "alexnet":
        classes = max(2, _axis(arrays, _CLASSES, 2))
        model = alexnet_lib.alexnet(num_classes=classes, width=width)
        ignored = {}
    else:
        model = resnet_colorizer.resnet18(width=width)
        ignored = _ignored(model, arrays)
    targets = pytorch.variables_of(_layers(kind, model))
    # A file for grey pictures may have one channel already.
    first = arrays.get(_FIRST[kind])
    grey = first is not None and first.ndim == 4 and first.shape[1] == 1
    shapes = {
        key: _shape_of(kind, key, variable, grey)
        for key, variable in targets.items()
    } | ignored
    pytorch.refuse(
        f"torchvision's {kind}, each exactly once",
        problems + pytorch.problems_of(shapes, arrays),
    )
    for key, variable in targets.items():
        variable.assign(_to_keras(kind, key, arrays[key]))
    return model, sorted(ignored)


def load_vgg16(model: keras.Model, state: Mapping[str, np.ndarray]) -> None:
    """Copies the weights of torchvision's vgg16_bn.

    Args:
        model: keras.Model of `vgg.vgg16_features`.
        state: mapping of str to array. What lies behind the model's last
            layer is not looked at.

    Raises:
        ValueError: a key is missing, an array has another shape, or one is
            not finite. All of them are listed.
    """
    arrays, problems = pytorch.plain_arrays(state, pytorch.without_module)
    own = {layer.name: layer for layer in model.layers}
    targets = pytorch.variables_of(
        {
            f"features.{place}": own[name]
            for name, place in _vgg_places().items()
            if name in own
        }
    )
    shapes = {key: pytorch.shape_of(v) for key, v in targets.items()}
    pytorch.refuse(
        "torchvision's vgg16_bn",
        problems + pytorch.problems_of(shapes, arrays, keys=targets),
    )
    for key, variable in targets.items():
        variable.assign(pytorch.to_keras(arrays[key]))


def vgg16_width(state: Mapping[str, np.ndarray]) -> float:
    """Returns the width of the network that a state dict of VGG16 is of.

    Args:
        state: mapping of str to array.

    Returns:
        float, 1 for the published one.
    """
    filters = vgg.BLOCKS[0][0]
    return (
        _axis(
            pytorch.plain_arrays(state, pytorch.without_module)[0],
            "features.0.weight",
            filters,
        )
        / filters
    )


def _vgg_places() -> dict[str, int]:
    """Returns the place in torchvision's `features` of each of our layers."""
    places, place = {}, 0
    for block, (_, convs) in enumerate(vgg.BLOCKS, 1):
        for conv in range(1, convs + 1):
            places[f"conv{block}_{conv}"] = place
            places[f"bn{block}_{conv}"] = place + 1
            place += 3
        # A pool.
        place += 1
    return places


def module_of(layer_name: str) -> str:
    """Returns the torchvision module of a layer of ResNet-18.

    Args:
        layer_name: str, such as "layer2_0_conv1".

    Returns:
        str, such as "layer2.0.conv1".
    """
    return layer_name.replace("_", ".")


def _axis(arrays, key, default) -> int:
    """Returns the length of the first axis of an array that may be absent."""
    array = arrays.get(key)
    return default if array is None or not array.ndim else array.shape[0]


def _layers(kind, model) -> dict[str, keras.Layer]:
    if kind == "alexnet":
        return {
            module: model.get_layer(name)
            for module, name in ALEXNET_MODULES.items()
        }
    return {
        module_of(layer.name): layer for layer in model.layers if layer.weights
    }


def _ignored(model, arrays) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays that have no place in `model`."""
    # Any number of classes; the class layer's two arrays must agree.
    classes = _axis(arrays, f"{_UNUSED}.weight", 1)
    class_layer = {
        f"{_UNUSED}.weight": (classes, model.output["mean"].shape[-1]),
        f"{_UNUSED}.bias": (classes,),
    }
    counters = pytorch.counters(_layers("resnet18", model))
    return pytorch.whole_groups([counters, class_layer], arrays)


def _shape_of(kind, key, variable, grey) -> tuple[int, ...]:
    shape = pytorch.shape_of(variable)
    if not grey and key == _FIRST[kind]:
        shape = (shape[0], _RGB, *shape[2:])
    return shape


def _to_keras(kind, key, array) -> np.ndarray:
    array = array.astype(np.float32)
    if key == _FIRST[kind]:
        array = array.sum(axis=1, keepdims=True)
    if key == "classifier.1.weight":
        # PyTorch flattens channels first, Keras channels last.
        side = alexnet_lib.GRID
        array = array.reshape(len(array), -1, side, side)
        array = array.transpose(0, 2, 3, 1).reshape(len(array), -1)
    return pytorch.to_keras(array)
