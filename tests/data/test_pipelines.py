import dataclasses
import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests import drawn
from tfcolor.color import lab
from tfcolor.data import epochs
from tfcolor.data import full_data_config
from tfcolor.data import memory_source
from tfcolor.data import pipelines
from tfcolor.data import sources
from tfcolor.data.source import LOW_COLOR
from tfcolor.models import takes

CONFIG = full_data_config.FullDataConfig(image_size=16, batch_size=4, seed=3)


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Ten pictures; 003 is grey and 006 nearly so."""
    folder = tmp_path_factory.mktemp("album")
    drawn.write_album(folder, 10, side=24)
    drawn.write(folder / "003.png", drawn.grey(3, 24, 24))
    pale = np.full([24, 24, 3], 120, np.uint8)
    pale[:12, :, 0] += 5
    drawn.write(folder / "006.png", pale)
    return str(folder)


def _changed(**options):
    return dataclasses.replace(CONFIG, **options)


def _batches(source, config=CONFIG, *, epoch=0, training=True):
    view = pipelines.full_view(config)
    dataset = epochs.epoch(source, view, epoch=epoch, training=training)
    return list(dataset.as_numpy_iterator())


def _assert_equal(first, second):
    assert len(first) == len(second) > 0
    for (inputs1, targets1), (inputs2, targets2) in zip(
        first, second, strict=True
    ):
        for key in ("L", "hints", "mask"):
            np.testing.assert_array_equal(inputs1[key], inputs2[key])
        np.testing.assert_array_equal(targets1["ab"], targets2["ab"])


def test_full_batches_have_the_keys_shapes_and_types_of_the_contract(album):
    source = sources.open_source(album)
    for training, batch in ((True, 4), (False, None)):
        view = pipelines.full_view(CONFIG)
        dataset = epochs.epoch(source, view, epoch=0, training=training)

        def spec(channels, batch=batch):
            return tf.TensorSpec([batch, 16, 16, channels], tf.float32)

        assert dataset.element_spec == (
            {"L": spec(1), "hints": spec(2), "mask": spec(1)},
            {"ab": spec(2)},
        )


def test_examples_are_the_lab_of_the_resized_picture(album):
    source = sources.open_source(album)
    ((inputs, targets), *_) = _batches(source, training=False)
    with Image.open(f"{album}/000.png") as file:
        rgb = np.asarray(file.resize((16, 16), Image.Resampling.BILINEAR))
    expected = lab.rgb_to_lab(rgb.astype(np.float32) / 255).numpy()
    # Within the one grey level by which Pillow's resize may differ.
    np.testing.assert_allclose(inputs["L"][0], expected[..., :1], atol=1)
    np.testing.assert_allclose(targets["ab"][0], expected[..., 1:], atol=3)


def test_nearly_grey_pictures_are_dropped_one_by_one_and_counted(album):
    source = sources.open_source(album)
    batches = _batches(source)
    # Eight colored pictures are two whole batches of four.
    assert [b[1]["ab"].shape[0] for b in batches] == [4, 4]
    for _, targets in batches:
        spread = np.ptp(targets["ab"], axis=(1, 2)).sum(-1)
        assert np.all(spread >= 10)
    _batches(source, epoch=1)
    assert source.drop_log.count(LOW_COLOR) == 2
    for name in ("003.png", "006.png"):
        assert name in source.drop_log.summary()


def test_a_color_range_of_zero_keeps_every_picture(album):
    source = sources.open_source(album)
    config = _changed(min_color_range=0.0, batch_size=5)
    assert len(_batches(source, config)) == 2
    assert source.drop_log.summary() == ""


def test_validation_is_the_same_every_time_with_a_last_small_batch(album):
    source = sources.open_source(album)
    config = _changed(batch_size=3)
    batches = _batches(source, config, training=False)
    # The eight pictures that have colors to be measured by.
    assert [b[1]["ab"].shape[0] for b in batches] == [3, 3, 2]
    assert source.drop_log.count(LOW_COLOR) == 2
    for inputs, _ in batches:
        assert not np.any(inputs["mask"]) and not np.any(inputs["hints"])
    _assert_equal(batches, _batches(source, config, training=False, epoch=5))


@pytest.mark.slow
@pytest.mark.parametrize("in_memory", [False, True])
def test_equal_seeds_and_epochs_give_equal_batches(album, in_memory):
    config = _changed(load_size=20, flip=True, hint_share=0.5)

    def opened():
        source = sources.open_source(album)
        if in_memory:
            return memory_source.into_memory(
                source, side=20, min_color_range=10.0
            )
        return source

    first = _batches(opened(), config, epoch=2)
    _assert_equal(first, _batches(opened(), config, epoch=2))
    others = [
        _batches(opened(), config, epoch=3),
        _batches(opened(), dataclasses.replace(config, seed=4), epoch=2),
    ]
    for other in others:
        assert not np.array_equal(first[0][1]["ab"], other[0][1]["ab"])


def test_memory_and_files_hold_the_same_pictures(album):
    in_memory = memory_source.into_memory(
        sources.open_source(album), side=16, min_color_range=10.0
    )
    assert len(in_memory) == 8
    assert in_memory.drop_log.count(LOW_COLOR) == 2
    _assert_equal(
        _batches(in_memory, training=False),
        _batches(sources.open_source(album), training=False),
    )
    names = [e["name"] for e in in_memory.examples().as_numpy_iterator()]
    assert names == sorted(names) and len(set(names)) == 8


def test_memory_keeps_names_that_are_not_unicode(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff.png"
    drawn.write(tmp_path / "a.png", drawn.colored(0, 16, 16))
    os.rename(tmp_path / "a.png", name)
    memory = memory_source.into_memory(
        sources.open_source(str(tmp_path)), side=16
    )
    assert [e["name"].numpy() for e in memory.examples()] == [name]


def test_memory_of_nothing_usable_is_refused_with_the_reasons(tmp_path):
    drawn.write(tmp_path / "a.png", drawn.grey(0))
    source = sources.open_source(str(tmp_path))
    with pytest.raises(ValueError, match="1 pictures; dropped 1 pictures"):
        memory_source.into_memory(source, side=8, min_color_range=10.0)


def test_a_resumed_epoch_equals_the_rest_of_an_uninterrupted_one(album):
    source = sources.open_source(album)
    config = _changed(batch_size=2, load_size=20, flip=True)

    view = pipelines.full_view(config)

    def twice():
        return epochs.epoch(source, view, epoch=1, training=True).repeat(2)

    whole = list(twice().as_numpy_iterator())
    assert len(whole) == 8
    _assert_equal(whole[3:], list(twice().skip(3).as_numpy_iterator()))


def test_passes_of_an_epoch_differ_as_epochs_do(album):
    # The numbers that training gives to passes.
    numbers = [epoch + (i << 32) for epoch in range(3) for i in range(3)]
    seeds = {epochs.epoch_seed(CONFIG, number) for number in numbers}
    assert len(seeds) == 9
    source = sources.open_source(album)
    first, second = (
        np.concatenate(
            [x["L"] for x, _ in _batches(source, _changed(flip=True), epoch=i)]
        )
        for i in numbers[:2]
    )
    assert first.shape == second.shape
    assert not np.array_equal(first, second)


def _copies(folder, rgb, count):
    """A source of one picture many times, and that picture's ab."""
    for i in range(count):
        drawn.write(folder / f"{i}.png", rgb)
    ab = lab.rgb_to_lab(rgb.astype(np.float32) / 255).numpy()[..., 1:]
    return sources.open_source(str(folder)), ab


