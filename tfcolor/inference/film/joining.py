"""Joining the segments of a film with all its other streams.

Segments are not encoded again; sound, subtitles, chapters and texts are copied
bit for bit.
"""

import collections
import contextlib
import heapq
import io
import os
from collections.abc import Callable

from tfcolor.inference.film import video


def join(
    segments: list[str],
    source: str,
    target: str,
    *,
    container: str,
    say: Callable[[str], None],
) -> None:
    """Joins segments with the other streams of the film that they come from.

    Args:
        segments: list of str, paths of `video.SegmentWriter` files, in order.
        source: str, the film.
        target: str, a path that may be written to.
        container: str, FFmpeg's name of a format.
        say: function of a line of text. Told what the format cannot hold.
    """
    av = video.load_av()
    with contextlib.ExitStack() as stack:
        old = stack.enter_context(
            av.open(source, metadata_errors="backslashreplace")
        )
        new = stack.enter_context(av.open(target, "w", format=container))
        new.metadata.update(old.metadata)
        first = stack.enter_context(av.open(segments[0]))
        pictures = new.add_stream_from_template(first.streams.video[0])
        pictures.time_base = first.streams.video[0].time_base
        pictures.metadata.update(video.pictures_of(old).metadata)
        copied = _copy_streams(old, new, say)
        with contextlib.suppress(AttributeError, ValueError):
            new.set_chapters(old.chapters())
        packets = heapq.merge(
            _segment_packets(av, segments, pictures),
            _other_packets(av, old, copied),
            key=lambda timed: timed[0],
        )
        for _, packet in packets:
            new.mux(packet)


def _copy_streams(old, new, say) -> dict:
    """Adds sound, subtitles and the like; returns the new streams by index."""
    chosen, copied = video.pictures_of(old), {}
    for stream in old.streams:
        if stream.index == chosen.index:
            continue
        name = f"{stream.type} stream {stream.index}"
        try:
            _try(old.name, stream.index, new.format.name)
            copied[stream.index] = new.add_stream_from_template(stream)
            copied[stream.index].metadata.update(stream.metadata)
        except Exception:
            # PyAV raises errors of many kinds for what a format cannot hold.
            codec = getattr(stream, "name", None) or "of an unknown kind"
            say(
                f"its {name} ({codec}) was left out: {new.format.name} files "
                "do not hold it; .mkv holds most"
            )
    return copied


def _try(source: str, index: int, container: str) -> None:
    """Raises an error unless a format holds a stream.

    Of some, FFmpeg says so only when the head of a file is written, or its
    end: too late for a film that took hours.
    """
    av = video.load_av()
    with av.open(source, metadata_errors="backslashreplace") as old:
        trial = av.open(io.BytesIO(), "w", format=container)
        own = old.streams[index]
        new = trial.add_stream_from_template(own)
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


def _segment_packets(av, segments, pictures):
    for path in segments:
        with av.open(path) as container:
            for packet in container.demux(video=0):
                if packet.dts is None:
                    continue
                time = packet.dts * packet.time_base
                packet.stream = pictures
                yield time, packet


def _other_packets(av, old, copied):
    if not copied:
        return
    last = {}
    for packet in _with_dts(av, old.demux([old.streams[i] for i in copied])):
        index = packet.stream.index
        if last.get(index, packet.dts) > packet.dts:
            continue
        last[index] = packet.dts
        time = packet.dts * packet.time_base
        packet.stream = copied[index]
        yield time, packet


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
            return
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
