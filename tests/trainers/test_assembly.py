"""What the trainers share, from flags to parts of a run."""

import sys

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import flagsaver

from tests import drawn
from tfcolor import atomic
from tfcolor.color import ab_bins
from tfcolor.data import full_data_config
from tfcolor.data import memory_source
from tfcolor.data import pipelines
from tfcolor.data.drop_log import DropLog
from tfcolor.data.source import Source
from tfcolor.losses import objective
from tfcolor.training.run_folder import RunFolder
from trainers import assembly
from trainers import train_instance

_PROGRAM = train_instance.__name__


def _log(workdir):
    return (workdir / "train.log").read_text()


def test_flags_that_mean_nothing_are_refused_on_the_command_line(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(sys, "argv", ["train_instance", "--cache", "-x=1"])
    workdir = tmp_path / "run"
    with flagsaver.as_parsed(cache="true", workdir=str(workdir)):
        with pytest.raises(ValueError, match="--cache plays no part.*--cache"):
            assembly.start_run(_PROGRAM, seed=0, unused=("cache",))
    assert not workdir.exists()


def test_flags_of_flag_files_that_mean_nothing_are_noted(tmp_path, monkeypatch):
    argv = ["train_instance", "--flagfile=old.cfg", "--nocache"]
    monkeypatch.setattr(sys, "argv", argv)
    given = {"load_size": "264", "cache": "false", "workdir": str(tmp_path)}
    unused = ("cache", "load_size", "min_area")
    with flagsaver.as_parsed(**given):
        assembly.start_run(_PROGRAM, seed=0, unused=unused)
    assert "no part is played here by --load_size=264\n" in _log(tmp_path)


def test_a_folder_that_another_process_trains_in_is_left_alone(tmp_path):
    with flagsaver.as_parsed(workdir=str(tmp_path)):
        with atomic.held(str(tmp_path)):
            with pytest.raises(OSError, match="another process is writing"):
                assembly.start_run(_PROGRAM, seed=0)
        assert not list(tmp_path.iterdir())
        assembly.start_run(_PROGRAM, seed=0)
    assert (tmp_path / "flags.cfg").exists()


def test_validation_data_are_kept_as_long_as_they_fit(tmp_path, monkeypatch):
    log = RunFolder(str(tmp_path)).log
    read = []

    def note(i):
        tf.py_function(lambda i: read.append(int(i)), [i], [])
        return {"L": tf.zeros([8, 8, 1])}, {"name": tf.strings.as_string(i)}

    def passes(pictures):
        read.clear()
        batches = tf.data.Dataset.range(3).map(note).batch(2)
        data = assembly.kept(batches, pictures, log)
        for _ in range(2):
            assert len(list(data)) == 2
        return len(read)

    monkeypatch.setattr(assembly, "_KEPT_BYTES", 3 * 8 * 8 * 4)
    assert passes(3) == 3
    assert "made anew" not in _log(tmp_path)
    assert passes(4) == 6
    assert "4 validation pictures, 0 GB: made anew" in _log(tmp_path)


def test_colors_are_not_counted_where_no_picture_is_left():
    batches = tf.data.Dataset.from_tensors(({}, {"ab": tf.zeros([1, 8, 8, 2])}))
    drop_log = DropLog()
    drop_log.record("grey.jpg", "nearly grey")
    config = objective.ObjectiveConfig(class_weight=0.4, rebalance=0.85)
    with pytest.raises(ValueError, match="--batch_size.*no batch; dropped 1 "):
        assembly.build_losses(config, batches.take(0), drop_log)
    assert assembly.build_losses(config, batches, drop_log)


def test_fewer_pictures_than_a_batch_are_said_first(tmp_path):
    images = drawn.write_album(tmp_path / "images", 3, side=8)
    config = full_data_config.FullDataConfig(batch_size=4)
    with flagsaver.as_parsed(images=images, validation_images=images):
        run = RunFolder(str(tmp_path / "run"))
        train, held_out = assembly.open_sources(run.log)
        with pytest.raises(ValueError, match="batch_size=4, 3 pictures"):
            assembly.fit_colorizer(
                None,
                train=train,
                held_out=held_out,
                view=pipelines.full_view(config),
                save_model=None,
                run=run,
                strategy=None,
            )


def test_what_is_said_of_few_pictures_names_flags(tmp_path):
    images = drawn.write_album(tmp_path / "images", 3, side=8)
    log = RunFolder(str(tmp_path)).log
    with flagsaver.as_parsed(images=images):
        assembly.open_sources(log)
    said = "for validation (--validation_share, --validation_images)"
    assert said in _log(tmp_path)


@pytest.mark.parametrize("cache", [True, False])
def test_training_pictures_are_kept_in_memory_where_asked(cache, tmp_path):
    images = drawn.write_album(tmp_path / "images", 3)
    log = RunFolder(str(tmp_path / "run")).log
    config = full_data_config.FullDataConfig(
        image_size=8, load_size=16, cache=cache, min_color_range=0.0
    )
    with flagsaver.as_parsed(images=images, validation_images=images):
        train, held_out = assembly.open_whole_pictures(log, config)
    assert isinstance(train, memory_source.MemorySource) == cache
    assert not isinstance(held_out, memory_source.MemorySource)
    assert len(train) == len(held_out) == 3
    assert sorted(held_out.paths) == sorted(
        str(path) for path in (tmp_path / "images").iterdir()
    )


def test_an_epoch_may_be_several_passes(tmp_path):
    images = drawn.write_album(tmp_path / "images", 9, side=8)
    log = RunFolder(str(tmp_path / "run")).log
    with flagsaver.as_parsed(images=images, validation_images=images):
        train, _ = assembly.open_sources(log)
    memory = memory_source.into_memory(_Labelled(train), side=8, crops=True)
    assert assembly._length(train, 4) == assembly._length(memory, 4) == (2, 2)
    with flagsaver.as_parsed(steps_per_epoch="50"):
        assert assembly._length(train, 4) == (50, 2)
        assert assembly._length(memory, 4) == (50, None)
        # However few there are.
        assert assembly._length(memory, 32) == (50, None)


class _Labelled(Source):
    """A source of one class."""

    def __init__(self, source):
        self._source = source
        self.drop_log = source.drop_log

    def __len__(self):
        return len(self._source)

    def examples(self, **options):
        label = tf.constant(0, tf.int64)
        return self._source.examples(**options).map(
            lambda example: example | {"label": label}
        )


def _batches(ab):
    return tf.data.Dataset.from_tensor_slices(({"L": ab}, {"ab": ab})).batch(2)


def test_count_bins_counts_every_pixel_of_every_picture():
    centers = ab_bins.centers().numpy()
    ab = np.zeros([3, 4, 4, 2], np.float32)
    ab[0, 0, :3] = centers[7]
    ab[2] = centers[528]
    counts = assembly.count_bins(_batches(ab))
    assert counts.shape == (529,)
    assert counts[7] == 3 and counts[528] == 16 and counts[264] == 29
    assert counts.sum() == 48


def test_count_bins_stops_after_enough_pictures():
    ab = np.zeros([10, 2, 2, 2], np.float32)
    counts = assembly.count_bins(_batches(ab), limit=3)
    assert counts.sum() == 4 * 4
