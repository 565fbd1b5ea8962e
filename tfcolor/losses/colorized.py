"""Losses of colorized pictures, as DDColor is trained by.

They look at sRGB, and at what networks for ImageNet make of it; beside them
stands the plain distance of ab (`regression.absolute`).

Reference:
    X. Kang et al., ICCV 2023, section 3.4; github.com/piddnad/DDColor,
    options/train/train_ddcolor.yml and basicsr/models/color_model.py.
"""

import dataclasses
from collections.abc import Callable

import keras
from keras import ops

from tfcolor.color import lab
from tfcolor.losses import regression

_MEAN_WEIGHT = 0.3
# CF is counted in bytes and divided by 100.
_COLORFULNESS_SCALE = 255 / 100
_EPSILON = 1e-12
# ITU-R BT.601, as torchvision's Grayscale has them.
_GREY_WEIGHTS = (0.2989, 0.587, 0.114)


@dataclasses.dataclass(frozen=True)
class ColorizedConfig:
    """Weights of the losses; a loss of weight 0 is not computed.

    Attributes:
        absolute_weight: float. Of `regression.absolute`.
        colorfulness_weight: float. Of `colorfulness_loss`.
        perceptual_weight: float. Of `perceptual_loss`, which needs the
            weights of a VGG16 (--vgg_weights); 5 as published.
        adversarial_weight: float. Of a discriminator's judgement, which is
            trained along; 1 as published.
        enhancement: float. Factor on the distance of true pictures from grey,
            for the perceptual and the adversarial loss.
    """

    absolute_weight: float = 0.1
    colorfulness_weight: float = 0.5
    perceptual_weight: float = 0.0
    adversarial_weight: float = 0.0
    enhancement: float = 1.2

    def __post_init__(self):
        """Refuses weights under which nothing true could be learned."""
        weights = (
            *(self.absolute_weight, self.colorfulness_weight),
            *(self.perceptual_weight, self.adversarial_weight),
        )
        if min(weights) < 0 or not weights[0] + weights[2]:
            raise ValueError(
                "`absolute_weight`, `colorfulness_weight`, `perceptual_weight` "
                "and `adversarial_weight` must not be negative, and the first "
                f"or the third must be above 0. Received: {weights}"
            )


def objective(
    config: ColorizedConfig, *, features: keras.Model | None = None
) -> Callable[[dict, dict], dict]:
    """Makes the loss function of a colorizer.

    Args:
        config: ColorizedConfig.
        features: keras.Model of `vgg.vgg16_features`, for the perceptual
            loss.

    Returns:
        A function of `(targets, outputs)`: dicts with "L", float32 [B, H, W,
        1], and "ab", [B, H, W, 2]; and with "ab". For the adversarial loss
        the outputs are those of `discriminator.Judged`. It returns
        a dict of float32 tensors [B]: the weighted losses by name; their sum
        is to be minimized.

    Raises:
        ValueError: the perceptual loss is wanted without features.
    """
    if config.perceptual_weight and features is None:
        raise ValueError(
            "`perceptual_weight` needs the weights of a VGG16 (`vgg_weights`). "
            f"Received: perceptual_weight={config.perceptual_weight} alone"
        )

    def losses(targets, outputs):
        L, ab_true, ab = targets["L"], targets["ab"], outputs["ab"]
        rgb = lab.lab_to_rgb(ops.concatenate([L, ab], axis=-1))
        result = {}
        if config.absolute_weight:
            result["absolute"] = config.absolute_weight * regression.absolute(
                ab_true, ab
            )
        if config.colorfulness_weight:
            result["colorfulness_loss"] = (
                config.colorfulness_weight * colorfulness_loss(rgb)
            )
        if config.perceptual_weight:
            true = true_rgb(L, ab_true, enhancement=config.enhancement)
            result["perceptual"] = config.perceptual_weight * perceptual_loss(
                features, true, rgb
            )
        if config.adversarial_weight:
            result |= adversarial_losses(
                outputs, weight=config.adversarial_weight
            )
        return {k: ops.cast(v, "float32") for k, v in result.items()}

    return losses


def adversarial_losses(outputs, *, weight: float) -> dict:
    """Computes the losses of a colorizer and of its judge.

    Args:
        outputs: dict, of `discriminator.Judged`.
        weight: float, of the colorizer's.

    Returns:
        dict of float32 tensors [B].
    """
    fooling, true, predicted = (
        outputs[f"{name}_logits"] for name in ("fooling", "true", "predicted")
    )
    return {
        "adversarial": weight * _softplus_mean(-fooling),
        "discriminator": _softplus_mean(-true) + _softplus_mean(predicted),
    }


