"""Crops at the size their boxes deserve, instead of all at the largest.

A small box needs no large crop: its features are shrunk to the few cells that
it covers. Boxes are sorted into groups by their size on the network's grid,
and each group's crops are as large as its boxes need.
"""

import keras
import tensorflow as tf

from tfcolor.models import architecture
from tfcolor.models import fusion as fusion_lib
from tfcolor.models.takes import SIZE_MULTIPLE
from tfcolor.weights import transfer

# Of the network's square.
_SHARES = (1 / 4, 1 / 2, 1)


def crop_sizes(image_size: int) -> tuple[int, ...]:
    """Returns the sides of the squares that boxes are squashed to.

    Args:
        image_size: int. Side of the network's square in pixels.

    Returns:
        tuple of int, ascending multiples of 8, `image_size` the last.
    """
    step = SIZE_MULTIPLE
    sizes = {max(step, round(image_size * s / step) * step) for s in _SHARES}
    return tuple(sorted(sizes | {image_size}))


def choose_sizes(
    boxes: tf.Tensor,
    sizes: tuple[int, ...],
    *,
    height: tf.Tensor | int,
    width: tf.Tensor | int,
    image_size: int,
) -> tf.Tensor:
    """Chooses the size of each box's crop: none is enlarged on the grid.

    Args:
        boxes: float32 tensor [M, 4], yxyx pixels of the picture.
        sizes: tuple of int, ascending.
        height: int32 scalar, of the picture, pixels.
        width: int32 scalar, of the picture, pixels.
        image_size: int. Side of the network's square in pixels.

    Returns:
        int32 tensor [M], indices into `sizes`.
    """
    # Exact for all sizes of pictures: ties go to the smaller crop.
    picture = tf.cast(tf.stack([height, width]), tf.float64)
    sides = tf.cast(boxes[:, 2:] - boxes[:, :2], tf.float64) / picture
    cells = tf.reduce_max(sides, axis=1) * image_size
    groups = tf.searchsorted(tf.constant(sizes, tf.float64), cells)
    return tf.minimum(groups, len(sizes) - 1)


def with_groups(model: keras.Model, groups: int) -> keras.Model:
    """Lets boxes of an instance colorizer have crops of several sizes.

    Args:
        model: keras.Model, of `fusion.instance_colorizer`.
        groups: int, of boxes: crops of a group have one size.

    Returns:
        keras.Model, of `fusion.instance_colorizer`. Its fusion network has a
        copy of the weights, the other networks are shared.
    """
    networks = fusion_lib.networks_of(model)
    old = networks["fusion"]
    options = architecture.of(old).options
    new = fusion_lib.fusion(**options | {"groups": groups})
    transfer.copy_weights(old, new)
    return fusion_lib.instance_colorizer(**networks | {"fusion": new})
