"""Small films, made on the fly; nothing of them is in the repository."""

import os
from fractions import Fraction

import numpy as np
import pytest

from tfcolor.inference.film import colorize

av = pytest.importorskip("av")

RATE = 25


def ramp(t: int, *, height=48, width=64, speed=2, base=0) -> np.ndarray:
    """A textured grey frame that moves to the left: uint8 [H, W, 3]."""
    rng = np.random.default_rng(base)
    wide = rng.uniform(40, 210, (height // 8, 60)).repeat(8, 0).repeat(8, 1)
    kernel = np.ones(7) / 7
    for axis in (0, 1):
        wide = np.apply_along_axis(np.convolve, axis, wide, kernel, "same")
    part = wide[:, 8 + speed * t : 8 + speed * t + width]
    return np.repeat(part[..., None], 3, -1).astype(np.uint8)


def ramps(count: int, **options) -> list[np.ndarray]:
    """Frames of a film of `ramp`."""
    return [ramp(t, **options) for t in range(count)]


def colorized(colorizer, source, target, *, options=None, **more):
    """What `colorize.colorize_film` returns; default options."""
    return colorize.colorize_film(
        colorizer,
        str(source),
        str(target),
        options=options or colorize.FilmOptions(),
        **more,
    )


def write(
    path,
    frames,
    *,
    times=None,
    time_base=Fraction(1, RATE),
    codec="libx264",
    pix_fmt="yuv420p",
    audio=False,
    seconds=None,
    subtitles=False,
    rotation=0,
    mirrored=False,
    aspect=None,
    color_range=0,
) -> str:
    """Writes frames, uint8 [H, W, 3], as a film; returns its path."""
    times = range(len(frames)) if times is None else times
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        if codec == "libx264":
            stream.options = {"crf": "4"}
        stream.codec_context.time_base = time_base
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        stream.codec_context.color_range = color_range
        if audio:
            coded = "aac" if audio is True else audio
            sound = container.add_stream(coded, rate=16000)
        for time, rgb in zip(times, frames, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb))
            frame.pts, frame.time_base = time, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio:
            _tone(container, sound, seconds or len(frames) / RATE)
    return str(path)


def _tone(container, sound, seconds):
    wave = np.sin(np.arange(int(16000 * seconds)) / 5).astype(np.float32)
    for start in range(0, len(wave) - 1023, 1024):
        part = wave[None, start : start + 1024]
        kind = "fltp"
        if sound.codec_context.name == "pcm_s16le":
            part, kind = (part * 9000).astype(np.int16), "s16"
        frame = av.AudioFrame.from_ndarray(part, format=kind, layout="mono")
        frame.sample_rate, frame.pts = 16000, start
        container.mux(sound.encode(frame))
    container.mux(sound.encode(None))


def read(path) -> tuple[list[np.ndarray], list[float]]:
    """Returns the upright frames of a film and their times in seconds."""
    from tfcolor.inference.film import video

    film = video.Video(str(path))
    frames = list(film.frames())
    times = [float(f.time * film.info.time_base) for f in frames]
    return [frame.rgb() for frame in frames], times


def packets(path, kind) -> list[bytes]:
    """Returns what is stored of the first stream of a kind."""
    with av.open(str(path)) as container:
        return [
            bytes(packet)
            for packet in container.demux(**{kind: 0})
            if packet.size
        ]
