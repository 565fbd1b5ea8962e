"""Reading shards: `shard_source`."""

import dataclasses
import json
import os

import numpy as np
import pytest
import tensorflow as tf

from tests.data import albums
from tests.data import shard_folders
from tfcolor.data import box_class_pipelines
from tfcolor.data import box_pipelines
from tfcolor.data import epochs
from tfcolor.data import full_data_config
from tfcolor.data import manifest
from tfcolor.data import pipelines
from tfcolor.data import shard_source
from tfcolor.data import sources
from tfcolor.data.source import LOW_COLOR
from tfcolor.pictures import decode


def test_pictures_are_those_of_the_folder_as_squares(made):
    source = shard_folders.open_folder(made / "records")
    assert isinstance(source, shard_source.ShardSource)
    assert len(source) == 10 and source.side == 24
    examples = shard_folders.examples(source)
    assert sorted(e["name"].decode() for e in examples) == sorted(source.paths)
    for example in examples:
        path = made / "images" / example["name"].decode()
        expected = decode.decode_square(path.read_bytes(), 24)
        np.testing.assert_array_equal(example["rgb"], expected)
    smaller = shard_folders.examples(source, side=16)[0]
    assert smaller["rgb"].shape == (16, 16, 3)


def test_jpeg_shards_are_read_as_pillow_reads_them(made, tmp_path):
    settings = dataclasses.replace(
        shard_folders.SETTINGS, format="jpeg", size=32
    )
    shards = shard_folders.write(made / "images", tmp_path, settings).shards
    ranges = {
        name: value
        for shard in shards
        for name, value in zip(shard.names, shard.color_ranges, strict=True)
    }
    for example in shard_folders.examples(shard_folders.open_folder(tmp_path)):
        name = example["name"].decode()
        data = (made / "images" / name).read_bytes()
        exact = decode.decode_square(data, 32).astype(int)
        # The grey one is noise, which JPEG keeps badly.
        if name != "grey.png":
            assert np.abs(example["rgb"] - exact).max() < 8
        measured = float(epochs.color_range(example["rgb"]))
        np.testing.assert_allclose(ranges[name], measured, atol=2e-3)


def test_the_manifest_says_what_is_there(made):
    with open(made / "records/manifest.json") as file:
        values = json.load(file)
    assert values["settings"] == dataclasses.asdict(shard_folders.SETTINGS)
    assert values["has_boxes"] is True and values["classes"] == []
    totals = values["totals"]
    assert (totals["pictures"], totals["boxes"]) == (10, 16)
    assert totals["left_out"] == 1
    assert [shard["pictures"] for shard in values["shards"]] != [10]
    assert len(values["shards"]) == 3
    for shard in values["shards"]:
        path = str(made / "records" / shard["file"])
        assert os.path.getsize(path) == shard["bytes"]
        assert manifest.file_sha256(path) == shard["sha256"]
    left_out = [
        entry
        for shard in manifest.read(str(made / "records")).shards
        for entry in shard.left_out
    ]
    assert [name for name, _ in left_out] == ["broken.jpg"]
    assert "not a picture" in left_out[0][1]


def test_tensorflow_itself_finds_shards_in_order(made):
    # Checksums of each example included, which are not ours.
    paths = sorted(str(p) for p in (made / "records").glob("*.tfrecord"))
    names = [
        tf.train.Example.FromString(serialized)
        .features.feature["image/filename"]
        .bytes_list.value[0]
        .decode()
        for serialized in tf.data.TFRecordDataset(paths).as_numpy_iterator()
    ]
    shards = manifest.read(str(made / "records")).shards
    assert names == [name for shard in shards for name in shard.names]


def test_orders_follow_the_seed(made):
    orders = [
        shard_folders.names(
            shard_folders.open_folder(made / "records"), seed=seed
        )
        for seed in (1, 1, 2)
    ]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])
    source = shard_folders.open_folder(made / "records")
    assert shard_folders.names(source) == shard_folders.names(source)


@pytest.mark.parametrize("workers", [2, 3])
def test_the_parts_of_workers_make_up_the_whole(made, workers):
    whole = shard_folders.names(
        shard_folders.open_folder(made / "records"), seed=5
    )
    for index in range(workers):
        context = tf.distribute.InputContext(workers, index, workers)
        part = shard_folders.names(
            shard_folders.open_folder(made / "records"), seed=5, context=context
        )
        assert part == whole[index::workers]


