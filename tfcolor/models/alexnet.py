"""AlexNet for grey pictures, a classifier.

Input: `L`, a picture's lightness. Output: `logits` over the classes.

Architecture at `width=1`, torchvision's layer sizes with one input channel:

    layer    conv1  pool  conv2  pool  conv3  conv4  conv5  pool  means  fc6
    kernel   11/4   3/2   5      3/2   3      3      3      3/2   6 x 6
    filters  64           192          384    256    256                 4096

then fc7 with 4096, and the logits; dropout before fc6 and fc7. Means over 6 x 6
parts make any size from 63 pixels possible. Two options are not torchvision's:
batch normalization, and `enlarge`, because the strides leave 1 x 1 of pictures
of 64 pixels.

Reference:
    A. Krizhevsky, "One weird trick for parallelizing convolutional neural
    networks", 2014. https://arxiv.org/abs/1404.5997
"""

import keras
from keras import layers

from tfcolor.layers.adaptive_pooling import AdaptiveMeans
from tfcolor.layers.enlarge import Enlarge
from tfcolor.models import architecture
from tfcolor.models import resnet_blocks

# Filters, kernel, stride, padding at width 1, and whether a pool follows.
CONVS = {
    "conv1": (64, 11, 4, 2, True),
    "conv2": (192, 5, 1, 2, True),
    "conv3": (384, 3, 1, 1, False),
    "conv4": (256, 3, 1, 1, False),
    "conv5": (256, 3, 1, 1, True),
}
HIDDEN = {"fc6": 4096, "fc7": 4096}
GRID = 6
# Smaller pictures leave nothing after the last pool.
MIN_SIZE = 63
FEATURES = ("probabilities", "one_hot", "logits", "penultimate")


@architecture.remembered(
    size_multiple=1,
    smallest_side=lambda _, options: smallest_side(options["enlarge"]),
)
def alexnet(
    *,
    num_classes: int,
    width: float = 1.0,
    dropout: float = 0.5,
    batch_norm: bool = False,
    enlarge: int = 1,
    image_size: int | None = None,
    name: str = "alexnet",
) -> keras.Model:
    """Builds the classifier.

    Args:
        num_classes: int, 2 or more.
        width: float above 0. Multiplies the filters of every layer, rounded,
            at least 1.
        dropout: float in [0, 1). Share of the values before each hidden
            linear layer that training sets to 0.
        batch_norm: bool. Normalizes what each convolution of AlexNet finds
            over the batch, before its ReLU.
        enlarge: int, 1 or more. AlexNet sees pictures this many times as high
            and as wide.
        image_size: int or None. Side in pixels of square pictures, 63 or
            more before they are enlarged; None is any size.
        name: str. Name of the model.

    Returns:
        keras.Model from `{"L": float32 [B, H, W, 1], 0..100}` to `{"logits":
        float32 [B, num_classes]}`. H and W are 63 or more.

    Raises:
        ValueError: a number is out of range.

    Example:
        >>> model = alexnet(num_classes=13, width=0.25)
        >>> model({"L": tf.zeros([1, 64, 96, 1])})["logits"].shape
        TensorShape([1, 13])
    """
    _check(num_classes, dropout, enlarge, image_size)
    L = resnet_blocks.picture_input(image_size)
    x = resnet_blocks.imagenet_input(L)
    if enlarge > 1:
        x = Enlarge(enlarge, method="bilinear", name="enlarged")(x)
    for conv, (filters, size, stride, padding, pooled) in CONVS.items():
        x = layers.ZeroPadding2D(padding, name=f"{conv}_padding")(x)
        x = layers.Conv2D(
            resnet_blocks.scaled(filters, width),
            size,
            strides=stride,
            use_bias=not batch_norm,
            kernel_initializer="he_normal",
            name=conv,
        )(x)
        if batch_norm:
            x = resnet_blocks.batch_norm(x, name=f"{conv}_norm")
        x = layers.ReLU(name=f"{conv}_relu")(x)
        if pooled:
            x = layers.MaxPooling2D(3, strides=2, name=f"{conv}_pool")(x)
    x = AdaptiveMeans(GRID, name="means")(x)
    x = layers.Flatten(name="flatten")(x)
    for hidden, units in HIDDEN.items():
        x = layers.Dropout(dropout, name=f"{hidden}_dropout")(x)
        x = layers.Dense(
            resnet_blocks.scaled(units, width),
            activation="relu",
            kernel_initializer="he_normal",
            name=hidden,
        )(x)
    logits = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs={"L": L}, outputs={"logits": logits}, name=name)


