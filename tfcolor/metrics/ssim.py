"""Structural similarity."""

import tensorflow as tf

# Wang et al. 2004, section III.C: an 11 x 11 Gaussian window.
WINDOW_SIZE = 11
_SIGMA = 1.5
# (K1 peak)^2 and (K2 peak)^2 with K1 = 0.01, K2 = 0.03 and a peak of 1.
_C1 = 0.01**2
_C2 = 0.03**2


def _window(size: tf.Tensor) -> tf.Tensor:
    """Returns Gaussian weights that sum to 1: float32 tensor [size]."""
    size = tf.cast(size, tf.float32)
    position = tf.range(size) - (size - 1) / 2
    weights = tf.exp(-tf.square(position / _SIGMA) / 2)
    return weights / tf.reduce_sum(weights)


def _local_mean(x: tf.Tensor) -> tf.Tensor:
    """Means under the window wherever it fits into the picture."""
    shape = tf.shape(x)
    for axis in (1, 2):
        size = tf.minimum(shape[axis], WINDOW_SIZE)
        kernel_shape = [1, 1, 1, 1]
        kernel_shape[axis - 1] = -1
        # The window is a product, so two passes of 11 do the work of 121.
        kernel = tf.reshape(_window(size), kernel_shape)
        kernel = tf.tile(kernel, [1, 1, shape[3], 1])
        x = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "VALID")
    return x


def ssim(rgb_true: tf.Tensor, rgb_predicted: tf.Tensor) -> tf.Tensor:
    """Computes the mean structural similarity, averaged over R, G and B.

    Only windows that lie inside the picture count. Along a side shorter than
    11 pixels the window is as long as the side, so that pictures of any size
    have a value; such values are not comparable with others.

    Args:
        rgb_true: float32 tensor [..., H, W, 3], encoded sRGB, 0..1.
        rgb_predicted: float32 tensor of the same shape.

    Returns:
        float32 tensor [...], 1 for equal pictures.

    Reference:
        Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image Quality
        Assessment: From Error Visibility to Structural Similarity", IEEE
        Transactions on Image Processing 13 (4), 2004, equation 13.
    """
    rgb_true = tf.convert_to_tensor(rgb_true, tf.float32)
    rgb_predicted = tf.convert_to_tensor(rgb_predicted, tf.float32)
    shape = tf.shape(rgb_true)
    flat = tf.concat([[-1], shape[-3:]], axis=0)
    x = tf.reshape(rgb_true, flat)
    y = tf.reshape(rgb_predicted, flat)

    moments = _local_mean(tf.concat([x, y, x * x + y * y, x * y], axis=-1))
    mean_x, mean_y, squares, product = tf.split(moments, 4, axis=-1)
    means_squared = tf.square(mean_x) + tf.square(mean_y)
    means_product = mean_x * mean_y
    similarity = (
        (2 * means_product + _C1)
        * (2 * (product - means_product) + _C2)
        / ((means_squared + _C1) * (squares - means_squared + _C2))
    )
    return tf.reshape(tf.reduce_mean(similarity, axis=[1, 2, 3]), shape[:-3])
