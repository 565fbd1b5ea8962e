"""What the boxes of a picture show, as a map of classes."""

import keras
import tensorflow as tf

from tfcolor.layers import instance_fusion


@keras.saving.register_keras_serializable(package="tfcolor")
class BoxClassMap(keras.layers.Layer):
    """Marks the cells of a grid with the classes of the boxes that cover them.

    Args:
        class_ids: sequence of K int, the numbers that classes have; boxes of
            other numbers leave no mark.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        grid: float tensor [B, h, w, C], of which only the size plays a part.
        boxes: float tensor [B, N, 4], yxyx pixels of the original picture;
            rows that are not boxes have the class 0.
        box_classes: int tensor [B, N].
        picture_size: int tensor [B, 2], height and width of the original.

    Returns:
        float tensor [B, h, w, K], 1 where a box of the class lies, else 0.
    """

    def __init__(self, class_ids, **kwargs):
        super().__init__(**kwargs)
        self.class_ids = [int(i) for i in class_ids]

    def call(self, grid, boxes, box_classes, picture_size):
        """Returns the map."""
        grid = tf.convert_to_tensor(grid)
        size = tf.shape(grid)[1:3]
        top, left, height, width = tf.unstack(
            instance_fusion.place_boxes(boxes, picture_size[:, None], size),
            axis=-1,
        )
        rows = _between(top, height, size[0])
        columns = _between(left, width, size[1])
        ids = tf.constant(self.class_ids, tf.int32)
        known = tf.cast(box_classes, tf.int32)[..., None] == ids
        counts = tf.einsum(
            "bnk,bny,bnx->byxk", tf.cast(known, tf.float32), rows, columns
        )
        return tf.cast(tf.minimum(counts, 1.0), grid.dtype)

    def compute_output_shape(self, grid, *unused):
        """Returns the shape of the map."""
        return (*grid[:3], len(self.class_ids))

    def get_config(self):
        """Returns what rebuilds the layer."""
        return super().get_config() | {"class_ids": self.class_ids}


def _between(start, count, size) -> tf.Tensor:
    """Marks the places `start`..`start + count - 1`: float32 [B, N, size]."""
    place = tf.range(size)
    start = start[..., None]
    return tf.cast(
        (place >= start) & (place < start + count[..., None]), tf.float32
    )
