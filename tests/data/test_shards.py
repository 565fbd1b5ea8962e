"""Shards of pictures, from `shard_writer` to `shard_source`."""

import dataclasses
import json
import os

import numpy as np
import pytest
import tensorflow as tf

from tests import class_albums
from tests import pictures
from tests.data import albums
from tfcolor.data import box_class_pipelines
from tfcolor.data import box_files
from tfcolor.data import box_pipelines
from tfcolor.data import decode
from tfcolor.data import files
from tfcolor.data import labelled_parts
from tfcolor.data import manifest
from tfcolor.data import pipelines
from tfcolor.data import shard_source
from tfcolor.data import shard_writer
from tfcolor.data import sources
from tfcolor.data.manifest import ShardSettings

SETTINGS = ShardSettings(size=24, format="png", shard_size=4)


def _write(images, folder, settings=SETTINGS, boxes=None, **options):
    """Makes shards; returns the manifest."""
    found = files.list_named_pictures(str(images))
    jobs = shard_writer.plan(found, settings, boxes)
    return shard_writer.write_shards(
        jobs, str(folder), settings, boxes=boxes, **options
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of pictures, one of boxes, and the shards of both."""
    folder = tmp_path_factory.mktemp("made")
    images = albums.write(folder / "images")
    boxes = albums.write_boxes(folder / "boxes")
    _write(images, folder / "records", boxes=box_files.open_boxes(boxes))
    return folder


def _open(folder, **options):
    return sources.open_source(str(folder), **options)


def _examples(source, **options):
    return list(source.examples(**options).as_numpy_iterator())


def _names(source, **options):
    return [e["name"].decode() for e in _examples(source, **options)]


def test_pictures_are_those_of_the_folder_as_squares(made):
    source = _open(made / "records")
    assert isinstance(source, shard_source.ShardSource)
    assert len(source) == 10 and source.side == 24
    examples = _examples(source)
    assert sorted(e["name"].decode() for e in examples) == sorted(source.paths)
    for example in examples:
        path = made / "images" / example["name"].decode()
        expected = decode.decode_square(path.read_bytes(), 24)
        np.testing.assert_array_equal(example["rgb"], expected)
    smaller = _examples(source, side=16)[0]
    assert smaller["rgb"].shape == (16, 16, 3)


def test_jpeg_shards_are_read_as_pillow_reads_them(made, tmp_path):
    settings = dataclasses.replace(SETTINGS, format="jpeg", size=32)
    shards = _write(made / "images", tmp_path, settings).shards
    ranges = {
        name: value
        for shard in shards
        for name, value in zip(shard.names, shard.color_ranges, strict=True)
    }
    for example in _examples(_open(tmp_path)):
        name = example["name"].decode()
        data = (made / "images" / name).read_bytes()
        exact = decode.decode_square(data, 32).astype(int)
        # The grey one is noise, which JPEG keeps badly.
        if name != "grey.png":
            assert np.abs(example["rgb"] - exact).max() < 8
        measured = float(pipelines.color_range(example["rgb"]))
        np.testing.assert_allclose(ranges[name], measured, atol=2e-3)


def test_the_manifest_says_what_is_there(made):
    with open(made / "records/manifest.json") as file:
        values = json.load(file)
    assert values["settings"] == dataclasses.asdict(SETTINGS)
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
    orders = [_names(_open(made / "records"), seed=seed) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])
    source = _open(made / "records")
    assert _names(source) == _names(source)


@pytest.mark.parametrize("workers", [2, 3])
def test_the_parts_of_workers_make_up_the_whole(made, workers):
    whole = _names(_open(made / "records"), seed=5)
    for index in range(workers):
        context = tf.distribute.InputContext(workers, index, workers)
        part = _names(_open(made / "records"), seed=5, context=context)
        assert part == whole[index::workers]


def test_boxes_come_with_their_pictures(made):
    source = box_pipelines.BoxedSource(
        _open(made / "records"), None, max_boxes=3
    )
    examples = {e["name"].decode(): e for e in _examples(source)}
    assert not examples["00.jpg"]["box_valid"].any()
    found = examples["04.jpg"]
    assert found["box_valid"].tolist() == [True, True, False]
    # Best first, and from 40 x 60 to 24 x 24 pixels, cut to whole ones.
    np.testing.assert_array_equal(
        found["boxes"][:2], [[6, 4, 24, 24], [0, 0, 12, 12]]
    )
    with_classes = box_class_pipelines.BoxClassSource(
        _open(made / "records"), None, max_boxes=2
    )
    examples = {e["name"].decode(): e for e in _examples(with_classes)}
    assert examples["04.jpg"]["box_classes"].tolist() == [80, 4]
    assert examples["00.jpg"]["box_classes"].tolist() == [0, 0]


def test_training_pipelines_take_shards_with_boxes(made):
    source = box_pipelines.BoxedSource(
        _open(made / "records"), None, max_boxes=2
    )
    config = pipelines.FullDataConfig(image_size=16, batch_size=4, flip=True)
    options = {"epoch": 0, "training": True}
    (batch, _), *_ = box_pipelines.instance_dataset(source, config, **options)
    assert batch["L"].shape == (4, 16, 16, 1)
    (batch, _), *_ = box_pipelines.fusion_dataset(
        source, config, box_pipelines.BoxConfig(2), **options
    )
    assert batch["crops"].shape == (4, 2, 16, 16, 1)
    assert batch["picture_size"].numpy().tolist() == [[24, 24]] * 4


def _told_batches(folder, **options):
    """Batches of pictures whose boxes have classes."""
    source = box_class_pipelines.BoxClassSource(
        _open(folder), None, max_boxes=2
    )
    config = pipelines.FullDataConfig(image_size=16, batch_size=4, flip=True)
    return box_class_pipelines.box_class_dataset(source, config, **options)


def _fusion_batches(folder, **options):
    """Batches of the fusion stage."""
    source = box_pipelines.BoxedSource(_open(folder), None, max_boxes=2)
    config = pipelines.FullDataConfig(image_size=16, batch_size=4, flip=True)
    return box_pipelines.fusion_dataset(
        source, config, box_pipelines.BoxConfig(2, crop_size=8), **options
    )


def _instance_batches(folder, **options):
    """Batches of the instance stage, grey crops included."""
    source = box_pipelines.BoxedSource(_open(folder), None, max_boxes=2)
    config = pipelines.FullDataConfig(
        image_size=16, batch_size=4, min_color_range=0.0
    )
    return box_pipelines.instance_dataset(source, config, **options)


@pytest.mark.parametrize(
    "batches", [_fusion_batches, _told_batches, _instance_batches]
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
    source = _open(made / "records")
    config = pipelines.FullDataConfig(image_size=24, batch_size=3)
    batches = list(
        pipelines.full_dataset(source, config, epoch=0, training=False)
    )
    assert sum(len(inputs["L"]) for inputs, _ in batches) == 9
    assert source.drop_log.count(pipelines.LOW_COLOR) == 1
    assert "grey.png" in source.drop_log.summary()


def test_shards_and_folders_give_the_same_batches(made):
    config = pipelines.FullDataConfig(image_size=24, batch_size=9)

    def pictures_of(source):
        ((inputs, targets),) = pipelines.full_dataset(
            source, config, epoch=0, training=False
        )
        lab = np.concatenate([inputs["L"], targets["ab"]], -1)
        return lab[np.lexsort(lab.reshape(9, -1)[:, :3].T)]

    np.testing.assert_array_equal(
        pictures_of(_open(made / "records")),
        pictures_of(_open(made / "images")),
    )


def test_shards_can_be_split_like_files(made):
    parts = [
        sources.split_by_hash(_open(made / name), share=0.4)
        for name in ("records", "images")
    ]
    for from_shards, from_files in zip(*parts, strict=True):
        names = {os.path.basename(path) for path in from_files.paths}
        assert set(from_shards.paths) == names - {"broken.jpg"}
        assert sorted(_names(from_shards, seed=1)) == sorted(from_shards.paths)


@pytest.fixture
def damaged(made, tmp_path):
    """The shards with one byte changed in the second one."""
    _write(made / "images", tmp_path)
    albums.damage(tmp_path / "00001.tfrecord")
    return tmp_path


def test_a_damaged_shard_is_named(damaged):
    with pytest.raises(tf.errors.OpError) as caught:
        _examples(_open(damaged))
    text = shard_source.damage_in(caught.value)
    assert f"The shard {damaged}/00001.tfrecord is damaged" in text
    assert "--skip_corrupt goes on" in text and "SHA-256" in text
    assert "\n" not in text


def test_a_damaged_shard_can_be_gone_without(damaged):
    source = _open(damaged, skip_corrupt=True)
    lost = manifest.read(str(damaged)).shards[1].names
    assert set(_names(source)) == set(source.paths) - set(lost)
    assert source.drop_log.count(shard_source.DAMAGED) == len(lost)
    assert "00001.tfrecord" in source.drop_log.summary()


@pytest.mark.parametrize("absent", [True, False])
def test_a_shard_of_another_size_is_named_at_once(made, tmp_path, absent):
    _write(made / "images", tmp_path)
    path = tmp_path / "00002.tfrecord"
    data = path.read_bytes()
    path.unlink()
    if not absent:
        path.write_bytes(data[:-10])
    with pytest.raises(ValueError, match="00002.tfrecord is damaged"):
        _open(tmp_path)
    source = _open(tmp_path, skip_corrupt=True)
    assert len(_names(source)) < len(source)


def test_a_damaged_list_of_contents_is_named(made, tmp_path):
    _write(made / "images", tmp_path)
    (tmp_path / "00000.json").write_text("{}")
    with pytest.raises(ValueError, match="00000.json"):
        _open(tmp_path)


def _times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_what_is_there_already_is_kept(made, tmp_path):
    counts = []
    _write(made / "images", tmp_path)
    before = _times(tmp_path)
    _write(made / "images", tmp_path, progress=counts.append)
    after = _times(tmp_path)
    assert counts == [11]
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"manifest.json"}
    # A damaged shard and one whose picture changed are made anew.
    albums.damage(tmp_path / "00001.tfrecord")
    made_again = _write(made / "images", tmp_path)
    assert made_again == manifest.read(str(tmp_path))
    assert sorted(_names(_open(tmp_path))) == sorted(_open(tmp_path).paths)


def test_changed_pictures_boxes_and_settings_make_shards_anew(tmp_path):
    images = albums.write(tmp_path / "images", 6)
    boxes = albums.write_boxes(tmp_path / "boxes", 6)
    opened = box_files.open_boxes(boxes)
    found = files.list_named_pictures(images)
    plans = [shard_writer.plan(found, SETTINGS, opened)]
    assert shard_writer.plan(found, SETTINGS, opened) == plans[0]
    os.utime(f"{boxes}/03.jpg.npz", ns=(1, 1))
    plans.append(shard_writer.plan(found, SETTINGS, opened))
    pictures.write(f"{images}/05.jpg", pictures.colored(77, 41, 60))
    plans.append(shard_writer.plan(found, SETTINGS, opened))
    plans.append(shard_writer.plan(found, SETTINGS))
    other = dataclasses.replace(SETTINGS, quality=90)
    plans.append(shard_writer.plan(found, other))
    differ = [
        sum(a.made_from != b.made_from for a, b in zip(*pair, strict=True))
        for pair in zip(plans, plans[1:], strict=False)
    ]
    assert differ == [1, 1, 2, 2]


def test_an_interrupted_run_keeps_whole_shards_and_no_manifest(
    made, tmp_path, monkeypatch
):
    def stop(count):
        if (tmp_path / "00000.json").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _write(made / "images", tmp_path, progress=stop, workers=1)
    assert not manifest.is_prepared(str(tmp_path))
    assert not [p for p in tmp_path.iterdir() if "tmp" in p.name]
    first = _times(tmp_path)["00000.tfrecord"]
    _write(made / "images", tmp_path)
    assert _times(tmp_path)["00000.tfrecord"] == first
    assert len(_names(_open(tmp_path))) == 10


def test_fewer_shards_than_before_leave_none_behind(made, tmp_path):
    _write(made / "images", tmp_path)
    (tmp_path / "mine.tfrecord").write_bytes(b"")
    _write(
        made / "images", tmp_path, dataclasses.replace(SETTINGS, shard_size=9)
    )
    assert {p.name for p in tmp_path.glob("*.tfrecord")} == {
        *("00000.tfrecord", "00001.tfrecord", "mine.tfrecord"),
    }


def test_pictures_of_one_folder_are_spread_over_all_shards(tmp_path):
    names = [(f"{a}/{i}.jpg", f"{a}/{i}.jpg") for a in "xy" for i in range(50)]
    jobs = shard_writer.plan(
        names, dataclasses.replace(SETTINGS, shard_size=20)
    )
    assert [len(job.pictures) for job in jobs] == [20] * 5
    for job in jobs:
        share = np.mean([name[0] == "x" for _, name in job.pictures])
        assert 0.2 < share < 0.8


def test_classes_are_the_first_folders_of_all_pictures():
    assert shard_writer.find_classes(["b/1.jpg", "a/x/2.jpg"]) == ["a", "b"]
    for names in (["a/1.jpg", "2.jpg"], ["a/1.jpg", "a/2.jpg"], []):
        assert shard_writer.find_classes(names) == []


def test_pictures_with_one_name_are_told_apart():
    same = [("x/1.jpg", "1.jpg"), ("y/1.jpg", "1.jpg")]
    assert shard_writer.unique_names(same) == [
        ("x/1.jpg", "x/1.jpg"),
        ("y/1.jpg", "y/1.jpg"),
    ]
    assert shard_writer.unique_names(same[:1]) == same[:1]


def test_labelled_shards_are_split_like_class_folders(tmp_path):
    images = class_albums.write(tmp_path / "images", 8)
    _write(images, tmp_path / "records")
    options = {
        "validation_share": 0.2,
        "test_share": 0.2,
        "pictures_per_class": 3,
        "seed": 4,
    }
    opened = [
        labelled_parts.open_parts(str(tmp_path / name), **options)
        for name in ("images", "records")
    ]
    assert opened[0].class_names == opened[1].class_names
    for part in ("train", "validation", "test"):
        labels = []
        for parts in opened:
            examples = _examples(getattr(parts, part), seed=1)
            labels.append(
                {
                    "/".join(e["name"].decode().split("/")[-2:]): e["label"]
                    for e in examples
                }
            )
        assert labels[0] == labels[1] and labels[0]


def test_shards_without_classes_have_no_labels(made):
    with pytest.raises(ValueError, match="whose pictures have no classes"):
        labelled_parts.open_parts(
            str(made / "records"), validation_share=0.2, test_share=0.2
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [("[", "that `tfcolor prepare` wrote"), ('{"version": 0}', "version 1")],
)
def test_other_manifests_are_refused(tmp_path, text, message):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        manifest.read(str(tmp_path))


@pytest.mark.parametrize(
    "option",
    [{"size": 0}, {"shard_size": 0}, {"quality": 101}, {"format": "x"}],
)
def test_settings_that_no_shard_can_have_are_refused(option):
    ((name, value),) = option.items()
    with pytest.raises(ValueError, match=f"`{name}` must.*{name}={value!r}"):
        ShardSettings(**option)


def test_the_same_names_always_give_the_same_shards():
    # Other shards after an update would be a surprise.
    jobs = shard_writer.plan(
        [(f"absent/{i}", f"{i}") for i in range(6)], SETTINGS
    )
    assert [[n for _, n in job.pictures] for job in jobs] == [
        ["5", "2", "0"],
        ["4", "3", "1"],
    ]
