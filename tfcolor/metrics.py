"""What colorized pictures and classes are measured by, in keras.ops.

Functions of one picture [H, W, C] or of any batch of them [..., H, W, C] give
one value a picture; they work eagerly, in `tf.function` and in `Dataset.map`.
They are measures, not losses: some have no finite gradient where pictures are
equal or grey.
"""

import math

from keras import ops

from tfcolor.color import difference
from tfcolor.color import lab

# What equal pictures get: finite, so that a mean over pictures exists. It is
# the error of one 8-bit step in one of 150,000 values.
MAX_PSNR = 100.0
_SMALLEST_ERROR = 10 ** (-MAX_PSNR / 10)
# Wang et al. 2004, section III.C: an 11 x 11 Gaussian window.
SSIM_WINDOW = 11
_SSIM_SIGMA = 1.5
# (K1 peak)^2 and (K2 peak)^2 with K1 = 0.01, K2 = 0.03 and a peak of 1.
_SSIM_C1 = 0.01**2
_SSIM_C2 = 0.03**2
# Of the classifiers' metrics.
HIGHER_IS_BETTER = ("accuracy", "top3")


def _float(x):
    return ops.convert_to_tensor(x, "float32")


def psnr(rgb_true, rgb_predicted):
    """Computes the peak signal-to-noise ratio over all pixels and channels.

    Args:
        rgb_true: float32 tensor [..., H, W, 3], encoded sRGB, 0..1.
        rgb_predicted: float32 tensor of the same shape.

    Returns:
        float32 tensor [...], in dB, at most `MAX_PSNR`, which equal pictures
        get.

    Reference:
        ITU-T J.340, section 5; the peak is 1.
    """
    error = _float(rgb_true) - _float(rgb_predicted)
    mse = ops.mean(ops.square(error), axis=(-3, -2, -1))
    return -10 / math.log(10) * ops.log(ops.maximum(mse, _SMALLEST_ERROR))


def _window(size):
    """Returns Gaussian weights that sum to 1: float32 tensor [size]."""
    position = ops.cast(ops.arange(size), "float32")
    middle = ops.cast(size - 1, "float32") / 2
    weights = ops.exp(-ops.square((position - middle) / _SSIM_SIGMA) / 2)
    return weights / ops.sum(weights)


def _local_mean(x):
    """Means under the window wherever it fits into the picture."""
    shape = ops.shape(x)
    for axis in (1, 2):
        size = shape[axis]
        if isinstance(size, int):
            size = min(size, SSIM_WINDOW)
        else:
            size = ops.minimum(size, SSIM_WINDOW)
        kernel_shape = [1, 1, 1, 1]
        kernel_shape[axis - 1] = -1
        # The window is a product, so two passes of 11 do the work of 121.
        kernel = ops.reshape(_window(size), kernel_shape)
        kernel = ops.tile(kernel, [1, 1, shape[3], 1])
        x = ops.depthwise_conv(
            x, kernel, padding="valid", data_format="channels_last"
        )
    return x


def ssim(rgb_true, rgb_predicted):
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
    shape = ops.shape(rgb_true)
    flat = (-1, *shape[-3:])
    x = ops.reshape(_float(rgb_true), flat)
    y = ops.reshape(_float(rgb_predicted), flat)
    moments = ops.concatenate([x, y, x * x + y * y, x * y], axis=-1)
    mean_x, mean_y, squares, product = ops.split(
        _local_mean(moments), 4, axis=-1
    )
    means_squared = ops.square(mean_x) + ops.square(mean_y)
    means_product = mean_x * mean_y
    similarity = (
        (2 * means_product + _SSIM_C1)
        * (2 * (product - means_product) + _SSIM_C2)
        / ((means_squared + _SSIM_C1) * (squares - means_squared + _SSIM_C2))
    )
    return ops.reshape(ops.mean(similarity, axis=(1, 2, 3)), shape[:-3])


def mean_ciede2000(lab_true, lab_predicted):
    """Computes the mean CIEDE2000 difference over the pixels.

    Args:
        lab_true: float32 tensor [..., H, W, 3], CIELAB.
        lab_predicted: float32 tensor of the same shape.

    Returns:
        float32 tensor [...]; 1 is about what an eye can just tell apart.

    Reference:
        `tfcolor.color.difference.ciede2000`.
    """
    per_pixel = difference.ciede2000(lab_true, lab_predicted)
    return ops.mean(per_pixel, axis=(-2, -1))


def mean_L_difference(L_true, L_predicted):
    """Computes the mean of |dL| over the pixels.

    Args:
        L_true: float32 tensor [..., H, W, 1], 0..100.
        L_predicted: float32 tensor of the same shape.

    Returns:
        float32 tensor [...], in L units; below 0.5 is what rounding to 8
        bits alone may cost.
    """
    change = _float(L_true) - _float(L_predicted)
    return ops.mean(ops.abs(change), axis=(-3, -2, -1))