def _softplus_mean(logits):
    """Cross entropy of wrong guesses, the mean over places: [B]."""
    places = tuple(range(1, len(logits.shape)))
    return ops.mean(ops.softplus(ops.cast(logits, "float32")), axis=places)


def true_rgb(L, ab, *, enhancement: float = 1.0):
    """Makes true pictures, livelier than they are.

    Args:
        L: float32 tensor [B, H, W, 1], 0..100.
        ab: float32 tensor [B, H, W, 2], CIELAB.
        enhancement: float, factor on the distance from the grey picture.

    Returns:
        float32 tensor [B, H, W, 3], encoded sRGB, 0..1.
    """
    rgb = lab.lab_to_rgb(ops.concatenate([L, ab], axis=-1))
    weights = ops.convert_to_tensor(_GREY_WEIGHTS, "float32")
    grey = ops.sum(rgb * weights, axis=-1, keepdims=True)
    return ops.clip(grey + enhancement * (rgb - grey), 0, 1)


def colorfulness_loss(rgb):
    """Computes how far pictures are from colorful: 1 - CF / 100.

    The published program computes 1 - CF / 255 and adds it up over a batch.

    Args:
        rgb: float32 tensor [B, H, W, 3], encoded sRGB, 0..1.

    Returns:
        float32 tensor [B], 1 for grey; CF is that of
        `metrics.colorfulness_absolute`, with a finite gradient
        everywhere.

    Reference:
        X. Kang et al., ICCV 2023, equation 9.
    """
    red, green, blue = ops.unstack(rgb, axis=-1)
    opponents = ops.abs(
        ops.stack([red - green, (red + green) / 2 - blue], axis=-1)
    )
    mean = ops.mean(opponents, axis=(1, 2))
    centered = opponents - mean[:, None, None]
    variance = ops.mean(centered * centered, axis=(1, 2))
    spread = ops.sqrt(ops.sum(variance, axis=-1) + _EPSILON)
    length = ops.sqrt(ops.sum(mean * mean, axis=-1) + _EPSILON)
    return 1 - _COLORFULNESS_SCALE * (spread + _MEAN_WEIGHT * length)


def feature_distance(features: keras.Model, rgb_true, rgb_pred):
    """Computes how differently a network for ImageNet sees two pictures.

    As `perceptual_loss`, for networks whose maps differ much in scale: each
    difference counts in shares of its true map.

    Args:
        features: keras.Model of `efficientnet_lite.efficientnet_features`.
        rgb_true: float32 tensor [B, H, W, 3], encoded sRGB, 0..1.
        rgb_pred: float32 tensor [B, H, W, 3].

    Returns:
        float32 tensor [B].
    """

    def share(true, predicted):
        true, predicted = (ops.cast(x, "float32") for x in (true, predicted))
        size = ops.mean(ops.abs(true), axis=(1, 2, 3)) + _EPSILON
        return _mean_difference(true, predicted) / size

    return _over_maps(features, rgb_true, rgb_pred, share)


def _mean_difference(true, predicted):
    """Returns the mean absolute difference of two maps: [B]."""
    return ops.mean(ops.abs(true - predicted), axis=(1, 2, 3))


def _over_maps(features, rgb_true, rgb_pred, distance):
    """Adds up distances of maps: each one counts half as much as the next."""
    true = features(rgb_true, training=False)
    predicted = features(rgb_pred, training=False)
    total, weight = 0.0, 1.0
    for name in reversed(sorted(true)):
        fixed = ops.stop_gradient(true[name])
        total = total + weight * distance(fixed, predicted[name])
        weight /= 2
    return total


def perceptual_loss(features: keras.Model, rgb_true, rgb_pred):
    """Computes how differently a network for ImageNet sees two pictures.

    Args:
        features: keras.Model of `vgg.vgg16_features`.
        rgb_true: float32 tensor [B, H, W, 3], encoded sRGB, 0..1.
        rgb_pred: float32 tensor [B, H, W, 3].

    Returns:
        float32 tensor [B]: the mean absolute differences of the maps. The last
        one counts fully, each one before it half as much.
    """
    return _over_maps(features, rgb_true, rgb_pred, _mean_difference)
