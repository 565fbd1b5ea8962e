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

from collections.abc import Callable
from collections.abc import Collection

import keras

from tfcolor.color import scaling
from tfcolor.layers.instance_fusion import InstanceFusion
from tfcolor.layers.where import MergeWhere
from tfcolor.layers.where import TakeWhere
from tfcolor.models import architecture
from tfcolor.models import box_inputs
from tfcolor.models import siggraph_blocks

# Trained in the published fusion stage, beside the 13 `InstanceFusion` layers.
_TRAINED_LAYERS = ("block10_conv2", "ab_out")
_NETWORKS = ("instance", "fusion", "full")
_PICTURE_KEYS = ("L", "hints", "mask")


def blending_name(map_name: str) -> str:
    """Returns the name of the layer that blends instances into a map."""
    return f"{map_name}_fusion"


@architecture.remembered
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
    inputs = siggraph_blocks.picture_inputs() | box_inputs.box_inputs(groups)
    for map_name, filters in siggraph_blocks.map_filters(width).items():
        for group in range(groups):
            key = box_inputs.instances_key(map_name, group)
            inputs[key] = keras.Input((None, None, filters), name=key)

    def blend(map_name, x):
        return InstanceFusion(
            blending=blending,
            background_bias=background_bias,
            name=blending_name(map_name),
        )(
            x,
            box_inputs.each_group(inputs, box_inputs.instances_key(map_name)),
            boxes=inputs["boxes"],
            box_valid=box_inputs.each_group(inputs, "box_valid"),
            picture_size=inputs["picture_size"],
        )

    ab = colors(
        blocks, inputs, width=width, blend=blend, mask_center=mask_center
    )
    return keras.Model(inputs=inputs, outputs={"ab": ab}, name=name)


def colors(
    blocks: siggraph_blocks.Blocks,
    inputs,
    *,
    width: float,
    blend: Callable,
    mask_center: float = scaling.MASK_CENTER,
):
    """Builds what lies between the inputs of the fusion network and its end.

    Args:
        blocks: Blocks.
        inputs: dict of "L", "hints" and "mask".
        width: float above 0.
        blend: function of a name in `siggraph_blocks.MAPS` and the map to the
            map with the picture's instances.
        mask_center: float.

    Returns:
        Tensor, float32 [B, H, W, 2], CIELAB.
    """
    _, block10 = siggraph_blocks.trunk(
        blocks,
        siggraph_blocks.network_input(blocks, inputs, mask_center=mask_center),
        width=width,
        change=blend,
    )
    return siggraph_blocks.ab_output(blocks, block10)


def freeze_trunk(model: keras.Model) -> None:
    """Leaves trainable what the published fusion stage trains.

    These are the 13 blending layers, the convolution of block 10 and the
    output: 1,226,108 weights at width 1. Frozen batch normalizations use
    their moving statistics in training too, as published.

    Args:
        model: keras.Model, of `fusion`. Changed in place.
    """
    for layer in model.layers:
        layer.trainable = (
            isinstance(layer, InstanceFusion) or layer.name in _TRAINED_LAYERS
        )


@architecture.remembered
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
    inputs = colorizer_inputs(box_inputs.count_groups(fusion.input))
    maps = instance_maps(instance, inputs)
    return join(
        inputs,
        [key for key in inputs if not key.startswith("crops")],
        lambda taken: fusion(taken | maps)["ab"],
        full=full,
        name=name,
    )


def colorizer_inputs(groups: int) -> dict[str, keras.KerasTensor]:
    """Makes the inputs of `instance_colorizer`.

    Args:
        groups: int, of boxes.

    Returns:
        dict of str to keras.KerasTensor.
    """
    return (
        siggraph_blocks.picture_inputs()
        | box_inputs.box_inputs(groups)
        | box_inputs.crop_inputs(groups)
    )


def instance_maps(instance: keras.Model, inputs) -> dict:
    """Runs the instance network on all valid boxes.

    Args:
        instance: keras.Model, of `instance`.
        inputs: dict of tensors, of `instance_colorizer`.

    Returns:
        dict of the inputs of the fusion network that are maps of instances.
    """
    maps = {}
    for group in range(box_inputs.count_groups(inputs)):
        key = box_inputs.numbered("crops", group)
        valid = inputs[box_inputs.numbered("box_valid", group)]
        L = TakeWhere(name=f"valid_{key}")(inputs[key], valid)
        found = instance(siggraph_blocks.without_hints(L))
        for map_name in siggraph_blocks.MAPS:
            maps[box_inputs.instances_key(map_name, group)] = found[map_name]
    return maps


def join(
    inputs,
    keys: Collection[str],
    fuse: Callable,
    *,
    full: keras.Model | None,
    name: str,
) -> keras.Model:
    """Joins what colors pictures with boxes and what colors those without.

    Args:
        inputs: dict of keras.KerasTensor, of `colorizer_inputs`.
        keys: which of them `fuse` needs of a picture.
        fuse: function of these to ab, float32 [B, H, W, 2].
        full: keras.Model or None; see `instance_colorizer`.
        name: str. Name of the model.

    Returns:
        keras.Model from `inputs` to `{"ab": float32 [B, H, W, 2]}`.
    """
    needed = {key: inputs[key] for key in keys}
    if full is None:
        ab = fuse(needed)
    else:
        valid = box_inputs.each_group(inputs, "box_valid")
        boxed = keras.ops.any(keras.ops.concatenate(valid, axis=-1), axis=-1)
        fused = fuse(_taken(needed, boxed, "boxed"))
        boxless = keras.ops.logical_not(boxed)
        pictures = {key: inputs[key] for key in _PICTURE_KEYS}
        whole = full(_taken(pictures, boxless, "boxless"))["ab"]
        ab = MergeWhere(name="merged")(fused, whole, boxed)
    return keras.Model(inputs=inputs, outputs={"ab": ab}, name=name)


def networks_of(model: keras.Model) -> dict[str, keras.Model | None]:
    """Returns the networks of an instance colorizer.

    Args:
        model: keras.Model.

    Returns:
        dict of "instance", "fusion" and "full", which may be None; empty if
        the model is none of `instance_colorizer`.
    """
    found = architecture.of(model)
    if found.name != "instance_colorizer":
        return {}
    return {
        kind: model.get_layer(name) if (name := found.options[kind]) else None
        for kind in _NETWORKS
    }


def _taken(tensors, chosen, prefix) -> dict:
    return {
        key: TakeWhere(name=f"{prefix}_{key}")(tensor, chosen)
        for key, tensor in tensors.items()
    }
