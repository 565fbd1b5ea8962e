"""Evaluations as a call: `evaluate`."""

import os

import pytest

from tests import drawn
from tests.evaluation import synthetic
from tfcolor.evaluation import compare
from tfcolor.evaluation import perceptual
from tfcolor.evaluation.evaluate import evaluate


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch):
    monkeypatch.setattr(perceptual, "open_installed", lambda: None)


@pytest.fixture
def given(tmp_path):
    """A folder with three true pictures and their predictions."""
    for seed, name in enumerate(["a.png", "b.png", "c.png"]):
        rgb = synthetic.picture(seed)
        synthetic.save(tmp_path / "truth" / name, rgb)
        synthetic.save(tmp_path / "predicted" / name, rgb[..., ::-1])
    return tmp_path


def _evaluate(given, **options):
    return evaluate(
        [f"{given}/truth"],
        f"{given}/report",
        predictions=[f"{given}/predicted"],
        **options,
    )


def test_every_true_picture_has_one_outcome_and_then_there_is_a_report(given):
    (given / "truth/bad.png").write_bytes(b"no picture")
    work = _evaluate(given)
    assert len(work) == 4 and not (given / "report").exists()
    found = {outcome.name: outcome.reason for outcome in work}
    assert "not a picture" in found.pop("bad.png")
    assert found == dict.fromkeys(("a.png", "b.png", "c.png"))
    comparison = work.result.comparison
    assert comparison.methods() == ["predicted"]
    ((path, _),) = comparison.failures
    assert path == str(given / "truth/bad.png")
    summary = (given / "report/summary.md").read_text(encoding="utf-8")
    assert work.result.markdown == summary


def test_what_is_ignored_of_files_is_told(given):
    truth = drawn.write_animation(given / "truth/d.gif", 2)
    predicted = drawn.write_animation(given / "predicted/d.gif", 3)
    notes = []
    _evaluate(given, note=lambda *note: notes.append(note)).finish()
    assert [path for path, _ in notes] == [truth, predicted]
    assert "2 frames" in notes[0][1] and "3 frames" in notes[1][1]


@pytest.mark.parametrize("name", ["pictures", "mean ab"])
def test_work_that_is_stopped_leaves_the_earlier_report(given, name):
    _evaluate(given).finish()
    before = (given / "report/index.html").read_bytes()
    told = []
    work = _evaluate(
        given,
        overwrite=True,
        on_picture=lambda *known: told.append(known),
        stop=lambda: told[-1][:2] == (name, 2),
    )
    assert len(list(work)) == (2 if name == "mean ab" else 0)
    assert work.result is None
    assert sorted(os.listdir(given)) == ["predicted", "report", "truth"]
    assert (given / "report/index.html").read_bytes() == before


def test_closing_leaves_nothing_half_written(given):
    work = _evaluate(given)
    assert next(work).reason is None
    work.close()
    assert list(work) == [] and work.result is None
    assert sorted(os.listdir(given)) == ["predicted", "truth"]


def test_there_is_no_report_of_nothing(given):
    for picture in (given / "truth").iterdir():
        picture.write_bytes(b"no picture")
    work = _evaluate(given)
    assert len([outcome for outcome in work if outcome.reason]) == 3
    assert work.result.markdown is None
    assert work.result.comparison.pictures == []
    assert len(work.result.comparison.failures) == 3
    assert sorted(os.listdir(given)) == ["predicted", "truth"]


def test_what_is_wrong_is_said_before_any_work(given):
    for options, message in (
        ({"limit": 0}, "limit=0"),
        ({"geometry_size": 0}, "`geometry_size` must be at least 1"),
        ({"crops": True}, "`crops` needs `boxes`, and no `predictions`"),
        ({"boxes": "x", "geometry": "center_crop"}, "of whole pictures"),
        ({"by_class": True}, "class folder"),
        ({"models": ["none.keras"]}, "none.keras"),
        ({"lpips_weights": ["none.npz"]}, "none.npz"),
    ):
        with pytest.raises((OSError, ValueError), match=message):
            _evaluate(given, **options)
    assert sorted(os.listdir(given)) == ["predicted", "truth"]


def test_others_may_go_over_the_pictures(given):
    asked = []

    def make_passes(wanted, prepared, folder):
        asked.append((wanted.geometry, len(prepared.truth), folder))
        elsewhere = wanted.prepare()
        return compare.Passes(elsewhere.methods)

    result = _evaluate(given, make_passes=make_passes).finish()
    ((geometry, count, folder),) = asked
    assert (geometry, count) == ("original", 3)
    assert not os.path.exists(folder)
    assert len(result.comparison.pictures) == 3
