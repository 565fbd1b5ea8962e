"""Computes what every network without boxes gives, on any Keras backend.

    KERAS_BACKEND=jax python -m tests.models.backend_outputs WEIGHTS OUTPUT

WEIGHTS is an .npz file that `write_weights` wrote; OUTPUT gets the outputs of
the networks, the losses and metrics of fixed pictures, and what layers that act
in training alone make of them.
"""

import functools
import sys

import keras
import numpy as np

from tfcolor import losses
from tfcolor import metrics
from tfcolor.layers import random_part
from tfcolor.losses import colorized
from tfcolor.losses import distillation
from tfcolor.losses import label_objective
from tfcolor.losses import objective
from tfcolor.models import alexnet
from tfcolor.models import blend
from tfcolor.models import ddcolor
from tfcolor.models import discriminator
from tfcolor.models import eccv16
from tfcolor.models import efficientnet_lite
from tfcolor.models import efficientnet_unet
from tfcolor.models import ensemble
from tfcolor.models import resnet_colorizer
from tfcolor.models import siggraph
from tfcolor.models import task_transfer
from tfcolor.models import vgg

_SIDE, _CLASSES = 64, 5


def _ensemble() -> keras.Model:
    classifier = alexnet.alexnet(num_classes=_CLASSES, width=1 / 32)
    return ensemble.ensemble(
        num_classes=_CLASSES,
        classifier=classifier,
        classifier_area=0.5,
        width=1 / 16,
    )


# Each has few filters, and all of its kinds of layers.
BUILDERS = {
    "siggraph": functools.partial(
        siggraph.siggraph, width=1 / 16, initializer="he_normal"
    ),
    "siggraph_blend": functools.partial(blend.siggraph_blend, width=1 / 16),
    "eccv16": functools.partial(
        eccv16.eccv16, width=1 / 16, initializer="he_normal"
    ),
    "ddcolor": functools.partial(
        ddcolor.ddcolor,
        **{"encoder": "tiny", "width": 1 / 32},
        **{"queries": 5, "decoder_blocks": 3},
    ),
    "efficientnet_unet": efficientnet_unet.efficientnet_unet,
    # As the default model is built, and with what its styles may ask for.
    "efficientnet_unet_blend": functools.partial(
        blend.efficientnet_unet_blend,
        **{"variant": "lite2", "decoder": "large", "mirrored": True},
    ),
    "efficientnet_features": efficientnet_lite.efficientnet_features,
    "resnet_colorizer": functools.partial(
        resnet_colorizer.resnet_colorizer, width=1 / 16, global_features=True
    ),
    "alexnet": functools.partial(
        alexnet.alexnet, num_classes=_CLASSES, width=1 / 32
    ),
    "ensemble": _ensemble,
    "task_transfer": functools.partial(
        task_transfer.task_transfer,
        num_classes=_CLASSES,
        width=1 / 16,
        initializer="he_normal",
    ),
    "discriminator": functools.partial(
        discriminator.discriminator, width=1 / 32
    ),
    "vgg16_features": functools.partial(vgg.vgg16_features, width=1 / 16),
}


def write_weights(path: str) -> None:
    """Builds all networks and writes their weights, an .npz file."""
    keras.utils.set_random_seed(3)
    networks = {name: build() for name, build in BUILDERS.items()}
    # As published, its own weights begin too small to give it colors.
    inside = blend.network(networks["siggraph_blend"])
    inside.set_weights(networks["siggraph"].get_weights())
    np.savez(
        path,
        **{
            f"{name}/{i}": weight
            for name, network in networks.items()
            for i, weight in enumerate(network.get_weights())
        },
    )


def _pictures() -> dict:
    rng = np.random.default_rng(0)
    mask = rng.random([2, _SIDE, _SIDE, 1]) < 0.05
    arrays = {
        "L": rng.uniform(10, 90, [2, _SIDE, _SIDE, 1]),
        "ab": rng.uniform(-30, 30, [2, _SIDE, _SIDE, 2]),
        "hints": mask * rng.uniform(-60, 60, [2, _SIDE, _SIDE, 2]),
        "mask": mask,
        "rgb": rng.uniform(0, 1, [2, _SIDE, _SIDE, 3]),
    }
    return {
        name: keras.ops.convert_to_tensor(array, "float32")
        for name, array in arrays.items()
    }


def _flat(name: str, found) -> dict[str, np.ndarray]:
    """Tensors by their place in nested dicts, as arrays."""
    if not isinstance(found, dict):
        return {name: keras.ops.convert_to_numpy(found)}
    return {
        key: array
        for inner, value in found.items()
        for key, array in _flat(f"{name}/{inner}", value).items()
    }


def _network(name, stored) -> keras.Model:
    """Builds a network with the weights of the file."""
    model = BUILDERS[name]()
    count = sum(key.startswith(f"{name}/") for key in stored.files)
    model.set_weights([stored[f"{name}/{i}"] for i in range(count)])
    return model


