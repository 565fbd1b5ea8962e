"""Films in and out through PyAV: frames and their times.

Frames come upright, as they are shown, with the times that the file gives
them. What is written is H.264 in short segments, for `joining`.
"""

import contextlib
import dataclasses
import functools
import re
import threading
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from tfcolor import extras

CODECS = {8: "yuv420p", 10: "yuv420p10le"}
_ENCODER = "libx264"
# Smaller pictures are meant for BT.601 unless they say otherwise.
_HD_HEIGHT = 720
_DEFAULT_RATE = Fraction(25)
# Files without a rate make FFmpeg guess 1000 frames a second.
_MAX_RATE = 480
# Names of PyAV's color spaces by ours, and FFmpeg's numbers for them.
_MATRICES = {
    "bt709": ("ITU709", 1),
    "bt601": ("ITU601", 6),
    "bt2020": ("BT2020", 9),
}
_BT2020 = (9, 10)
_HDR_CURVES = {16: "PQ", 18: "HLG"}
# FFmpeg takes them for full range whatever they say.
_GREYS = {"gray", "ya8"} | {
    f"{kind}{depth}{end}"
    for kind in ("gray", "ya")
    for depth in (9, 10, 12, 14, 16)
    for end in ("le", "be")
}
# FFmpeg's mark of a picture that is no part of the film.
COVER = 1 << 10
# Seconds by which times go back where another film begins.
BACK = 1
# Missing seconds at the end that are worth a word.
_SHORT = 1.0


_local = threading.local()


def load_av():
    """Imports PyAV.

    Returns:
        The module.

    Raises:
        ImportError: it is not installed; says how to install it.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError(
            f"Films need PyAV, {extras.how_to_install('film')}"
        ) from error
    return av


def _reformatter():
    """Returns this thread's converter of pixels; it keeps its tables."""
    if not hasattr(_local, "reformatter"):
        from av.video.reformatter import VideoReformatter

        _local.reformatter = VideoReformatter()
    return _local.reformatter


def _written(info) -> str:
    """Returns how colors are coded in what is written: BT.601 or BT.709."""
    return info.matrix if info.matrix in ("bt709", "bt601") else "bt709"


@functools.cache
def _full_range(bits: int, depth: int) -> np.ndarray:
    """Returns what values of 16..235, or as much of more bits, stand for.

    Args:
        bits: int, 8 for a table of uint8, or more for one of uint16.
        depth: int, bits of what was read.
    """
    most = 255 if bits == 8 else 65535
    unit, levels = 2 ** (depth - 8), 2**depth - 1
    values = np.arange(most + 1) * (levels / most)
    share = np.clip((values - 16 * unit) / (219 * unit), 0, 1)
    return np.round(share * most).astype(np.uint8 if bits == 8 else np.uint16)


