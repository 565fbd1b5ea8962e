"""Where a model is trained, and in which number format."""

import keras
import tensorflow as tf

STRATEGIES = ("one", "mirrored")
PRECISIONS = (
    "float32",
    "mixed_float16",
    "mixed_bfloat16",
    "onednn_bfloat16",
)


def build_strategy(name: str) -> tf.distribute.Strategy:
    """Makes a distribution strategy.

    Args:
        name: str. "one": the default device. "mirrored": all local GPUs (or
            logical CPU devices), a copy of the model on each.

    Returns:
        tf.distribute.Strategy.

    Raises:
        ValueError: `name` is not known.
    """
    if name == "one":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU")
        devices = devices or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([d.name for d in devices])
    raise ValueError(
        f"`name` must be one of {STRATEGIES}. Received: name={name!r}"
    )


def set_precision(name: str) -> None:
    """Sets the number format of the models built from now on.

    Args:
        name: str. "float32"; "mixed_float16" and "mixed_bfloat16" are Keras'
            policies, for GPUs; "onednn_bfloat16" lets TensorFlow compute
            convolutions in bfloat16 on CPUs that have it (AVX512-BF16, AMX),
            all else and the weights staying float32.

    Raises:
        ValueError: `name` is not known.
    """
    if name not in PRECISIONS:
        raise ValueError(
            f"`name` must be one of {PRECISIONS}. Received: name={name!r}"
        )
    onednn = name == "onednn_bfloat16"
    tf.config.optimizer.set_experimental_options(
        {"auto_mixed_precision_onednn_bfloat16": onednn}
    )
    keras.mixed_precision.set_dtype_policy("float32" if onednn else name)
