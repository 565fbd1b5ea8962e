"""Blending the features of instances into the features of their picture.

An instance is a part of a picture, inside a box, that went through a network
of its own at a size of its own. Its features are resized to the box and
replace those of the picture there, in a proportion that is learned pixel by
pixel. Only pixels inside boxes cost anything: they are listed, box after box,
so that 32 small boxes take no more memory than a few large ones.

Reference:
    J.-W. Su, H.-K. Chu, J.-B. Huang, "Instance-aware Image Colorization",
    CVPR 2020, section 3.3. https://arxiv.org/abs/2005.10825
"""

import keras
import tensorflow as tf

from tfcolor.layers import instance_places

BLENDINGS = ("masked", "faithful")

_SCORE_FILTERS = 16
_SCORE_CONVS = 3


def fusion_weights(
    instance_scores,
    background_scores,
    pixel_cells,
    absent=None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Softmax over the instances that cover a cell, and the background.

    Args:
        instance_scores: float32 [P], one for each cell of each instance.
        background_scores: float32 [Q], at least 0, one for each cell.
        pixel_cells: int32 [P], the cell, 0..Q-1, of each instance score.
        absent: float32 [Q] or None. Number of instances of score 0 which
            take part without covering the cell; used where others cover it.

    Returns:
        float32 [P], weights of the instances; float32 [Q], of the
        background: 1 where no instance lies. Over a cell they sum to 1, or
        less with `absent`.
    """
    cells = tf.size(background_scores)
    top = tf.stop_gradient(
        tf.maximum(
            background_scores,
            tf.math.unsorted_segment_max(instance_scores, pixel_cells, cells),
        )
    )
    powers = tf.exp(instance_scores - tf.gather(top, pixel_cells))
    background = tf.exp(background_scores - top)
    total = background + tf.math.unsorted_segment_sum(
        powers, pixel_cells, cells
    )
    if absent is not None:
        covered = tf.math.unsorted_segment_max(
            tf.ones_like(instance_scores), pixel_cells, cells
        )
        total += tf.where(covered > 0, absent * tf.exp(-top), 0.0)
    return powers / tf.gather(total, pixel_cells), background / total


@keras.saving.register_keras_serializable(package="tfcolor")
class InstanceFusion(keras.layers.Layer):
    """Blends instances into one feature map of their pictures.

    Three convolutions score each instance's features, three others those of
    the picture. The weights are the softmax of the scores, always in float32.

    Args:
        blending: str. "masked": at a pixel, only the instances that cover it
            take weight. "faithful": as released, where the others keep the
            weight of a score of 0 with features of 0, which darkens the
            features inside boxes of pictures with many instances. Published
            weights were trained with it.
        background_bias: float. Score that the picture's own features have
            before training, while the others' are about 0: with 3 it begins
            as a network that hardly looks at instances.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        background: float [B, h, w, C], the map of the pictures.
        instances: float [M, s, t, C], the map of the instances of all valid
            boxes, picture by picture, in the order of `boxes`. Where no box
            is valid, one row of any kind. Or a list of such maps, each of a
            size of its own, for some of the boxes.
        boxes: float32 [B, N, 4], yxyx pixels of the picture.
        box_valid: bool [B, N], which boxes are real; M are. Or a list of
            them, which boxes each of the maps is for.
        picture_size: int32 [B, 2], height and width of the picture in which
            boxes are counted.

    Returns:
        Float [B, h, w, C], `background` outside all boxes.

    Raises:
        ValueError: `blending` is not one of `BLENDINGS`.
    """

    def __init__(
        self,
        *,
        blending: str = "masked",
        background_bias: float = 0.0,
        **kwargs,
    ):
        # Boxes stay float32: float16 cannot tell pixels above 2048 apart.
        super().__init__(autocast=False, **kwargs)
        if blending not in BLENDINGS:
            raise ValueError(
                f"`blending` must be one of {BLENDINGS}. "
                f"Received: blending={blending!r}"
            )
        self.blending = blending
        self.background_bias = background_bias
        self.instance_convs = self._score_convs("instance", 0.0)
        self.background_convs = self._score_convs("background", background_bias)

    def _score_convs(self, name, last_bias):
        filters = [_SCORE_FILTERS] * (_SCORE_CONVS - 1) + [1]
        return [
            keras.layers.Conv2D(
                filters[i],
                3,
                padding="same",
                activation="relu",
                kernel_initializer=keras.initializers.RandomNormal(0.0, 0.02),
                bias_initializer=keras.initializers.Constant(
                    last_bias if i == _SCORE_CONVS - 1 else 0.0
                ),
                dtype=self.dtype_policy,
                name=f"{name}_conv{i + 1}",
            )
            for i in range(_SCORE_CONVS)
        ]

    def build(self, background_shape, instances_shape):
        """Makes the weights of both scores."""
        # Shapes that come from a file are lists too.
        if isinstance(instances_shape[0], list | tuple):
            instances_shape = instances_shape[0]
        for convs, channels in (
            (self.instance_convs, instances_shape[-1]),
            (self.background_convs, background_shape[-1]),
        ):
            for conv in convs:
                conv.build((None, None, None, channels))
                channels = conv.filters
        self.built = True

    def call(self, background, instances, boxes, box_valid, picture_size):
        """Returns the blended map."""
        if not isinstance(instances, list):
            instances, box_valid = [instances], [box_valid]
        background = tf.cast(background, self.compute_dtype)
        instances = [tf.cast(maps, self.compute_dtype) for maps in instances]
        batch, height, width, channels = tf.unstack(tf.shape(background))
        cells, sample = instance_places.place_instances(
            instances, boxes, box_valid, picture_size, grid=(height, width)
        )
        absent = None
        if self.blending == "faithful":
            absent = instance_places.count_absent(
                instance_places.count_covering(cells, batch * height * width),
                instance_places.count_boxes(box_valid),
                height * width,
            )
        scores = [self.instance_scores(maps) for maps in instances]
        weights, background_weights = fusion_weights(
            sample(scores)[:, 0],
            tf.reshape(self.background_scores(background), [-1]),
            cells,
            absent,
        )
        dtype = self.compute_dtype
        blended = tf.math.unsorted_segment_sum(
            sample(instances) * tf.cast(weights, dtype)[:, None],
            cells,
            batch * height * width,
        )
        blended += (
            tf.reshape(background, [-1, channels])
            * tf.cast(background_weights, dtype)[:, None]
        )
        return tf.ensure_shape(
            tf.reshape(blended, tf.shape(background)), background.shape
        )

    def instance_scores(self, instances) -> tf.Tensor:
        """Scores the maps of instances.

        Args:
            instances: float [M, s, t, C].

        Returns:
            float32 [M, s, t, 1], at least 0.
        """
        return _scores(self.instance_convs, instances)

    def background_scores(self, background) -> tf.Tensor:
        """Scores the map of pictures.

        Args:
            background: float [B, h, w, C].

        Returns:
            float32 [B, h, w, 1], at least 0.
        """
        return _scores(self.background_convs, background)

    def compute_output_shape(self, background_shape, **kwargs):
        """Returns the shape of the background."""
        del kwargs
        return background_shape

    def get_config(self):
        """Returns what rebuilds the layer."""
        return super().get_config() | {
            "blending": self.blending,
            "background_bias": self.background_bias,
        }


def _scores(convs, x):
    for conv in convs:
        x = conv(x)
    return tf.cast(x, tf.float32)
