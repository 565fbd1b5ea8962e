"""Classifying albums: `classify_album`."""

import csv
import os

import pytest

from tests import class_albums
from tests import drawn
from tests.inference import test_classifier
from tfcolor.inference.classifier import Classifier
from tfcolor.inference.classify_album import classify_album


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    test_classifier.write_model(path)
    return Classifier(path, batch_size=2)


def _never():
    raise AssertionError("there is nothing to be done")


def test_every_picture_has_one_outcome_with_its_classes(classifier, tmp_path):
    album = class_albums.write(tmp_path / "album", 1)
    bad, out = tmp_path / "album/bad.jpg", tmp_path / "out.csv"
    bad.write_bytes(b"no picture")
    drawn.write_animation(f"{album}/moves.gif", 3)
    outcomes = classify_album(
        [album], make_classifier=lambda: classifier, output=str(out), top=2
    )
    assert len(outcomes) == 5
    found = {outcome.name: outcome for outcome in outcomes}
    assert list(found) == [
        *("bad.jpg", "bright/000.png", "dark/000.png", "moves.gif"),
        "striped/000.png",
    ]
    assert found["bad.jpg"].source == str(bad)
    assert "not a picture" in found.pop("bad.jpg").reason
    assert "it has 3 frames" in found["moves.gif"].notes[0]
    rgb = class_albums.picture("dark", 0)
    expected = classifier.classify(rgb)[:2]
    for one, other in zip(found["dark/000.png"].classes, expected, strict=True):
        assert one[0] == other[0]
        assert one[1] == pytest.approx(other[1], abs=1e-5)
    with open(out, newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert rows == [
        [outcome.name, str(rank), name, f"{share:.6f}"]
        for outcome in found.values()
        for rank, (name, share) in enumerate(outcome.classes, start=1)
    ]


@pytest.mark.parametrize("way", ["close", "stop"])
def test_work_that_is_stopped_writes_no_table(classifier, tmp_path, way):
    album = class_albums.write(tmp_path / "album", 2)
    done = []
    outcomes = classify_album(
        [album],
        make_classifier=lambda: classifier,
        output=f"{tmp_path}/out.csv",
        stop=lambda: way == "stop" and bool(done),
    )
    for outcome in outcomes:
        done.append(outcome)
        if way == "close":
            outcomes.close()
    # Its batch is finished.
    assert len(done) == {"close": 1, "stop": 2}[way]
    assert os.listdir(tmp_path) == ["album"]


def test_what_is_wrong_is_said_before_a_model_is_read(tmp_path):
    album = class_albums.write(tmp_path / "album", 1)
    for inputs, options, message in (
        (["nothing/*.png"], {}, "nothing"),
        ([album], {"top": 0}, "`top` must be 1 or above"),
        ([album], {"output": "a.png"}, "must be a CSV file"),
        ([album], {"max_pixels": 0}, "max_pixels=0"),
    ):
        with pytest.raises((OSError, ValueError), match=message):
            classify_album(inputs, make_classifier=_never, **options)


def test_names_of_classes_need_not_be_utf_8(tmp_path):
    class Knowing:
        batch_size = 8
        class_names = (os.fsdecode(b"caf\xe9"),)

        def probabilities(self, many):
            return [[0.5] for _ in many]

    album = class_albums.write(tmp_path / "album", 1)
    out = tmp_path / "out.csv"
    work = classify_album([album], make_classifier=Knowing, output=str(out))
    assert work.finish() is None
    assert out.read_text().count("caf\\udce9,0.5") == 3
