"""ICC profiles of version 2, made on the fly."""

import struct

import numpy as np

# Colorants as XYZ of D50, one row a channel: what their profiles hold.
SRGB = (
    (0.43607, 0.22249, 0.01392),
    (0.38515, 0.71687, 0.09708),
    (0.14307, 0.06061, 0.71410),
)
ADOBE_RGB = (
    (0.60974, 0.31111, 0.01947),
    (0.20528, 0.62567, 0.06087),
    (0.14919, 0.06322, 0.74457),
)
PROPHOTO = (
    (0.79767, 0.28804, 0.0),
    (0.13519, 0.71188, 0.0),
    (0.03134, 0.00009, 0.82491),
)


def srgb_curve(steps: int = 1024) -> np.ndarray:
    """The sRGB curve as a table, as the profile of 1999 has it."""
    x = np.linspace(0, 1, steps)
    return np.where(x > 0.04045, ((x + 0.055) / 1.055) ** 2.4, x / 12.92)


def grey(curve, *, pcs: bytes = b"XYZ ") -> bytes:
    """A profile of grey; `curve` is a gamma or a table of linear light."""
    tags = {b"wtpt": _xyz((0.9642, 1.0, 0.8249)), b"kTRC": _curve(curve)}
    return _profile(b"GRAY", tags, pcs)


def rgb(curve, primaries=SRGB) -> bytes:
    """A profile of RGB."""
    tags = {b"wtpt": _xyz((0.9642, 1.0, 0.8249))}
    for name, color in zip("rgb", primaries, strict=True):
        tags[f"{name}XYZ".encode()] = _xyz(color)
        tags[f"{name}TRC".encode()] = _curve(curve)
    return _profile(b"RGB ", tags, b"XYZ ")


def _curve(curve) -> bytes:
    if isinstance(curve, np.ndarray):
        table = np.round(curve * 65535).astype(">u2").tobytes()
        return struct.pack(">4s4xL", b"curv", len(curve)) + table
    return struct.pack(">4s4xLH", b"curv", 1, round(256 * curve))


def _xyz(values) -> bytes:
    scaled = [round(65536 * value) for value in values]
    return struct.pack(">4s4x3l", b"XYZ ", *scaled)


def _profile(space: bytes, tags: dict, pcs: bytes) -> bytes:
    tags = {
        b"desc": struct.pack(">4s4xL4s", b"desc", 4, b"abc\0") + bytes(79),
        b"cprt": b"text\0\0\0\0none\0",
        **tags,
    }
    table, body = b"", b""
    start = 132 + 12 * len(tags)
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        offset = start + len(body)
        table += struct.pack(">4sLL", name, offset, len(content))
        body += content
    size = start + len(body)
    head = struct.pack(
        ">L4xL4s4s4s12s4s24x",
        size,
        0x02400000,
        b"mntr",
        space,
        pcs,
        struct.pack(">6H", 2000, 1, 1, 0, 0, 0),
        b"acsp",
    )
    white = struct.pack(">4x3l", 63190, 65536, 54061)
    head = (head + white).ljust(128, b"\0")
    return head + struct.pack(">L", len(tags)) + table + body
