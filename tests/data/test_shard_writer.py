"""Making shards: `shard_writer`."""

import dataclasses
import os
import pathlib

import numpy as np
import pytest

from tests import class_albums
from tests import drawn
from tests.data import albums
from tests.data import shard_folders
from tfcolor.boxes import box_files
from tfcolor.data import files
from tfcolor.data import labelled_parts
from tfcolor.data import manifest
from tfcolor.data import outcome as outcome_lib
from tfcolor.data import shard_writer
from tfcolor.data.manifest import ShardSettings


def _times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_what_is_there_already_is_kept(made, tmp_path):
    counts = []
    shard_folders.write(made / "images", tmp_path)
    before = _times(tmp_path)
    shard_folders.write(made / "images", tmp_path, progress=counts.append)
    after = _times(tmp_path)
    assert counts == [11]
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"manifest.json"}
    # A damaged shard and one whose picture changed are made anew.
    albums.damage(tmp_path / "00001.tfrecord")
    made_again = shard_folders.write(made / "images", tmp_path)
    assert made_again == manifest.read(str(tmp_path))
    assert sorted(
        shard_folders.names(shard_folders.open_folder(tmp_path))
    ) == sorted(shard_folders.open_folder(tmp_path).paths)


def test_changed_pictures_boxes_and_settings_make_shards_anew(tmp_path):
    images = albums.write(tmp_path / "images", 6)
    boxes = albums.write_boxes(tmp_path / "boxes", 6)
    opened = box_files.open_boxes(boxes)
    found = files.list_named_pictures(images)
    plans = [shard_writer.plan(found, shard_folders.SETTINGS, opened)]
    assert shard_writer.plan(found, shard_folders.SETTINGS, opened) == plans[0]
    os.utime(f"{boxes}/03.jpg.npz", ns=(1, 1))
    plans.append(shard_writer.plan(found, shard_folders.SETTINGS, opened))
    drawn.write(f"{images}/05.jpg", drawn.colored(77, 41, 60))
    plans.append(shard_writer.plan(found, shard_folders.SETTINGS, opened))
    plans.append(shard_writer.plan(found, shard_folders.SETTINGS))
    other = dataclasses.replace(shard_folders.SETTINGS, quality=90)
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
        shard_folders.write(made / "images", tmp_path, progress=stop, workers=1)
    assert not manifest.is_prepared(str(tmp_path))
    assert not [p for p in tmp_path.iterdir() if "tmp" in p.name]
    first = _times(tmp_path)["00000.tfrecord"]
    shard_folders.write(made / "images", tmp_path)
    assert _times(tmp_path)["00000.tfrecord"] == first
    assert len(shard_folders.names(shard_folders.open_folder(tmp_path))) == 10


def test_every_picture_has_one_outcome_and_every_folder_is_told(tmp_path):
    images = class_albums.write_parts(tmp_path / "images", train=2, val=1)
    bad = pathlib.Path(images, "val/dark/bad.jpg")
    bad.write_bytes(b"no picture")
    told, folders = [], []

    def prepare():
        return shard_writer.prepare_shards(
            [images],
            f"{tmp_path}/out",
            settings=shard_folders.SETTINGS,
            on_picture=lambda *known: told.append(known),
            on_folder=lambda *made: folders.append(made),
        )

    work = prepare()
    assert len(work) == 6 + 4 + 9 and not (tmp_path / "out").exists()
    found = {outcome.source: outcome for outcome in work}
    assert len(found) == 19
    failed = found.pop(str(bad))
    assert failed.name == "dark/bad.jpg" and "not a picture" in failed.reason
    for source, outcome in found.items():
        assert source == f"{images}/{_part(outcome)}/{outcome.name}"
        assert all(map(os.path.isfile, outcome.written)) and outcome.written
    assert dict(folders) == work.result
    assert {os.path.basename(k): len(v) for k, v in folders} == {
        **{"train": 6, "val": 3, "test": 9}
    }
    assert told[0] == (f"{tmp_path}/out/train", 0, 6)
    assert told[-1] == (f"{tmp_path}/out/test", 9, 9)
    again = list(prepare())
    skipped = [o for o in again if o.skipped == outcome_lib.THERE_ALREADY]
    assert {o.source for o in skipped} == found.keys()
    assert [o.reason for o in again if o.reason] == [failed.reason]


