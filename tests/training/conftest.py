import pytest

from tests.training.tiny_run import TinyRun


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run of three epochs that nobody interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    TinyRun(epochs=3).start(folder)
    return folder
