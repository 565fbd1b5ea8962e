"""Evaluations on a cluster, done in this process: inputs, and going on."""

import csv
import os
import pathlib
import shutil

import fsspec
import numpy as np
import pytest

from tests import drawn
from tests.cluster import in_process
from tests.inference import models
from tfcolor.boxes import box_folder
from tfcolor.boxes import picture_boxes
from tfcolor.cluster import engine
from tfcolor.cluster import evaluation
from tfcolor.cluster import evaluation_parts
from tfcolor.cluster import storage
from tfcolor.evaluation import perceptual
from tfcolor.evaluation.evaluate import Wanted
from tfcolor.evaluation.evaluate import evaluate
from tfcolor.evaluation.methods import list_truth

FIRST, SECOND = "first_pass", "second_pass"


class _MeanColor:
    """Three features a picture."""

    def __call__(self, rgb):
        return rgb.reshape(-1, 3).mean(axis=0, dtype=np.float32)

    distance = staticmethod(perceptual.efficientnet_distance)


@pytest.fixture(autouse=True)
def cluster(monkeypatch):
    monkeypatch.setattr(perceptual, "open_installed", _MeanColor)
    in_process.install(monkeypatch)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "plain.keras"
    return models.save(models.lightness_model(), path)


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Six pictures of two classes, boxes of one, predictions of all."""
    folder = tmp_path_factory.mktemp("album")
    for i in range(6):
        name, rgb = f"{'ab'[i % 2]}/{i}.png", drawn.colored(i, 24, 30 + i)
        drawn.write(folder / "truth" / name, rgb)
        drawn.write(folder / "predicted" / name, rgb[..., ::-1])
    path = str(folder / "boxes/a/2.png.npz")
    boxes = picture_boxes.make([[2, 2, 20, 20]])
    box_folder.write(path, boxes, height=24, width=32)
    return folder


@pytest.fixture
def given(album, tmp_path):
    """The album in a folder of its own."""
    return shutil.copytree(album, tmp_path / "given")


def _options(given, **options):
    return {
        "predictions": [f"{given}/predicted"],
        "boxes": f"{given}/boxes",
        "by_class": True,
        **options,
    }


def _run(given, truth=None, *, output="two", **options):
    return evaluation.evaluate_on_cluster(
        [truth or f"{given}/truth"],
        f"{given}/{output}",
        cluster=engine.LOCAL,
        **_options(given, **options),
    )


def _files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in pathlib.Path(folder).rglob("*.*")
    }


@pytest.fixture(scope="module")
def expected(album, tmp_path_factory):
    """The report of one machine."""
    report = tmp_path_factory.mktemp("expected") / "report"
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(perceptual, "open_installed", _MeanColor)
        evaluate([f"{album}/truth"], str(report), **_options(album)).finish()
    found = _files(report)
    assert {"metrics_in_boxes.csv", "by_class.csv"} < set(found)
    return found


def _interrupt(work, is_enough) -> None:
    """Ends a run as an error or Ctrl-C would, at a certain moment."""

    class _EnoughError(Exception):
        pass

    def on_picture(*told):
        if is_enough(*told):
            raise _EnoughError

    with pytest.raises(_EnoughError):
        work(on_picture=on_picture).finish()


def test_the_report_is_that_of_one_machine(given, expected):
    _run(given).finish()
    assert _files(given / "two") == expected
    assert sorted(os.listdir(given)) == ["boxes", "predicted", "truth", "two"]


@pytest.mark.slow
def test_a_manifest_is_as_the_folder_that_its_lines_are_in(given, expected):
    lines = [f"truth/{'ab'[i % 2]}/{i}.png" for i in (0, 2, 4, 1, 3, 5, 0)]
    (given / "m.txt").write_text("\n".join(lines))
    _run(given, f"@{given}/m.txt").finish()
    assert _files(given / "two") == expected


def test_lines_of_a_manifest_that_are_no_pictures_are_named(given):
    lines = ["truth/a/0.png", "truth/b/1.png", "truth/a/gone.png"]
    (given / "m.txt").write_text("\n".join(lines))
    found = {o.source: o for o in _run(given, f"@{given}/m.txt")}
    failed = [o for o in found.values() if o.reason]
    assert [(o.source, o.name) for o in failed] == [
        (f"{given}/truth/a/gone.png", "a/gone.png")
    ]
    assert len(found) == 3


@pytest.mark.slow
def test_pictures_of_a_store_are_as_those_of_a_folder(given, expected):
    store = "memory://pictures"
    try:
        for name, data in _files(given / "truth").items():
            storage.write(f"{store}/truth/{name}", data)
        storage.write(f"{store}/truth/a/zero.png", b"nothing")
        with pytest.raises(ValueError, match="come from a detector"):
            _run(given, f"{store}/truth")
        work = _run(given, f"{store}/truth", boxes=None)
        found = {o.name: o for o in work}
        assert len(found) == 7
        assert found["a/0.png"].source == f"{store}/truth/a/0.png"
        bad = found.pop("a/zero.png")
        assert bad.source == f"{store}/truth/a/zero.png"
        assert "not a picture" in bad.reason
        assert not [o.reason for o in found.values() if o.reason]
        rows = _files(given / "two")["metrics.csv"].decode().splitlines()
        assert rows == expected["metrics.csv"].decode().splitlines()
        # A manifest of some, in a store, too; of one that is not there.
        lines = [f"{store}/truth/{n}.png" for n in ("a/0", "b/1", "b/gone")]
        storage.write(f"{store}/m.txt", "\n".join(lines).encode())
        options = {"output": "three", "boxes": None}
        found = list(_run(given, f"@{store}/m.txt", **options))
        assert [(o.name, o.source) for o in found if o.reason] == [
            ("b/gone.png", f"{store}/truth/b/gone.png")
        ]
        few = _files(given / "three")["metrics.csv"].decode().splitlines()
        assert len(few) == 7
    finally:
        fsspec.filesystem("memory").rm("/pictures", recursive=True)


def test_what_was_ignored_of_a_picture_of_a_store_names_the_picture(
    given,
):
    path = drawn.write_animation(given / "gif/a.gif", 3)
    storage.write("memory://gif/a.gif", pathlib.Path(path).read_bytes())
    notes = []
    drawn.write(given / "predicted/a.png", drawn.colored(0))
    options = {"by_class": False, "boxes": None}
    options |= {"note": lambda *note: notes.append(note)}
    try:
        _run(given, "memory://gif", **options).finish()
    finally:
        fsspec.filesystem("memory").rm("/gif", recursive=True)
    assert [path for path, _ in notes] == ["memory://gif/a.gif"]
    assert "3 frames" in notes[0][1]


@pytest.mark.parametrize(
    "stopped_in", [pytest.param(FIRST, marks=pytest.mark.slow), SECOND]
)
def test_a_run_goes_on_where_it_was_ended(
    given, expected, monkeypatch, stopped_in
):
    measured = in_process.count_measured(monkeypatch)
    name = {FIRST: "pictures", SECOND: "mean ab"}[stopped_in]
    _interrupt(
        lambda **options: _run(given, **options),
        lambda what, done, total: (what, done) == (name, 3),
    )
    assert not (given / "two").exists()
    before, said = list(measured), []
    measured.clear()
    _run(given, say=said.append).finish()
    # Two pictures are a task: the third was done with the fourth.
    done = {FIRST: 4, SECOND: 10}[stopped_in]
    assert len(before) == done and len(measured) == 12 - done
    assert not set(before) & set(measured)
    assert _files(given / "two") == expected
    assert [line.split(" ")[:3] for line in said] == {
        FIRST: [["4", "of", "6"]],
        SECOND: [["6", "of", "6"], ["4", "of", "6"]],
    }[stopped_in]
    assert not list(given.glob(".*"))


def _stop_late(given, **options):
    """Ends a run near its end: four pictures were in the second pass."""
    _interrupt(
        lambda **more: _run(given, **options, **more),
        lambda what, done, total: (what, done) == ("mean ab", 3),
    )
    (place,) = given.glob(".tfcolor-evaluation-*")
    return place


@pytest.mark.slow
def test_a_picture_that_changed_is_measured_again(given, monkeypatch):
    _stop_late(given)
    drawn.write(given / "truth/a/2.png", drawn.colored(9, 24, 32))
    measured = in_process.count_measured(monkeypatch)
    _run(given).finish()
    assert [n for which, n in measured if which == FIRST] == ["a/2.png"]
    # Another mean of all, too.
    assert len([n for which, n in measured if which == SECOND]) == 6
    options = _options(given)
    evaluate([f"{given}/truth"], f"{given}/one", **options).finish()
    assert _files(given / "two") == _files(given / "one")


@pytest.mark.slow
def test_nothing_is_used_of_an_evaluation_with_other_options(
    given, monkeypatch
):
    _stop_late(given)
    measured, said = in_process.count_measured(monkeypatch), []
    _run(given, say=said.append, geometry="squash").finish()
    assert len(measured) == 12
    (line,) = said
    assert line.startswith("an earlier run into this report had other options")
    # That of the other one went with it.
    assert not list(given.glob(".*"))


def test_all_that_changes_numbers_has_a_fingerprint_of_its_own(given, model):
    shutil.copy(model, given / "mine.keras")

    def made(cpus=1, limit=None, **options):
        truth = list_truth(f"{given}/truth", limit=limit)
        options = {"models": [f"{given}/mine.keras"]} | options
        wanted = Wanted(
            truth=["any"], output="any", **_options(given, **options)
        )
        return evaluation_parts.fingerprint(wanted, truth, cpus=cpus)

    found = [
        *(made(), made(cpus=2), made(limit=5), made(saturation=0.5)),
        *(made(by_class=False), made(boxes=None), made(max_boxes=3)),
        *(made(models=["lite2_unet"]), made(models=["lite0_unet"])),
    ]
    assert made(overwrite=True) == made()
    drawn.write(given / "predicted/a/0.png", drawn.colored(7, 24, 30))
    found.append(made())
    os.utime(given / "boxes/a/2.png.npz", ns=(1, 1))
    found.append(made())
    models.save(models.plain_model(), given / "mine.keras")
    found.append(made())
    os.rename(given / "truth/a/0.png", given / "truth/a/1.png")
    found.append(made())
    assert len(set(found)) == len(found)


@pytest.mark.slow
def test_a_model_that_changed_measures_again(given, model, monkeypatch):
    shutil.copy(model, given / "mine.keras")
    options = {
        "models": [f"{given}/mine.keras"],
        "predictions": [],
        "boxes": None,
    }
    _stop_late(given, **options)
    # The same name, and of another content.
    models.save(models.plain_model(), given / "mine.keras")
    measured = in_process.count_measured(monkeypatch)
    _run(given, **options).finish()
    assert len(measured) == 12
    options = _options(given, **options)
    evaluate([f"{given}/truth"], f"{given}/one", **options).finish()
    assert _files(given / "two") == _files(given / "one")


@pytest.mark.slow
def test_what_is_damaged_is_measured_again(given, expected, monkeypatch):
    place = _stop_late(given)
    cut, bits, text, gone, *others = sorted(place.rglob("*.pass1.npz"))
    assert len(others) == 2
    data = cut.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    bits.write_bytes(data[:200] + b"\xff" * 8 + data[208:])
    np.savez(text, text=np.frombuffer(b'{"of": 1}', np.uint8))
    gone.unlink()
    measured = in_process.count_measured(monkeypatch)
    _run(given).finish()
    assert len([n for which, n in measured if which == FIRST]) == 4
    # Those that were not begun: the mean of all is the same.
    assert len([n for which, n in measured if which == SECOND]) == 2
    assert _files(given / "two") == expected


@pytest.mark.slow
def test_failures_are_tried_again_and_notes_are_told_again(given, monkeypatch):
    true = drawn.write_animation(given / "truth/a/c.gif", 2)
    predicted = drawn.write_animation(given / "predicted/a/c.gif", 3)
    (given / "truth/a/bad.png").write_bytes(b"nothing")
    _stop_late(given)
    measured, notes = in_process.count_measured(monkeypatch), []
    work = _run(given, note=lambda *note: notes.append(note))
    failed = [outcome.name for outcome in work if outcome.reason]
    assert failed == ["a/bad.png"]
    assert [n for which, n in measured if which == FIRST] == ["a/bad.png"]
    assert [path for path, _ in notes] == [true, predicted]
    assert len(work.result.comparison.pictures) == 7


def test_objects_that_are_replaced_are_measured_again(given, monkeypatch):
    for i in range(3):
        data = drawn.encode(drawn.colored(i))
        storage.write(f"memory://again/{i}.png", data)
        drawn.write(given / f"predicted/{i}.png", drawn.colored(i))
    options = {"by_class": False, "boxes": None, "truth": "memory://again"}
    try:
        _interrupt(
            lambda **more: _run(given, **options, **more),
            lambda what, done, total: (what, done) == ("mean ab", 1),
        )
        storage.write("memory://again/0.png", drawn.encode(drawn.colored(8)))
        measured = in_process.count_measured(monkeypatch)
        _run(given, **options).finish()
    finally:
        fsspec.filesystem("memory").rm("/again", recursive=True)
    assert [n for which, n in measured if which == FIRST] == ["0.png"]


def test_a_report_has_one_command_at_a_time(given):
    work = _run(given)
    next(work)
    with pytest.raises(OSError, match="another process is writing it"):
        _run(given).finish()
    work.finish()
    with open(given / "two/metrics.csv", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 6 * 3


def test_nothing_is_left_of_what_measured_nothing(given):
    for path in (given / "truth").rglob("*.png"):
        path.write_bytes(b"nothing")
    assert _run(given).finish().markdown is None
    assert sorted(os.listdir(given)) == ["boxes", "predicted", "truth"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"crops": True},
            "`cluster` compares .* Received: `crops`",
        ),
        ({"limit": 0}, "limit=0"),
        ({"truth": "@none.txt"}, "none.txt"),
        ({"truth": "none"}, "Received: 'none'"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(given, options, message):
    with pytest.raises((OSError, ValueError), match=message):
        _run(given, **options)
    assert sorted(os.listdir(given)) == ["boxes", "predicted", "truth"]


def test_a_report_in_a_store_is_refused(given):
    with pytest.raises(ValueError, match="A report must go to a folder"):
        evaluation.evaluate_on_cluster(
            [f"{given}/truth"], "memory://report", cluster=engine.LOCAL
        )
