"""From flags to the ResNet colorizer, and to the ensemble built on it.

For train_resnet_colorizer, train_ensemble and train_box_ensemble.
"""

from collections.abc import Callable

import keras

from flags import alexnet as alexnet_flags
from flags import data as data_flags
from flags import ensemble as ensemble_flags
from flags import objective as objective_flags
from flags import resnet as resnet_flags
from flags import run as run_flags
from tfcolor.models import alexnet
from tfcolor.models import architecture
from tfcolor.models import resnet_blocks
from tfcolor.models import resnet_colorizer
from tfcolor.models.ensemble import CLASSIFIER
from tfcolor.models.ensemble import ensemble
from tfcolor.weights import model_file
from tfcolor.weights import transfer
from trainers import assembly
from trainers import initial_weights

_CLASSIFIER = "alexnet"


def check_objective() -> None:
    """Refuses losses that the network has no output for.

    Raises:
        ValueError: the class loss is wanted.
    """
    config = objective_flags.config()
    if config.class_weight:
        raise ValueError(
            "This network has no classes of colors: --class_weight must be 0. "
            f"Received: --class_weight={config.class_weight}"
        )


def build_resnet() -> keras.Model:
    """Builds the colorizer of the flags, with the weights to start from."""
    return start_from(resnet_colorizer.resnet_colorizer, resnet_flags.options())


def start_from(
    build: Callable[..., keras.Model],
    options: dict,
) -> keras.Model:
    """Builds a network with the weights of --initial_weights, if it is given.

    Args:
        build: function of options to a keras.Model. It gets all weights of a
            colorizer, or those of its encoder from ResNet-18. With those of
            a colorizer without classes, the colors depend on the classes
            only after training.
        options: dict, the values of flags.

    Returns:
        keras.Model.

    Raises:
        ValueError: the layers do not fit.
    """
    path = run_flags.INITIAL_WEIGHTS.value
    if not path:
        return build(**options)
    return initial_weights.copied(
        assembly.load_model(path),
        build,
        options,
        _copy,
        path=path,
        causes={
            CLASSIFIER: "--classifier",
            resnet_blocks.FUSION: (
                "the number of classes of --images, or --features"
            ),
        },
    )


def _copy(start: keras.Model, model: keras.Model) -> None:
    """Copies the weights that both have; see `start_from`."""
    learns_classes = _knows_classes(model) and not _knows_classes(start)
    if "ab" in start.output and learns_classes:
        transfer.copy_weights(
            start, model, except_layers=(resnet_blocks.FUSION, CLASSIFIER)
        )
        transfer.copy_widened(start, model, resnet_blocks.FUSION)
    elif "ab" in start.output:
        transfer.copy_weights(start, model)
    else:
        names = resnet_colorizer.encoder_layers(model)
        transfer.copy_layers(start, model, names)


def _knows_classes(model) -> bool:
    """Tells whether a model's decoder sees classes beside the picture."""
    options = architecture.of(model).options
    return options.get("class_source", "none") != "none"


def build_ensemble(class_names: tuple[str, ...]) -> keras.Model:
    """Builds the ensemble of the flags, or one of its controls.

    Args:
        class_names: tuple of str, of the data.

    Returns:
        keras.Model.

    Raises:
        ValueError: the classifier is of another kind, or knows other classes.
    """
    options = ensemble_flags.options()
    classifier = None
    if options["class_source"] == "classifier":
        classifier = load_classifier(class_names)
        size = data_flags.config().image_size
        enlarge = architecture.of(classifier).options["enlarge"]
        alexnet.check_size(size, enlarge=enlarge)

    def build(**options):
        used = options["class_source"] == "classifier"
        return ensemble(
            num_classes=len(class_names),
            classifier=classifier if used else None,
            **options,
        )

    return start_from(build, options)


def load_classifier(class_names: tuple[str, ...]) -> keras.Model:
    """Loads --classifier, or makes a new one that has learned nothing.

    Args:
        class_names: tuple of str, of the data.

    Returns:
        keras.Model of `alexnet`.

    Raises:
        ValueError: the file holds another model, or knows other classes.
    """
    path = ensemble_flags.CLASSIFIER.value
    if not path:
        options = alexnet_flags.options()
        options["width"] = ensemble_flags.CLASSIFIER_WIDTH.value
        return alexnet.alexnet(num_classes=len(class_names), **options)
    model, info = model_file.load(path)
    if info.architecture != _CLASSIFIER or info.class_names != class_names:
        raise ValueError(
            "--classifier must be a model of train_alexnet with the classes of "
            f"--images, {list(class_names)}. Received: {path!r}, "
            f"{info.architecture!r} with {list(info.class_names)}"
        )
    return model
