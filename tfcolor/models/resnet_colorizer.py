"""The colorizer of Melas-Kyriazi and Han: ResNet-18 up to layer2, a decoder.

Input: `L`, a picture's lightness. Output: `ab`, the color of every pixel.
Architecture: see `resnet_blocks`.

Two forms. "default" sees L and predicts CIELAB colors inside +-110, enlarged
bilinearly. "faithful" is the form of the study of ensembles with AlexNet
features (se-jaeger, "Image Colorization", its poster and code): it sees grey
values in 0..1 and predicts (ab + 128) / 255 at half the size, with a sigmoid on
its last hidden layer.
"""

import keras

from tfcolor.models import architecture
from tfcolor.models import resnet_blocks

FORMS = resnet_blocks.FORMS


@architecture.remembered
def resnet_colorizer(
    *,
    width: float = 1.0,
    form: str = "default",
    global_features: bool = False,
    name: str = "resnet_colorizer",
) -> keras.Model:
    """Builds the colorizer.

    Args:
        width: float above 0. Multiplies the filters of every layer, rounded,
            at least 1.
        form: str. "default", or "faithful": as in the study of ensembles; see
            the module.
        global_features: bool. Joins the features of the whole ResNet-18, 512
            numbers, to those of every place by a linear layer.
        name: str. Name of the model.

    Returns:
        keras.Model from `{"L": float32 [B, H, W, 1], 0..100}` to `{"ab":
        float32 [B, H, W, 2], CIELAB}`. H and W are multiples of 8.

    Raises:
        ValueError: an option has a value that is not listed above.

    Example:
        >>> model = resnet_colorizer(width=0.25)
        >>> model({"L": tf.zeros([1, 64, 96, 1])})["ab"].shape
        TensorShape([1, 64, 96, 2])
    """
    L = resnet_blocks.picture_input()
    x = resnet_blocks.encoder(resnet_blocks.network_input(L, form), width=width)
    if global_features:
        x = resnet_blocks.fuse_whole_picture(x, width=width)
    ab = resnet_blocks.decoder(x, width=width, form=form)
    return keras.Model(inputs={"L": L}, outputs={"ab": ab}, name=name)


@architecture.remembered
def resnet18(*, width: float = 1.0, name: str = "resnet18") -> keras.Model:
    """Builds ResNet-18 alone, without its classes.

    Colorizers start from it: their layers have the same names.

    Args:
        width: float above 0.
        name: str. Name of the model.

    Returns:
        keras.Model from `{"L": float32 [B, H, W, 1], 0..100}` to `{"layer2":
        float32 [B, H/8, W/8, 128 * width], "mean": float32 [B, 512 * width]}`.
    """
    L = resnet_blocks.picture_input()
    layer2 = resnet_blocks.encoder(resnet_blocks.imagenet_input(L), width=width)
    mean = resnet_blocks.whole_picture(layer2, width=width)
    outputs = {"layer2": layer2, "mean": mean}
    return keras.Model(inputs={"L": L}, outputs=outputs, name=name)


def encoder_layers(model: keras.Model) -> tuple[str, ...]:
    """Names the layers with weights that a colorizer has from ResNet-18.

    Args:
        model: keras.Model, of `resnet_colorizer`, `resnet18` or `ensemble`.

    Returns:
        tuple of str.
    """
    prefixes = tuple(f"layer{stage}_" for stage in resnet_blocks.STAGES)
    return tuple(
        layer.name
        for layer in model.layers
        if layer.weights
        and (layer.name in ("conv1", "bn1") or layer.name.startswith(prefixes))
    )
