import glob
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


@pytest.mark.parametrize("pattern", ["album", "album/**", "**/*.*", "**"])
def test_links_in_circles_end_and_each_file_counts_once(album, pattern):
    before = files.list_pictures(pattern)
    os.symlink(".", "album/loop")
    os.symlink("..", "album/trip/up")
    os.symlink("b.jpg", "album/same.jpg")
    said = []
    found = files.list_named_pictures(pattern, say=said.append)
    assert [path for path, _ in found] == before
    assert sum("link" in line for line in said) == 1
    assert "every file counts once" in said[0]


def test_links_to_elsewhere_are_followed_once(album, tmp_path):
    os.mkdir("elsewhere")
    open("elsewhere/x.jpg", "w").close()
    os.symlink(tmp_path / "elsewhere", "album/y")
    os.symlink(tmp_path / "elsewhere", "album/z")
    names = [name for _, name in files.list_named_pictures("album")]
    assert "y/x.jpg" in names
    assert "z/x.jpg" not in names


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("album/**/.*", "album/.hidden.jpg"),
        ("album/.cache/**", "album/.cache/d.jpg"),
        ("album/**/[bx].jpg", "album/b.jpg"),
        ("album/**/out/**/*.jpg", "album/out/b.jpg"),
        (".//album/**/c.*", "./album/trip/c.TIFF"),
    ],
)
def test_globs_match_as_those_of_python(album, pattern, name):
    found = files.list_pictures(pattern)
    expected = {
        os.path.normpath(path)
        for path in glob.glob(pattern, recursive=True)
        if os.path.isfile(path) and files.is_picture(path)
    }
    assert {os.path.normpath(path) for path in found} == expected
    assert os.path.normpath(name) in expected


def test_files_of_other_kinds_are_counted_in_one_line(album):
    for name in ("p.heic", "q.HEIC", "r.svg", "none", ".hidden.raw"):
        (open(f"album/{name}", "w")).close()
    said = []
    files.list_named_pictures("album", say=said.append)
    (line,) = said
    assert line.startswith("5 files were left out, of kinds that are not read")
    for kind in ("2 .heic", "1 .svg", "1 .txt", "1 without extension"):
        assert kind in line


@pytest.mark.parametrize(
    "extension", [".jfif", ".JPE", ".pgm", ".ppm", ".pbm", ".tga", ".dib"]
)
def test_further_names_of_pictures_are_known(extension):
    assert files.is_picture("a" + extension)


def test_a_missing_input_does_not_exist(album):
    with pytest.raises(FileNotFoundError, match="'none.jpg', which does not"):
        files.list_pictures("none.jpg")
    os.symlink("nowhere", "broken.jpg")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        files.list_pictures("broken.jpg")


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("Paris, 1920", ["Paris, 1920"]),
        ("album,Paris, 1920", ["album", "Paris, 1920"]),
        ("Paris, 1920 , album", ["Paris, 1920", "album"]),
        ("album, odd[1].jpg,,x*.png", ["album", "odd[1].jpg", "x*.png"]),
        (" , ", []),
        ("", []),
    ],
)
def test_a_path_with_a_comma_counts_as_it_is_if_it_exists(album, text, paths):
    os.mkdir("Paris, 1920")
    assert files.split_list(text) == paths


def test_names_that_are_not_utf_8_can_be_shown(album):
    name = os.fsdecode(b"b\xe9.jpg")
    assert files.shown_name(f"album/{name}") == r"album/b\xe9.jpg"
    assert files.shown_name("ü.jpg") == "ü.jpg"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a b.png", "a b.png"),
        ("ünï 日本\u3000🙂.png", "ünï 日本\u3000🙂.png"),
        ("a\nb\r.png", "a\\nb\\r.png"),
        ("\x1b[31m\x07.png", "\\x1b[31m\\x07.png"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("b\udce9.png", "b\\xe9.png"),
        ("c\ud800.png", "c\\xed\\xa0\\x80.png"),
        ("d\x9b\u2028.png", "d\\x9b\\u2028.png"),
    ],
)
def test_a_name_is_shown_as_one_line_that_moves_nothing(name, shown):
    assert files.shown_name(name) == shown


def test_a_reason_is_one_line_of_bounded_length():
    assert files.one_line(ValueError("a\n\nb\x1b")) == "a b\\x1b"
    assert files.one_line(ValueError()) == "ValueError"
    missing = FileNotFoundError(2, "No such file", "x")
    assert files.one_line(missing) == "[Errno 2] No such file: 'x'"
    assert files.one_line(missing, path=False) == "No such file"
    assert files.one_line(MemoryError(), try_less="smaller pictures") == (
        "Memory ran out. Try smaller pictures"
    )
    long = files.one_line(ValueError("a" * 10**6 + "z"))
    assert len(long) < 2100 and long.endswith("z")
