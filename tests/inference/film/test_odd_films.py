"""Films as they are found: other containers, streams, times and ends."""

import collections
import os
import pathlib
import types
from fractions import Fraction

import numpy as np
import pytest

from tests import drawn
from tests.inference.film import films
from tfcolor.inference import output_paths
from tfcolor.inference.film import colorize
from tfcolor.inference.film import joining
from tfcolor.inference.film import video

SRT = "1\n00:00:00,100 --> 00:00:00,300\nGood day\n\n"


def _streams(path):
    with films.av.open(str(path)) as container:
        return [stream.type for stream in container.streams]


def _remux(target, *sources):
    """Puts the streams of files into one, as they are."""
    av = films.av
    with av.open(str(target), "w") as new:
        opened = [av.open(str(path)) for path in sources]
        places = [
            {s.index: new.add_stream_from_template(s) for s in old.streams}
            for old in opened
        ]
        for old, streams in zip(opened, places, strict=True):
            for packet in old.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    new.mux(packet)
            old.close()
    return str(target)


@pytest.fixture
def subtitled(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    # MP4 says in what order packets are decoded; Matroska does not.
    film = films.write(folder / "a.mp4", films.ramps(20), audio=True)
    other = films.write(folder / "b.mkv", films.ramps(20)[:2], audio=True)
    with films.av.open(other) as old:
        with films.av.open(
            str(folder / "b.mka"), "w", format="matroska"
        ) as new:
            sound = new.add_stream_from_template(old.streams.audio[0])
            for packet in old.demux(audio=0):
                if packet.dts is not None:
                    packet.stream = sound
                    new.mux(packet)
    (folder / "c.srt").write_text(SRT)
    return _remux(folder / "d.mkv", film, folder / "b.mka", folder / "c.srt")


def test_all_sound_and_subtitles_are_copied_bit_for_bit(
    plain, subtitled, tmp_path
):
    target = tmp_path / "out.mkv"
    assert films.colorized(plain, subtitled, target) == []
    assert sorted(_streams(target)) == sorted(_streams(subtitled))
    for kind in ("audio", "subtitles"):
        found = films.packets(subtitled, kind)
        assert found and films.packets(target, kind) == found


def test_subtitles_that_a_format_cannot_hold_are_said(
    plain, subtitled, tmp_path
):
    notes = films.colorized(plain, subtitled, tmp_path / "out.mp4")
    assert len(notes) == 1 and "left out" in notes[0]
    assert _streams(tmp_path / "out.mp4") == ["video", "audio", "audio"]


def _two_videos(path, frames):
    with films.av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(2)]
        for stream in streams:
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = "yuv420p"
        for rgb in frames:
            for stream in streams:
                frame = films.av.VideoFrame.from_ndarray(rgb)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return str(path)


@pytest.mark.parametrize("extension", ["mp4", "mkv"])
def test_a_second_video_is_copied_whole(tmp_path, extension):
    source = _two_videos(tmp_path / "a.mkv", films.ramps(20))
    film = video.Video(source)
    segment = str(tmp_path / "a.nut")
    writer = video.SegmentWriter(segment, film.info, crf=18)
    for frame in film.frames():
        writer.write(frame.rgb(), frame.time)
    writer.close()
    target, said = str(tmp_path / f"out.{extension}"), []
    container = joining.container_of(target)
    joining.join(
        [segment], source, target, container=container, say=said.append
    )
    assert not said
    decoded = []
    for path in (source, target):
        with films.av.open(path) as opened:
            decoded.append(
                [f.to_ndarray(format="rgb24") for f in opened.decode(video=1)]
            )
    assert len(decoded[0]) == 20
    np.testing.assert_array_equal(*decoded)


def test_pictures_that_begin_after_the_sound_are_no_broken_film(tmp_path):
    source = films.write(
        tmp_path / "a.mkv",
        films.ramps(10),
        times=[5000 + 40 * t for t in range(10)],
        time_base=Fraction(1, 1000),
        audio=True,
    )
    film = video.Video(source)
    assert len(list(film.frames())) == 10
    assert film.notes == []


