"""Films whose run was stopped, killed, or ended by an error."""

import os
import time

import pytest

from tests.inference.film import films
from tfcolor.inference.film import colorize
from tfcolor.inference.film import tracked_hints
from tfcolor.inference.film import video
from tfcolor.inference.hint_points import HintPoint


@pytest.mark.parametrize("frames_asked", [0, 3, 8, 9, 12, 16, 17])
def test_a_stop_at_any_frame_leaves_no_shortened_film(
    plain, tmp_path, monkeypatch, frames_asked
):
    monkeypatch.setattr(colorize, "_SEGMENT", 4)
    monkeypatch.setattr(colorize, "_MOST_WAITING", 6)
    source = films.write(tmp_path / "a.mkv", films.ramps(20))
    asked, target = iter(range(1000)), tmp_path / "out.mp4"
    stop = {"stop": lambda: next(asked) >= frames_asked}
    assert films.colorized(plain, source, target, **stop) is None
    assert not target.exists()
    assert films.colorized(plain, source, target) == []
    assert len(films.read(target)[0]) == 20
    assert sorted(os.listdir(tmp_path)) == ["a.mkv", "out.mp4"]


def test_a_resumed_film_stops_before_all_its_frames_are_read_again(
    plain, tmp_path, monkeypatch
):
    monkeypatch.setattr(colorize, "_SEGMENT", 4)
    monkeypatch.setattr(colorize, "_MOST_WAITING", 6)
    source = films.write(tmp_path / "a.mkv", films.ramps(20))
    asked, target = iter(range(10_000)), tmp_path / "out.mp4"
    stop = {"stop": lambda: next(asked) >= 16}
    assert films.colorized(plain, source, target, **stop) is None
    read = []

    class Slow(video.Video):
        def frames(self):
            for frame in super().frames():
                read.append(frame)
                time.sleep(0.2)
                yield frame

    monkeypatch.setattr(video, "Video", Slow)
    assert films.colorized(plain, source, target, stop=lambda: True) is None
    assert len(read) <= 2


@pytest.mark.parametrize("frames_asked", [0, 5, 12, 17])
def test_tracking_hints_can_be_stopped(plain, tmp_path, frames_asked):
    source = films.write(tmp_path / "a.mkv", films.ramps(10))
    hint = HintPoint(x=5, y=5, color="#ff0000", frame=3)
    asked = iter(range(1000))
    assert (
        tracked_hints.track(
            video.Video(source),
            [hint],
            32,
            stop=lambda: next(asked) >= frames_asked,
        )
        is None
    )
    stop = {"hints": [hint], "stop": lambda: True}
    assert films.colorized(plain, source, tmp_path / "out.mp4", **stop) is None


@pytest.mark.parametrize("where", ["frames", "network_ab", "finish"])
def test_an_error_of_any_thread_ends_the_run_and_the_next_goes_on(
    plain, tmp_path, monkeypatch, where
):
    monkeypatch.setattr(colorize, "_SEGMENT", 4)
    monkeypatch.setattr(colorize, "_MOST_WAITING", 6)
    source, target = films.write(tmp_path / "a.mkv", films.ramps(20)), "out.mp4"
    target = tmp_path / target

    class Broken(video.Video):
        def frames(self):
            for number, frame in enumerate(super().frames()):
                if number == 9:
                    raise MemoryError("no memory")
                yield frame

    calls = iter(range(1000))

    def broken(function, after):
        def call(*args, **kwargs):
            if next(calls) >= after:
                raise MemoryError("no memory")
            return function(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        if where == "frames":
            patch.setattr(video, "Video", Broken)
        else:
            after = 2 if where == "network_ab" else 9
            patch.setattr(plain, where, broken(getattr(plain, where), after))
        with pytest.raises(MemoryError):
            films.colorized(plain, source, target)
    assert not target.exists()
    assert films.colorized(plain, source, target) == []
    assert len(films.read(target)[0]) == 20


def test_a_run_killed_while_it_cleared_up_leaves_nothing_to_trip_over(
    plain, tmp_path, monkeypatch
):
    monkeypatch.setattr(colorize, "_SEGMENT", 4)
    monkeypatch.setattr(colorize, "_MOST_WAITING", 6)
    source = films.write(tmp_path / "a.mkv", films.ramps(20))
    target = tmp_path / "out.mp4"

    def half(folder, **_):
        names = sorted(os.listdir(folder))
        for name in [n for n in names if n.startswith("segment")][2:]:
            os.remove(os.path.join(folder, name))

    with monkeypatch.context() as patch:
        patch.setattr(colorize.shutil, "rmtree", half)
        films.colorized(plain, source, target)
    target.unlink()
    assert films.colorized(plain, source, target) == []
    assert len(films.read(target)[0]) == 20


def test_a_hint_out_of_the_film_leaves_no_folder_behind(plain, tmp_path):
    source = films.write(tmp_path / "a.mkv", films.ramps(5))
    hint = HintPoint(x=500, y=1, color="#ff0000")
    with pytest.raises(ValueError, match="must lie in"):
        films.colorized(plain, source, tmp_path / "out.mp4", hints=[hint])
    assert os.listdir(tmp_path) == ["a.mkv"]
