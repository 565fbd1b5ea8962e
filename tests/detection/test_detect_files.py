import pytest

from tests.detection import squares
from tests.detection import tiny_detectors
from tfcolor.detection import detect_files
from tfcolor.detection import detector


@pytest.fixture(scope="module")
def finder(tmp_path_factory):
    path = tmp_path_factory.mktemp("detector") / "saved_model"
    tiny_detectors.model_garden(path, batch_size=None)
    return detector.Detector(str(path))


def _write(tmp_path, count):
    """Writes pictures of two sizes, taking turns; returns path: box."""
    wanted = {}
    for i in range(count):
        box = [2 + i, 5, 20 + i, 30 + i]
        rgb = squares.picture(*((40, 60) if i % 2 else (60, 40)), box)
        wanted[squares.write(tmp_path / f"{i}.png", rgb)] = box
    return wanted


def _found(results):
    return {r.path: r.found.boxes[0].tolist() for r in results}


def test_pictures_of_one_size_go_through_together(
    tmp_path, finder, monkeypatch
):
    wanted = _write(tmp_path, 7)
    batches = []
    detect_batch = finder.detect_batch

    def noted(pictures):
        batches.append(len(pictures))
        return detect_batch(pictures)

    monkeypatch.setattr(finder, "detect_batch", noted)
    results = list(detect_files.detect_files(finder, wanted, batch_size=2))
    assert _found(results) == wanted and len(results) == 7
    assert sorted(batches) == [1, 2, 2, 2]


def test_few_pictures_wait_at_a_time(tmp_path, finder, monkeypatch):
    wanted = _write(tmp_path, 6)
    monkeypatch.setattr(detect_files, "_WAITING_PIXELS", 3 * 40 * 60)
    results = detect_files.detect_files(finder, wanted, batch_size=100)
    assert next(results).found is not None
    assert len(_found(results)) == 5


def test_bad_files_are_named_and_the_others_done(tmp_path, finder):
    wanted = _write(tmp_path, 3)
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    (tmp_path / "empty.jpg").touch()
    bad = [str(tmp_path / name) for name in ("bad.jpg", "empty.jpg", "no.jpg")]
    results = list(
        detect_files.detect_files(finder, [*bad, *wanted], batch_size=2)
    )
    reasons = {r.path: r.reason for r in results if r.reason}
    assert list(reasons) == bad and all(reasons.values())
    assert _found([r for r in results if not r.reason]) == wanted


def test_a_picture_the_detector_fails_at_is_named_alone(
    tmp_path, finder, monkeypatch
):
    wanted = _write(tmp_path, 5)
    detect_batch = finder.detect_batch
    # The only one whose bright rectangle starts in row 4.
    bad = list(wanted)[2]

    def fails_at_one(pictures):
        if any(rgb[4].max() > 200 > rgb[3].max() for rgb in pictures):
            raise RuntimeError("no room\nleft")
        return detect_batch(pictures)

    monkeypatch.setattr(finder, "detect_batch", fails_at_one)
    results = list(detect_files.detect_files(finder, wanted, batch_size=3))
    failed = [r for r in results if r.reason]
    assert [(r.path, r.reason) for r in failed] == [(bad, "no room left")]
    assert len(results) == 5
