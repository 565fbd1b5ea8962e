"""TIFF files of all kinds, made strip by strip."""

import io
import struct

import numpy as np
from PIL import Image

NONE, LZW, DEFLATE, PACKBITS, LZMA, ZSTD = 1, 5, 8, 32773, 34925, 50000
_NAMES = {
    LZW: "tiff_lzw",
    DEFLATE: "tiff_adobe_deflate",
    PACKBITS: "packbits",
    LZMA: "lzma",
    ZSTD: "zstd",
}


def tiff(
    *pages: dict,
    order: str = "<",
    big: bool = False,
) -> bytes:
    """A TIFF of pages, each the arguments of `page` as a dict."""
    magic = {"<": b"II", ">": b"MM"}[order]
    if big:
        head = magic + struct.pack(order + "HHHQ", 43, 8, 0, 16)
    else:
        head = magic + struct.pack(order + "HL", 42, 8)
    body = b""
    for number, arguments in enumerate(pages):
        last = number == len(pages) - 1
        at = len(head) + len(body)
        body += _page(at, last=last, order=order, big=big, **arguments)
    return head + body


def _page(
    at,
    *,
    last,
    order,
    big,
    values,
    planar=False,
    compression=NONE,
    predictor=1,
    tile=None,
    extra=None,
    photometric=None,
    sample_format=None,
    tags=None,
):
    height, width, samples = values.shape
    bits = 8 * values.itemsize
    if photometric is None:
        photometric = 2 if samples >= 3 else 1
    planes = np.split(values, samples, axis=-1) if planar else [values]
    rows, columns = tile or (7, width)
    segments = [
        _segment(
            plane, y, x, rows, columns, tile, compression, predictor, order
        )
        for plane in planes
        for y in range(0, height, rows)
        for x in range(0, width, columns)
    ]
    entries = {
        256: width,
        257: height,
        258: (bits,) * samples,
        259: compression,
        262: photometric,
        277: samples,
        284: 2 if planar else 1,
        317: predictor,
    }
    if tile:
        entries |= {322: columns, 323: rows}
    else:
        entries |= {278: rows}
    if extra is not None:
        entries[338] = extra
    if sample_format is not None:
        entries[339] = (sample_format,) * samples
    entries |= tags or {}
    offsets, counts = (324, 325) if tile else (273, 279)
    entries |= {
        counts: tuple(map(len, segments)),
        offsets: (0,) * len(segments),
    }
    size, _ = _directory(entries, at, order, big, 0)
    places = np.cumsum([0, *map(len, segments)]) + at + size
    entries[offsets] = tuple(map(int, places[:-1]))
    following = 0 if last else int(places[-1])
    _, directory = _directory(entries, at, order, big, following)
    return directory + b"".join(segments)


def _directory(entries, at, order, big, following):
    """The size and the bytes of a directory and what it points to."""
    head, entry, tail = ("Q", 20, "Q") if big else ("H", 12, "L")
    inline = 8 if big else 4
    start = struct.calcsize(order + head) + entry * len(entries)
    start += struct.calcsize(order + tail)
    table, values = struct.pack(order + head, len(entries)), b""
    for tag, value in sorted(entries.items()):
        kind, form = (7, "B") if isinstance(value, bytes) else (4, "L")
        value = (value,) if isinstance(value, int) else tuple(value)
        packed = struct.pack(f"{order}{len(value)}{form}", *value)
        count = struct.pack(order + ("Q" if big else "L"), len(value))
        if len(packed) <= inline:
            place = packed.ljust(inline, b"\0")
        else:
            place = struct.pack(order + tail, at + start + len(values))
            values += packed
        table += struct.pack(order + "HH", tag, kind) + count + place
    table += struct.pack(order + tail, following)
    return len(table) + len(values), table + values


def _segment(plane, y, x, rows, columns, tile, compression, predictor, order):
    part = plane[y : y + rows, x : x + columns]
    if tile:
        missing = [
            (0, n - have) for n, have in zip(tile, part.shape[:2], strict=True)
        ]
        part = np.pad(part, [*missing, (0, 0)])
    part = part.copy()
    if predictor == 2:
        part[:, 1:] -= part[:, :-1].copy()
    stored = part.astype(part.dtype.newbyteorder(order))
    if compression == NONE:
        return stored.tobytes()
    # The bytes, compressed by libtiff as a grey picture of 8 bits.
    flat = np.frombuffer(stored.tobytes(), np.uint8).reshape(1, -1)
    file = io.BytesIO()
    Image.fromarray(flat).save(file, "TIFF", compression=_NAMES[compression])
    with Image.open(file) as made:
        (offset,), (count,) = made.tag_v2[273], made.tag_v2[279]
    return file.getvalue()[offset : offset + count]
