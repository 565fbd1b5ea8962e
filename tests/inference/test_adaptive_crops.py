import numpy as np
import pytest

from tests.layers.test_instance_fusion import random_scores
from tfcolor import Colorizer
from tfcolor.inference import adaptive_crops
from tfcolor.inference import network_inputs
from tfcolor.models.fusion import fusion
from tfcolor.models.fusion import instance_colorizer
from tfcolor.models.instance import instance
from tfcolor.models.siggraph import siggraph

_WIDTH = 1 / 32


@pytest.mark.parametrize(
    ("image_size", "sizes"),
    [(256, (64, 128, 256)), (128, (32, 64, 128)), (40, (8, 16, 40)), (8, (8,))],
)
def test_crop_sizes_are_quarters_and_halves_of_the_square(image_size, sizes):
    assert adaptive_crops.crop_sizes(image_size) == sizes


def test_no_box_is_enlarged_on_the_grid():
    # A picture of 100 x 200 pixels on a grid of 64 x 64 cells.
    boxes = np.array(
        [[0, 0, 25, 50], [0, 0, 26, 10], [0, 0, 10, 101], [0, 0, 100, 200]],
        np.float32,
    )
    chosen = adaptive_crops.choose_sizes(
        boxes, (16, 32, 64), height=100, width=200, image_size=64
    )
    assert chosen.numpy().tolist() == [0, 1, 2, 2]


@pytest.fixture(scope="module")
def model():
    networks = {
        "instance": instance(width=_WIDTH, initializer="he_normal"),
        "fusion": fusion(
            width=_WIDTH, initializer="he_normal", blending="faithful"
        ),
        "full": siggraph(width=_WIDTH, initializer="he_normal"),
    }
    for layer in networks["fusion"].layers:
        if layer.name.endswith("_fusion"):
            random_scores(layer)
    return instance_colorizer(**networks)


@pytest.mark.slow
def test_groups_of_one_crop_size_equal_a_single_group(model):
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    boxes = np.array([[0, 0, 9, 9], [3, 5, 30, 30], [0, 0, 40, 60]], np.float32)
    single = network_inputs.batch_box_inputs(
        [picture], [boxes], network_inputs.BoxCrops(32, (32,))
    )
    # All groups have crops of one size, so only the grouping differs.
    grouped = network_inputs.batch_box_inputs(
        [picture], [boxes], network_inputs.BoxCrops(32, (8, 16, 32))
    )
    for group in range(3):
        key = f"crops_{group + 1}" if group else "crops"
        grouped[key] = single["crops"]
    pictures = network_inputs.batch_inputs([picture], [None], image_size=32)
    expected = model(pictures | single)["ab"]
    ab = adaptive_crops.with_groups(model, 3)(pictures | grouped)["ab"]
    np.testing.assert_allclose(ab, expected, atol=1e-3)


@pytest.fixture(scope="module")
def colorizers(model):
    """One with crops of one size, and one with adaptive crops."""
    fixed = Colorizer(model, image_size=32)
    return fixed, Colorizer(model, image_size=32, crop_size="adaptive")


@pytest.mark.long
@pytest.mark.parametrize("boxes", [None, [[0, 0, 9, 9]], [[0, 0, 40, 60]]])
def test_adaptive_crops_color_like_fixed_ones_where_sizes_agree(
    colorizers, boxes
):
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    boxes = None if boxes is None else np.array(boxes)
    fixed, adaptive = colorizers
    assert adaptive.crop_sizes == (8, 16, 32)
    expected = fixed.predict_ab(picture, boxes=boxes)
    ab = adaptive.predict_ab(picture, boxes=boxes)
    same = np.allclose(ab, expected, atol=1e-3)
    # Only the small box has a smaller crop.
    assert same == (boxes is None or len(boxes[0]) and boxes[0][3] == 60)