@dataclasses.dataclass(frozen=True)
class VideoInfo:
    """What a film is like.

    Attributes:
        width: int, pixels, upright.
        height: int, pixels, upright.
        pixel_aspect: Fraction. A pixel's width by its height, upright.
        time_base: Fraction. Seconds of one unit of time.
        rate: Fraction, frames a second, on average.
        frames: int. How many there are about; 0 if nobody knows.
        bits: int, 8 or 10 a channel.
        matrix: str, "bt709", "bt601" or "bt2020": how colors are coded.
        notes: tuple of str, what is worth knowing.
    """

    width: int
    height: int
    pixel_aspect: Fraction
    time_base: Fraction
    rate: Fraction
    frames: int
    bits: int
    matrix: str
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame, kept as small as it came.

    Attributes:
        time: int, in units of `VideoInfo.time_base`.
        picture: av.VideoFrame, as decoded.
        info: VideoInfo.
    """

    time: int
    picture: object
    info: VideoInfo

    def rgb(self) -> np.ndarray:
        """Returns the upright frame: uint8 or uint16 array [H, W, 3]."""
        info, frame = self.info, self.picture
        turned, flip_x, flip_y = _orientation(frame)
        width, height = info.width, info.height
        if turned:
            width, height = height, width
        wide = info.bits > 8
        pixels = _reformatter().reformat(
            frame,
            width=width,
            height=height,
            format="rgb48le" if wide else "rgb24",
            src_colorspace=_MATRICES[info.matrix][0],
        )
        pixels = pixels.to_ndarray()
        if frame.format.name in _GREYS and int(frame.color_range) == 1:
            pixels = _full_range(info.bits, _depth(frame))[pixels]
        if turned:
            pixels = pixels.transpose(1, 0, 2)
        pixels = pixels[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
        return np.ascontiguousarray(pixels)


class Video:
    """An open film.

    Args:
        path: str.

    Attributes:
        info: VideoInfo.
        notes: list of str. What was found while frames were read.
        shifts: list of int, units of `VideoInfo.time_base`, found likewise.
            Where times go back, as in files that were joined, all later ones
            are moved on by the next of these.
        last_duration: int, the same units, found likewise: how long the last
            frame is shown; 0 if nobody knows.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no film, or has no pictures.
    """

    def __init__(self, path: str):
        self.path = path
        self.notes, self.shifts, self.last_duration = [], [], 0
        # Reads a little, and closes it again.
        with self._open() as container:
            self.info = _read_info(container, pictures_of(container))

    def _open(self):
        av = load_av()
        try:
            return av.open(
                self.path, metadata_errors="backslashreplace", timeout=None
            )
        except FileNotFoundError:
            raise
        except (av.error.FFmpegError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ValueError(
                f"The file is not a film that can be read ({reason})."
            ) from error

    def frames(self) -> Iterator[Frame]:
        """Yields all frames, in the order in which they are shown.

        What is broken is left out, and said in `notes`.

        Raises:
            ValueError: there is no frame, or no decoder for them.
        """
        av = load_av()
        self.notes.clear()
        count, damaged, sizes, end = 0, 0, set(), None
        interlaced = False
        info, clock = self.info, _Clock(self.info)
        self.shifts = clock.shifts
        with self._open() as container:
            stream = pictures_of(container)
            stream.thread_type = "AUTO"
            for picture in _decoded(av, container, stream):
                if picture is None:
                    damaged += 1
                    continue
                time = clock.time(picture.pts)
                count += 1
                sizes.add((picture.width, picture.height))
                if picture.interlaced_frame and not interlaced:
                    interlaced = True
                    self.notes.append(
                        "is interlaced: it was colored as whole frames; "
                        "deinterlace it first for clean edges"
                    )
                yield Frame(time, picture, info)
                self.last_duration = picture.duration or 0
                end = time + (self.last_duration or clock.step)
            self._say(container, stream, damaged, end, sizes)
        if not count:
            raise ValueError("The film has no frame that can be decoded.")

    def _say(self, container, stream, damaged, end, sizes) -> None:
        if len(sizes) > 1:
            self.notes.append(
                f"has frames of {len(sizes)} sizes; all have the first one now"
            )
        if damaged:
            self.notes.append(f"{damaged} broken parts were left out")
        start, duration = _length(stream)
        if not duration and container.duration and damaged:
            # Of all streams: sound may begin before the pictures and go on
            # after them.
            duration = Fraction(container.duration, 1_000_000)
            start = Fraction(container.start_time or 0, 1_000_000)
        if end is not None and duration:
            seen = end * self.info.time_base - start
            if duration - seen > _SHORT:
                self.notes.append(
                    f"ends after {float(seen):.1f} of {float(duration):.1f} "
                    "seconds: the rest cannot be read"
                )


def _length(stream) -> tuple[Fraction, Fraction | None]:
    """Returns when a stream begins and how long it is, if it says so."""
    if stream.duration:
        start = (stream.start_time or 0) * stream.time_base
        return start, stream.duration * stream.time_base
    for name, text in stream.metadata.items():
        # Of Matroska: the time at which the last frame ends.
        if name.upper().startswith("DURATION") and (
            found := re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", text.strip())
        ):
            hours, minutes, seconds = map(Fraction, found.groups())
            return Fraction(0), 3600 * hours + 60 * minutes + seconds
    return Fraction(0), None


class _Clock:
    """Makes the times of frames go on, all in units of the film's.

    Attributes:
        last: int or None, the time of the last frame.
        step: int, from a frame to the next one on average.
        shifts: list of int; see `Video`.
    """

    def __init__(self, info: VideoInfo):
        self.last, self.shifts = None, []
        self.step = round(1 / (info.rate * info.time_base)) or 1
        self._back = BACK / info.time_base

    def time(self, pts: int | None) -> int:
        """Returns when a frame is shown that the file shows at `pts`."""
        last, step = self.last, self.step
        if pts is None:
            time = 0 if last is None else last + step
        else:
            time = pts + (self.shifts[-1] if self.shifts else 0)
            if last is not None and time < last - self._back:
                self.shifts.append(last + step - pts)
                time = last + step
        if last is not None and time <= last:
            time = last + 1
        self.last = time
        return time


def pictures_of(container):
    """Returns the stream of moving pictures; a cover is none.

    Args:
        container: av.container.InputContainer.

    Returns:
        av.VideoStream.

    Raises:
        ValueError: there is none, or no decoder for it.
    """
    for stream in container.streams.video:
        if not stream.disposition & COVER:
            if stream.codec_context is None:
                raise ValueError(
                    "The film is coded in a way that FFmpeg, as it is "
                    "installed here, has no decoder for."
                )
            return stream
    raise ValueError("The file has no video stream.")


def _decoded(av, container, stream):
    """Yields frames, and None for what is broken."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:
            yield None
            # Frames may wait for those after them, of which there are none.
            with contextlib.suppress(av.error.FFmpegError):
                yield from stream.codec_context.decode(None)
            return
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            yield None