@pytest.mark.parametrize(
    ("extension", "held"), [("mp4", False), ("mov", True), ("mkv", True)]
)
def test_sound_as_cameras_write_it_does_not_cost_the_film(
    plain, tmp_path, extension, held
):
    source = films.write(tmp_path / "a.mkv", films.ramps(10), audio="pcm_s16le")
    target = tmp_path / f"out.{extension}"
    notes = films.colorized(plain, source, target)
    assert len(films.read(target)[0]) == 10
    if held:
        assert not notes
        assert films.packets(target, "audio") == films.packets(source, "audio")
    else:
        (note,) = notes
        assert "audio stream 1 (pcm_s16le) was left out: mp4" in note


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.ts", "libx264"),
        ("a.avi", "mpeg4"),
        ("a.webm", "libvpx"),
        ("a.mov", "libx264"),
        ("a.mpg", "mpeg1video"),
    ],
)
@pytest.mark.parametrize("extension", ["mp4", "mkv"])
def test_films_of_other_containers_keep_frames_and_times(
    plain, tmp_path, name, codec, extension
):
    source = films.write(tmp_path / name, films.ramps(12), codec=codec)
    target = tmp_path / f"out.{extension}"
    films.colorized(plain, source, target)
    before, times = films.read(source)
    after, kept = films.read(target)
    assert len(after) == len(before) == 12
    # A start far from 0, as of MPEG-TS, may become 0.
    np.testing.assert_allclose(np.diff(kept), np.diff(times), atol=2e-3)


def test_a_start_before_or_long_after_0_keeps_distances(plain, tmp_path):
    for name, first in (("late", 90_000), ("early", -400)):
        source = films.write(
            tmp_path / f"{name}.nut",
            films.ramps(8),
            times=[first + 40 * t for t in range(8)],
            time_base=Fraction(1, 1000),
        )
        films.colorized(plain, source, tmp_path / f"{name}.mkv")
        frames, times = films.read(tmp_path / f"{name}.mkv")
        assert len(frames) == 8
        np.testing.assert_allclose(np.diff(times), 0.04, atol=2e-3)


@pytest.mark.slow
def test_joined_films_keep_their_distances_and_their_sound(plain, tmp_path):
    part = films.write(tmp_path / "part.ts", films.ramps(40), audio=True)
    source = tmp_path / "a.ts"
    source.write_bytes(3 * pathlib.Path(part).read_bytes())
    for extension in ("mp4", "mkv"):
        target = tmp_path / f"out.{extension}"
        assert films.colorized(plain, source, target) == []
        frames, times = films.read(target)
        assert len(frames) == 120
        np.testing.assert_allclose(np.diff(times), 0.04, atol=2e-3)
        assert len(films.packets(target, "audio")) == len(
            films.packets(source, "audio")
        )
        # Sound and pictures of each part stay together.
        with films.av.open(str(target)) as opened:
            heard = [
                float(packet.pts * packet.time_base)
                for packet in opened.demux(audio=0)
                if packet.size
            ]
        assert abs(max(heard) - max(times)) < 0.3
        assert max(np.diff(heard)) < 0.3


def test_sound_whose_times_go_back_is_counted(plain, tmp_path):
    source = films.write(tmp_path / "a.mkv", films.ramps(4), audio=True)
    with films.av.open(source) as old:
        packets = [p for p in old.demux(audio=0) if p.size]
        skipped = collections.Counter()
        packets[1].dts = packets[0].dts - 1

        class Shuffled:
            streams = old.streams

            def demux(self, _):
                return iter(packets)

        found = list(
            joining._other_packets(
                films.av, Shuffled(), {1: old.streams[1]}, (), skipped
            )
        )
        assert len(found) == len(packets) - 1
        assert skipped == {"audio stream 1": 1}