def test_load_size_cuts_crops_of_the_larger_picture(tmp_path):
    source, whole = _copies(tmp_path, drawn.colored(0, 20, 20), 12)
    config = _changed(load_size=20, batch_size=12)
    windows = np.lib.stride_tricks.sliding_window_view(whole, (16, 16), (0, 1))
    windows = np.moveaxis(windows, 2, -1)
    found = set()
    ((_, targets),) = _batches(source, config)
    for ab in targets["ab"]:
        distance = np.abs(windows - ab).max((2, 3, 4))
        assert distance.min() < 1e-3
        found.add(int(distance.argmin()))
    assert len(found) > 4
    ((_, targets),) = _batches(source, config, training=False)
    for ab in targets["ab"]:
        np.testing.assert_allclose(ab, windows[2, 2], atol=1e-3)


def test_flip_mirrors_some_pictures(tmp_path):
    source, plain = _copies(tmp_path, drawn.colored(0, 16, 16), 12)
    config = _changed(flip=True, batch_size=12)
    ((_, targets),) = _batches(source, config)
    kinds = set()
    for ab in targets["ab"]:
        is_plain = np.allclose(ab, plain, atol=1e-3)
        assert is_plain or np.allclose(ab, plain[:, ::-1], atol=1e-3)
        kinds.add(is_plain)
    assert kinds == {True, False}


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (1.0, 1)])
def test_hint_share_decides_who_gets_hints(album, share, expected):
    # Nearly certain to have at least one hint when there are any.
    config = _changed(hint_share=share, hint_probability=0.01)
    for inputs, _ in _batches(sources.open_source(album), config):
        has_hints = inputs["mask"].max((1, 2, 3))
        np.testing.assert_array_equal(has_hints, expected)


