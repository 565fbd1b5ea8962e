"""`prepare` and `finish` without TensorFlow: NumPy, OpenCV and Pillow.

The same functions of the same pictures, for a runtime that does not wait for
TensorFlow: pictures are uint8 or uint16 arrays [H, W, 3] (sRGB) or [H, W, 1]
(grey). Results differ by rounding: values of a picture by one level at most.
"""

from collections.abc import Sequence
from concurrent import futures

import cv2
import numpy as np
from PIL import Image

from tfcolor.color import array_lab
from tfcolor.inference import defaults
from tfcolor.inference import litert_network

# Small enough that all planes of a strip stay in a processor's cache.
STRIP_PIXELS = 2**16
# Of a strip that is only made smaller.
_RESIZE_PIXELS = 2**20


def small_L(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns the lightness of a resized picture; see `prepare.small_L`.

    Args:
        picture: uint8 or uint16 array [H, W, 3] or [H, W, 1].
        height: int, pixels.
        width: int, pixels.

    Returns:
        float32 array [height, width], 0..100.
    """
    # Strips: a whole picture of float32 takes much memory.
    rows = max(1, _RESIZE_PIXELS // picture.shape[1])

    def narrow(top):
        strip = picture[top : top + rows]
        return np.stack(
            [
                _resized(strip[..., i], width=width)
                for i in range(strip.shape[-1])
            ]
        )

    strips = _in_threads(narrow, range(0, len(picture), rows))
    channels = [
        _resized(channel, height=height)
        for channel in np.concatenate(strips, axis=1)
    ]
    small = np.stack(channels, -1) * np.float32(1 / np.iinfo(picture.dtype).max)
    return array_lab.encoded_L(small)


def _in_threads(function, values: Sequence) -> list:
    """Calls a function of each value; NumPy, OpenCV and Pillow let others work.

    One value takes no thread: most pictures are small.
    """
    if len(values) == 1:
        return [function(values[0])]
    with futures.ThreadPoolExecutor(litert_network.processors()) as pool:
        return list(pool.map(function, values))


def _resized(plane, *, height=None, width=None) -> np.ndarray:
    """Resizes bilinearly, antialiased where it shrinks."""
    size = (width or plane.shape[1], height or plane.shape[0])
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    # Pillow's filter is that of `tf.image.resize(antialias=True)`.
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def guided_ab(L: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """Finds how color depends on lightness; see `finish.guided_ab`.

    Args:
        L: float32 array [h, w], 0..100.
        ab: float32 array [h, w, 2], CIELAB.

    Returns:
        float32 array [4, h, w]: slope and offset of a and b.
    """
    planes = [ab[..., 0], ab[..., 1]]
    mean_L, mean_LL = _window_means(L), _window_means(L * L)
    variance = mean_LL - mean_L * mean_L + np.float32(defaults.GUIDE_FLAT)
    slopes, offsets = [], []
    for plane in planes:
        covariance = _window_means(L * plane) - mean_L * _window_means(plane)
        slopes.append(covariance / variance)
        offsets.append(plane - slopes[-1] * L)
    return np.stack(slopes + offsets)


def _window_means(plane: np.ndarray) -> np.ndarray:
    side = (2 * defaults.GUIDE_RADIUS + 1,) * 2
    border = {"normalize": False, "borderType": cv2.BORDER_CONSTANT}
    total = cv2.boxFilter(np.ascontiguousarray(plane), -1, side, **border)
    return total / cv2.boxFilter(np.ones_like(plane), -1, side, **border)


def full_ab(
    picture: np.ndarray, ab: np.ndarray, *, upsampling: str = "bilinear"
) -> np.ndarray:
    """Returns the color of every pixel of a picture; see `finish.full_ab`.

    Args:
        picture: uint8 or uint16 array [H, W, 3] or [H, W, 1].
        ab: float32 array [h, w, 2], CIELAB, of any size.
        upsampling: str, one of `defaults.UPSAMPLINGS`.

    Returns:
        float32 array [H, W, 2], CIELAB.
    """
    small = _prepared(picture, ab, upsampling)
    planes = _enlarged(small, *picture.shape[:2], 0, len(picture))
    return np.stack(_ab_planes(array_lab.picture_L(picture), planes), -1)


def finish(
    picture: np.ndarray,
    ab: np.ndarray,
    *,
    saturation: float = 1.0,
    upsampling: str = "bilinear",
) -> np.ndarray:
    """Colors a picture: its own L, the network's ab; see `finish.finish`.

    Args:
        picture: uint8 or uint16 array [H, W, 3] or [H, W, 1].
        ab: float32 array [h, w, 2], CIELAB, of any size.
        saturation: float. Factor on ab before colors that sRGB does not hold
            are brought into it.
        upsampling: str, one of `defaults.UPSAMPLINGS`.

    Returns:
        array [H, W, 3] of the dtype of `picture`, sRGB.
    """
    height, width = picture.shape[:2]
    ab = np.asarray(ab, np.float32) * np.float32(saturation)
    small = _prepared(picture, ab, upsampling)
    result = np.empty((height, width, 3), picture.dtype)
    rows = max(1, STRIP_PIXELS // width)

    def color(top):
        strip = picture[top : top + rows]
        L = array_lab.picture_L(strip)
        planes = _enlarged(small, height, width, top, len(strip))
        a, b = _ab_planes(L, planes)
        part = array_lab.shown_values(L, a, b, picture.dtype)
        result[top : top + rows] = part

    _in_threads(color, range(0, height, rows))
    return result


def _prepared(picture, ab, upsampling) -> np.ndarray:
    """Returns what is enlarged: ab, or its slope and offset; [C, h, w].

    Sides that shrink have the picture's size already.
    """
    h, w = ab.shape[:2]
    if upsampling == "bilinear":
        planes = np.moveaxis(ab, -1, 0)
    else:
        planes = guided_ab(small_L(picture, h, w), ab)
    size = min(h, picture.shape[0]), min(w, picture.shape[1])
    if size == (h, w):
        return planes
    return np.stack(
        [_resized(plane, height=size[0], width=size[1]) for plane in planes]
    )


def _ab_planes(L, enlarged) -> list[np.ndarray]:
    if len(enlarged) == 2:
        return list(enlarged)
    slope_a, slope_b, offset_a, offset_b = enlarged
    slope_a *= L
    slope_a += offset_a
    slope_b *= L
    slope_b += offset_b
    return [slope_a, slope_b]


def _enlarged(small, height, width, top, rows) -> list[np.ndarray]:
    """Enlarges planes [h, w] to some rows of a picture; see `resize_ab`."""
    h = small.shape[1]
    places = (np.arange(top, top + rows) + 0.5) * (h / height) - 0.5
    places = np.clip(places, 0, h - 1).astype(np.float32)
    above = places.astype(np.intp)
    below = np.minimum(above + 1, h - 1)
    share = (places - above)[:, None]
    found = []
    for plane in small:
        start = plane[above]
        strip = start + share * (plane[below] - start)
        found.append(cv2.resize(strip, (width, rows)))
    return found