def _part(outcome):
    (path,) = outcome.written
    return os.path.basename(os.path.dirname(path))


@pytest.mark.parametrize("way", ["close", "stop"])
def test_work_that_is_stopped_leaves_whole_shards(made, tmp_path, way):
    def prepare(stop=outcome_lib.never):
        return shard_writer.prepare_shards(
            [str(made / "images")],
            str(tmp_path),
            settings=shard_folders.SETTINGS,
            stop=stop,
        )

    work = prepare(lambda: way == "stop" and (tmp_path / "00000.json").exists())
    if way == "close":
        assert next(work).source
        work.close()
    else:
        assert len(list(work)) == 4
    assert work.result is None
    assert {p.name for p in tmp_path.iterdir()} == {
        *("00000.json", "00000.tfrecord"),
    }
    assert len([o for o in prepare() if o.skipped]) >= 3
    assert manifest.is_prepared(str(tmp_path))


def test_what_is_wrong_is_said_before_anything_is_made(made, tmp_path):
    images = str(made / "images")
    for inputs, options, message in (
        (["nothing/*.png"], {}, "nothing"),
        ([images], {"workers": 0}, "`workers` must be at least 1"),
        ([images], {"boxes": "nothing"}, "nothing"),
        ([images], {"max_pixels": 0}, "max_pixels=0"),
    ):
        with pytest.raises((OSError, ValueError), match=message):
            shard_writer.prepare_shards(inputs, f"{tmp_path}/out", **options)
    assert not list(tmp_path.iterdir())


def test_fewer_shards_than_before_leave_none_behind(made, tmp_path):
    shard_folders.write(made / "images", tmp_path)
    (tmp_path / "mine.tfrecord").write_bytes(b"")
    shard_folders.write(
        made / "images",
        tmp_path,
        dataclasses.replace(shard_folders.SETTINGS, shard_size=9),
    )
    assert {p.name for p in tmp_path.glob("*.tfrecord")} == {
        *("00000.tfrecord", "00001.tfrecord", "mine.tfrecord"),
    }


def test_what_a_killed_run_left_of_an_earlier_plan_goes_too(made, tmp_path):
    other = dataclasses.replace(shard_folders.SETTINGS, shard_size=2)
    shard_folders.write(made / "images", tmp_path, other)
    whole = shard_folders.write(made / "images", tmp_path / "whole")
    # Killed after the first of the two files of a shard was removed, and
    # while another was written.
    os.remove(tmp_path / "00005.tfrecord")
    (tmp_path / ".tfcolor-1.tmp").mkdir()
    (tmp_path / ".tfcolor-1.tmp" / "new").write_bytes(b"half")
    (tmp_path / "00009.json").write_text('{"mine": 1}')
    shard_folders.write(made / "images", tmp_path)
    names = {p.name for p in (tmp_path / "whole").iterdir()}
    assert {p.name for p in tmp_path.iterdir()} == {
        *names,
        *("00009.json", "whole"),
    }
    assert len(whole.shards) < 5


def test_pictures_of_one_folder_are_spread_over_all_shards(tmp_path):
    names = [(f"{a}/{i}.jpg", f"{a}/{i}.jpg") for a in "xy" for i in range(50)]
    jobs = shard_writer.plan(
        names, dataclasses.replace(shard_folders.SETTINGS, shard_size=20)
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
    shard_folders.write(images, tmp_path / "records")
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
            examples = shard_folders.examples(getattr(parts, part), seed=1)
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
        [(f"absent/{i}", f"{i}") for i in range(6)], shard_folders.SETTINGS
    )
    assert [[n for _, n in job.pictures] for job in jobs] == [
        ["5", "2", "0"],
        ["4", "3", "1"],
    ]