@pytest.mark.parametrize("extension", ["mp4", "mkv"])
def test_a_film_that_begins_hours_after_0_is_as_long_as_it_is(
    plain, tmp_path, extension
):
    path = films.write(tmp_path / "a.ts", films.ramps(20), audio=True)
    source = tmp_path / "late.ts"
    with films.av.open(path) as old, films.av.open(str(source), "w") as new:
        streams = [new.add_stream_from_template(s) for s in old.streams]
        for packet in old.demux():
            if packet.size:
                packet.pts += 3600 * 90_000
                packet.dts += 3600 * 90_000
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    assert films.read(source)[1][0] > 3600
    target = tmp_path / f"out.{extension}"
    assert films.colorized(plain, source, target) == []
    frames, times = films.read(target)
    assert len(frames) == 20 and times[0] < 0.5
    with films.av.open(str(target)) as opened:
        assert opened.duration < 2_000_000


def test_sound_with_equal_times_does_not_cost_the_film(plain, tmp_path):
    path = films.write(tmp_path / "a.mkv", films.ramps(10), audio=True)
    source = tmp_path / "equal.mkv"
    with films.av.open(path) as old, films.av.open(str(source), "w") as new:
        streams = [new.add_stream_from_template(s) for s in old.streams]
        heard = []
        for packet in joining._with_dts(films.av, old.demux()):
            if packet.stream.type == "audio":
                heard.append(packet.dts)
                if len(heard) == 4:
                    packet.dts = packet.pts = heard[2]
            packet.stream = streams[packet.stream.index]
            new.mux(packet)
    assert films.colorized(plain, source, tmp_path / "out.mkv") == []
    (note,) = films.colorized(plain, source, tmp_path / "out.mp4")
    assert note.startswith("1 parts of its audio stream 1 were left out")
    assert (
        len(films.packets(tmp_path / "out.mp4", "audio"))
        == len(films.packets(source, "audio")) - 1
    )


def test_what_streams_are_for_is_kept(plain, subtitled, tmp_path):
    forced = films.av.stream.Disposition.forced
    source = str(tmp_path / "forced.mkv")
    with films.av.open(subtitled) as old, films.av.open(source, "w") as new:
        streams = [new.add_stream_from_template(s) for s in old.streams]
        streams[-1].disposition = forced
        for packet in joining._with_dts(films.av, old.demux()):
            packet.stream = streams[packet.stream.index]
            new.mux(packet)
    assert films.colorized(plain, source, tmp_path / "out.mkv") == []
    with films.av.open(str(tmp_path / "out.mkv")) as opened:
        assert opened.streams[-1].disposition & forced
        assert not opened.streams[0].disposition & forced


def _covered(path, frames):
    """Writes an MP4 file with a cover; returns the cover."""
    cover = drawn.write(f"{path}.png", frames[0])
    film = films.write(f"{path}.mkv", frames)
    with films.av.open(film) as old, films.av.open(str(path), "w") as new:
        picture = new.add_mux_stream("png", width=64, height=48)
        picture.disposition = films.av.stream.Disposition.attached_pic
        stream = new.add_stream_from_template(old.streams[0])
        packet = films.av.Packet(pathlib.Path(cover).read_bytes())
        packet.pts = packet.dts = 0
        packet.stream = picture
        new.mux(packet)
        for packet in joining._with_dts(films.av, old.demux()):
            packet.stream = stream
            new.mux(packet)
    return pathlib.Path(cover).read_bytes()


def test_a_cover_before_the_film_is_not_taken_for_it():
    cover = types.SimpleNamespace(
        disposition=films.av.stream.Disposition.attached_pic, codec_context=1
    )
    film = types.SimpleNamespace(
        disposition=films.av.stream.Disposition.default, codec_context=1
    )
    streams = types.SimpleNamespace(video=[cover, film])
    container = types.SimpleNamespace(streams=streams)
    assert video.pictures_of(container) is film


