import json
import os
import pathlib
from fractions import Fraction

import numpy as np
import pytest

from tests import drawn
from tests.inference import models
from tests.inference.film import films
from tfcolor import Colorizer
from tfcolor import colorize_album
from tfcolor.cli import main
from tfcolor.color import lab
from tfcolor.inference.film import colorize
from tfcolor.inference.film import video
from tfcolor.inference.hint_points import HintPoint
from tfcolor.models.eccv16 import eccv16

PLAIN = (20.0, -15.0)
# x264 decides otherwise in one film of some hundred beside busy threads, from
# equal frames: where films are compared, nothing is lost.
LOSSLESS = {"crf": 0}


@pytest.fixture(scope="module")
def plain():
    return Colorizer(models.plain_model(PLAIN), image_size=32, batch_size=4)


@pytest.fixture(scope="module")
def by_lightness():
    return Colorizer(models.lightness_model(), image_size=32, batch_size=4)


def _film(colorizer, source, target, hints=(), stop=lambda: False, **options):
    return films.colorized(
        colorizer,
        source,
        target,
        options=colorize.FilmOptions(**options),
        hints=hints,
        stop=stop,
    )


def _lab(rgb):
    return lab.bytes_to_lab(rgb).numpy()


@pytest.mark.parametrize("extension", ["mp4", "mkv", "mov"])
def test_a_film_keeps_frames_times_lightness_and_sound(
    plain, tmp_path, extension
):
    # A rate that varies.
    times = [*range(0, 10), *range(10, 40, 3)]
    source = films.write(
        tmp_path / "a.mkv",
        films.ramps(20),
        times=[40 * t for t in times],
        time_base=Fraction(1, 1000),
        audio=True,
    )
    before = pathlib.Path(source).read_bytes()
    target = tmp_path / f"b.{extension}"
    assert _film(plain, source, target, crf=4) == []
    frames, seconds = films.read(target)
    truths, expected = films.read(source)
    np.testing.assert_allclose(seconds, expected, atol=1e-3)
    for rgb, truth in zip(frames, truths, strict=True):
        change = _lab(rgb) - _lab(truth)
        assert abs(change[..., 0]).mean() < 1.5
        np.testing.assert_allclose(
            change[..., 1:].mean(axis=(0, 1)), PLAIN, atol=3
        )
    assert films.packets(target, "audio") == films.packets(source, "audio")
    assert pathlib.Path(source).read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == sorted(["a.mkv", target.name])


