"""Writing boxes as pictures are done, so that a run can go on later."""

import os
import time

from tfcolor.boxes import box_folder
from tfcolor.boxes.coco_writer import CocoWriter
from tfcolor.boxes.picture_boxes import PictureBoxes
from tfcolor.detection import coco_classes
from tfcolor.detection import output_paths
from tfcolor.detection.output_paths import BoxJob

# The JSON of all pictures is written anew each time.
_SECONDS_BETWEEN_WRITES = 30.0


def open_output(output: str, *, format: str, overwrite: bool):
    """Opens where boxes go.

    Args:
        output: str; see `output_paths.plan`.
        format: str, one of `output_paths.FORMATS`.
        overwrite: bool. Whether to forget what is there already.

    Returns:
        NpzOutput or CocoOutput.

    Raises:
        OSError: a JSON there already cannot be read.
        ValueError: `tfcolor detect` did not write it.
    """
    if format == output_paths.NPZ:
        return NpzOutput()
    return CocoOutput(output_paths.json_path(output), overwrite=overwrite)


class NpzOutput:
    """Writes one .npz file for each picture."""

    def is_done(self, job: BoxJob) -> bool:
        """Tells whether an earlier run has written a picture's boxes."""
        return os.path.isfile(job.boxes)

    def add(
        self, job: BoxJob, found: PictureBoxes, *, height: int, width: int
    ) -> None:
        """Writes the boxes of a picture of this size, in pixels."""
        box_folder.write(job.boxes, found, height=height, width=width)

    def close(self) -> None:
        """Does nothing: everything is written."""


class CocoOutput:
    """Writes one JSON file, now and then and at the end.

    Args:
        path: str.
        overwrite: bool. Whether to forget what is in a file there already.

    Raises:
        OSError: such a file cannot be read.
        ValueError: `tfcolor detect` did not write it.
    """

    def __init__(self, path: str, *, overwrite: bool):
        self._writer = CocoWriter(path, coco_classes.NAMES)
        self._done = set()
        if os.path.exists(path) and not overwrite:
            self._done = self._writer.resume()
        self._written_at = time.monotonic()

    def is_done(self, job: BoxJob) -> bool:
        """Tells whether an earlier run has written a picture's boxes."""
        return job.name in self._done

    def add(
        self, job: BoxJob, found: PictureBoxes, *, height: int, width: int
    ) -> None:
        """Adds the boxes of a picture of this size, in pixels."""
        self._writer.add(job.name, found, height=height, width=width)
        if time.monotonic() - self._written_at > _SECONDS_BETWEEN_WRITES:
            self.close()

    def close(self) -> None:
        """Writes what has been added so far."""
        self._writer.write()
        self._written_at = time.monotonic()
