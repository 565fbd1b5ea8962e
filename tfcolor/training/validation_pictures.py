"""Pictures of a validation, for TensorBoard."""

import tensorflow as tf

from tfcolor import metrics

# Side in pixels of a cell of the confusion matrix.
_CELL = 24


def draw_triples(inputs: dict, targets: dict, outputs: dict) -> tf.Tensor:
    """Puts grey, predicted and true pictures side by side.

    Args:
        inputs: dict with "L".
        targets: dict with "ab".
        outputs: dict with "ab".

    Returns:
        uint8 tensor [B, H, 3 W, 3].
    """
    triple = [
        metrics.to_rgb(inputs, ab)
        for ab in (
            tf.zeros_like(targets["ab"]),
            outputs["ab"],
            targets["ab"],
        )
    ]
    return tf.image.convert_image_dtype(
        tf.concat(triple, axis=2), tf.uint8, saturate=True
    )


class FirstTriples:
    """Looks at a validation: `draw_triples` of its first batch."""

    def __init__(self):
        self._drawn = None

    def add(self, inputs: dict, targets: dict, outputs: dict) -> None:
        """Takes a batch."""
        if self._drawn is None:
            self._drawn = draw_triples(inputs, targets, outputs)

    def pictures(self) -> dict[str, tf.Tensor]:
        """Returns the pictures by their tag for TensorBoard."""
        return {"grey | predicted | true": self._drawn}


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
        self._matrix += metrics.confusion_matrix(
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
