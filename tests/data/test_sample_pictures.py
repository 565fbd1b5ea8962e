from tfcolor.data import decode
from tfcolor.data import pipelines
from tfcolor.data import sample_pictures


def test_sample_pictures_are_colour_photos():
    paths = sample_pictures.paths()
    assert len(paths) == 12
    for path in paths:
        with open(path, "rb") as f:
            rgb = decode.decode_rgb(f.read())
        assert min(rgb.shape[:2]) >= 200
        assert float(pipelines.color_range(rgb)) > 20


def test_sample_pictures_may_be_shipped():
    for row in sample_pictures.credits():
        assert row["licence"] in ("CC0-1.0", "Public Domain")
        assert row["author"] and row["source"]