def test_boxes_come_with_their_pictures(made):
    source = box_pipelines.BoxedSource(
        shard_folders.open_folder(made / "records"), None, max_boxes=3
    )
    examples = {e["name"].decode(): e for e in shard_folders.examples(source)}
    assert not examples["00.jpg"]["box_valid"].any()
    found = examples["04.jpg"]
    assert found["box_valid"].tolist() == [True, True, False]
    # Best first, and from 40 x 60 to 24 x 24 pixels, cut to whole ones.
    np.testing.assert_array_equal(
        found["boxes"][:2], [[6, 4, 24, 24], [0, 0, 12, 12]]
    )
    with_classes = box_class_pipelines.BoxClassSource(
        shard_folders.open_folder(made / "records"), None, max_boxes=2
    )
    examples = {
        e["name"].decode(): e for e in shard_folders.examples(with_classes)
    }
    assert examples["04.jpg"]["box_classes"].tolist() == [80, 4]
    assert examples["00.jpg"]["box_classes"].tolist() == [0, 0]


def test_training_pipelines_take_shards_with_boxes(made):
    source = box_pipelines.BoxedSource(
        shard_folders.open_folder(made / "records"), None, max_boxes=2
    )
    config = full_data_config.FullDataConfig(
        image_size=16, batch_size=4, flip=True
    )
    options = {"epoch": 0, "training": True}
    view = box_pipelines.instance_view(config)
    (batch, _), *_ = epochs.epoch(source, view, **options)
    assert batch["L"].shape == (4, 16, 16, 1)
    view = box_pipelines.fusion_view(config, box_pipelines.BoxConfig(2))
    (batch, _), *_ = epochs.epoch(source, view, **options)
    assert batch["crops"].shape == (4, 2, 16, 16, 1)
    assert batch["picture_size"].numpy().tolist() == [[24, 24]] * 4


def _box_class_batches(folder, **options):
    """Batches of pictures whose boxes have classes."""
    source = box_class_pipelines.BoxClassSource(
        shard_folders.open_folder(folder), None, max_boxes=2
    )
    config = full_data_config.FullDataConfig(
        image_size=16, batch_size=4, flip=True
    )
    view = box_class_pipelines.box_class_view(config)
    return epochs.epoch(source, view, **options)


def _fusion_batches(folder, **options):
    """Batches of the fusion stage."""
    source = box_pipelines.BoxedSource(
        shard_folders.open_folder(folder), None, max_boxes=2
    )
    config = full_data_config.FullDataConfig(
        image_size=16, batch_size=4, flip=True
    )
    boxes = box_pipelines.BoxConfig(2, crop_size=8)
    view = box_pipelines.fusion_view(config, boxes)
    return epochs.epoch(source, view, **options)


def _instance_batches(folder, **options):
    """Batches of the instance stage, grey crops included."""
    source = box_pipelines.BoxedSource(
        shard_folders.open_folder(folder), None, max_boxes=2
    )
    config = full_data_config.FullDataConfig(
        image_size=16, batch_size=4, min_color_range=0.0
    )
    view = box_pipelines.instance_view(config)
    return epochs.epoch(source, view, **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    "batches", [_fusion_batches, _box_class_batches, _instance_batches]
)
def test_two_workers_see_the_pictures_and_boxes_of_one(made, batches):
    def epoch(context=None):
        # A grey picture comes before others that it must not move.
        return batches(
            made / "records", epoch=0, training=True, context=context
        )

    parts = [epoch(tf.distribute.InputContext(2, i, 2)) for i in range(2)]
    count = 0
    for batch, *shares in zip(epoch(), *parts, strict=True):
        joined = tf.nest.map_structure(
            lambda *x: np.stack(x, 1).reshape(-1, *x[0].shape[1:]), *shares
        )
        tf.nest.map_structure(np.testing.assert_array_equal, batch, joined)
        count += 1
    assert count == 2