def _read_info(container, stream) -> VideoInfo:
    av = load_av()
    first = next((f for f in _decoded(av, container, stream) if f), None)
    if first is None:
        raise ValueError("The film has no frame that can be decoded.")
    width, height = first.width, first.height
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if _orientation(first)[0]:
        width, height, aspect = height, width, 1 / aspect
    rates = [r for r in (stream.average_rate, stream.guessed_rate) if r]
    rate = next((r for r in rates if 1 <= r <= _MAX_RATE), _DEFAULT_RATE)
    frames = stream.frames
    if not frames and container.duration:
        frames = round(container.duration / 1_000_000 * rate)
    bits = _depth(first)
    notes = []
    space = int(first.colorspace)
    if curve := _HDR_CURVES.get(int(first.color_trc)):
        notes.append(
            f"is HDR ({curve}): its values were taken as they are, and the "
            "result is standard range"
        )
    if space in _BT2020:
        notes.append("has BT.2020 primaries: they were taken as BT.709")
        matrix = "bt2020"
    elif space == _MATRICES["bt709"][1]:
        matrix = "bt709"
    else:
        known = space in (4, 5, 6)
        matrix = "bt709" if height >= _HD_HEIGHT and not known else "bt601"
    return VideoInfo(
        width=width,
        height=height,
        pixel_aspect=aspect,
        time_base=stream.time_base,
        rate=Fraction(rate),
        frames=frames,
        bits=10 if bits > 8 else 8,
        matrix=matrix,
        notes=tuple(notes),
    )


def _orientation(frame) -> tuple[bool, bool, bool]:
    """Returns how a frame comes upright: by its nearest quarter turn.

    Returns:
        Whether rows become columns, and whether left and right, and top and
        bottom, are exchanged after that.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return False, False, False
    # Column x and row y are shown at column a x + c y and row b x + d y.
    (a, b), (c, d) = np.frombuffer(bytes(matrix), "i4").reshape(3, 3)[:2, :2]
    if abs(int(a)) >= abs(int(b)):
        return False, bool(a < 0), bool(d < 0)
    return True, bool(c < 0), bool(b < 0)


def _depth(frame) -> int:
    """Returns the bits of a channel."""
    return max(c.bits for c in frame.format.components)


class SegmentWriter:
    """Encodes frames into a file that can be joined with others like it.

    Args:
        path: str, of a .nut file.
        info: VideoInfo.
        crf: int. Quality: 0 is lossless for 8 bit, 18 hardly to be told
            apart, 51 the worst.

    Raises:
        ValueError: the encoder is missing.
    """

    def __init__(self, path: str, info: VideoInfo, *, crf: int):
        av = load_av()
        if _ENCODER not in av.codecs_available:
            raise ValueError(
                f"FFmpeg, as it is installed here, has no encoder {_ENCODER}: "
                "install PyAV from its wheels (pip install av)."
            )
        self._av, self._info = av, info
        self._format = CODECS[info.bits]
        if info.width % 2 or info.height % 2:
            self._format = self._format.replace("420", "444")
        # NUT keeps times exactly as they are.
        self._container = av.open(path, "w", format="nut")
        stream = self._container.add_stream(
            _ENCODER,
            rate=info.rate,
            # Without B-frames segments follow each other without a gap.
            options={"crf": str(crf), "preset": "faster", "bf": "0"},
        )
        stream.width, stream.height = info.width, info.height
        stream.pix_fmt = self._format
        context = stream.codec_context
        context.time_base = stream.time_base = info.time_base
        context.sample_aspect_ratio = info.pixel_aspect
        _, number = _MATRICES[_written(info)]
        context.colorspace = context.color_primaries = number
        context.color_trc = number
        context.color_range = 1
        context.flags |= int(av.codec.context.Flags.global_header)
        self._stream = stream

    def write(self, rgb: np.ndarray, time: int) -> None:
        """Writes a frame: uint8 or uint16 array [H, W, 3], and its time."""
        frame = self._av.VideoFrame.from_ndarray(
            rgb, format="rgb48le" if rgb.dtype == np.uint16 else "rgb24"
        )
        frame = _reformatter().reformat(
            frame,
            format=self._format,
            dst_colorspace=_MATRICES[_written(self._info)][0],
            dst_color_range=1,
        )
        frame.pts, frame.time_base = time, self._info.time_base
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Ends the file."""
        try:
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()