def _output(model, pictures):
    """Calls a network, compiled as a whole: JAX takes long one by one."""
    given = pictures["rgb"]
    if isinstance(model.input, dict):
        given = {name: pictures[name] for name in model.input}
    if keras.backend.backend() != "jax":
        return model(given)
    found = model.predict_on_batch(given)
    if not isinstance(found, dict):
        return keras.ops.convert_to_tensor(found)
    return {k: keras.ops.convert_to_tensor(v) for k, v in found.items()}


def _compiled(function):
    if keras.backend.backend() != "jax":
        return function
    import jax

    return jax.jit(function)


def _draw_nothing() -> None:
    """Has weights begin as 0: JAX would compile how each of them is drawn."""

    def zeros(self, shape, dtype=None):
        return keras.ops.convert_to_tensor(np.zeros(shape, dtype or "float32"))

    for kind in (
        keras.initializers.RandomNormal,
        keras.initializers.TruncatedNormal,
        keras.initializers.VarianceScaling,
    ):
        kind.__call__ = zeros


def _losses(pictures, outputs, networks) -> dict:
    """All losses, of what networks gave."""
    colors, classes = outputs["siggraph"], outputs["alexnet"]
    label = keras.ops.convert_to_tensor(np.array([1, 3]))
    targets = {k: pictures[k] for k in ("L", "ab", "hints", "mask")}
    targets["label"] = label
    bins = np.linspace(0.5, 1.5, 529, dtype=np.float32)
    every = objective.ObjectiveConfig(squared_weight=1.0, class_weight=1.0)
    labels = label_objective.LabelObjectiveConfig(targets="soft", l2=0.01)
    judged = {
        f"{name}_logits": outputs["discriminator"]
        for name in ("fooling", "true", "predicted")
    }
    return {
        "objective": objective.objective(every, bin_weights=bins)(
            targets, colors
        ),
        "labels": label_objective.label_objective(labels, networks["alexnet"])(
            targets, classes
        ),
        "colorized": colorized.objective(
            colorized.ColorizedConfig(
                perceptual_weight=1.0, adversarial_weight=1.0
            ),
            features=networks["vgg16_features"],
        )(targets, colors | judged),
        "distilled": distillation.distilled(
            objective.objective(every, bin_weights=bins),
            networks["efficientnet_unet"],
            config=every,
            share=0.25,
        )(targets, colors),
        "features": colorized.feature_distance(
            networks["efficientnet_features"],
            pictures["rgb"],
            metrics.to_rgb(pictures, colors["ab"]),
        ),
        "huber": losses.HuberLoss()(targets["ab"], colors["ab"]),
        "bins": losses.BinCrossEntropy()(targets["ab"], colors["ab_logits"]),
    }


def _metrics(pictures, outputs) -> dict:
    """All metrics, of what networks gave."""
    ab, label = outputs["siggraph"]["ab"], np.array([1, 3])
    lab = [
        keras.ops.concatenate([pictures["L"], values], axis=-1)
        for values in (pictures["ab"], ab)
    ]
    rgb = metrics.to_rgb(pictures, ab)
    return {
        "colorizer": metrics.colorizer_metrics(pictures, pictures, {"ab": ab}),
        "ssim": metrics.ssim(pictures["rgb"], rgb),
        "ciede2000": metrics.mean_ciede2000(*lab),
        "L": metrics.mean_L_difference(pictures["L"], pictures["L"] + 1),
        "rmse": metrics.ab_rmse(pictures["ab"], ab),
        "colorfulness": metrics.colorfulness_absolute(rgb),
        "accuracies": metrics.accuracies(
            {"label": keras.ops.convert_to_tensor(label)}, outputs["alexnet"]
        ),
    }


def _confusion():
    """Not compiled: JAX counts only what it knows."""
    labels = keras.ops.convert_to_tensor(np.array([1, 3, 3]))
    predicted = keras.ops.convert_to_tensor(np.array([1, 3, 0]))
    return metrics.confusion_matrix(labels, predicted, _CLASSES)


def compute(weights_path: str) -> dict[str, np.ndarray]:
    """Computes everything; returns arrays by name."""
    stored, pictures = np.load(weights_path), _pictures()
    networks = {name: _network(name, stored) for name in BUILDERS}
    outputs = {
        name: _output(model, pictures) for name, model in networks.items()
    }
    layer = random_part.RandomPart(0.25)
    measured = _compiled(
        lambda pictures, outputs: {
            "losses": _losses(pictures, outputs, networks),
            "metrics": _metrics(pictures, outputs),
        }
    )(pictures, outputs)
    return {
        **_flat("networks", outputs),
        **_flat("losses", measured["losses"]),
        **_flat("metrics", measured["metrics"]),
        **_flat("metrics", {"confusion": _confusion()}),
        **_flat("random_part", layer(pictures["L"], training=True)),
    }


if __name__ == "__main__":
    _draw_nothing()
    np.savez(sys.argv[2], **compute(sys.argv[1]))
