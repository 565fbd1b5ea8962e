"""Joining the segments of a film with all its other streams.

Segments are not encoded again; sound, subtitles, chapters and texts are copied
bit for bit.
"""

import collections
import contextlib
import heapq
import io
import itertools
import math
import os
from collections.abc import Callable
from collections.abc import Sequence
from fractions import Fraction

from tfcolor.inference.film import video

# Texts about the old file alone: mkvmerge's statistics, and what MP4 is.
_FALSE_TEXTS = (
    *("BPS", "NUMBER_OF_BYTES", "NUMBER_OF_FRAMES", "_STATISTICS_"),
    *("DURATION", "ENCODER", "MAJOR_BRAND", "MINOR_VERSION"),
    "COMPATIBLE_BRANDS",
)
# Seconds that sound may be late without being seen to.
_LATE = Fraction(1, 5)


def join(
    segments: list[str],
    source: str,
    target: str,
    *,
    container: str,
    say: Callable[[str], None],
    shifts: Sequence[int] = (),
    last_duration: int = 0,
) -> None:
    """Joins segments with the other streams of the film that they come from.

    Args:
        segments: list of str, paths of `video.SegmentWriter` files, in order.
        source: str, the film.
        target: str, a path that may be written to.
        container: str, FFmpeg's name of a format.
        say: function of a line of text. Told what the format cannot hold,
            and what has no place in time.
        shifts: sequence of int; see `video.Video`.
        last_duration: int; see `video.Video`.
    """
    av = video.load_av()
    with contextlib.ExitStack() as stack:
        old = stack.enter_context(
            av.open(source, metadata_errors="backslashreplace")
        )
        new = stack.enter_context(av.open(target, "w", format=container))
        new.metadata.update(_texts(old))
        first = stack.enter_context(av.open(segments[0]))
        pictures = new.add_stream_from_template(first.streams.video[0])
        pictures.time_base = first.streams.video[0].time_base
        pictures.disposition = video.pictures_of(old).disposition
        pictures.metadata.update(_texts(video.pictures_of(old)))
        copied = _copy_streams(old, new, say)
        held = last_duration * video.pictures_of(old).time_base
        skipped = collections.Counter()
        names = {n.index: _name(old.streams[i]) for i, n in copied.items()}
        # Streams of broadcasts begin hours after 0, which is no blank hour.
        start = max(Fraction(old.start_time or 0, 1_000_000), 0)
        with contextlib.suppress(AttributeError, ValueError):
            new.set_chapters([_earlier(c, start) for c in old.chapters()])
        packets = heapq.merge(
            _segment_packets(av, segments, pictures, held),
            _other_packets(av, old, copied, shifts, skipped),
            key=lambda timed: timed[0],
        )
        for _, packet in packets:
            if not packet.stream.disposition & video.COVER:
                _move(packet, -start)
            try:
                new.mux(packet)
            except av.error.ArgumentError:
                # Of MP4, for times that do not go on, or only by less than
                # its unit.
                if packet.stream.index == pictures.index:
                    raise
                skipped[names[packet.stream.index]] += 1
    for name, count in skipped.items():
        say(
            f"{count} parts of its {name} were left out: their times do not "
            "go on"
        )


def _copy_streams(old, new, say) -> dict:
    """Adds sound, subtitles and the like; returns the new streams by index."""
    chosen, copied = video.pictures_of(old), {}
    for stream in old.streams:
        if stream.index == chosen.index:
            continue
        name = _name(stream)
        try:
            if stream.disposition & video.COVER and new.format.name != "mp4":
                _attach(old.name, stream, new)
                continue
            _try(old.name, stream.index, new.format.name)
            copied[stream.index] = _add(new, stream)
        except Exception:
            # PyAV raises errors of many kinds for what a format cannot hold.
            codec = getattr(stream, "name", None) or "of an unknown kind"
            hint = "" if new.format.name == "matroska" else "; .mkv holds most"
            say(
                f"its {name} ({codec}) was left out: {new.format.name} files "
                f"do not hold it{hint}"
            )
    return copied


def _texts(described) -> dict[str, str]:
    """Returns what a file or stream says of itself and goes on to be true."""
    return {
        name: text
        for name, text in described.metadata.items()
        if not name.upper().startswith(_FALSE_TEXTS)
    }


def _add(new, stream):
    """Adds a stream like another one to a file; returns it."""
    # Opaque: it need not have an encoder.
    added = new.add_stream_from_template(stream, opaque=True)
    added.disposition = stream.disposition
    added.metadata.update(_texts(stream))
    return added


def _attach(source: str, cover, new) -> None:
    """Adds a cover as Matroska has them: a file beside the streams."""
    if new.format.name != "matroska":
        raise ValueError("Only MP4 and Matroska have covers.")
    with video.load_av().open(source) as old:
        packets = old.demux(old.streams[cover.index])
        data = next(bytes(packet) for packet in packets if packet.size)
    kind = cover.name.replace("mjpeg", "jpeg")
    new.add_attachment(
        cover.metadata.get("filename", f"cover.{kind}"),
        cover.metadata.get("mimetype", f"image/{kind}"),
        data,
    )


def _name(stream) -> str:
    return f"{stream.type} stream {stream.index}"