def _check(num_classes, dropout, enlarge, image_size) -> None:
    if num_classes < 2:
        raise ValueError(
            "`num_classes` must be 2 or more. "
            f"Received: num_classes={num_classes}"
        )
    if not 0 <= dropout < 1:
        raise ValueError(
            "`dropout` must be at least 0 and below 1. "
            f"Received: dropout={dropout}"
        )
    if enlarge < 1:
        raise ValueError(
            f"`enlarge` must be 1 or more. Received: enlarge={enlarge}"
        )
    if image_size is not None:
        check_size(image_size, enlarge=enlarge)


def smallest_side(enlarge: int = 1) -> int:
    """Returns the smallest side of a picture, in pixels.

    Args:
        enlarge: int; see `alexnet`.
    """
    return -(-MIN_SIZE // enlarge)


def check_size(image_size: int, *, enlarge: int = 1) -> None:
    """Refuses pictures of which the network's strides leave nothing.

    Args:
        image_size: int. Side in pixels.
        enlarge: int; see `alexnet`.

    Raises:
        ValueError: it is too small.
    """
    smallest = smallest_side(enlarge)
    if image_size < smallest:
        raise ValueError(
            f"`image_size` must be {smallest} or more for AlexNet with "
            f"`enlarge={enlarge}`, {-(-smallest // 8) * 8} as a multiple of 8. "
            f"Received: image_size={image_size}"
        )


def without_dropout(classifier: keras.Model) -> keras.Model:
    """Copies a classifier; the copy drops nothing, in training either.

    Args:
        classifier: keras.Model, of `alexnet`.

    Returns:
        keras.Model with the same weights.
    """

    def copied(layer):
        config = layer.get_config()
        if isinstance(layer, layers.Dropout):
            config["rate"] = 0.0
        return layer.__class__.from_config(config)

    copy = keras.models.clone_model(classifier, clone_function=copied)
    copy.set_weights(classifier.get_weights())
    return architecture.attach(copy, architecture.of(classifier))


def feature_model(
    classifier: keras.Model, features: str, *, name: str = "classifier"
) -> keras.Model:
    """Makes a model of what a classifier knows of a picture.

    Args:
        classifier: keras.Model, of `alexnet`. Its layers are shared.
        features: str. "probabilities" of the classes; "one_hot": 1 for the
            best class, 0 for the others; "logits"; "penultimate": the values
            of fc7.
        name: str. Name of the model.

    Returns:
        keras.Model from `{"L": float32 [B, H, W, 1]}` to `{"features": float32
        [B, K]}`. Its architecture is the classifier's.

    Raises:
        ValueError: `features` is not known.
    """
    if features not in FEATURES:
        raise ValueError(
            f"`features` must be one of {FEATURES}. "
            f"Received: features={features!r}"
        )
    logits = classifier.output["logits"]
    if features == "probabilities":
        found = layers.Softmax(dtype="float32", name="probabilities")(logits)
    elif features == "one_hot":
        best = keras.ops.argmax(logits, axis=-1)
        found = keras.ops.one_hot(best, logits.shape[-1], dtype="float32")
    elif features == "logits":
        found = logits
    else:
        found = layers.Activation(
            "linear", dtype="float32", name="penultimate"
        )(classifier.get_layer("fc7").output)
    model = keras.Model(
        inputs=classifier.input, outputs={"features": found}, name=name
    )
    return architecture.attach(model, architecture.of(classifier))
