import pytest

from tests.data import albums
from tests.data import shard_folders
from tfcolor.boxes import box_files


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of pictures, one of boxes, and the shards of both."""
    folder = tmp_path_factory.mktemp("made")
    images = albums.write(folder / "images")
    boxes = albums.write_boxes(folder / "boxes")
    shard_folders.write(
        images, folder / "records", boxes=box_files.open_boxes(boxes)
    )
    return folder