def test_a_film_that_was_stopped_goes_on_and_is_the_same(
    by_lightness, tmp_path, monkeypatch
):
    monkeypatch.setattr(colorize, "_SEGMENT", 8)
    monkeypatch.setattr(colorize, "_MOST_WAITING", 6)
    frames = films.ramps(40)
    frames[25:] = films.ramps(15, base=7)
    source = films.write(tmp_path / "a.mkv", frames)
    _film(by_lightness, source, tmp_path / "whole.mp4", **LOSSLESS)
    asked, target = iter(range(1000)), tmp_path / "b.mp4"
    stop = {"stop": lambda: next(asked) > 30}
    assert _film(by_lightness, source, target, **LOSSLESS, **stop) is None
    (work,) = [n for n in os.listdir(tmp_path) if n.startswith(".b.mp4")]
    kept = [n for n in os.listdir(tmp_path / work) if n.endswith(".npz")]
    assert kept and not target.exists()
    seen = []
    network_ab = by_lightness.network_ab
    monkeypatch.setattr(
        by_lightness,
        "network_ab",
        lambda rgb, **more: seen.append(len(rgb)) or network_ab(rgb, **more),
    )
    assert _film(by_lightness, source, target, **LOSSLESS) == []
    # What was whole was not done again.
    assert sum(seen) <= 40 - 8 * len(kept)
    for one, other in zip(
        films.read(target)[0],
        films.read(tmp_path / "whole.mp4")[0],
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    assert not [n for n in os.listdir(tmp_path) if n.startswith(".")]


def test_other_options_begin_anew(by_lightness, tmp_path, monkeypatch):
    monkeypatch.setattr(colorize, "_SEGMENT", 4)
    source = films.write(tmp_path / "a.mkv", films.ramps(20))
    asked, target = iter(range(1000)), tmp_path / "b.mp4"
    stop = {"stop": lambda: next(asked) > 14}
    assert (
        _film(by_lightness, source, target, smoothing=0, **LOSSLESS, **stop)
        is None
    )
    assert _film(by_lightness, source, target, smoothing=0.5, **LOSSLESS) == []
    _film(by_lightness, source, tmp_path / "c.mp4", smoothing=0.5, **LOSSLESS)
    np.testing.assert_array_equal(
        films.read(target)[0], films.read(tmp_path / "c.mp4")[0]
    )


def test_ten_bits_an_aspect_and_odd_sizes_are_kept(plain, tmp_path):
    frames = films.ramps(4, height=48, width=66)
    source = films.write(
        tmp_path / "a.mkv",
        frames,
        pix_fmt="yuv420p10le",
        aspect=Fraction(4, 3),
    )
    _film(plain, source, tmp_path / "b.mp4")
    info = video.Video(str(tmp_path / "b.mp4")).info
    assert (info.bits, info.pixel_aspect) == (10, Fraction(4, 3))
    assert (info.width, info.height) == (66, 48)
    odd = films.write(
        tmp_path / "c.mkv",
        [f[:41, :61] for f in frames],
        codec="ffv1",
        pix_fmt="bgr0",
    )
    _film(plain, odd, tmp_path / "d.mkv")
    info = video.Video(str(tmp_path / "d.mkv")).info
    assert (info.width, info.height) == (61, 41)


@pytest.mark.parametrize("pix_fmt", ["gray", "gray10le", "gray16le"])
def test_monochrome_video_of_limited_range_is_stretched(tmp_path, pix_fmt):
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    frame = np.ascontiguousarray(np.broadcast_to(ramp[:, None], (48, 64, 3)))
    limited = np.round(16 + frame * (219 / 255)).astype(np.uint8)
    for pixels, color_range in ((limited, 1), (frame, 2)):
        path = films.write(
            tmp_path / f"{color_range}.mkv",
            [pixels],
            codec="ffv1",
            pix_fmt=pix_fmt,
            color_range=color_range,
        )
        (found,), _ = films.read(path)
        if found.dtype == np.uint16:
            found = found / 257
        np.testing.assert_allclose(found, frame, atol=2)


def test_a_film_that_is_turned_comes_out_upright(plain, tmp_path):
    frames = films.ramps(3)
    source = films.write(tmp_path / "a.mp4", frames, rotation=90)
    info = video.Video(source).info
    assert (info.width, info.height) == (48, 64)
    _film(plain, source, tmp_path / "b.mp4", crf=2)
    (first, *_), _ = films.read(tmp_path / "b.mp4")
    turned = [np.rot90(frames[0]), np.rot90(frames[0], -1)]
    distances = [
        abs(_lab(first)[..., 0] - _lab(np.ascontiguousarray(t))[..., 0]).mean()
        for t in turned
    ]
    (upright, *_), _ = films.read(source)
    assert min(distances) < 3
    assert abs(_lab(first)[..., 0] - _lab(upright)[..., 0]).mean() < 1.5


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_frames_come_as_the_display_matrix_shows_them(
    tmp_path, turns, mirrored
):
    (frame,) = films.ramps(1)
    path = films.write(
        tmp_path / "a.mp4", [frame], rotation=90 * turns, mirrored=mirrored
    )
    (found,), _ = films.read(path)
    upright = np.rot90(frame, turns)
    if mirrored:
        upright = upright[:, ::-1]
    assert found.shape == upright.shape
    assert abs(found.astype(int) - upright).mean() < 3


def test_a_broken_tail_keeps_what_was_colored(plain, tmp_path):
    source = films.write(tmp_path / "a.mkv", films.ramps(60))
    data = pathlib.Path(source).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) * 2 // 3])
    notes = _film(plain, tmp_path / "cut.mkv", tmp_path / "b.mp4")
    frames, _ = films.read(tmp_path / "b.mp4")
    assert 20 < len(frames) < 60
    assert any("cannot be read" in note or "broken" in note for note in notes)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "not a film"), (b"nothing " * 99, "not a film"), (None, "no video")],
)
def test_what_is_no_film_is_said_in_one_sentence(
    plain, tmp_path, content, said
):
    path = tmp_path / "a.mp4"
    if content is None:
        with films.av.open(str(path), "w") as container:
            sound = container.add_stream("aac", rate=16000)
            films._tone(container, sound, 1)
    else:
        path.write_bytes(content)
    (outcome,) = colorize_album(
        [str(path)], str(tmp_path / "b.mp4"), make_colorizer=lambda: plain
    )
    assert said in outcome.reason and "\n" not in outcome.reason
    assert os.listdir(tmp_path) == ["a.mp4"]


def test_clips_and_pictures_of_a_folder_are_colored(plain, tmp_path):
    album = tmp_path / "album"
    drawn.write_album(album, 1)
    films.write(album / "x.mp4", films.ramps(3))
    films.write(album / "y.avi", films.ramps(3), codec="mpeg4")
    seen = []
    outcomes = list(
        colorize_album(
            [str(album)],
            str(tmp_path / "out"),
            make_colorizer=lambda: plain,
            on_frame=lambda *frame: seen.append(frame),
        )
    )
    assert [o.reason for o in outcomes] == [None] * 3
    assert sorted(os.listdir(tmp_path / "out")) == ["000.png", "x.mp4", "y.mkv"]
    assert seen[-1][1:] == (3, 3)


