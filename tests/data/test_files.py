import os

import pytest

from tfcolor.data import files


@pytest.fixture
def album(tmp_path, monkeypatch):
    for name in (
        "album/b.jpg",
        "album/A.PNG",
        "album/trip/c.TIFF",
        "album/trip/notes.txt",
        "album/.hidden.jpg",
        "album/.cache/d.jpg",
        "album/out/b.jpg",
        "odd[1].jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)


def test_list_pictures_searches_folders_without_hidden_files(album):
    assert files.list_pictures("album") == [
        "album/A.PNG",
        "album/b.jpg",
        "album/out/b.jpg",
        "album/trip/c.TIFF",
    ]


def test_list_pictures_gives_each_file_once(album):
    assert files.list_pictures("album/b.jpg", "album/*.jpg") == ["album/b.jpg"]
    assert len(files.list_pictures("album", os.path.abspath("album"))) == 4


def test_list_pictures_takes_an_existing_name_as_it_is(album):
    assert files.list_pictures("odd[1].jpg") == ["odd[1].jpg"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("album/trip/c.TIFF", ["c.TIFF"]),
        ("album", ["A.PNG", "b.jpg", "out/b.jpg", "trip/c.TIFF"]),
        ("album/", ["A.PNG", "b.jpg", "out/b.jpg", "trip/c.TIFF"]),
        ("album/*/*.*", ["out/b.jpg", "trip/c.TIFF"]),
        ("**/c.*", ["album/trip/c.TIFF"]),
    ],
)
def test_names_are_relative_to_what_was_searched(album, pattern, names):
    found = files.list_named_pictures(pattern)
    assert [name for _, name in found] == names


def test_the_output_folder_inside_an_input_is_left_out(album):
    for pattern in ("album", "album/**"):
        found = files.list_named_pictures(pattern, exclude="album/out/")
        assert "album/out/b.jpg" not in [path for path, _ in found]
        assert len(found) == 3


def test_exclude_does_not_touch_named_files_and_outer_folders(album):
    assert files.list_named_pictures("album/out/b.jpg", exclude="album/out")
    for folder in ("album/out", "album", "."):
        assert files.list_named_pictures("album/out", exclude=folder)


@pytest.mark.parametrize(
    "pattern", ["none.jpg", "album/trip/notes.txt", "album/*.bmp", ""]
)
def test_a_pattern_without_pictures_is_an_error(album, pattern):
    with pytest.raises(FileNotFoundError, match="Received") as error:
        files.list_pictures("album", pattern)
    assert repr(pattern) in str(error.value)
