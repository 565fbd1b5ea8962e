import os

import pytest

from tests import drawn
from tests.inference import models
from tests.inference.film import films
from tfcolor import Colorizer
from tfcolor.data import outcome as outcome_lib
from tfcolor.inference import album


@pytest.fixture(scope="module")
def colorizer():
    return Colorizer(models.plain_model(), image_size=16, batch_size=2)


def _never():
    raise AssertionError("there is nothing to be done")


def test_every_picture_of_an_album_has_one_outcome(colorizer, tmp_path):
    folder = tmp_path / "in"
    drawn.write_album(folder, 3)
    (folder / "bad.png").write_bytes(b"no picture")
    out = str(tmp_path / "out")
    outcomes = album.colorize_album(
        [str(folder)], out, make_colorizer=lambda: colorizer, compare=True
    )
    assert len(outcomes) == 4
    good, bad = [], []
    for outcome in outcomes:
        (bad if outcome.reason else good).append(outcome)
    assert [os.path.basename(o.source) for o in bad] == ["bad.png"]
    assert "not a picture" in bad[0].reason and bad[0].written == ()
    written = sorted(path for o in good for path in o.written)
    assert written == sorted(os.path.join(out, n) for n in os.listdir(out))
    assert len(written) == 6


def test_what_is_there_already_is_said_and_nothing_loaded(colorizer, tmp_path):
    folder, out = (
        drawn.write_album(tmp_path / "in", 2),
        f"{tmp_path}/out",
    )
    first = album.colorize_album(
        [folder], out, make_colorizer=lambda: colorizer
    )
    assert [o.skipped for o in first] == [None, None]
    again = album.colorize_album([folder], out, make_colorizer=_never)
    assert [o.skipped for o in again] == [outcome_lib.THERE_ALREADY] * 2
    os.remove(f"{out}/000.png")
    one = list(
        album.colorize_album([folder], out, make_colorizer=lambda: colorizer)
    )
    assert [o.skipped for o in one] == [outcome_lib.THERE_ALREADY, None]
    assert one[1].written == (f"{out}/000.png",)


def test_what_is_wrong_is_said_before_the_first_picture(tmp_path):
    folder = drawn.write_album(tmp_path / "in", 1)
    for inputs, options, message in (
        (["nothing/*.png"], {}, "nothing"),
        ([folder], {"show_boxes": True}, "`show_boxes` needs `boxes`"),
        ([folder], {"hints": str(tmp_path / "none.json")}, "none.json"),
    ):
        with pytest.raises((OSError, ValueError), match=message):
            album.colorize_album(
                inputs, f"{tmp_path}/out", make_colorizer=_never, **options
            )


def test_boxes_need_a_model_that_takes_them(tmp_path):
    alone = Colorizer(models.alone_model(), image_size=16)
    folder = drawn.write_album(tmp_path / "in", 1)
    with pytest.raises(ValueError, match="takes boxes. Received: boxes='x'"):
        album.colorize_album(
            [folder],
            f"{tmp_path}/out",
            make_colorizer=lambda: alone,
            boxes="x",
        )


def test_closing_ends_the_work_and_leaves_whole_files(colorizer, tmp_path):
    folder = drawn.write_album(tmp_path / "in", 12)
    out = f"{tmp_path}/out"
    outcomes = album.colorize_album(
        [folder], out, make_colorizer=lambda: colorizer
    )
    assert next(outcomes).reason is None
    outcomes.close()
    assert list(outcomes) == []
    found = os.listdir(out)
    assert 1 <= len(found) < 12
    assert all(name.endswith(".png") for name in found)


def test_who_stops_an_album_keeps_what_was_colored(colorizer, tmp_path):
    folder, out = drawn.write_album(tmp_path / "in", 9), f"{tmp_path}/out"
    seen = []
    for outcome in album.colorize_album(
        [folder],
        out,
        make_colorizer=lambda: colorizer,
        stop=lambda: len(seen) >= 1,
    ):
        seen.append(outcome)
    assert 1 <= len(seen) < 9
    written = [path for outcome in seen for path in outcome.written]
    assert written == [os.path.join(out, n) for n in sorted(os.listdir(out))]
    again = list(
        album.colorize_album([folder], out, make_colorizer=lambda: colorizer)
    )
    skipped = [o for o in again if o.skipped == outcome_lib.THERE_ALREADY]
    assert len(skipped) == len(seen) and len(os.listdir(out)) == 9


def test_an_album_that_is_stopped_begins_no_film(colorizer, tmp_path):
    folder = drawn.write_album(tmp_path / "in", 2)
    films.write(tmp_path / "in/clip.mp4", [films.ramp(t) for t in range(3)])
    seen = []
    for outcome in album.colorize_album(
        [folder],
        f"{tmp_path}/out",
        make_colorizer=lambda: colorizer,
        stop=lambda: len(seen) >= 2,
    ):
        seen.append(outcome)
    assert [os.path.basename(o.source) for o in seen] == ["000.png", "001.png"]
    assert sorted(os.listdir(tmp_path / "out")) == ["000.png", "001.png"]
