import dataclasses

import numpy as np
import pytest

from tests import class_albums
from tfcolor.boxes import picture_boxes
from tfcolor.color import lab
from tfcolor.data import box_pipelines
from tfcolor.data import epochs
from tfcolor.data import full_data_config
from tfcolor.data import labelled
from tfcolor.data import labelled_parts
from tfcolor.data import memory_source
from tfcolor.data import pipelines

CONFIG = full_data_config.FullDataConfig(
    image_size=16, load_size=24, batch_size=4
)


class _Boxes:
    """The upper half and the lower half of dark pictures; no others."""

    def load(self, picture, *, height, width):
        if "/dark/" not in picture:
            return picture_boxes.none()
        rows = [[0, 0, height / 2, width], [height / 2, 0, height, width]]
        return picture_boxes.make(rows, [0.8, 0.9])


@pytest.fixture
def source(tmp_path):
    images = class_albums.write_parts(tmp_path, train=3)
    return labelled_parts.open_parts(
        images, validation_share=0, test_share=0
    ).train


def _batches(source, *, epoch=0, training=True, steps=None, **options):
    keys = {f.name for f in dataclasses.fields(full_data_config.FullDataConfig)}
    config = {k: v for k, v in options.items() if k in keys}
    label = {k: v for k, v in options.items() if k not in keys}
    view = labelled.labelled_view(
        dataclasses.replace(CONFIG, **config), labelled.LabelConfig(**label)
    )
    dataset = epochs.epoch(
        source, view, epoch=epoch, training=training, steps=steps
    )
    return list(dataset.as_numpy_iterator())


def _joined(batches, key="L"):
    return np.concatenate([inputs[key] for inputs, _ in batches])


def test_without_training_every_picture_comes_once_in_its_order(source):
    batches = _batches(source, training=False)
    assert [len(t["label"]) for _, t in batches] == [4, 4, 1]
    labels = np.concatenate([t["label"] for _, t in batches])
    np.testing.assert_array_equal(labels, np.repeat([0, 1, 2], 3))
    names = [n.decode() for _, t in batches for n in t["name"]]
    assert names[0].endswith("bright/000.png")
    L = _joined(batches)
    assert L.shape == (9, 16, 16, 1) and L.dtype == np.float32
    assert L[:3].min() > 60 and L[3:6].max() < 30


@pytest.mark.parametrize("memory", [False, True])
def test_equal_seeds_and_epochs_give_equal_batches(source, memory):
    if memory:
        source = memory_source.into_memory(source, side=24, crops=True)
    options = {"flip": True, "random_crop_area": 0.4, "seed": 5}
    first, again = (_batches(source, epoch=2, **options) for _ in range(2))
    other = _batches(source, epoch=3, **options)
    assert len(first) == 2 and set(first[0][1]) == {"label"}
    np.testing.assert_array_equal(_joined(first), _joined(again))
    assert np.abs(_joined(first) - _joined(other)).max() > 1


@pytest.mark.parametrize(
    "share",
    [
        pytest.param(0.0, marks=pytest.mark.slow),
        0.5,
        pytest.param(1.0, marks=pytest.mark.slow),
    ],
)
def test_some_pictures_may_be_seen_whole(source, share):
    options = {"random_crop_area": 0.4, "random_crop_share": share}
    whole = {L.tobytes() for L in _joined(_batches(source, training=False))}
    seen = [
        L.tobytes() in whole
        for epoch in range(4)
        for L in _joined(_batches(source, epoch=epoch, **options))
    ]
    if share == 0.5:
        assert 0.1 < np.mean(seen) < 0.9
    else:
        assert np.mean(seen) == 1 - share


def test_memory_gives_what_files_give(source):
    memory = memory_source.into_memory(source, side=24, crops=True)
    assert len(memory) == 9
    for options in ({"training": False}, {"flip": True, "epoch": 1}):
        expected, found = (
            _batches(source, **options),
            _batches(memory, **options),
        )
        for (x, y), (u, v) in zip(expected, found, strict=True):
            np.testing.assert_array_equal(x["L"], u["L"])
            np.testing.assert_array_equal(y["label"], v["label"])


def test_an_epoch_from_memory_may_be_many_passes(source):
    memory = memory_source.into_memory(source, side=24, crops=True)
    batches = _batches(memory, steps=9, flip=True)
    labels = np.concatenate([t["label"] for _, t in batches])
    # 36 pictures are four passes over nine, each in an order of its own.
    passes = labels.reshape(4, 9)
    for one in passes:
        np.testing.assert_array_equal(np.sort(one), np.repeat([0, 1, 2], 3))
    assert any((one != passes[0]).any() for one in passes[1:])
    assert len(_batches(memory, steps=1)) == 1


def test_L_alone_has_no_hints_and_L_ab_the_true_colors_everywhere(source):
    (grey, _), *_ = _batches(source, training=False)
    assert not grey["hints"].any() and not grey["mask"].any()
    (full, _), *_ = _batches(source, training=False, inputs="L_ab")
    np.testing.assert_array_equal(full["L"], grey["L"])
    assert (full["mask"] == 1).all()
    example = next(source.examples().as_numpy_iterator())
    square = pipelines.resize_square(example["rgb"], 24)
    square = pipelines.resize_square(square, 16)
    expected = lab.rgb_to_lab(np.float32(square) / 255)[..., 1:]
    np.testing.assert_allclose(full["hints"][0], expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("memory", [False, True])
def test_boxes_are_random_in_training_and_the_best_otherwise(source, memory):
    boxed = box_pipelines.BoxedSource(source, _Boxes(), max_boxes=4)
    cut = boxed.examples().map(lambda x: memory_source.crops_of(x, side=16))
    examples = list(cut.as_numpy_iterator())
    counts = [len(example["crops"]) for example in examples]
    assert counts == [1, 1, 1, 2, 2, 2, 1, 1, 1]
    if memory:
        boxed = memory_source.into_memory(boxed, side=16, crops=True)
        again = list(boxed.examples().as_numpy_iterator())
        for one, other in zip(examples, again, strict=True):
            np.testing.assert_array_equal(one["crops"], other["crops"])
    # The lower half has the higher score.
    L = _joined(_batches(boxed, training=False, load_size=16, crops="boxes"))
    first_dark = list(source.examples().as_numpy_iterator())[3]
    lower = pipelines.resize_square(first_dark["rgb"][16:], 16)
    expected = lab.rgb_to_lab(np.float32(lower) / 255)[..., :1]
    np.testing.assert_allclose(L[3], expected, atol=1e-4)
    seen = set()
    for epoch in range(6):
        options = {"batch_size": 9, "load_size": 16}
        for inputs, targets in _batches(boxed, epoch=epoch, **options):
            dark = inputs["L"][targets["label"] == 1]
            seen |= {value.tobytes() for value in dark}
    assert len(seen) == 6, "both halves of three pictures"


def test_a_source_without_a_readable_picture_is_refused(source, tmp_path):
    for path in tmp_path.rglob("train/*/*.png"):
        path.write_bytes(b"broken since")
    with pytest.raises(ValueError, match="at least one usable picture"):
        memory_source.into_memory(source, side=24, crops=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"inputs": "ab"}, "`inputs` must be one of"),
        ({"crops": "middle"}, "`crops` must be one of"),
        ({"random_crop_area": 0.0}, "`random_crop_area` must be above 0"),
        ({"random_crop_share": 1.1}, "`random_crop_share` must be from 0"),
        ({"test_share": 1.0}, "`test_share` must be"),
        ({"pictures_per_class": 1}, "`pictures_per_class` must be at least 2"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        labelled.LabelConfig(**options)