def ab_rmse(ab_true, ab_predicted):
    """Computes the root of the mean squared error over pixels, a and b.

    Args:
        ab_true: float32 tensor [..., H, W, 2], CIELAB.
        ab_predicted: float32 tensor of the same shape.

    Returns:
        float32 tensor [...], in CIELAB units.
    """
    error = _float(ab_true) - _float(ab_predicted)
    return ops.sqrt(ops.mean(ops.square(error), axis=(-3, -2, -1)))


def _opponents(rgb):
    """Returns rg = R - G and yb = (R + G) / 2 - B, 0..255: [..., H, W, 2]."""
    red, green, blue = ops.unstack(255 * _float(rgb), 3, axis=-1)
    return ops.stack([red - green, (red + green) / 2 - blue], axis=-1)


def _spread_and_mean(opponents):
    """Returns sigma + 0.3 mu: lengths of the deviations and of the means."""
    mean = ops.mean(opponents, axis=(-3, -2))
    variance = ops.var(opponents, axis=(-3, -2))
    sigma = ops.sqrt(ops.sum(variance, axis=-1))
    return sigma + 0.3 * ops.sqrt(ops.sum(ops.square(mean), axis=-1))


def colorfulness_signed(rgb):
    """Computes colorfulness as in the paper: rg and yb keep their sign.

    Not to be compared with `colorfulness_absolute`.

    Args:
        rgb: float32 tensor [..., H, W, 3], encoded sRGB, 0..1.

    Returns:
        float32 tensor [...], 0 for grey; about 15 slightly, 45 quite, 80
        highly colorful (the paper's table 2).

    Reference:
        D. Hasler, S. Suesstrunk, "Measuring Colourfulness in Natural Images",
        Human Vision and Electronic Imaging VIII, SPIE 5007, 2003, equation 3.
    """
    return _spread_and_mean(_opponents(rgb))


def colorfulness_absolute(rgb):
    """Computes colorfulness of |rg| and |yb|.

    The form that the evaluation code of DDColor, ColorFormer and UniColor
    computes; not to be compared with `colorfulness_signed`.

    Args:
        rgb: float32 tensor [..., H, W, 3], encoded sRGB, 0..1.

    Returns:
        float32 tensor [...], 0 for grey.
    """
    return _spread_and_mean(ops.abs(_opponents(rgb)))


def to_rgb(inputs: dict, ab):
    """Joins lightness and color; channels are clipped to 0..1.

    Args:
        inputs: dict with "L", float32 [B, H, W, 1].
        ab: float32 tensor [B, H, W, 2], CIELAB.

    Returns:
        float32 tensor [B, H, W, 3], 0..1.
    """
    return lab.lab_to_rgb(ops.concatenate([inputs["L"], ab], axis=-1))


def colorizer_metrics(inputs: dict, targets: dict, outputs: dict) -> dict:
    """Measures a batch of colorized pictures at the network's size.

    Args:
        inputs: dict with "L".
        targets: dict with "ab".
        outputs: dict with "ab".

    Returns:
        dict of float32 tensors [B]: "psnr" in decibels; "grey_psnr", of the
        same pictures without color; "colorfulness" and "true_colorfulness".
    """
    true = to_rgb(inputs, targets["ab"])
    predicted = to_rgb(inputs, outputs["ab"])
    grey = to_rgb(inputs, ops.zeros_like(targets["ab"]))
    return {
        "psnr": psnr(true, predicted),
        "grey_psnr": psnr(true, grey),
        "colorfulness": colorfulness_signed(predicted),
        "true_colorfulness": colorfulness_signed(true),
    }


def accuracies(targets: dict, outputs: dict) -> dict:
    """Tells which pictures were classified rightly.

    Args:
        targets: dict with "label", int64 [B].
        outputs: dict with "logits", float32 [B, K].

    Returns:
        dict of float32 [B], 0 or 1: "accuracy", the best class is the right
        one; "top3", one of the best three is.
    """
    label, logits = targets["label"], outputs["logits"]
    best = ops.cast(ops.argmax(logits, axis=-1), label.dtype)
    # Not ops.in_top_k: it takes every class for one of the best where all are
    # equal.
    _, three = ops.top_k(logits, min(3, logits.shape[-1]))
    among = ops.cast(three, label.dtype) == label[:, None]
    return {
        "accuracy": ops.cast(ops.equal(best, label), "float32"),
        "top3": ops.cast(ops.any(among, axis=-1), "float32"),
    }


def label_metrics(inputs: dict, targets: dict, outputs: dict) -> dict:
    """Returns `accuracies`, in the form of a validation's metrics."""
    del inputs
    return accuracies(targets, outputs)


def confusion_matrix(labels, predicted, num_classes: int):
    """Counts pictures by true and predicted class.

    Args:
        labels: int64 tensor [N].
        predicted: int64 tensor [N].
        num_classes: int, K.

    Returns:
        int64 tensor [K, K]; rows are the true classes.
    """
    cell = labels * num_classes + predicted
    counts = ops.bincount(cell, minlength=num_classes**2)
    counts = ops.reshape(counts, (num_classes, num_classes))
    return ops.cast(counts, "int64")
