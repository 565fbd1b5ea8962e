import os
import pathlib

import pytest

from tests import class_albums
from tfcolor.data import class_folders
from tfcolor.data.drop_log import DropLog


def _scan(folder):
    log = DropLog()
    return class_folders.scan(str(folder), log), log


def _names(folders):
    return {
        label: [os.path.basename(path) for path in paths]
        for label, paths in folders.paths.items()
    }


def test_labels_are_the_names_of_folders_in_alphabetical_order(tmp_path):
    class_albums.write(tmp_path, 2, classes=("striped", "bright"))
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "notes.txt").write_text("no class")
    folders, log = _scan(tmp_path)
    assert list(folders.paths) == ["bright", "striped"]
    assert _names(folders)["bright"] == ["000.png", "001.png"]
    assert len(folders) == 4 and not log.summary()


def test_what_is_no_picture_is_left_out_and_named(tmp_path):
    class_albums.write(tmp_path, 2)
    (tmp_path / "dark/broken.jpg").write_bytes(b"no picture")
    (tmp_path / "dark/empty.png").write_bytes(b"")
    folders, log = _scan(tmp_path)
    assert len(folders) == 6
    assert "broken.jpg (not a picture)" in log.summary()
    assert "empty.png (not a picture)" in log.summary()


def test_all_broken_classes_are_named_at_once(tmp_path):
    class_albums.write(tmp_path, 3, classes=("bright",))
    class_albums.write(tmp_path, 1, classes=("dark",))
    (tmp_path / "striped").mkdir()
    (tmp_path / "striped/only.jpg").write_bytes(b"no picture")
    folders, _ = _scan(tmp_path)
    with pytest.raises(ValueError, match="at least 2 readable") as error:
        class_folders.check_training(folders)
    assert "dark' with 1, " in str(error.value)
    assert str(error.value).endswith("striped' with none")
    assert "bright" not in str(error.value).split("Received")[1]


def test_a_folder_without_class_folders_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*missing"):
        _scan(tmp_path / "missing")
    (tmp_path / "one").mkdir()
    with pytest.raises(ValueError, match="at least two class folders"):
        _scan(tmp_path)


def test_a_class_whose_name_is_no_text_is_refused(tmp_path):
    class_albums.write(tmp_path, 2)
    os.mkdir(os.path.join(os.fsencode(tmp_path), b"caf\xe9"))
    with pytest.raises(ValueError, match=r"must be UTF-8. Received: caf\\xe9"):
        _scan(tmp_path)


def test_parts_are_found_by_their_usual_names(tmp_path):
    assert class_folders.find_parts(str(tmp_path)) == {"train": str(tmp_path)}
    for name in ("training", "validation", "test"):
        (tmp_path / name).mkdir()
    found = class_folders.find_parts(str(tmp_path))
    assert {part: pathlib.Path(p).name for part, p in found.items()} == {
        "train": "training",
        "val": "validation",
        "test": "test",
    }


def test_a_split_is_complete_and_moves_nothing_when_pictures_come(tmp_path):
    class_albums.write(tmp_path, 40)
    shares = {"val": 0.2, "test": 0.3}
    first = class_folders.split(_scan(tmp_path)[0], shares=shares)
    class_albums.write(tmp_path, 40, start=40)
    second = class_folders.split(_scan(tmp_path)[0], shares=shares)
    assert sum(map(len, first.values())) == 120
    assert 10 < len(first["val"]) < 40 < len(first["train"])
    for part, folders in first.items():
        for label, paths in folders.paths.items():
            assert set(paths) <= set(second[part].paths[label])


def test_taking_few_pictures_takes_a_part_of_many(tmp_path):
    class_albums.write(tmp_path, 12, classes=("bright", "dark"))
    class_albums.write(tmp_path, 3, classes=("striped",))
    folders, _ = _scan(tmp_path)

    def take(count, seed):
        return class_folders.take(folders, count, seed=seed).paths

    few, many = take(4, 0), take(8, 0)
    assert [len(paths) for paths in few.values()] == [4, 4, 3]
    for label, paths in few.items():
        assert set(paths) <= set(many[label])
    assert take(4, 0) == few and take(4, 1) != few


def test_other_parts_must_be_of_the_trained_classes(tmp_path):
    class_albums.write(tmp_path, 2, classes=("bright", "dark"))
    folders, _ = _scan(tmp_path)
    known = ("bright", "dark", "striped")
    assert class_folders.check_other(folders, known, "val") == (
        "no pictures of striped"
    )
    assert class_folders.check_other(folders, known[:2], "val") == ""
    with pytest.raises(ValueError, match=r"with \['dark'\], which are not"):
        class_folders.check_other(folders, ("bright", "striped"), "val")
    empty = folders.replace({"bright": [], "dark": []})
    with pytest.raises(ValueError, match="`test_share`. Received: none for"):
        class_folders.check_other(empty, known, "test")


def test_few_pictures_are_spread_over_the_parts(tmp_path):
    class_albums.write(tmp_path, 6)
    said = []
    parts = class_folders.split(
        _scan(tmp_path)[0],
        shares={"val": 0.001, "test": 0.001},
        say=said.append,
    )
    for part in ("val", "test"):
        # One of each class.
        assert [len(p) for p in parts[part].paths.values()] == [1, 1, 1]
    assert len(parts["train"]) == 12
    assert len(said) == 2 and "few pictures: 3 of 18 are in" in said[0]
    assert "`validation_share`" in said[0] and "`test_images`" in said[1]
    again = class_folders.split(
        _scan(tmp_path)[0], shares={"val": 0.001, "test": 0.001}
    )
    assert again == parts


def test_classes_that_can_spare_no_picture_keep_theirs(tmp_path):
    class_albums.write(tmp_path, 2)
    parts = class_folders.split(_scan(tmp_path)[0], shares={"val": 0.001})
    assert len(parts["train"]) == 6 and len(parts["val"]) == 0