@pytest.mark.parametrize("extension", ["mp4", "mkv", "mov"])
def test_a_cover_is_kept_and_no_film(plain, tmp_path, extension):
    cover = _covered(tmp_path / "a.mp4", films.ramps(8))
    target = tmp_path / f"out.{extension}"
    notes = films.colorized(plain, tmp_path / "a.mp4", target)
    assert len(films.read(target)[0]) == 8
    if extension == "mov":
        (note,) = notes
        assert "left out: mov files do not hold it" in note
        return
    assert notes == []
    with films.av.open(str(target)) as opened:
        (stream,) = [s for s in opened.streams if s.disposition & 1024]
        assert [bytes(p) for p in opened.demux(stream) if p.size] == [cover]
    # Again, now with a cover as the target has it.
    again = tmp_path / "again.mkv"
    assert films.colorized(plain, target, again) == []
    with films.av.open(str(again)) as opened:
        assert [bool(s.disposition & 1024) for s in opened.streams].count(True)


def test_a_second_video_without_an_encoder_is_copied(plain, tmp_path):
    path = films.write(tmp_path / "a.mkv", films.ramps(8))
    source = tmp_path / "two.mkv"
    with films.av.open(path) as old, films.av.open(str(source), "w") as new:
        stream = new.add_stream_from_template(old.streams[0])
        other = new.add_mux_stream("rv40", rate=25, width=64, height=48)
        packets = joining._with_dts(films.av, old.demux())
        for number, packet in enumerate(packets):
            packet.stream = stream
            new.mux(packet)
            packet = films.av.Packet(bytes(range(200)))
            packet.pts = packet.dts = 40 * number
            packet.time_base = Fraction(1, 1000)
            packet.stream = other
            new.mux(packet)
    assert films.colorized(plain, source, tmp_path / "out.mkv") == []
    assert _streams(tmp_path / "out.mkv") == ["video", "video"]
    (note,) = films.colorized(plain, source, tmp_path / "out.mp4")
    assert note.endswith("mp4 files do not hold it; .mkv holds most")


def test_texts_that_are_of_the_old_file_alone_are_left_out(plain, tmp_path):
    path = films.write(tmp_path / "a.mp4", films.ramps(8), audio=True)
    source = tmp_path / "b.mkv"
    with films.av.open(path) as old, films.av.open(str(source), "w") as new:
        new.metadata.update(old.metadata | {"title": "A walk"})
        streams = [new.add_stream_from_template(s) for s in old.streams]
        for stream in streams:
            stream.metadata.update({"BPS-eng": "12", "NUMBER_OF_FRAMES": "99"})
            stream.metadata.update(
                {"_STATISTICS_TAGS": "BPS", "title": "Take 1"}
            )
        for packet in joining._with_dts(films.av, old.demux()):
            packet.stream = streams[packet.stream.index]
            new.mux(packet)
    assert films.colorized(plain, source, tmp_path / "out.mkv") == []
    with films.av.open(str(tmp_path / "out.mkv")) as opened:
        assert opened.metadata["title"] == "A walk"
        assert not set(opened.metadata) & {"MAJOR_BRAND", "COMPATIBLE_BRANDS"}
        for stream in opened.streams:
            assert stream.metadata["title"] == "Take 1"
            assert set(stream.metadata) <= {"title", "DURATION", "HANDLER_NAME"}


def test_sound_that_ends_long_after_the_pictures_is_no_broken_film(tmp_path):
    source = films.write(
        tmp_path / "a.mkv", films.ramps(10), audio=True, seconds=3
    )
    film = video.Video(source)
    assert len(list(film.frames())) == 10
    assert film.notes == []


def _held(path, seconds):
    """Writes a film of 8 frames whose last one is shown for long."""
    short = films.write(f"{path}.mp4", films.ramps(8))
    with films.av.open(short) as old, films.av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams[0])
        packets = [p for p in old.demux() if p.size]
        last = max(packets, key=lambda packet: packet.pts)
        last.duration = int(seconds / last.time_base)
        for packet in packets:
            packet.stream = stream
            new.mux(packet)


@pytest.mark.parametrize("extension", ["mp4", "mov"])
def test_a_last_frame_that_is_held_is_no_broken_film(tmp_path, extension):
    path = tmp_path / f"a.{extension}"
    _held(path, 3)
    film = video.Video(str(path))
    assert len(list(film.frames())) == 8
    assert film.notes == []


