import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests import drawn
from tfcolor.data import crops
from tfcolor.data import pipelines

RGB = drawn.colored(1, 40, 60)
BOXES = np.array(
    [[0, 0, 40, 60], [10, 5, 33, 59], [39, 59, 40, 60], [0, 0, 0, 0]],
    np.float32,
)
VALID = np.array([True, True, True, False])


def test_crops_are_the_resized_insides_of_the_boxes():
    cut = crops.instance_crops(RGB, BOXES, VALID, side=16).numpy()
    assert cut.shape == (4, 16, 16, 3) and cut.dtype == np.uint8
    np.testing.assert_array_equal(cut[0], pipelines.resize_square(RGB, 16))
    inside = RGB[10:33, 5:59]
    np.testing.assert_array_equal(cut[1], pipelines.resize_square(inside, 16))
    assert not cut[3].any()


def test_crops_agree_with_pillow_within_a_grey_level():
    noise = np.random.default_rng(0).integers(0, 256, RGB.shape).astype("uint8")
    cut = crops.instance_crops(noise, BOXES, VALID, side=16).numpy()
    for i in range(2):
        top, left, bottom, right = BOXES[i]
        resized = (
            Image.fromarray(noise)
            .crop((left, top, right, bottom))
            .resize((16, 16), Image.Resampling.BILINEAR)
        )
        difference = cut[i].astype(int) - np.asarray(resized).astype(int)
        assert np.abs(difference).max() <= 1


def test_a_crop_of_one_pixel_is_that_pixel_everywhere():
    cut = crops.instance_crops(RGB, BOXES, VALID, side=8).numpy()
    np.testing.assert_array_equal(
        cut[2], np.broadcast_to(RGB[39, 59], [8, 8, 3])
    )


def test_crops_work_in_a_dataset_with_pictures_of_any_size():
    sizes = [(40, 60), (17, 9), (64, 64)]
    dataset = tf.data.Dataset.from_generator(
        lambda: (drawn.colored(7, *size) for size in sizes),
        output_signature=tf.TensorSpec([None, None, 3], tf.uint8),
    ).map(
        lambda rgb: crops.instance_crops(
            rgb, tf.constant([[1.0, 2, 9, 8]]), tf.constant([True]), side=8
        )
    )
    (batch,) = list(dataset.batch(3))
    assert batch.shape == (3, 1, 8, 8, 3)
    for size, cut in zip(sizes, batch, strict=True):
        inside = drawn.colored(7, *size)[1:9, 2:8]
        np.testing.assert_array_equal(
            cut[0], pipelines.resize_square(inside, 8)
        )


def _pick(valid, seed):
    return crops.random_valid_box(
        tf.constant(BOXES),
        tf.convert_to_tensor(valid),
        seed,
        height=40,
        width=60,
    )


def test_random_valid_box_picks_each_valid_box_equally_often():
    @tf.function
    def pick_often():
        valid = [False, True, True, False]
        return tf.map_fn(
            lambda i: _pick(valid, tf.stack([i, 7])),
            tf.range(400),
            fn_output_signature=tf.float32,
        )

    picked = pick_often().numpy()
    counts = [np.all(picked == box, axis=1).sum() for box in BOXES]
    assert sum(counts) == 400 and counts[0] == counts[3] == 0
    # Four standard deviations of a fair choice.
    assert abs(counts[1] - 200) < 40


def test_random_valid_box_depends_on_its_seed_alone():
    valid = [True, True, True, False]
    for seed in ([1, 2], [3, 4]):
        np.testing.assert_array_equal(_pick(valid, seed), _pick(valid, seed))
    different = {tuple(_pick(valid, [0, i]).numpy()) for i in range(30)}
    assert len(different) == 3


@pytest.mark.parametrize("function", [_pick, tf.function(_pick)])
def test_without_a_valid_box_the_whole_picture_is_taken(function):
    for seed in ([1, 2], [3, 4]):
        box = function(tf.zeros([4], tf.bool), seed)
        np.testing.assert_array_equal(box, [0, 0, 40, 60])
