import numpy as np
import pytest
from PIL import Image

from tfcolor.boxes import picture_boxes
from tfcolor.evaluation import methods
from tfcolor.evaluation.methods import list_truth


def _save(path, rgb):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path)


def _picture(height, width, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def folders(tmp_path):
    """A true picture of 40 x 20 and a folder for its prediction."""
    _save(tmp_path / "true" / "a.png", _picture(20, 40))
    truth = list_truth(str(tmp_path / "true"))
    return truth, tmp_path / "predicted"


def test_a_prediction_of_the_files_size_goes_through_the_geometry(folders):
    truth, folder = folders
    predicted = np.zeros((20, 40, 3), np.uint8)
    predicted[:, 10:30] = 77
    _save(folder / "a.png", predicted)
    method = methods.from_folder(
        "m", str(folder), truth, geometry="center_crop", size=20
    )
    result = method.predict(truth[0], _picture(20, 20))
    np.testing.assert_array_equal(result, np.full((20, 20, 3), 77))


def test_a_prediction_of_the_size_of_the_comparison_is_taken_as_it_is(folders):
    truth, folder = folders
    predicted = _picture(16, 16, seed=1)
    _save(folder / "a.png", predicted)
    method = methods.from_folder(
        "m", str(folder), truth, geometry="squash", size=16
    )
    result = method.predict(truth[0], _picture(16, 16))
    np.testing.assert_array_equal(result, predicted)


@pytest.mark.parametrize("geometry", ["original", "squash"])
def test_a_prediction_of_any_other_size_is_an_error(folders, geometry):
    truth, folder = folders
    _save(folder / "a.png", _picture(10, 20))
    method = methods.from_folder(
        "m", str(folder), truth, geometry=geometry, size=16
    )
    shape = (20, 40) if geometry == "original" else (16, 16)
    with pytest.raises(ValueError, match="20 x 10 pixels.*40 x 20"):
        method.predict(truth[0], _picture(*shape))


def test_a_colorizer_gets_the_pixels():
    class Swapper:
        def colorize(self, rgb):
            return rgb[..., ::-1]

    rgb = _picture(3, 4)
    method = methods.from_colorizer("swap", Swapper())
    np.testing.assert_array_equal(method.predict(None, rgb), rgb[..., ::-1])


def test_a_model_that_takes_boxes_gets_those_of_the_picture(folders):
    class Boxed:
        takes_boxes = True
        takes_box_classes = False

        def colorize(self, rgb, boxes=None):
            return rgb + np.uint8(0 if boxes is None else len(boxes))

    def find_boxes(path, rgb):
        assert path.endswith("a.png")
        return picture_boxes.make([[0, 0, 2, 2], [1, 1, 3, 3]])

    truth, _ = folders
    rgb = np.zeros((20, 40, 3), np.uint8)
    for find, expected in ((None, 0), (find_boxes, 2)):
        method = methods.from_colorizer("boxed", Boxed(), find_boxes=find)
        assert (method.predict(truth[0], rgb) == expected).all()
    Boxed.takes_boxes = False
    method = methods.from_colorizer("whole", Boxed(), find_boxes=find_boxes)
    assert (method.predict(truth[0], rgb) == 0).all()


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["siggraph_small"], ["siggraph_small"]),
        (["runs/a.keras", "out/b/"], ["a", "b"]),
        (["x/m.keras", "y/m.keras"], ["x/m", "y/m"]),
        (["/long/x/m.keras", "/long/y/m.keras"], ["x/m", "y/m"]),
        (["r/x/best/m.keras", "r/y/best/m.keras"], ["x/…/m", "y/…/m"]),
        (["r/x/m.keras", "r/y/m.keras", "q/x/m"], ["r/x/m", "r/y/m", "q/x/m"]),
        (["/a/x/m.keras", "x/m.keras"], ["a/…/m", "m"]),
        (["x/m", "x/m/", "y/m", "n"], ["x/m", "x/m #2", "y/m", "n"]),
        (["m", "m"], ["m", "m #2"]),
        (["out/grey"], ["out/grey"]),
    ],
)
def test_methods_are_named_shortly_and_apart(paths, names):
    assert methods.unique_names(paths) == names


def test_methods_of_long_paths_stay_apart_in_plots():
    folder = "a_rather_long_name_of_a_folder_of_runs"
    paths = [f"{folder}/{run}/{folder}/model.keras" for run in "ab"]
    short = [methods.short_name(n) for n in methods.unique_names(paths)]
    assert short == ["a/…/model", "b/…/model"]


def test_long_names_keep_their_ends():
    assert methods.short_name("siggraph_small") == "siggraph_small"
    path = "/somewhere" * 9 + "/runs/ensemble/model.keras"
    short = methods.short_name(path)
    assert len(short) == methods.LONGEST_NAME
    assert short.startswith("…") and short.endswith("/ensemble/model.keras")