def test_a_last_frame_is_held_as_long_as_it_was(plain, tmp_path):
    _held(tmp_path / "a.mp4", 3)
    assert (
        films.colorized(plain, tmp_path / "a.mp4", tmp_path / "out.mp4") == []
    )
    with films.av.open(str(tmp_path / "out.mp4")) as opened:
        assert abs(opened.duration / 1e6 - 3.28) < 0.05


def test_frames_before_a_break_are_not_lost(tmp_path):
    source = films.write(tmp_path / "a.mp4", films.ramps(12))
    with films.av.open(source) as opened:
        stream = opened.streams[0]
        stream.thread_type = "AUTO"

        def demux(_):
            yield from (p for p in opened.demux(stream) if p.size)
            raise films.av.error.InvalidDataError(1, "broken")

        container = types.SimpleNamespace(demux=demux)
        found = list(video._decoded(films.av, container, stream))
    assert found.count(None) == 1 and len(found) == 13


def test_a_film_that_is_interlaced_later_on_is_said(tmp_path, monkeypatch):
    source = films.write(tmp_path / "a.mkv", films.ramps(4))
    decoded = video._decoded

    def later(*arguments):
        for number, picture in enumerate(decoded(*arguments)):
            yield types.SimpleNamespace(
                pts=picture.pts,
                duration=picture.duration,
                width=picture.width,
                height=picture.height,
                interlaced_frame=number >= 2,
            )

    film = video.Video(source)
    monkeypatch.setattr(video, "_decoded", later)
    list(film.frames())
    (note,) = film.notes
    assert "is interlaced" in note


def test_a_segment_is_closed_even_if_its_end_cannot_be_written(
    tmp_path, monkeypatch
):
    info = video.Video(films.write(tmp_path / "a.mkv", films.ramps(1))).info
    writer = video.SegmentWriter(str(tmp_path / "a.nut"), info, crf=18)
    closed = []

    def mux(_):
        raise OSError(28, "No space left on device")

    container = types.SimpleNamespace(
        mux=mux, close=lambda: closed.append(True)
    )
    monkeypatch.setattr(writer, "_container", container)
    with pytest.raises(OSError, match="No space"):
        writer.close()
    assert closed


@pytest.mark.parametrize(
    ("width", "height", "most"),
    [(640, 480, 8), (1920, 1080, 8), (3840, 2160, 3), (7680, 4320, 1)],
)
def test_few_large_frames_wait_at_once(plain, width, height, most):
    info = types.SimpleNamespace(width=width, height=height)
    film = types.SimpleNamespace(info=info)
    run = colorize._Run(plain, film, None, None, {}, None)
    assert run._read.maxsize == run._colored.maxsize == most
    assert run._at_once == min(4, most)


def test_folders_in_what_is_left_of_another_run_are_removed(plain, tmp_path):
    source = films.write(tmp_path / "a.mkv", films.ramps(4))
    target = tmp_path / "out.mp4"
    left = pathlib.Path(output_paths.film_folder(str(target))) / "folder"
    left.mkdir(parents=True)
    (left / "file").write_text("left")
    assert films.colorized(plain, source, target) == []
    assert sorted(os.listdir(tmp_path)) == ["a.mkv", "out.mp4"]


def test_frames_that_change_their_size_are_said(plain, tmp_path):
    parts = [
        films.write(tmp_path / f"{i}.ts", films.ramps(6, width=64 - 16 * i))
        for i in range(2)
    ]
    source = tmp_path / "a.ts"
    source.write_bytes(b"".join(pathlib.Path(p).read_bytes() for p in parts))
    notes = films.colorized(plain, source, tmp_path / "out.mp4")
    assert any("has frames of 2 sizes" in note for note in notes)
    frames, _ = films.read(tmp_path / "out.mp4")
    assert {frame.shape for frame in frames} == {(48, 64, 3)}
