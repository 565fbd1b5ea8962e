"""The fusion network, and instance-aware colorization as a whole.

The fusion network is the full-picture network's trunk in which each of the 13
feature maps is blended with the same map of the picture's instances.

`instance_colorizer` joins three networks into one model: each box goes through
the instance network, each picture with boxes through the fusion network, and
each picture without boxes through the full-picture network. No network sees a
picture or a box for nothing.

    boxes ----> crops --> instance --+ 13 maps
                                     v
    pictures with boxes ---------> fusion --+
    pictures without boxes ------> full ----+--> ab

Reference:
    J.-W. Su, H.-K. Chu, J.-B. Huang, "Instance-aware Image Colorization",
    CVPR 2020. https://arxiv.org/abs/2005.10825
"""

import keras

from tfcolor.color import scaling
from tfcolor.layers.instance_fusion import InstanceFusion
from tfcolor.layers.where import MergeWhere
from tfcolor.layers.where import TakeWhere
from tfcolor.models import siggraph_blocks

# Trained in the published fusion stage, beside the 13 `InstanceFusion` layers.
_TRAINED_LAYERS = ("block10_conv2", "ab_out")
_PICTURE_KEYS = ("L", "hints", "mask")


def numbered(key: str, group: int) -> str:
    """Returns an input's name for a group of boxes: the first keeps its own.

    Args:
        key: str.
        group: int from 0.

    Returns:
        str.
    """
    return f"{key}_{group + 1}" if group else key


def instances_key(map_name: str, group: int = 0) -> str:
    """Returns the fusion network's input for a map of the instances.

    Args:
        map_name: str, one of `siggraph_blocks.MAPS`.
        group: int from 0, of the boxes.

    Returns:
        str.
    """
    return numbered(f"{map_name}_instances", group)


def _box_inputs(groups: int) -> dict[str, keras.KerasTensor]:
    inputs = {
        "boxes": keras.Input((None, 4), name="boxes"),
        "picture_size": keras.Input((2,), dtype="int32", name="picture_size"),
    }
    for group in range(groups):
        key = numbered("box_valid", group)
        inputs[key] = keras.Input((None,), dtype="bool", name=key)
    return inputs


def _each_group(inputs, key: str, groups: int) -> list:
    return [inputs[numbered(key, group)] for group in range(groups)]


def fusion(
    *,
    width: float = 1.0,
    blending: str = "masked",
    background_bias: float = 0.0,
    initializer: str = "normal",
    mask_center: float = scaling.MASK_CENTER,
    groups: int = 1,
    name: str = "fusion",
) -> keras.Model:
    """Builds the fusion network.

    Args:
        width: float above 0. Multiplies the filters of every block.
        blending: str. "masked": at a pixel, only the instances that cover it
            take weight. "faithful": as released; for published weights.
        background_bias: float. Score that the picture's own features have
            before training, where instances have about 0. Published: 0; with
            3 training begins close to the full-picture network.
        initializer: str, "normal" or "he_normal"; of the trunk.
        mask_center: float. Subtracted from the mask.
        groups: int. Of boxes, whose maps may differ in size from group to
            group.
        name: str. Name of the model.

    Returns:
        keras.Model to `{"ab": float32 [B, H, W, 2], CIELAB, inside +-110}`
        from a dict of
        "L", "hints", "mask": as for `siggraph`;
        "boxes": float32 [B, N, 4], yxyx pixels of the original picture;
        "box_valid": bool [B, N], which of them are real: M in all;
        "picture_size": int32 [B, 2], its height and width;
        "block1_instances" and so on: float [M, s/k, s/k, C], the maps of an
        `instance` network of the same width for the valid boxes, picture by
        picture. Boxes of a second group have "box_valid_2",
        "block1_instances_2" and so on.

    Raises:
        ValueError: an option has a value that is not listed above.
    """
    blocks = siggraph_blocks.Blocks(initializer)
    inputs = siggraph_blocks.picture_inputs() | _box_inputs(groups)
    for map_name, filters in siggraph_blocks.map_filters(width).items():
        for group in range(groups):
            key = instances_key(map_name, group)
            inputs[key] = keras.Input((None, None, filters), name=key)

    def blend(map_name, x):
        return InstanceFusion(
            blending=blending,
            background_bias=background_bias,
            name=f"{map_name}_fusion",
        )(
            x,
            _each_group(inputs, instances_key(map_name), groups),
            boxes=inputs["boxes"],
            box_valid=_each_group(inputs, "box_valid", groups),
            picture_size=inputs["picture_size"],
        )

    _, block10 = siggraph_blocks.trunk(
        blocks,
        siggraph_blocks.network_input(inputs, mask_center=mask_center),
        width=width,
        change=blend,
    )
    ab = siggraph_blocks.ab_output(blocks, block10)
    return keras.Model(inputs=inputs, outputs={"ab": ab}, name=name)