def _try(source: str, index: int, container: str) -> None:
    """Raises an error unless a format holds a stream.

    Of some, FFmpeg says so only when the head of a file is written, or its
    end: too late for a film that took hours.
    """
    av = video.load_av()
    with av.open(source, metadata_errors="backslashreplace") as old:
        trial = av.open(io.BytesIO(), "w", format=container)
        own = old.streams[index]
        new = _add(trial, own)
        trial.start_encoding()
        if own.type != "audio":
            # The first subtitle may be far away.
            with contextlib.suppress(Exception):
                trial.close()
            return
        for packet in old.demux(own):
            if packet.size and packet.dts is not None:
                packet.stream = new
                trial.mux(packet)
                break
        trial.close()


def _segment_packets(av, segments, pictures, held):
    last = None
    for path in segments:
        with av.open(path) as container:
            for packet in container.demux(video=0):
                if packet.dts is None:
                    continue
                time = packet.dts * packet.time_base
                packet.stream = pictures
                if last is not None:
                    yield last
                last = time, packet
    if last is not None:
        _, packet = last
        if held:
            packet.duration = round(held / packet.time_base)
        yield last


def _other_packets(av, old, copied, shifts, skipped):
    """Yields (seconds, packet) of all streams but the pictures.

    Args:
        av: PyAV.
        old: av.container.InputContainer.
        copied: dict from a stream's index to the new stream.
        shifts: see `video.Video`.
        skipped: collections.Counter, of streams' names. Counts the packets
            that are left out.
    """
    if not copied:
        return
    pictures = video.pictures_of(old)
    parts, last = _Parts(shifts, pictures.time_base), {}
    streams = [old.streams[i] for i in copied]
    if shifts:
        # They tell in which of the films that were joined a packet is.
        streams.append(pictures)
    for packet in _with_dts(av, old.demux(streams)):
        stream = packet.stream
        if stream.index == pictures.index:
            parts.see(packet)
            continue
        if shifts:
            _move(packet, parts.move(packet))
        if last.get(stream.index, packet.dts) > packet.dts:
            skipped[_name(stream)] += 1
            continue
        last[stream.index] = packet.dts
        time = packet.dts * packet.time_base
        packet.stream = copied[stream.index]
        yield time, packet


def _move(packet, seconds: Fraction) -> None:
    """Moves a packet on in time."""
    ticks = math.ceil(seconds / packet.time_base)
    packet.dts += ticks
    if packet.pts is not None:
        packet.pts += ticks


def _earlier(chapter: dict, seconds: Fraction) -> dict:
    ticks = math.floor(seconds / chapter["time_base"])
    moved = {name: chapter[name] - ticks for name in ("start", "end")}
    return {**chapter, **moved}


class _Parts:
    """Finds where packets belong in a film that was joined of several.

    The times of each part begin anew. A packet belongs to the part in which
    it is nearest to the pictures that lie beside it in the file.

    Args:
        shifts: see `video.Video`.
        time_base: Fraction, seconds of a unit of `shifts`.
    """

    def __init__(self, shifts: Sequence[int], time_base: Fraction):
        self._moves = [Fraction(0), *(s * time_base for s in shifts)]
        # In which part the pictures are, and at what time.
        self._part, self._now = 0, Fraction(0)
        # Of each stream its part, how much later it is there, and its end.
        self._streams = {}

    def see(self, packet) -> None:
        """Takes a packet of the pictures."""
        time = packet.dts * packet.time_base
        now = time + self._moves[self._part]
        if now < self._now - video.BACK and self._part + 1 < len(self._moves):
            self._part += 1
            now = time + self._moves[self._part]
        self._now = now

    def move(self, packet) -> Fraction:
        """Returns by how many seconds a packet of another stream is moved."""
        time = packet.dts * packet.time_base
        near = range(
            max(self._part - 1, 0), min(self._part + 2, len(self._moves))
        )
        part = min(near, key=lambda i: abs(time + self._moves[i] - self._now))
        index = packet.stream.index
        before, late, end = self._streams.get(index, (part, Fraction(0), None))
        if part != before:
            # Sound that is longer than its pictures goes on into the next part.
            over = end - time - self._moves[part]
            late = over if 0 < over <= _LATE else Fraction(0)
        move = self._moves[part] + late
        end = time + move + (packet.duration or 0) * packet.time_base
        self._streams[index] = (part, late, end)
        return move


def _with_dts(av, packets):
    """Yields packets with the time at which they are to be decoded.

    Matroska does not hold it, and FFmpeg finds it only for those after the
    first ones of a video with B-frames.
    """
    early = collections.defaultdict(list)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            break
        if not packet.size:
            continue
        waiting = early[packet.stream.index]
        if packet.dts is None:
            waiting.append(packet)
            continue
        for place, before in enumerate(waiting):
            away = (len(waiting) - place) * (before.duration or 1)
            before.dts = packet.dts - away
            yield before
        waiting.clear()
        yield packet
    # Covers, and streams of one packet.
    for packet in itertools.chain.from_iterable(early.values()):
        packet.dts = packet.pts or 0
        packet.pts = packet.dts
        yield packet


def container_of(path: str) -> str:
    """Returns FFmpeg's name of the format that a path's extension asks for.

    Args:
        path: str.

    Returns:
        str.

    Raises:
        ValueError: films are not written in this format.
    """
    extension = os.path.splitext(path)[1].lower()
    if extension not in CONTAINERS:
        raise ValueError(
            "The name of a film must end in one of "
            f"{', '.join(CONTAINERS)}. Received: {path!r}"
        )
    return CONTAINERS[extension]


CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
}
