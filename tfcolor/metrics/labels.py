"""What a classifier is judged by while it trains."""

import tensorflow as tf

HIGHER_IS_BETTER = ("accuracy", "top3")
# Side in pixels of a cell of the confusion matrix on TensorBoard.
_CELL = 24


def accuracies(targets: dict, outputs: dict) -> dict[str, tf.Tensor]:
    """Tells which pictures were classified rightly.

    Args:
        targets: dict with "label", int64 [B].
        outputs: dict with "logits", float32 [B, K].

    Returns:
        dict of float32 [B], 0 or 1: "accuracy", the best class is the right
        one; "top3", one of the best three is.
    """
    label, logits = targets["label"], outputs["logits"]
    top = min(3, logits.shape[-1])
    return {
        "accuracy": tf.cast(tf.argmax(logits, axis=-1) == label, tf.float32),
        "top3": tf.cast(tf.math.in_top_k(label, logits, top), tf.float32),
    }


def label_metrics(inputs: dict, targets: dict, outputs: dict) -> dict:
    """Returns `accuracies`, in the form of a validation's metrics."""
    del inputs
    return accuracies(targets, outputs)


def confusion_matrix(
    labels: tf.Tensor, predicted: tf.Tensor, num_classes: int
) -> tf.Tensor:
    """Counts pictures by true and predicted class.

    Args:
        labels: int64 tensor [N].
        predicted: int64 tensor [N].
        num_classes: int, K.

    Returns:
        int64 tensor [K, K]; rows are the true classes.
    """
    return tf.math.confusion_matrix(
        labels, predicted, num_classes, dtype=tf.int64
    )


class ConfusionPicture:
    """Looks at a validation: its confusion matrix, a row a true class.

    The darker a cell, the larger its share of the row; right ones are blue,
    wrong ones red.
    """

    def __init__(self):
        self._matrix = 0

    def add(self, inputs: dict, targets: dict, outputs: dict) -> None:
        """Takes a batch."""
        logits = outputs["logits"]
        self._matrix += confusion_matrix(
            targets["label"], tf.argmax(logits, axis=-1), logits.shape[-1]
        )

    def pictures(self) -> dict[str, tf.Tensor]:
        """Returns the picture by its tag for TensorBoard."""
        counts = tf.cast(self._matrix, tf.float32)
        share = counts / tf.maximum(1.0, tf.reduce_sum(counts, 1, True))
        right = tf.eye(len(counts))[..., None] > 0
        ink = tf.where(right, [0.0, 0.45, 0.7], [0.84, 0.37, 0.0])
        rgb = 1 - share[..., None] * (1 - ink)
        rgb = tf.repeat(tf.repeat(rgb, _CELL, axis=0), _CELL, axis=1)
        rgb = tf.image.convert_image_dtype(rgb, tf.uint8, saturate=True)
        return {"confusion (rows: true class)": rgb[None]}