def test_resize_square_squashes_like_pillow():
    rgb = np.random.default_rng(0).integers(0, 256, [50, 37, 3], np.uint8)
    resized = pipelines.resize_square(tf.constant(rgb), 16).numpy()
    pillow = Image.fromarray(rgb).resize((16, 16), Image.Resampling.BILINEAR)
    difference = np.abs(resized.astype(int) - np.asarray(pillow))
    assert difference.max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (300, 2)])
def test_pictures_of_any_shape_become_squares(size):
    rgb = tf.constant(drawn.colored(0, *size))
    assert pipelines.resize_square(rgb, 8).shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "positive multiple of 8. Received: image_size=0"),
        ({"image_size": 20}, "multiple of 8. Received: image_size=20"),
        ({"image_size": 64, "load_size": 32}, "at least `image_size`"),
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
    ],
)
def test_sizes_that_no_network_takes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        full_data_config.FullDataConfig(**options)


def test_squares_are_of_sizes_that_the_models_take():
    assert full_data_config.SIZE_MULTIPLE == takes.SIZE_MULTIPLE


def _first_batch(album, epoch=0, **options):
    config = full_data_config.FullDataConfig(
        image_size=32, load_size=48, batch_size=2, hint_share=0.0, **options
    )
    source, view = sources.open_source(album), pipelines.full_view(config)
    dataset = epochs.epoch(source, view, epoch=epoch, training=True)
    return next(iter(dataset))


def test_age_changes_what_is_seen_and_not_what_is_wanted(album):
    plain, target = _first_batch(album)
    aged, same = _first_batch(album, aged_share=1.0)
    assert np.abs(plain["L"] - aged["L"]).mean() > 0.5
    np.testing.assert_array_equal(same["ab"], target["ab"])
    np.testing.assert_array_equal(
        _first_batch(album, aged_share=1.0)[0]["L"], aged["L"]
    )


def test_parts_of_pictures_differ_from_epoch_to_epoch(album):
    first, _ = _first_batch(album, min_area=0.3)
    again, _ = _first_batch(album, min_area=0.3)
    other, _ = _first_batch(album, epoch=1, min_area=0.3)
    np.testing.assert_array_equal(first["L"], again["L"])
    assert first["L"].shape == (2, 32, 32, 1)
    assert np.abs(first["L"] - other["L"]).max() > 1


@pytest.mark.parametrize(
    "options", [{"min_area": 0}, {"min_area": 1.1}, {"aged_share": -0.1}]
)
def test_shares_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="Received: min_area="):
        full_data_config.FullDataConfig(**options)
