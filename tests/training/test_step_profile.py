import glob
import os

import pytest
import tensorflow as tf

from tests.training.tiny_run import TinyRun
from tests.training.tiny_run import interrupt_in
from tfcolor.training.loop import Interrupted


def _profiles(workdir):
    pattern = f"{workdir}/tensorboard/plugins/profile/*/*.xplane.pb"
    return glob.glob(pattern)


def _graphs(workdir):
    found = 0
    for path in glob.glob(f"{workdir}/tensorboard/events*"):
        for event in tf.compat.v1.train.summary_iterator(path):
            if event.HasField("graph_def"):
                found += 1
            for value in event.summary.value:
                found += "graph" in value.metadata.plugin_data.plugin_name
    return found


@pytest.mark.slow
@pytest.mark.parametrize("steps", [2, 100])
def test_steps_are_profiled_and_their_graph_is_written(tmp_path, steps):
    TinyRun(epochs=1, profile_steps=steps).start(tmp_path)
    assert len(_profiles(tmp_path)) == 1
    assert _graphs(tmp_path) == 1


@pytest.mark.slow
def test_an_interrupted_profile_does_not_stand_in_the_way(tmp_path):
    run = TinyRun(profile_steps=4, on_epoch=interrupt_in(1))
    with pytest.raises(Interrupted):
        run.start(tmp_path)
    # Profiles bear the second of their start: the next may be of the same.
    (first,) = _profiles(tmp_path)
    os.remove(first)
    TinyRun(profile_steps=1).start(tmp_path)
    assert len(_profiles(tmp_path)) == 1


@pytest.mark.slow
def test_nothing_is_profiled_unless_it_is_asked_for(tmp_path):
    TinyRun(epochs=1).start(tmp_path)
    assert not _profiles(tmp_path)
    assert not _graphs(tmp_path)
