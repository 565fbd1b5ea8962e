import os

import pytest

from tfcolor.inference import output_paths


@pytest.fixture
def album(tmp_path, monkeypatch):
    for name in ("in/a.jpg", "in/b.GIF", "in/trip/a.jpg", "other/a.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _outputs(inputs, output, **options):
    return [p.output for p in output_paths.plan(inputs, output, **options)]


@pytest.mark.parametrize("output", ["new.png", "there/new.TIFF", "in/c.jpg"])
def test_one_picture_may_become_a_file(album, output):
    assert _outputs(["in/a.jpg"], output) == [output]
    assert _outputs(["other/*.jpg"], output) == [output]


@pytest.mark.parametrize("output", ["new/", "other", "other/"])
def test_one_picture_may_go_into_a_folder(album, output):
    expected = os.path.join(output, "b.png")
    assert _outputs(["in/b.GIF"], output) == [expected]


def test_an_existing_folder_may_be_called_like_a_picture(album):
    (album / "odd.png").mkdir()
    assert _outputs(["in/a.jpg"], "odd.png") == ["odd.png/a.jpg"]


@pytest.mark.parametrize("output", ["new", "new/"])
def test_folders_keep_their_structure(album, output):
    (planned,) = {tuple(_outputs(["in"], output))}
    assert planned == ("new/a.jpg", "new/b.png", "new/trip/a.jpg")


def test_a_folder_with_one_picture_is_a_folder(album):
    assert _outputs(["other"], "new") == ["new/a.jpg"]


def test_names_are_relative_to_the_input_folder(album):
    planned = output_paths.plan(["in"], "new")
    assert [path.name for path in planned] == ["a.jpg", "b.GIF", "trip/a.jpg"]


def test_strips_lie_beside_their_pictures(album):
    (path,) = output_paths.plan(["other/a.jpg"], "x.y.png", compare=True)
    assert path.targets() == ["x.y.png", "x.y.compare.png"]


def test_what_exists_is_not_wanted_again(album):
    (path,) = output_paths.plan(["in/a.jpg"], "other", compare=True)
    missing = path.without_existing()
    assert missing.targets() == ["other/a.compare.jpg"]


@pytest.mark.parametrize("output", ["new.gif", "new", "new.txt"])
def test_one_picture_needs_a_clear_output(album, output):
    with pytest.raises(ValueError, match="ending in '/'. Received: output="):
        output_paths.plan(["in/a.jpg"], output)


@pytest.mark.parametrize("output", ["new.png", "other/a.jpg", "other/a.jpg/"])
def test_several_pictures_need_a_folder(album, output):
    with pytest.raises(ValueError, match="must be a folder"):
        output_paths.plan(["in"], output)


@pytest.mark.parametrize(
    ("inputs", "output"),
    [
        (["in"], "in"),
        (["in/a.jpg"], "in/"),
        (["in/a.jpg"], "in/../in/a.jpg"),
        (["in/trip/a.jpg", "in/a.jpg"], "in/trip"),
    ],
)
def test_a_source_is_never_replaced(album, inputs, output):
    with pytest.raises(ValueError, match="must not replace|file of its own"):
        output_paths.plan(inputs, output)


def test_a_source_is_not_replaced_through_a_link(album):
    (album / "link").symlink_to(album / "in")
    with pytest.raises(ValueError, match="must not replace"):
        output_paths.plan(["in/a.jpg"], "link/a.jpg")


def test_a_strip_does_not_replace_a_source_either(album):
    (album / "in/a.compare.jpg").touch()
    with pytest.raises(ValueError, match="file of its own|must not replace"):
        output_paths.plan(["in"], "new", compare=True)


@pytest.mark.parametrize(
    "inputs", [["in/a.jpg", "other/a.jpg"], ["in", "other/*.jpg"]]
)
def test_two_pictures_for_one_place_are_an_error(album, inputs):
    with pytest.raises(ValueError, match="file of its own") as error:
        output_paths.plan(inputs, "new/")
    assert "'in/a.jpg'" in str(error.value)
    assert "'other/a.jpg'" in str(error.value)


def test_a_gif_beside_a_png_has_a_name_of_its_own(album):
    (album / "in/b.png").touch()
    (album / "in/c.gif").touch()
    (album / "in/c.pgm").touch()
    assert _outputs(["in"], "new/", compare=True) == [
        "new/a.jpg",
        "new/b.GIF.png",
        "new/b.png",
        "new/c.gif.png",
        "new/c.pgm.png",
        "new/trip/a.jpg",
    ]


def test_jpegs_of_other_names_keep_them(album):
    (album / "in/d.jfif").touch()
    assert "new/d.jfif" in _outputs(["in"], "new")


def test_results_inside_the_input_folder_do_not_become_inputs(album):
    (album / "in/new").mkdir()
    (album / "in/new/a.jpg").touch()
    assert len(output_paths.plan(["in"], "in/new")) == 3


def test_inputs_must_exist(album):
    with pytest.raises(FileNotFoundError, match="'none.jpg'"):
        output_paths.plan(["none.jpg"], "new/")


def test_a_name_that_is_taken_too_gets_another_ending(album):
    for name in ("b.gif", "b.png", "b.gif.png"):
        (album / "in" / name).touch()
    (album / "in" / "b.GIF").unlink()
    found = dict(
        zip(
            ("b.gif", "b.gif.png", "b.png"),
            [o for o in _outputs(["in"], "new/") if "/b" in o],
            strict=True,
        )
    )
    assert found == {
        "b.gif": "new/b.gif.png.png",
        "b.gif.png": "new/b.gif.png",
        "b.png": "new/b.png",
    }
