"""The instances of a feature map in turns, instead of all at once.

The features of the instances on a cell meet in one softmax. Its sums can be
kept while instances come and go: what lies on a cell is their sum weighted by
exp(score - top), the sum of these weights, and the top score so far, by which
both are rescaled when it grows. In the end all instances on a cell act as one
with their mean features, whose score is the logarithm of the sum of the
exponentials of theirs. What is kept does not grow with their number.

Reference:
    M. Milakov, N. Gimelshein, "Online normalizer calculation for softmax",
    2018, algorithm 3. https://arxiv.org/abs/1805.02867
"""

from typing import NamedTuple

import tensorflow as tf

from tfcolor.layers import instance_places
from tfcolor.layers.instance_fusion import InstanceFusion
from tfcolor.layers.instance_fusion import fusion_weights


class Gathered(NamedTuple):
    """What is kept of the instances so far, for Q cells of all pictures.

    Attributes:
        features: float32 [Q, C], the sum of their features, each times
            exp(score - top).
        total: float32 [Q], the sum of these factors; 0 without instances.
        top: float32 [Q], the highest score, at least 0.
        covering: float32 [Q], how many instances cover the cell.
    """

    features: tf.Tensor
    total: tf.Tensor
    top: tf.Tensor
    covering: tf.Tensor


def nothing(cells, channels) -> Gathered:
    """Returns what is kept before the first instance.

    Args:
        cells: int32 [], Q.
        channels: int, C.
    """
    features = tf.zeros(tf.stack([cells, channels]))
    return Gathered(features, *(tf.zeros(cells[None]) for _ in range(3)))


def shapes(channels: int) -> Gathered:
    """Returns the shapes of all `Gathered` of a map, for loops.

    Args:
        channels: int, C.
    """
    cells = tf.TensorShape([None])
    return Gathered(tf.TensorShape([None, channels]), cells, cells, cells)


def add(
    gathered: Gathered, fusion: InstanceFusion, instances, *, cells, sample
) -> Gathered:
    """Adds some more instances.

    Args:
        gathered: Gathered.
        fusion: InstanceFusion, built. It scores them.
        instances: float [M, s, t, C], their maps.
        cells: int32 [P], of `instance_places.place_instances`.
        sample: function, of the same.

    Returns:
        Gathered, of the same shapes.
    """
    count = tf.size(gathered.total)

    def sums(values):
        return tf.math.unsorted_segment_sum(values, cells, count)

    scores = sample([fusion.instance_scores(instances)])[:, 0]
    top = tf.maximum(
        gathered.top, tf.math.unsorted_segment_max(scores, cells, count)
    )
    powers = tf.exp(scores - tf.gather(top, cells))
    features = tf.cast(sample([instances]), tf.float32) * powers[:, None]
    rescaled = tf.exp(gathered.top - top)
    return Gathered(
        gathered.features * rescaled[:, None] + sums(features),
        gathered.total * rescaled + sums(powers),
        top,
        gathered.covering + instance_places.count_covering(cells, count),
    )


def blend(
    gathered: Gathered, fusion: InstanceFusion, background, *, boxes
) -> tf.Tensor:
    """Blends all instances into the map of their pictures.

    Args:
        gathered: Gathered, of all instances.
        fusion: InstanceFusion, built.
        background: float [B, h, w, C].
        boxes: float32 [B], how many each picture has.

    Returns:
        Float [B, h, w, C], what `fusion` makes of `background` and all
        instances.
    """
    _, height, width, channels = tf.unstack(tf.shape(background))
    cells = tf.size(gathered.total)
    covered = gathered.covering > 0
    # Instances without a cell have no logarithm and no score.
    total = tf.where(covered, gathered.total, 1.0)
    places = tf.cast(tf.where(covered)[:, 0], tf.int32)
    score = tf.gather(gathered.top + tf.math.log(total), places)
    absent = None
    if fusion.blending == "faithful":
        absent = instance_places.count_absent(
            gathered.covering, boxes, height * width
        )
    weights, background_weights = fusion_weights(
        score,
        tf.reshape(fusion.background_scores(background), [-1]),
        places,
        absent,
    )
    weights = tf.math.unsorted_segment_sum(weights, places, cells) / total
    rows = tf.cast(tf.reshape(background, [-1, channels]), tf.float32)
    blended = rows * background_weights[:, None]
    blended += gathered.features * weights[:, None]
    blended = tf.reshape(blended, tf.shape(background))
    return tf.cast(blended, fusion.compute_dtype)
