import os

import pytest

from tfcolor.evaluation import report


def _write(folder, text):
    with open(os.path.join(folder, "index.html"), "w") as file:
        file.write(text)


def test_the_folder_appears_at_the_end_and_nothing_else_stays(tmp_path):
    target = tmp_path / "deep" / "report"
    with report.atomic_folder(str(target)) as folder:
        _write(folder, "new")
        assert not target.exists()
    assert (target / "index.html").read_text() == "new"
    assert os.listdir(target.parent) == ["report"]


def test_an_earlier_report_is_replaced_only_when_asked(tmp_path):
    target = tmp_path / "report"
    target.mkdir()
    _write(target, "old")
    with pytest.raises(FileExistsError, match="with `overwrite` only"):
        with report.atomic_folder(str(target)):
            pass
    with report.atomic_folder(str(target), overwrite=True) as folder:
        assert (target / "index.html").read_text() == "old"
        _write(folder, "new")
    assert (target / "index.html").read_text() == "new"
    assert os.listdir(tmp_path) == ["report"]


def test_an_error_leaves_the_earlier_report_as_it_was(tmp_path):
    target = tmp_path / "report"
    target.mkdir()
    _write(target, "old")
    with pytest.raises(KeyboardInterrupt):
        with report.atomic_folder(str(target), overwrite=True) as folder:
            _write(folder, "half")
            raise KeyboardInterrupt
    assert (target / "index.html").read_text() == "old"
    assert os.listdir(tmp_path) == ["report"]


def test_a_report_that_cannot_be_put_in_place_gives_the_old_one_back(
    tmp_path, monkeypatch
):
    target = tmp_path / "report"
    target.mkdir()
    _write(target, "old")
    rename = os.replace

    def failing(source, destination):
        if os.path.basename(source) == "new":
            raise OSError("disk on fire")
        rename(source, destination)

    with pytest.raises(OSError, match="on fire"):
        with report.atomic_folder(str(target), overwrite=True):
            monkeypatch.setattr(os, "replace", failing)
    assert (target / "index.html").read_text() == "old"


def test_a_folder_with_other_things_is_never_replaced(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="holds other things"):
        with report.atomic_folder(str(tmp_path), overwrite=True):
            pass
    assert (tmp_path / "photo.jpg").read_bytes() == b"precious"
    with pytest.raises(FileExistsError, match="holds other things"):
        report.check_folder(str(tmp_path / "photo.jpg"), overwrite=True)


def test_an_empty_folder_is_fine(tmp_path):
    with report.atomic_folder(str(tmp_path)) as folder:
        _write(folder, "new")
    assert os.listdir(tmp_path) == ["index.html"]
