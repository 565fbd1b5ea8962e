import numpy as np
from PIL import Image

from tests.evaluation import synthetic
from tfcolor.evaluation.methods import TruePicture
from tfcolor.evaluation.report import ReportPictures


def test_pictures_are_small_jpegs_under_names_that_any_system_can_hold(
    tmp_path,
):
    pictures = ReportPictures(str(tmp_path), ["a/b: c?", "other"])
    assert pictures.columns() == ["grey", "a/b: c?", "other", None]
    picture = TruePicture(4, "x.png", "x.png")
    rgb = {
        c: synthetic.picture(i, 64, 900)
        for i, c in enumerate(pictures.columns())
    }
    pictures.save(picture, rgb)
    files = sorted(p.name for p in (tmp_path / "pictures").iterdir())
    assert files == [
        "00005_grey.jpg",
        "00005_method1.jpg",
        "00005_method2.jpg",
        "00005_true.jpg",
    ]
    source = pictures.source(picture, "a/b: c?")
    with Image.open(tmp_path / source) as small:
        assert small.format == "JPEG"
        assert small.size == (320, 23)
        expected = Image.fromarray(rgb["a/b: c?"]).resize((320, 23))
        difference = np.asarray(small, float) - np.asarray(expected, float)
    assert np.abs(difference).mean() < 6


def test_a_picture_of_one_pixel_can_be_shown(tmp_path):
    pictures = ReportPictures(str(tmp_path), ["m"])
    rgb = np.full((1, 1, 3), 90, np.uint8)
    picture = TruePicture(0, "x.png", "x.png")
    pictures.save(picture, dict.fromkeys(pictures.columns(), rgb))
    with Image.open(tmp_path / pictures.source(picture, None)) as small:
        assert small.size == (1, 1)