def test_a_hint_goes_along_with_what_it_lies_on(tmp_path):
    colorizer = Colorizer(models.plain_model((0.0, 0.0)), image_size=64)
    frames = films.ramps(12, height=64, speed=3)
    frames[8:] = [255 - f for f in films.ramps(4, height=64, base=5)]
    source = films.write(tmp_path / "a.mkv", frames)
    hint = HintPoint(x=30, y=32, color="#ff2010", radius=4, frame=4)
    _film(colorizer, source, tmp_path / "b.mkv", hints=[hint], crf=2)
    colored, _ = films.read(tmp_path / "b.mkv")
    for t in (2, 4, 6):
        a = _lab(colored[t])[28:36, :, 1].mean(axis=0)
        # The picture moves 3 pixels to the left a frame.
        assert abs(int(a.argmax()) - (30 - 3 * (t - 4))) <= 4
        assert a.max() > 10
    # Not over the cut.
    assert abs(_lab(colored[9])[..., 1]).max() < 8


def test_a_hint_must_name_a_frame_and_lie_in_it(plain, tmp_path):
    source = films.write(tmp_path / "a.mkv", films.ramps(5))
    for place, said in (
        ({"x": 500}, "must lie in its picture"),
        ({"frame": 5}, "which has 5. Received: frame=5"),
    ):
        hint = HintPoint(**{"x": 1, "y": 1, "color": "#ff0000"} | place)
        with pytest.raises(ValueError, match=said):
            _film(plain, source, tmp_path / "b.mp4", hints=[hint])
        assert os.listdir(tmp_path) == ["a.mkv"]


def test_only_films_have_frames(plain, tmp_path):
    picture = drawn.write(tmp_path / "a.png", drawn.grey(0))
    hints = tmp_path / "hints.json"
    point = {"x": 1, "y": 1, "color": "#ff0000", "frame": 3}
    hints.write_text(json.dumps({"points": [point]}))
    with pytest.raises(ValueError, match="Only points of a film.*frame=3"):
        colorize_album(
            [picture],
            str(tmp_path / "b.png"),
            make_colorizer=lambda: plain,
            hints=str(hints),
        )


@pytest.mark.parametrize(
    "option", [{"smoothing": 1.5}, {"crf": 60}, {"key_frames": 0}]
)
def test_options_out_of_range_are_named(option):
    (name,) = option
    with pytest.raises(ValueError, match=f"`{name}` must"):
        colorize.FilmOptions(**option)


def test_color_films_can_be_left_out(plain, tmp_path):
    colored = [drawn.colored(t, 48, 64) for t in range(4)]
    films.write(tmp_path / "color.mkv", colored)
    films.write(tmp_path / "grey.mkv", films.ramps(4))
    outcomes = colorize_album(
        [str(tmp_path)],
        str(tmp_path / "out/"),
        make_colorizer=lambda: plain,
        skip_color=True,
    )
    assert [bool(o.skipped) for o in outcomes] == [True, False]


def test_color_films_that_are_colored_anew_are_said(plain, tmp_path):
    colored = [drawn.colored(t, 48, 64) for t in range(4)]
    films.write(tmp_path / "color.mkv", colored)
    films.write(tmp_path / "grey.mkv", films.ramps(4))
    outcomes = colorize_album(
        [str(tmp_path)], str(tmp_path / "out/"), make_colorizer=lambda: plain
    )
    notes = [outcome.notes for outcome in outcomes]
    assert ["got new colors" in " ".join(said) for said in notes] == [
        True,
        False,
    ]


def test_the_command_counts_films_by_themselves(tmp_path, capsys):
    model = models.save(models.plain_model(PLAIN), tmp_path / "m.keras")
    films.write(tmp_path / "album/x.mp4", films.ramps(3))
    drawn.write_album(tmp_path / "album", 2)
    output = tmp_path / "out/"
    status = main.run(
        [
            *("colorize", str(tmp_path / "album"), f"--output={output}/"),
            *(f"--model={model}", "--crf=20", "--smoothing=0.5"),
        ]
    )
    assert status == 0
    assert "Colorized 2 pictures and 1 film into" in capsys.readouterr().out


@pytest.mark.slow
def test_a_published_network_colors_films_and_refuses_hints(tmp_path):
    network = eccv16(width=1 / 32)
    colorizer = Colorizer(network, image_size=32)
    source = films.write(tmp_path / "a.mkv", films.ramps(4))
    assert _film(colorizer, source, tmp_path / "b.mp4") == []
    assert len(films.read(tmp_path / "b.mp4")[0]) == 4
    hint = HintPoint(x=1, y=1, color="#ff0000")
    with pytest.raises(ValueError, match="need a model that takes them"):
        _film(colorizer, source, tmp_path / "c.mp4", hints=[hint])
