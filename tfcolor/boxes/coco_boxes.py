"""Boxes in one JSON file, as COCO's annotations and as detections.

    {"images": [{"id": 1, "file_name": "trip/a.jpg", "width": 6, "height": 4}],
     "annotations": [{"image_id": 1, "bbox": [x, y, width, height],
                      "category_id": 18, "iscrowd": 0, "score": 0.9}]}

`score`, `iscrowd`, `category_id` and the size of a picture may be missing;
annotations of crowds are left out.

Reference:
    COCO data format, https://cocodataset.org/#format-data
"""

from collections.abc import Iterable

from tfcolor.boxes import box_matching
from tfcolor.boxes import picture_boxes
from tfcolor.boxes.picture_boxes import PictureBoxes
from tfcolor.pictures import foreign_files


class CocoBoxes:
    """The boxes in a COCO annotation file.

    Args:
        path: str. The JSON file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a COCO annotation file, or names one picture
            twice.
    """

    def __init__(self, path: str):
        self.path = path
        self._found, self._sizes = read(path)

    def find(self, picture: str) -> str | None:
        """Returns the `file_name` of a picture in the file.

        Args:
            picture: str, the picture's path.

        Returns:
            str, or None.
        """
        ends = box_matching.path_ends(picture)
        return next((end for end in ends if end in self._found), None)

    def count(self, pictures: Iterable[str]) -> int:
        """Counts the pictures named; see `box_matching.count_matches`."""
        return box_matching.count_matches(pictures, self.find, where=self.path)

    def load(self, picture: str, *, height: int, width: int) -> PictureBoxes:
        """Returns the boxes of a picture.

        Args:
            picture: str, the picture's path.
            height: int, of the upright picture as it was decoded, pixels.
            width: int, of the upright picture as it was decoded, pixels.

        Returns:
            PictureBoxes in pixels of a picture of that size; none at all
            where the file does not name the picture.

        Raises:
            ValueError: the boxes were made for a picture on its side.
        """
        name = self.find(picture)
        if name is None:
            return picture_boxes.none()
        size = self._sizes[name] or (height, width)
        try:
            return self._found[name].resized(size, height=height, width=width)
        except ValueError as error:
            raise ValueError(
                f"The boxes of {name} in {self.path} cannot be used: {error}"
            ) from error


def read(path: str) -> tuple[dict, dict]:
    """Reads a COCO annotation file.

    Args:
        path: str.

    Returns:
        dict from `file_name` to PictureBoxes; dict from `file_name` to the
        (height, width) in pixels they were made for, or None. Both are in the
        order of the file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a COCO annotation file, or names one picture
            twice.
    """
    try:
        return _parse(foreign_files.read_json(path))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        missing = isinstance(error, KeyError)
        reason = f"{error} is missing" if missing else error
        raise _refused(path, reason) from error
    except ArithmeticError as error:
        raise _refused(path, f"a number is too large: {error}") from error


def _refused(path: str, reason) -> ValueError:
    return ValueError(
        "A file of boxes must be COCO annotations, a JSON object with "
        f'"images" and "annotations". Received: {path!r} ({reason})'
    )


def _parse(content: dict) -> tuple[dict, dict]:
    rows, sizes = {}, {}
    for image in content["images"]:
        name = image["file_name"].replace("\\", "/").removeprefix("./")
        if name in sizes:
            raise ValueError(f"{name!r} is there twice")
        if image["id"] in rows:
            raise ValueError(f"two pictures have the id {image['id']}")
        rows[image["id"]] = []
        sizes[name] = _size(image)
    for row in content["annotations"]:
        if row["image_id"] not in rows:
            raise ValueError(f"no picture has the id {row['image_id']}")
        if not row.get("iscrowd"):
            rows[row["image_id"]].append(row)
    found = map(_picture_boxes, rows.values())
    return dict(zip(sizes, found, strict=True)), sizes


def _size(image: dict) -> tuple[int, int] | None:
    if "height" not in image or "width" not in image:
        return None
    size = (int(image["height"]), int(image["width"]))
    if min(size) < 1:
        raise ValueError(f"{image['file_name']!r} has the size {size}")
    return size


def _picture_boxes(rows: list[dict]) -> PictureBoxes:
    boxes = []
    for row in rows:
        left, top, width, height = row["bbox"]
        boxes.append([top, left, top + height, left + width])
    unknown = picture_boxes.UNKNOWN_CLASS
    return picture_boxes.make(
        boxes,
        [row.get("score", picture_boxes.CERTAIN) for row in rows],
        [row.get("category_id", unknown) for row in rows],
    )
