"""Blending the features of instances into the features of their picture.

An instance is a part of a picture, inside a box, that went through a network
of its own at a size of its own. Its features are resized to the box and
replace those of the picture there, in a proportion that is learned pixel by
pixel. Only pixels inside boxes cost anything: they are listed, box after box,
so that 32 small boxes take no more memory than a few large ones.

`boxes` are yxyx in pixels of a picture of `picture_size` (height, width). A
rectangle is (top, left, height, width) in cells of a grid, whole numbers. The
cells of the maps of all pictures are numbered picture by picture, row by row,
0..B*h*w-1.

This is TensorFlow and not keras.ops, because its shapes are known only from the
values: boolean masks, numbers of instances that differ from picture to picture,
lists of covered pixels, segment sums of these. With static shapes, as other
backends of Keras compile them, the networks would run on all padded boxes
instead of the rows of the real ones that are selected here.

Reference:
    J.-W. Su, H.-K. Chu, J.-B. Huang, "Instance-aware Image Colorization",
    CVPR 2020, section 3.3, and the rounding of its released code.
    https://arxiv.org/abs/2005.10825
"""

from typing import NamedTuple

import keras
import tensorflow as tf

BLENDINGS = ("masked", "faithful")

_SCORE_FILTERS = 16
_SCORE_CONVS = 3


# --- where boxes lie on a grid ---


class Pixels(NamedTuple):
    """The cells that rectangles cover, one entry a cell and rectangle.

    Attributes:
        rectangle: int32 [P], which rectangle.
        y: int32 [P], row on the grid.
        x: int32 [P], column on the grid.
    """

    rectangle: tf.Tensor
    y: tf.Tensor
    x: tf.Tensor


def place_boxes(boxes, picture_size, grid_size) -> tf.Tensor:
    """Rounds boxes to the cells of a grid, as the published networks expect.

    Corners are scaled and cut to whole cells. A side that is left without a
    cell gets one: the next one, or at the far border the one before.

    Args:
        boxes: float or int [..., 4], yxyx; fractions of pixels are cut off.
        picture_size: int [..., 2], height and width, above 0.
        grid_size: int [2], height and width, above 0.

    Returns:
        int32 [..., 4], top, left, height, width, inside the grid. Height or
        width is 0 for a box that lies outside its picture.
    """
    corners = tf.cast(tf.cast(boxes, tf.int32), tf.float64)
    picture_size = tf.cast(picture_size, tf.float64)
    cells = tf.cast(grid_size, tf.int32)
    # In double precision and in this order: another rounding moves a corner.
    scale = tf.cast(cells, tf.float64)
    start = tf.cast(corners[..., :2] / picture_size * scale, tf.int32)
    stop = tf.cast(corners[..., 2:] / picture_size * scale, tf.int32)
    at_far_border = cells - stop <= 1
    start = tf.where((stop - start < 1) & at_far_border, start - 1, start)
    stop = tf.maximum(stop, start + 1)
    start = tf.clip_by_value(start, 0, cells)
    stop = tf.clip_by_value(stop, 0, cells)
    return tf.concat([start, stop - start], axis=-1)


def covered_pixels(rectangles) -> Pixels:
    """Lists the cells of rectangles.

    Args:
        rectangles: int32 [M, 4], top, left, height, width.

    Returns:
        Pixels: those of the first rectangle row by row, then the next one's.
    """
    top, left, height, width = tf.unstack(rectangles, axis=-1)
    areas = height * width
    rectangle = tf.repeat(tf.range(tf.size(areas)), areas)
    before = tf.gather(tf.cumsum(areas, exclusive=True), rectangle)
    place = tf.range(tf.reduce_sum(areas)) - before
    columns = tf.gather(width, rectangle)
    return Pixels(
        rectangle,
        tf.gather(top, rectangle) + place // columns,
        tf.gather(left, rectangle) + place % columns,
    )


def resize_samples(place, extent, size) -> tuple[tf.Tensor, ...]:
    """Says which samples make a pixel when `size` are resized to `extent`.

    Bilinear, with half-pixel centers and without antialiasing; exact, since
    it divides whole numbers.

    Args:
        place: int32 [P], 0..extent-1.
        extent: int32 [P] or [], samples after resizing.
        size: int32 [P] or [], samples before.

    Returns:
        int32 [P], the lower sample; int32 [P], the upper one; float32 [P],
        0..1, how much of the upper one.
    """
    # (place + 1/2) * size / extent - 1/2, in units of 1 / (2 * extent).
    halves = tf.maximum((2 * place + 1) * size - extent, 0)
    lower = halves // (2 * extent)
    amount = tf.cast(halves % (2 * extent), tf.float32)
    amount /= tf.cast(2 * extent, tf.float32)
    return lower, tf.minimum(lower + 1, size - 1), amount


# --- where instances lie on the maps of their pictures ---


