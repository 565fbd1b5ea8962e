"""The ensemble: a ResNet colorizer that knows what the picture shows.

Inputs: `L`, a picture's lightness, and for some controls `classes`. Output:
`ab`, the color of every pixel.

What a classifier says of a picture is repeated at every place and joined to
the 128 channels of layer2; the decoder sees 128 + K channels. Where the K
numbers come from makes the ensemble or one of its controls:

    classifier   a network on L, frozen or trained along: the ensemble
    given        an input: true classes (an oracle), or wrong ones (a control)
    boxes        inputs: boxes and their classes, marked where the boxes lie
    constant     1/K always: the same number of weights without classes
    none         nothing: the ResNet colorizer alone

Reference:
    se-jaeger, "Image Colorization", poster and code: ResNet-18 features beside
    the outputs of an AlexNet for 13 classes.
"""

import keras
from keras import layers

from tfcolor.layers.random_part import RandomPart
from tfcolor.models import alexnet
from tfcolor.models import architecture
from tfcolor.models import box_inputs
from tfcolor.models import resnet_blocks
from tfcolor.models.takes import SIZE_MULTIPLE

CLASS_SOURCES = ("classifier", "given", "boxes", "constant", "none")
CLASSIFIER = "classifier"


def _smallest_side(model, options) -> int:
    if options["class_source"] == "classifier":
        return architecture.of(model.get_layer(CLASSIFIER)).smallest_side
    return SIZE_MULTIPLE


@architecture.remembered(smallest_side=_smallest_side)
def ensemble(
    *,
    num_classes: int,
    class_source: str = "classifier",
    classifier: keras.Model | None = None,
    features: str = "probabilities",
    train_classifier: bool = False,
    classifier_area: float = 1.0,
    box_class_ids: tuple[int, ...] | None = None,
    width: float = 1.0,
    form: str = "default",
    global_features: bool = False,
    name: str = "ensemble",
) -> keras.Model:
    """Builds the ensemble, or one of its controls.

    Args:
        num_classes: int, 2 or more.
        class_source: str. Where classes come from: "classifier"; "given", an
            input; "boxes", those of boxes, where they lie; "constant", the
            same for all pictures; "none", the colorizer alone.
        classifier: keras.Model of `alexnet.alexnet`, for
            class_source="classifier"; None otherwise. Its layers are shared
            if it is trained along, and copied if it is frozen.
        features: str. What the classifier hands on: "probabilities",
            "one_hot", "logits" or "penultimate"; see `alexnet.feature_model`.
        train_classifier: bool. Trains the classifier along, with its dropout,
            for color alone. Otherwise it is frozen, and has no dropout.
        classifier_area: float in (0, 1]. In training, the classifier sees a
            random part of at least this share of a picture's area. It is surer
            of pictures that it learned from than of others; of a part it is
            about as sure as of a new picture, and the colorizer learns how far
            to rely on it. 1 shows it whole pictures.
        box_class_ids: tuple of num_classes int, the numbers that classes of
            boxes have, for class_source="boxes"; None otherwise.
        width: float above 0. Multiplies the filters of the colorizer.
        form: str, "default" or "faithful"; see `resnet_colorizer`.
        global_features: bool; see `resnet_colorizer`.
        name: str. Name of the model.

    Returns:
        keras.Model to `{"ab": float32 [B, H, W, 2], CIELAB}` from a dict of
        "L": float32 [B, H, W, 1], 0..100; H and W are multiples of 8;
        with class_source="given" "classes": float32 [B, num_classes], 1 for
        the class and 0 for the others;
        with class_source="boxes" "boxes": float32 [B, N, 4], "box_classes":
        int32 [B, N], "picture_size": int32 [B, 2]; see `BoxClassMap`.

    Raises:
        ValueError: an option has a value that is not listed above, or the
            classifier is missing, not wanted, or has other classes.
    """
    _check(num_classes, class_source, classifier, box_class_ids)
    L = resnet_blocks.picture_input()
    inputs = {"L": L}
    x = resnet_blocks.encoder(resnet_blocks.network_input(L, form), width=width)
    if global_features:
        x = resnet_blocks.fuse_whole_picture(x, width=width)
    classes = None
    if class_source == "classifier":
        if not train_classifier:
            classifier = alexnet.without_dropout(classifier)
        network = alexnet.feature_model(classifier, features, name=CLASSIFIER)
        network.trainable = train_classifier
        view = L
        if classifier_area < 1:
            view = RandomPart(classifier_area, name="random_part")(L)
        vector = network({"L": view})["features"]
        classes = resnet_blocks.tiled(vector, x)
    elif class_source == "given":
        inputs["classes"] = keras.Input((num_classes,), name="classes")
        classes = resnet_blocks.tiled(inputs["classes"], x)
    elif class_source == "boxes":
        boxes = box_inputs.box_class_inputs()
        inputs |= boxes
        # Boxes need TensorFlow; the other kinds run on every backend.
        from tfcolor.layers.box_class_map import BoxClassMap

        classes = BoxClassMap(box_class_ids, name="box_class_map")(
            x, *boxes.values()
        )
    elif class_source == "constant":
        even = keras.ops.zeros_like(x[..., :1]) + 1 / num_classes
        classes = keras.ops.repeat(even, num_classes, axis=-1)
    if classes is not None:
        x = layers.Concatenate(name="with_classes")([x, classes])
    ab = resnet_blocks.decoder(x, width=width, form=form)
    return keras.Model(inputs=inputs, outputs={"ab": ab}, name=name)


def _check(num_classes, class_source, classifier, box_class_ids) -> None:
    if num_classes < 2:
        raise ValueError(
            "`num_classes` must be 2 or more. "
            f"Received: num_classes={num_classes}"
        )
    if class_source not in CLASS_SOURCES:
        raise ValueError(
            f"`class_source` must be one of {CLASS_SOURCES}. "
            f"Received: class_source={class_source!r}"
        )
    count = num_classes if class_source == "boxes" else 0
    if len(box_class_ids or ()) != count:
        raise ValueError(
            "`box_class_ids` must be `num_classes` numbers for "
            "`class_source='boxes'`, and None otherwise. Received: "
            f"class_source={class_source!r}, box_class_ids={box_class_ids}"
        )
    if (classifier is not None) != (class_source == "classifier"):
        raise ValueError(
            "`classifier` must be given for `class_source='classifier'`, and "
            f"for nothing else. Received: class_source={class_source!r}, "
            f"classifier={classifier!r}"
        )
    if classifier is None:
        return
    known = getattr(classifier, "output", None)
    is_one = isinstance(known, dict) and set(known) == {"logits"}
    if not is_one or set(classifier.input) != {"L"}:
        raise ValueError(
            "`classifier` must be a model of `alexnet`, from 'L' to 'logits'. "
            f"Received: a model named {classifier.name!r} with {known}"
        )
    if known["logits"].shape[-1] != num_classes:
        raise ValueError(
            "`classifier` must have `num_classes` classes. Received: "
            f"{known['logits'].shape[-1]}, num_classes={num_classes}"
        )
