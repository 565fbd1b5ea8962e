import logging

from absl.testing import flagsaver

from tests import drawn
from tests.data import shard_folders
from trainers import assembly


def test_trainers_leave_out_pictures_of_more_pixels(tmp_path):
    drawn.write_album(tmp_path / "album", 3)
    drawn.write(str(tmp_path / "album/large.png"), drawn.grey(0, 40, 40))
    album = str(tmp_path / "album")
    with flagsaver.as_parsed(
        images=album, validation_images=album, max_pixels="1024"
    ):
        for source in assembly.open_sources(logging.getLogger("test")):
            assert len(shard_folders.examples(source)) == 3
            assert "at most 1024 pixels" in source.drop_log.summary()
            assert "Received: 1600 pixels" in source.drop_log.summary()
