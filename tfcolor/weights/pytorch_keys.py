"""The names that published PyTorch weights carry, and whose they are here.

Two spellings of one network are in use. The released files number the single
convolution of a block of one (`model8up.0.weight`); mmagic does not
(`model8up.weight`). Both may carry `module.`, the mark of a network that was
trained on several GPUs.

Reference:
    github.com/richzhang/colorization-pytorch, github.com/richzhang/colorization
    (`siggraph17`, `eccv16`), github.com/ericsujw/InstColorization, and
    github.com/open-mmlab/mmagic (`inst_colorization`).
"""

import re

# What published files hold, see `pytorch_models`: those of three networks in
# one model, torchvision's, and all.
WHOLE_KINDS = ("instcolorization", "mmagic")
TORCHVISION_KINDS = ("alexnet", "resnet18")
KINDS = (
    *("full", "siggraph17", "instance", "fusion", "eccv16"),
    *(*WHOLE_KINDS, "ddcolor", *TORCHVISION_KINDS),
)

# Of mmagic's single file: our name of a network to its prefix there.
MMAGIC_PREFIXES = {
    "full": "image_model.",
    "instance": "instance_model.",
    "fusion": "fusion_model.",
}

# Suffixes in the order of the weights of a Keras layer.
CONV_SUFFIXES = ("weight", "bias")
BN_SUFFIXES = ("weight", "bias", "running_mean", "running_var")
# A count of training steps: BatchNorm with a fixed momentum never reads it.
COUNTER_SUFFIX = "num_batches_tracked"

# Places of the convolutions inside a published block, which counts its ReLUs
# too, and the place of its normalization.
_ENCODER_CONVS = {1: 2, 2: 2, 3: 3, 4: 3, 5: 3, 6: 3, 7: 3}
_DECODER = {
    "model8up.0": "up8",
    "model3short8.0": "skip3to8",
    "model8.1": "block8_conv2",
    "model8.3": "block8_conv3",
    "model8.5": "block8_bn",
    "model9up.0": "up9",
    "model2short9.0": "skip2to9",
    "model9.1": "block9_conv2",
    "model9.3": "block9_bn",
    "model10up.0": "up10",
    "model1short10.0": "skip1to10",
    "model10.1": "block10_conv2",
    "model_class.0": "ab_logits",
    "model_out.0": "ab_out",
}
# Of `eccv16`, whose blocks 1 to 7 are those of the other networks.
_ECCV16_DECODER = {
    "model8.0": "up8",
    "model8.2": "block8_conv2",
    "model8.4": "block8_conv3",
    "model8.6": "ab_logits",
    "model_out": "bin_colors",
}
# Blocks of one convolution, which mmagic does not number.
_UNNUMBERED = re.compile(
    r"^(model(?:8up|9up|10up|3short8|2short9|1short10|_class))"
    r"\.(weight|bias)$"
)

# Published weight layer to the feature map that it blends.
WEIGHT_LAYERS = {
    "weight_layer": "block1",
    "weight_layer2": "block2",
    "weight_layer3": "block3",
    "weight_layer4": "block4",
    "weight_layer5": "block5",
    "weight_layer6": "block6",
    "weight_layer7": "block7",
    "weight_layer8_1": "block8_up",
    "weight_layer8_2": "block8",
    "weight_layer9_1": "block9_up",
    "weight_layer9_2": "block9",
    "weight_layer10_1": "block10_up",
    "weight_layer10_2": "block10",
}
# Published, but on no path to the output.
UNUSED_WEIGHT_LAYER = "weight_layerout"
CLASS_HEAD = "model_class.0"


def layer_names(network: str = "siggraph") -> dict[str, str]:
    """Returns a network's layer for every published module with weights.

    Args:
        network: str. "eccv16", or any name for "siggraph" and its relatives.

    Returns:
        dict of str to str, such as `{"model1.0": "block1_conv1"}`.
    """
    names = {}
    for block, convs in _ENCODER_CONVS.items():
        for i in range(convs):
            names[f"model{block}.{2 * i}"] = f"block{block}_conv{i + 1}"
        names[f"model{block}.{2 * convs}"] = f"block{block}_bn"
    return names | (_ECCV16_DECODER if network == "eccv16" else _DECODER)


def plain_key(key: str) -> str:
    """Returns a key in the spelling of the released files.

    Args:
        key: str, a key of a state dict.

    Returns:
        str, without `module.` and with every convolution numbered.
    """
    key = key.removeprefix("module.")
    return _UNNUMBERED.sub(r"\1.0.\2", key)
