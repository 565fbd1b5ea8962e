"""What holds of every picture that is colorized, tried on many."""

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies

from tests import properties
from tests.inference import models
from tests.models import test_fusion
from tfcolor import Colorizer
from tfcolor.inference import colorizer as colorizer_module
from tfcolor.inference import hint_maps
from tfcolor.inference.hint_points import HintPoint
from tfcolor.models.fusion import instance_colorizer

_SIDE = 16


@pytest.fixture(scope="module")
def colorizers():
    """Of batches of 1 and of 3."""
    model = models.lightness_model()
    return [
        Colorizer(model, image_size=_SIDE, batch_size=size) for size in (1, 3)
    ]


def _points(width: int, height: int):
    """Lists of points inside a picture."""
    return strategies.lists(
        strategies.builds(
            HintPoint,
            x=strategies.integers(0, width - 1),
            y=strategies.integers(0, height - 1),
            color=strategies.sampled_from(["#3b7dd8", "#102030", "#ff0000"]),
            radius=strategies.none() | strategies.floats(0.5, 9),
        ),
        max_size=5,
    )


def _drawn(points, width=32, height=16):
    return hint_maps.draw_hints(
        points, width=width, height=height, image_size=_SIDE
    )


@properties.tried(25)
@hypothesis.given(_points(32, 16))
def test_hints_of_a_mirror_image_are_mirrored(points):
    turned = [HintPoint(31 - p.x, p.y, p.color, p.radius) for p in points]
    for one, other in zip(_drawn(points), _drawn(turned), strict=True):
        np.testing.assert_allclose(one, other[:, ::-1], atol=1e-4)


@properties.tried(25)
@hypothesis.given(_points(32, 16), strategies.randoms(use_true_random=False))
def test_the_order_of_hints_changes_nothing(points, random):
    shuffled = list(points)
    random.shuffle(shuffled)
    for one, other in zip(_drawn(points), _drawn(shuffled), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@properties.tried(25)
@hypothesis.given(_points(16, 16))
def test_hints_of_a_crop_are_those_of_the_picture_there(points):
    # A picture of 32 x 32 on a grid of 32, and its part of 16 x 16 on one of
    # 16: pixels of the grid are those of the picture in both.
    points = [HintPoint(p.x, p.y, p.color, p.radius or 2.0) for p in points]
    moved = [HintPoint(p.x + 9, p.y + 5, p.color, p.radius) for p in points]
    whole = hint_maps.draw_hints(moved, width=32, height=32, image_size=32)
    for part, full in zip(_drawn(points, 16, 16), whole, strict=True):
        np.testing.assert_allclose(part, full[5:21, 9:25], atol=1e-4)


@properties.tried(15)
@hypothesis.given(
    strategies.lists(properties.pictures(), min_size=1, max_size=4)
)
def test_batch_size_and_order_change_nothing(colorizers, pictures):
    alone, together = colorizers
    expected = [alone.colorize(picture) for picture in pictures]
    found = together.colorize_batch(pictures)
    backwards = together.colorize_batch(pictures[::-1])[::-1]
    for a, b, c in zip(expected, found, backwards, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


@properties.tried(15)
@hypothesis.given(properties.pictures())
def test_every_picture_keeps_size_and_lightness(colorizers, picture):
    found = colorizers[0].colorize(picture)
    assert found.shape == picture.shape and found.dtype == picture.dtype
    grey = colorizer_module.grey(picture)
    again = colorizer_module.grey(found)
    # The lightness of a result is that of the picture but for rounding.
    assert np.abs(grey.astype(int) - again).max() <= 2


@properties.tried(15)
@hypothesis.given(properties.pictures())
def test_colorizing_twice_equals_once(colorizers, picture):
    # Only L counts. Rounding moves it, of dark colors, which are cut to the
    # gamut, a little lightness is much chroma, and the mean of neighbors of
    # other colors, which a smaller network sees, has another lightness.
    for dtype in (np.uint16, np.uint8):
        scale = np.iinfo(dtype).max // 255
        once = colorizers[0].colorize(picture.astype(dtype) * dtype(scale))
        twice = colorizers[0].colorize(once)
        assert np.abs(once.astype(int) - twice).max() <= 25 * scale
    # The same picture again is the same result, to the byte.
    np.testing.assert_array_equal(colorizers[0].colorize(picture), once)


@pytest.fixture(scope="module")
def fused():
    networks = test_fusion.scoring_networks()
    return instance_colorizer(**networks)


@pytest.mark.slow
@properties.tried(6)
@hypothesis.given(strategies.integers(1, 3), strategies.integers(0, 2**31))
def test_padding_boxes_changes_nothing(fused, more, seed):
    inputs = test_fusion.boxed_inputs()
    rng = np.random.default_rng(seed)
    batch = len(inputs["boxes"])
    # What lies in rows that are not valid is never looked at.
    boxes = rng.uniform(0, 100, [batch, more, 4]).astype(np.float32)
    crops = rng.uniform(0, 100, [batch, more, 16, 16, 1]).astype(np.float32)
    padded = inputs | {
        "boxes": np.concatenate([inputs["boxes"], boxes], 1),
        "crops": np.concatenate([inputs["crops"], crops], 1),
        "box_valid": np.concatenate(
            [inputs["box_valid"], np.zeros([batch, more], bool)], 1
        ),
    }
    expected = fused(inputs, training=False)["ab"]
    padded = {k: keras.ops.convert_to_tensor(v) for k, v in padded.items()}
    found = fused(padded, training=False)["ab"]
    np.testing.assert_allclose(found, expected, atol=1e-3)
