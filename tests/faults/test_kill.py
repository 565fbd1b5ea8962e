import pytest

from tests.faults import kill
from tests.faults import scenes

QUICK = {"preparing shards", "detecting", "detecting into one file"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            scene.name,
            marks=pytest.mark.slow if scene.name in QUICK else pytest.mark.long,
        )
        for scene in scenes.SCENES
    ],
)
def test_a_killed_command_leaves_whole_files_and_goes_on(name):
    times = 8 if name in QUICK else 3
    counts = kill.kill(name, times=times, seed=1)
    assert not counts.faults
    assert counts.kills == times and counts.finished