def freeze_trunk(model: keras.Model) -> None:
    """Leaves trainable what the published fusion stage trains.

    These are the 13 blending layers, the convolution of block 10 and the
    output: 1,226,108 weights at width 1. Frozen batch normalisations use
    their moving statistics in training too, as published.

    Args:
        model: keras.Model, of `fusion`. Changed in place.
    """
    for layer in model.layers:
        layer.trainable = (
            isinstance(layer, InstanceFusion) or layer.name in _TRAINED_LAYERS
        )


def instance_colorizer(
    *,
    instance: keras.Model,
    fusion: keras.Model,
    full: keras.Model | None = None,
    name: str = "instance_colorizer",
) -> keras.Model:
    """Joins the networks of instance-aware colorization.

    Args:
        instance: keras.Model, of `instance`. It sees no hints.
        fusion: keras.Model, of `fusion` with the same width.
        full: keras.Model, of `siggraph`, or None. For pictures without
            boxes, which go through `fusion` when it is None, as in training.
        name: str. Name of the model.

    Returns:
        keras.Model to `{"ab": float32 [B, H, W, 2], CIELAB}` from a dict of
        "L", "hints", "mask": as for `siggraph`;
        "crops": float32 [B, N, s, s, 1], L of each box, resized; s is a
        multiple of 8, and rows that are not valid may hold anything;
        "boxes", "box_valid", "picture_size": as for `fusion`.
        If `fusion` has several groups of boxes, each has "crops_2" and so on
        of a size of its own.
        The networks are its layers; their weights are shared, not copied.
    """
    groups = box_groups(fusion)
    inputs = siggraph_blocks.picture_inputs() | _box_inputs(groups)
    maps = {}
    for group in range(groups):
        key = numbered("crops", group)
        inputs[key] = keras.Input((None, None, None, 1), name=key)
        found = instance(
            _crop_inputs(inputs[key], inputs[numbered("box_valid", group)], key)
        )
        for map_name in siggraph_blocks.MAPS:
            maps[instances_key(map_name, group)] = found[map_name]
    pictures = {key: inputs[key] for key in _PICTURE_KEYS}
    boxes = {key: inputs[key] for key in _box_inputs(groups)}
    if full is None:
        ab = fusion(pictures | boxes | maps)["ab"]
    else:
        valid = _each_group(inputs, "box_valid", groups)
        boxed = keras.ops.any(keras.ops.concatenate(valid, axis=-1), axis=-1)
        fused = fusion(_taken(pictures | boxes, boxed, "boxed") | maps)["ab"]
        boxless = keras.ops.logical_not(boxed)
        whole = full(_taken(pictures, boxless, "boxless"))["ab"]
        ab = MergeWhere(name="merged")(fused, whole, boxed)
    return keras.Model(inputs=inputs, outputs={"ab": ab}, name=name)


def box_groups(model: keras.Model) -> int:
    """Returns how many groups of boxes a model takes.

    Args:
        model: keras.Model, of `fusion` or `instance_colorizer`.

    Returns:
        int.
    """
    return sum(key.startswith("box_valid") for key in model.input)


def _crop_inputs(crops, box_valid, name) -> dict:
    """Returns what the instance network sees of the valid boxes."""
    L = TakeWhere(name=f"valid_{name}")(crops, box_valid)
    nothing = keras.ops.zeros_like(L)
    return {
        "L": L,
        "hints": keras.ops.concatenate([nothing, nothing], axis=-1),
        "mask": nothing,
    }


def _taken(tensors, chosen, prefix) -> dict:
    return {
        key: TakeWhere(name=f"{prefix}_{key}")(tensor, chosen)
        for key, tensor in tensors.items()
    }