def place_instances(instances, boxes, box_valid, picture_size, *, grid):
    """Finds where instances lie on the maps of their pictures.

    Args:
        instances: list of float [M, s, t, C], maps of the instances of some
            boxes each; of any kind where there are none.
        boxes: float32 [B, N, 4], yxyx pixels of the picture.
        box_valid: list of bool [B, N], which boxes each of the maps is for.
        picture_size: int32 [B, 2], height and width of the picture.
        grid: height and width of a picture's map.

    Returns:
        int32 [P], the cell that each pixel of an instance lies on; a function
        from lists of maps like `instances` to their pixels there, [P, C].
    """
    height, width = grid
    pictures = [tf.where(valid)[:, 0] for valid in box_valid]
    picture = tf.cast(tf.concat(pictures, axis=0), tf.int32)
    rectangles = place_boxes(
        tf.concat([tf.boolean_mask(boxes, v) for v in box_valid], axis=0),
        tf.gather(picture_size, picture),
        tf.stack(grid),
    )
    pixels = covered_pixels(rectangles)
    cells = tf.gather(picture, pixels.rectangle) * height + pixels.y
    places = _places(instances, [tf.size(p) for p in pictures])
    sample = _sampler(pixels, rectangles, places)
    return cells * width + pixels.x, sample


def count_boxes(box_valid) -> tf.Tensor:
    """Counts the boxes of each picture.

    Args:
        box_valid: list of bool [B, N].

    Returns:
        float32 [B].
    """
    return tf.add_n(
        [tf.reduce_sum(tf.cast(v, tf.float32), axis=-1) for v in box_valid]
    )


def count_covering(cells, total) -> tf.Tensor:
    """Counts the instances that cover each cell.

    Args:
        cells: int32 [P], of `place_instances`.
        total: int32 [], Q, cells of all pictures.

    Returns:
        float32 [Q].
    """
    return tf.math.unsorted_segment_sum(
        tf.ones_like(cells, tf.float32), cells, total
    )


def count_absent(covering, boxes, picture_cells) -> tf.Tensor:
    """Counts the instances of a picture that do not cover a cell.

    Args:
        covering: float32 [Q], how many do.
        boxes: float32 [B], how many each picture has.
        picture_cells: int32 [], cells of a picture.

    Returns:
        float32 [Q].
    """
    return tf.repeat(boxes, tf.fill([tf.size(boxes)], picture_cells)) - covering


class _Places(NamedTuple):
    """Where the maps of instances lie in a list of all their pixels.

    Attributes:
        first: int32 [M], the first pixel of each instance.
        height: int32 [M], of its map.
        width: int32 [M], of its map.
    """

    first: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor


def _places(instances, counts) -> _Places:
    """Finds the places of `counts` instances in each of several maps."""
    parts, before = [], 0
    for maps, count in zip(instances, counts, strict=True):
        rows, height, width, _ = tf.unstack(tf.shape(maps))
        first = before + tf.range(count) * height * width
        size = (tf.fill([count], height), tf.fill([count], width))
        parts.append((first, *size))
        # A map without boxes still has one dummy row.
        before += rows * height * width
    return _Places(*(tf.concat(p, axis=0) for p in zip(*parts, strict=True)))


def _sampler(pixels, rectangles, places):
    """Returns a function from lists of maps to their pixels [P, C]."""
    top, left, extent_y, extent_x = tf.unstack(
        tf.gather(rectangles, pixels.rectangle), axis=-1
    )
    first, height, width = (tf.gather(x, pixels.rectangle) for x in places)
    y0, y1, down = resize_samples(pixels.y - top, extent_y, height)
    x0, x1, right = resize_samples(pixels.x - left, extent_x, width)

    def sample(maps):
        flat = [tf.reshape(x, [-1, tf.shape(x)[-1]]) for x in maps]
        rows = tf.concat(flat, axis=0) if len(flat) > 1 else flat[0]
        sampled = 0
        for y, y_amount in ((y0, 1 - down), (y1, down)):
            for x, x_amount in ((x0, 1 - right), (x1, right)):
                amount = tf.cast(y_amount * x_amount, rows.dtype)
                place = first + y * width + x
                sampled += tf.gather(rows, place) * amount[:, None]
        return sampled

    return sample


# --- the blending ---


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
        cells, sample = place_instances(
            instances, boxes, box_valid, picture_size, grid=(height, width)
        )
        absent = None
        if self.blending == "faithful":
            absent = count_absent(
                count_covering(cells, batch * height * width),
                count_boxes(box_valid),
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


# --- instances in turns, instead of all at once ---
#
# The features of the instances on a cell meet in one softmax. Its sums can be
# kept while instances come and go: what lies on a cell is their sum weighted by
# exp(score - top), the sum of these weights, and the top score so far, by which
# both are rescaled when it grows. In the end all instances on a cell act as one
# with their mean features, whose score is the logarithm of the sum of the
# exponentials of theirs. What is kept does not grow with their number.
#
# M. Milakov, N. Gimelshein, "Online normalizer calculation for softmax", 2018,
# algorithm 3. https://arxiv.org/abs/1805.02867


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
        cells: int32 [P], of `place_instances`.
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
        gathered.covering + count_covering(cells, count),
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
        absent = count_absent(gathered.covering, boxes, height * width)
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
