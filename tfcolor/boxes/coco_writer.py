"""Writing boxes as one JSON file in COCO's annotation format."""

import json

from tfcolor import atomic
from tfcolor.boxes import coco_boxes
from tfcolor.boxes.picture_boxes import PictureBoxes
from tfcolor.pictures import foreign_files

# Tells our own files from annotations that must not be replaced.
_DESCRIPTION = "Boxes found by `tfcolor detect`"


class CocoWriter:
    """Collects the boxes of pictures; `coco_boxes` reads what it writes.

    Args:
        path: str. The JSON file.
        class_names: dict from class to its name.
    """

    def __init__(self, path: str, class_names: dict[int, str]):
        self.path = path
        self._class_names = class_names
        self._found = {}
        self._sizes = {}

    def resume(self) -> set[str]:
        """Takes over what an earlier run has written to the same file.

        Returns:
            set of str, the pictures in it.

        Raises:
            OSError: the file cannot be read.
            ValueError: another program wrote it.
        """
        found, sizes = coco_boxes.read(self.path)
        info = foreign_files.read_json(self.path).get("info")
        if not isinstance(info, dict) or (
            info.get("description") != _DESCRIPTION
        ):
            raise ValueError(
                "A file of boxes to go on with must be one that `tfcolor "
                f"detect` wrote. Received: {self.path!r}"
            )
        self._found, self._sizes = found, sizes
        return set(found)

    def add(
        self, name: str, found: PictureBoxes, *, height: int, width: int
    ) -> None:
        """Adds the boxes of one picture, or replaces them.

        Args:
            name: str, the picture's path below the folder searched.
            found: PictureBoxes.
            height: int, of the upright picture, pixels.
            width: int, of the upright picture, pixels.
        """
        name = name.replace("\\", "/")
        self._found[name] = found
        self._sizes[name] = (height, width)

    def write(self) -> None:
        """Writes the file; nobody ever sees a part of it.

        Raises:
            OSError: the file cannot be written.
        """
        images, annotations = [], []
        for image_id, (name, size) in enumerate(self._sizes.items(), 1):
            image = {"id": image_id, "file_name": name}
            images.append({**image, "height": size[0], "width": size[1]})
            for row in _rows(self._found[name]):
                ids = {"id": len(annotations) + 1, "image_id": image_id}
                annotations.append({**ids, **row})
        used = {row["category_id"] for row in annotations}
        content = {
            "info": {"description": _DESCRIPTION},
            "images": images,
            "annotations": annotations,
            "categories": [
                {"id": i, "name": self._class_names.get(i, f"class {i}")}
                for i in sorted(used | set(self._class_names))
            ],
        }
        atomic.write_bytes(self.path, json.dumps(content).encode())


def _rows(found: PictureBoxes) -> list[dict]:
    """Describes boxes; pictures and numbers of their own are left open."""
    rows = []
    for (top, left, bottom, right), score, label in zip(
        found.boxes.tolist(),
        found.scores.tolist(),
        found.classes.tolist(),
        strict=True,
    ):
        width, height = right - left, bottom - top
        rows.append(
            {
                "category_id": label,
                "bbox": [left, top, width, height],
                "area": width * height,
                "iscrowd": 0,
                "score": round(score, 6),
            }
        )
    return rows
