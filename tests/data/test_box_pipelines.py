import numpy as np
import pytest
from PIL import Image

from tfcolor.boxes import boxes as boxes_lib
from tfcolor.boxes import picture_boxes
from tfcolor.data import box_pipelines
from tfcolor.data import epochs
from tfcolor.data import full_data_config
from tfcolor.data import sources

_SIZE = 16


class _Boxes:
    """A red box in the upper left quarter, one outside, one without area."""

    def load(self, picture, *, height, width):
        if "without" in picture:
            return picture_boxes.none()
        rows = [[0, 0, height / 2, width / 2]]
        rows += [[-9, -9, -2, -2], [4, 4, 4, 9]]
        return picture_boxes.make(rows, [0.9, 0.8, 0.8])


@pytest.fixture
def source(tmp_path):
    # Green, with a red quarter where the box is.
    rgb = np.full((40, 60, 3), (20, 160, 20), np.uint8)
    rgb[:20, :30] = (200, 20, 20)
    rgb[5, 5] = 255
    for name in ("a", "b", "without"):
        Image.fromarray(rgb).save(tmp_path / f"{name}.png")
    return box_pipelines.BoxedSource(
        sources.open_source(str(tmp_path)), _Boxes(), max_boxes=4
    )


def _config(**options):
    options = {"batch_size": 3, "hint_share": 0.0, "seed": 1} | options
    return full_data_config.FullDataConfig(image_size=_SIZE, **options)


def test_boxes_that_cannot_be_used_are_counted_by_reason(source):
    examples = list(source.examples())
    assert [int(e["box_valid"].numpy().sum()) for e in examples] == [1, 1, 0]
    for reason in (boxes_lib.OUTSIDE, boxes_lib.NO_AREA):
        assert source.drop_log.count(f"box {reason}") == 2
    assert source.drop_log.count("no boxes, whole picture used") == 1


def test_instances_are_cut_out_and_boxless_pictures_stay_whole(source):
    view = box_pipelines.instance_view(_config(min_color_range=0.0))
    dataset = epochs.epoch(source, view, epoch=0, training=False)
    ((inputs, targets),) = list(dataset)
    assert inputs["L"].shape == (3, _SIZE, _SIZE, 1)
    a = targets["ab"][..., 0].numpy()
    assert (a[:2] > 0).all(), "the box is red"
    assert (a[2] < 0).mean() > 0.5, "the whole picture is mostly green"


def test_a_fusion_batch_holds_pictures_crops_and_boxes(source):
    boxes = box_pipelines.BoxConfig(max_boxes=4, crop_size=8)
    view = box_pipelines.fusion_view(_config(), boxes)
    dataset = epochs.epoch(source, view, epoch=0, training=False)
    ((inputs, targets),) = list(dataset)
    assert inputs["crops"].shape == (3, 4, 8, 8, 1)
    assert inputs["boxes"].shape == (3, 4, 4)
    np.testing.assert_array_equal(inputs["boxes"][0, 0], [0, 0, 20, 30])
    np.testing.assert_array_equal(inputs["picture_size"], [[40, 60]] * 3)
    assert inputs["box_valid"].numpy().sum() == 2
    assert targets["ab"].shape == (3, _SIZE, _SIZE, 2)


def test_flipping_mirrors_picture_crops_and_boxes_together(source):
    def batch(flip):
        boxes = box_pipelines.BoxConfig(max_boxes=4, crop_size=8)
        view = box_pipelines.fusion_view(_config(flip=flip), boxes)
        return next(iter(epochs.epoch(source, view, epoch=3, training=True)))

    (plain, plain_target), (flipped, target) = batch(False), batch(True)
    mirrored = 0
    for i in range(3):
        if np.allclose(plain_target["ab"][i], target["ab"][i]):
            continue
        mirrored += 1
        np.testing.assert_allclose(
            plain_target["ab"][i], target["ab"][i, :, ::-1], atol=1e-4
        )
        for k in np.flatnonzero(plain["box_valid"][i]):
            top, left, bottom, right = plain["boxes"][i, k].numpy()
            np.testing.assert_array_equal(
                flipped["boxes"][i, k], [top, 60 - right, bottom, 60 - left]
            )
            np.testing.assert_allclose(
                plain["crops"][i, k], flipped["crops"][i, k, :, ::-1], atol=1e-4
            )
    assert mirrored, "some picture of this epoch is mirrored"


@pytest.mark.slow
def test_equal_epochs_give_equal_instances_and_others_do_not(source):
    view = box_pipelines.instance_view(_config(flip=True))

    def order(epoch):
        dataset = epochs.epoch(source, view, epoch=epoch, training=True)
        return np.concatenate([t["ab"].numpy() for _, t in dataset])

    np.testing.assert_array_equal(order(0), order(0))
    assert any(not np.array_equal(order(0), order(e)) for e in (1, 2, 3))


@pytest.mark.parametrize("size", [0, 20])
def test_crops_that_no_network_takes_are_refused(size):
    with pytest.raises(ValueError, match=f"of 8. Received: crop_size={size}"):
        box_pipelines.BoxConfig(crop_size=size)
