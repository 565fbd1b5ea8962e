import pytest

from tfcolor.evaluation.methods import PredictionFolder
from tfcolor.evaluation.methods import TruePicture


def _truth(*names):
    return [TruePicture(i, f"/truth/{n}", n) for i, n in enumerate(names)]


@pytest.fixture
def folder(tmp_path):
    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        return str(tmp_path)

    return make


def test_a_prediction_may_have_another_extension(folder):
    truth = _truth("sub/a.jpg", "b.jpg")
    predictions = PredictionFolder(folder("sub/a.png", "b.jpg"), truth)
    assert predictions.find(truth[0]).endswith("sub/a.png")
    assert predictions.find(truth[1]).endswith("b.jpg")


def test_stems_with_dots_are_not_mixed_up(folder):
    truth = _truth("a.b.jpg", "a.c.jpg")
    predictions = PredictionFolder(folder("a.b.png", "a.c.png"), truth)
    assert [predictions.find(p)[-7:] for p in truth] == ["a.b.png", "a.c.png"]


def test_the_same_name_in_another_folder_is_no_prediction(folder):
    truth = _truth("one/a.jpg")
    predictions = PredictionFolder(folder("two/a.jpg"), truth)
    with pytest.raises(FileNotFoundError, match=r"no prediction one/a\.\*"):
        predictions.find(truth[0])


def test_several_predictions_of_one_stem_are_ambiguous(folder):
    truth = _truth("a.jpg", "b.jpg")
    predictions = PredictionFolder(folder("a.png", "a.webp", "b.png"), truth)
    with pytest.raises(ValueError, match=r"a\.png, a\.webp"):
        predictions.find(truth[0])
    assert predictions.find(truth[1]).endswith("b.png")


def test_the_same_extension_wins_among_several(folder):
    truth = _truth("a.jpg", "a.png")
    predictions = PredictionFolder(folder("a.png", "a.jpg"), truth)
    assert predictions.find(truth[0]).endswith("a.jpg")
    assert predictions.find(truth[1]).endswith("a.png")


def test_one_prediction_cannot_serve_two_true_pictures(folder):
    truth = _truth("a.jpg", "a.png")
    predictions = PredictionFolder(folder("a.webp"), truth)
    for picture in truth:
        with pytest.raises(ValueError, match="several true pictures"):
            predictions.find(picture)


def test_equal_relative_names_from_two_folders_are_ambiguous(folder):
    truth = _truth("a.jpg", "a.jpg")
    predictions = PredictionFolder(folder("a.jpg"), truth)
    with pytest.raises(ValueError, match=r"relative name a\.jpg"):
        predictions.find(truth[0])


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be a folder"):
        PredictionFolder(str(tmp_path / "none"), [])


def test_predictions_that_are_jpegs_are_lossy(folder):
    truth = _truth("a.jpg", "b.jpg")
    predictions = PredictionFolder(folder("a.png", "other.jpg"), truth)
    assert not predictions.lossy()
    assert PredictionFolder(folder("b.JPG"), truth).lossy()
