from tfcolor.boxes import box_files
from tfcolor.boxes import boxes as boxes_lib
from tfcolor.data import epochs
from tfcolor.data import sample_pictures
from tfcolor.pictures import decode


def test_sample_pictures_are_color_photos():
    paths = sample_pictures.paths()
    assert len(paths) == 12
    for path in paths:
        with open(path, "rb") as f:
            rgb = decode.decode_rgb(f.read())
        assert min(rgb.shape[:2]) >= 200
        assert float(epochs.color_range(rgb)) > 20


def test_sample_pictures_may_be_shipped():
    for row in sample_pictures.credits():
        assert row["license"] in ("CC0-1.0", "Public Domain")
        assert row["author"] and row["source"]


def test_sample_pictures_have_boxes_inside_them():
    boxes = box_files.open_boxes(sample_pictures.boxes_path())
    paths = sample_pictures.paths()
    assert boxes.count(paths) == len(paths)
    counts = []
    for path in paths:
        with open(path, "rb") as f:
            height, width = decode.decode_rgb(f.read()).shape[:2]
        found = boxes.load(path, height=height, width=width)
        reasons = boxes_lib.drop_reasons(
            found.boxes, height=height, width=width
        )
        assert not any(reasons)
        counts.append(len(found))
    # Buildings are no class of COCO.
    assert sum(counts) == 14 and counts.count(0) == 5
