"""TIFF files as they should not be; see `hostile_kinds`."""

import struct

import numpy as np
from PIL import Image

from tests.hostile_kinds import REFUSED
from tests.hostile_kinds import Kind
from tests.hostile_kinds import bad
from tests.hostile_kinds import base
from tests.hostile_kinds import encoded
from tests.hostile_kinds import good
from tests.pictures import tiff_files


def tiffs():
    """Yields the kinds of TIFF files."""
    rgb8 = base()
    rgb16 = base().astype(np.uint16) * 257
    yield from _layouts(rgb8, rgb16)
    yield from _pages(rgb8)
    yield from _samples(rgb8)
    yield from _odd_tags(rgb8, rgb16)


def _layouts(rgb8, rgb16):
    for name, arguments in (
        ("plain", {"values": rgb8}),
        ("deep", {"values": rgb16}),
        ("planar", {"values": rgb8, "planar": True}),
        ("planar_deep", {"values": rgb16, "planar": True}),
        ("tiled", {"values": rgb8, "tile": (16, 16)}),
        ("tiled_deep", {"values": rgb16, "tile": (16, 16), "planar": True}),
        ("lzw", {"values": rgb8, "compression": tiff_files.LZW}),
        (
            "deflate_deep",
            {
                "values": rgb16,
                "compression": tiff_files.DEFLATE,
                "predictor": 2,
            },
        ),
        ("packbits", {"values": rgb8, "compression": tiff_files.PACKBITS}),
        ("grey", {"values": rgb8[..., :1]}),
        ("grey_deep", {"values": rgb16[..., :1]}),
    ):
        for order, big in (("<", False), (">", False), ("<", True)):
            data = tiff_files.tiff(arguments, order=order, big=big)
            ending = {"<": "little", ">": "big"}[order] + "_huge" * big
            yield good(f"{name}_{ending}.tif", data)


def _pages(rgb8):
    second = {"values": rgb8 // 2}
    pages = tiff_files.tiff({"values": rgb8}, second)
    yield good("pages.tif", pages)
    small = {"values": rgb8[:4, :6], "tags": {254: 1}}
    cut = tiff_files.tiff(small, second)[: len(tiff_files.tiff(small)) + 9]
    yield bad("only_a_thumbnail.tif", cut, "only a thumbnail")
    small["tags"] = {254: 1, 330: 8}
    data = tiff_files.tiff(small)
    yield bad("in_a_sub_directory.tif", data, "in a sub-directory")
    lost = pages[: len(tiff_files.tiff(second)) + 9]
    yield good("lost_page.tif", lost)


def _samples(rgb8):
    one_bit = Image.fromarray(rgb8[..., 0]).convert("1")
    fax = encoded(one_bit, "TIFF", compression="group4")
    yield good("one_bit.tif", fax, tolerance=60)
    cmyk = encoded(Image.fromarray(rgb8).convert("CMYK"), "TIFF")
    yield good("cmyk.tif", cmyk)
    jpeg = encoded(rgb8, "TIFF", compression="jpeg", quality=97)
    yield good("jpeg.tif", jpeg, tolerance=3)
    floating = encoded(rgb8[..., 0].astype(np.float32), "TIFF")
    yield bad("float.tif", floating, "floating point")
    signed = tiff_files.tiff({"values": rgb8[..., :1], "sample_format": 2})
    yield bad("signed.tif", signed, "signed integer")
    lab = tiff_files.tiff({"values": rgb8, "photometric": 8})
    yield bad("lab.tif", lab, "CIELAB")
    raw = tiff_files.tiff({"values": rgb8, "photometric": 32803})
    yield bad("camera.tif", raw, "raw pixels")


def _odd_tags(rgb8, rgb16):
    for name, tags in (
        ("no_width", {256: 0}),
        ("no_offsets", {273: ()}),
        ("far_offsets", {273: (2**31,) * 3}),
        ("many_samples", {277: 2**31}),
        ("odd_bits", {258: (8, 9, 8)}),
        ("no_rows", {278: 0, 277: 3}),
    ):
        data = tiff_files.tiff({"values": rgb16, "tags": tags})
        if 273 in tags:
            data = _patched_tiff(data, 273, tags[273])
        yield Kind(f"{name}.tif".encode(), data, REFUSED, ".")
    for name, values in (
        ("grey", rgb8[..., :1]),
        ("rgb", rgb8),
        ("rgb16", rgb16),
    ):
        data = tiff_files.tiff({"values": values})
        yield good(f"no_meaning_{name}.tif", _without_tag(data, 262))
    few_bits = {"values": rgb8[..., :1], "tags": {258: 4}}
    data = _without_tag(tiff_files.tiff(few_bits), 262)
    yield bad("no_meaning_4.tif", data, "no photometric interpretation")
    dark = {"values": rgb8[..., :1], "photometric": 3}
    dark["tags"] = {320: [*range(256)] * 3}
    yield good("palette_of_8_bits.tif", tiff_files.tiff(dark))
    for compression in (tiff_files.NONE, tiff_files.LZW):
        data = tiff_files.tiff({"values": rgb16, "compression": compression})
        data = _patched_tiff(data, 279, (0,) * 3)
        if compression == tiff_files.NONE:
            yield good("no_counts.tif", data)
        else:
            yield bad("no_counts_lzw.tif", data, "Received: 0 bytes")


def _patched_tiff(data: bytes, tag: int, values: tuple) -> bytes:
    """The file with another count or other values of a tag."""
    changed = bytearray(data)
    (count,) = struct.unpack_from("<H", data, 8)
    for place in range(10, 10 + 12 * count, 12):
        if struct.unpack_from("<H", data, place)[0] != tag:
            continue
        struct.pack_into("<L", changed, place + 4, len(values))
        (where,) = struct.unpack_from("<L", data, place + 8)
        for number, value in enumerate(values):
            struct.pack_into("<L", changed, where + 4 * number, value)
    return bytes(changed)


def _without_tag(data: bytes, tag: int) -> bytes:
    """The file with another number for a tag, that nobody knows."""
    changed = bytearray(data)
    (count,) = struct.unpack_from("<H", data, 8)
    for place in range(10, 10 + 12 * count, 12):
        if struct.unpack_from("<H", data, place)[0] == tag:
            struct.pack_into("<H", changed, place, 65001)
    return bytes(changed)