def test_nearly_grey_pictures_are_known_before_decoding(made):
    source = shard_folders.open_folder(made / "records")
    config = full_data_config.FullDataConfig(image_size=24, batch_size=3)
    view = pipelines.full_view(config)
    batches = list(epochs.epoch(source, view, epoch=0, training=False))
    assert sum(len(inputs["L"]) for inputs, _ in batches) == 9
    assert source.drop_log.count(LOW_COLOR) == 1
    assert "grey.png" in source.drop_log.summary()


def test_shards_and_folders_give_the_same_batches(made):
    config = full_data_config.FullDataConfig(image_size=24, batch_size=9)
    view = pipelines.full_view(config)

    def pictures_of(source):
        ((inputs, targets),) = epochs.epoch(
            source, view, epoch=0, training=False
        )
        lab = np.concatenate([inputs["L"], targets["ab"]], -1)
        return lab[np.lexsort(lab.reshape(9, -1)[:, :3].T)]

    np.testing.assert_array_equal(
        pictures_of(shard_folders.open_folder(made / "records")),
        pictures_of(shard_folders.open_folder(made / "images")),
    )


def test_shards_can_be_split_like_files(made):
    parts = [
        sources.split_by_hash(shard_folders.open_folder(made / name), share=0.4)
        for name in ("records", "images")
    ]
    for from_shards, from_files in zip(*parts, strict=True):
        names = {os.path.basename(path) for path in from_files.paths}
        assert set(from_shards.paths) == names - {"broken.jpg"}
        assert sorted(shard_folders.names(from_shards, seed=1)) == sorted(
            from_shards.paths
        )


@pytest.fixture
def damaged(made, tmp_path):
    """The shards with one byte changed in the second one."""
    shard_folders.write(made / "images", tmp_path)
    albums.damage(tmp_path / "00001.tfrecord")
    return tmp_path


def test_a_damaged_shard_is_named(damaged):
    with pytest.raises(tf.errors.OpError) as caught:
        shard_folders.examples(shard_folders.open_folder(damaged))
    text = shard_source.damage_in(caught.value)
    assert f"The shard {damaged}/00001.tfrecord is damaged" in text
    assert "`skip_corrupt` goes on" in text and "SHA-256" in text
    assert "\n" not in text


def test_a_damaged_shard_can_be_gone_without(damaged):
    source = shard_folders.open_folder(damaged, skip_corrupt=True)
    lost = manifest.read(str(damaged)).shards[1].names
    assert set(shard_folders.names(source)) == set(source.paths) - set(lost)
    assert source.drop_log.count(shard_source.DAMAGED) == len(lost)
    assert "00001.tfrecord" in source.drop_log.summary()


@pytest.mark.parametrize("absent", [True, False])
def test_a_shard_of_another_size_is_named_at_once(made, tmp_path, absent):
    shard_folders.write(made / "images", tmp_path)
    path = tmp_path / "00002.tfrecord"
    data = path.read_bytes()
    path.unlink()
    if not absent:
        path.write_bytes(data[:-10])
    said = "absent \\(" if absent else f"damaged .* instead of {len(data)}"
    with pytest.raises(ValueError, match=f"00002.tfrecord is {said}"):
        shard_folders.open_folder(tmp_path)
    source = shard_folders.open_folder(tmp_path, skip_corrupt=True)
    assert len(shard_folders.names(source)) < len(source)


def test_a_shard_that_vanishes_later_is_absent_too(made, tmp_path):
    shard_folders.write(made / "images", tmp_path)
    source = shard_folders.open_folder(tmp_path)
    (tmp_path / "00001.tfrecord").unlink()
    with pytest.raises(tf.errors.OpError) as raised:
        shard_folders.names(source)
    said = shard_source.damage_in(raised.value)
    assert "00001.tfrecord is absent (`tfcolor prepare`" in said
    assert said.endswith("goes on without it)")


def test_an_absent_list_of_contents_is_named(made, tmp_path):
    shard_folders.write(made / "images", tmp_path)
    (tmp_path / "00000.json").unlink()
    with pytest.raises(ValueError, match="00000.json', which is absent"):
        shard_folders.open_folder(tmp_path)


def test_a_damaged_list_of_contents_is_named(made, tmp_path):
    shard_folders.write(made / "images", tmp_path)
    (tmp_path / "00000.json").write_text("{}")
    with pytest.raises(ValueError, match="00000.json"):
        shard_folders.open_folder(tmp_path)
