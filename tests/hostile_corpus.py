"""Pictures as they should not be, and how each of them must end.

`build` writes one file of every kind into a folder. What must come of a kind
is in its `expect`: the right picture, one line with a reason, or nothing but
a line that says that it was left out.
"""

import dataclasses
import io
import os
import socket
import struct
import zlib

import numpy as np
from PIL import Image
from PIL import features

from tests.data import icc_profiles
from tests.data import tiff_files

# What must come of a file. A damaged one may still be a whole picture by
# chance, but then one of the size that its head says.
PICTURE, REFUSED, EITHER, LEFT_OUT = "picture", "refused", "either", "left out"
HEIGHT, WIDTH = 20, 32
_TOO_LARGE = "must have at most 200000000 pixels"
_DAMAGED = "damaged|truncated|cannot|not a picture|broken|bad|unexpected|"
_DAMAGED += "no more|not enough|image file|decod|Premature|no page|empty"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: bytes. Of the file.
        data: bytes, or function of its path that makes it.
        expect: str, one of the four above.
        reason: str, a regular expression of the line that is said.
        shape: (height, width) of the result.
        tolerance: float, of the result's mean lightness, L*.
    """

    name: bytes
    data: object
    expect: str
    reason: str = ""
    shape: tuple = (HEIGHT, WIDTH)
    tolerance: float = 0.7


def base() -> np.ndarray:
    """The picture itself, uint8 [H, W, 3]: grey, unlike its mirror images."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    grey = (60 + 3 * x + 1.7 * y).round().astype(np.uint8)
    return np.repeat(grey[..., None], 3, -1)


def encoded(picture, kind: str = "PNG", **options) -> bytes:
    """A picture, array or of Pillow, as the bytes of a file."""
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def png_chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    checksum = struct.pack(">L", zlib.crc32(name + content))
    return struct.pack(">L", len(content)) + name + content + checksum


def png(width, height, *, depth=8, color=0, chunks=b"", data=b"") -> bytes:
    """A PNG whose head may promise more than it has."""
    head = struct.pack(">LLBBBBB", width, height, depth, color, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + chunks
        + png_chunk(b"IDAT", zlib.compress(data))
        + png_chunk(b"IEND", b"")
    )


def bombs() -> dict[str, bytes]:
    """Few bytes whose head promises billions of pixels, by file name."""
    gif = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0)
    gif += bytes(6) + b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
    gif += b"\x02\x02\x44\x01\x00;"
    # The screen is small; a frame that is to be disposed of is not.
    frame = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + bytes(6)
    frame += b"!\xf9\x04" + struct.pack("<BHB", 0x09, 0, 0) + b"\0"
    frame += b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
    frame += b"\x02\x02\x44\x01\x00;"
    second = Image.fromarray(255 - base())
    webp = encoded(base(), "WEBP", save_all=True, append_images=[second])
    webp = webp[:24] + 2 * (16384 - 1).to_bytes(3, "little") + webp[30:]
    bmp = b"BM" + struct.pack("<LHHL", 54, 0, 0, 54)
    bmp += struct.pack("<LllHHLLllLL", 40, 60000, 60000, 1, 24, 0, *[0] * 5)
    tiff = tiff_files.tiff(
        {
            "values": np.zeros([4, 4, 3], np.uint8),
            "tags": {256: 70000, 257: 70000},
        }
    )
    deep = tiff_files.tiff(
        {
            "values": np.zeros([4, 4, 3], np.uint16),
            "planar": True,
            "tags": {256: 70000, 257: 70000},
        }
    )
    # So many channels that few bytes would become 25 GB.
    channels = tiff_files.tiff(
        {
            "values": np.zeros([4, 4, 64], np.uint16),
            "compression": tiff_files.DEFLATE,
            "tags": {256: 14000, 257: 14000},
        }
    )
    tga = struct.pack("<BBBHHBHH", 0, 0, 2, 0, 0, 0, 0, 0)
    tga += struct.pack("<HHBB", 65535, 65535, 24, 0)
    jpeg = bytearray(encoded(base(), "JPEG"))
    place = jpeg.index(b"\xff\xc0") + 5
    jpeg[place : place + 4] = struct.pack(">HH", 65000, 65000)
    return {
        "bomb.png": png(60000, 60000, data=bytes(10**6)),
        "bomb_sides.png": png(2**31 - 1, 2**31 - 1),
        "bomb_row.png": png(2**31 - 1, 1),
        "bomb_deep.png": png(30000, 30000, depth=16, color=6),
        "bomb.gif": gif,
        "bomb_frame.gif": frame,
        "bomb.webp": webp,
        "bomb.bmp": bmp,
        "bomb.tif": tiff,
        "bomb_planar16.tif": deep,
        "bomb_channels.tif": channels,
        "bomb.tga": tga,
        "bomb.ppm": b"P6 60000 60000 255\n" + bytes(100),
        "bomb16.pgm": b"P5 60000 60000 65535\n" + bytes(100),
        "bomb.jpg": bytes(jpeg),
    }


def kinds() -> list[Kind]:
    """All kinds; the names of the files are all different."""
    found = [
        *_jpegs(),
        *_pngs(),
        *_other_formats(),
        *_tiffs(),
        *_profiles(),
        *_orientations(),
        *_sizes(),
        *_names(),
        *_cut_and_flipped(),
        *_not_pictures(),
        *_crafted(),
        *_special_files(),
    ]
    if len({kind.name for kind in found}) != len(found):
        raise ValueError("two kinds have one name")
    return found


def build(folder: str) -> list[Kind]:
    """Writes a file of every kind; returns the kinds."""
    os.makedirs(folder, exist_ok=True)
    for kind in kinds():
        path = os.path.join(os.fsencode(folder), kind.name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if callable(kind.data):
            kind.data(path)
        else:
            with open(path, "xb") as file:
                file.write(kind.data)
    return kinds()


def _good(name, data, **more) -> Kind:
    name = name if isinstance(name, bytes) else name.encode()
    return Kind(name, data, PICTURE, **more)


def _bad(name, data, reason=_DAMAGED, **more) -> Kind:
    return Kind(name.encode(), data, REFUSED, reason, **more)


def _jpegs():
    rgb, grey = Image.fromarray(base()), Image.fromarray(base()[..., 0])
    cmyk = rgb.convert("CMYK")
    lossy = {"tolerance": 2.0}
    high = {"quality": 97}
    whole = encoded(rgb, "JPEG", **high)
    exif = Image.Exif()
    exif[0x0132] = "2020:01:01 00:00:00"
    yield _good("plain.jpg", whole, **lossy)
    yield _good(
        "progressive.jpg",
        encoded(rgb, "JPEG", progressive=True, **high),
        **lossy,
    )
    yield _good(
        "subsampled.jpeg",
        encoded(rgb, "JPEG", subsampling=2, optimize=True, **high),
        **lossy,
    )
    yield _good(
        "restarts.jpe",
        encoded(rgb, "JPEG", restart_marker_blocks=1, **high),
        **lossy,
    )
    yield _good("grey.jfif", encoded(grey, "JPEG", **high), **lossy)
    yield _good("cmyk.jpg", encoded(cmyk, "JPEG", **high), **lossy)
    yield _good("comment.jpg", encoded(rgb, "JPEG", comment=b"\x1b[31m\xff"))
    yield _good("exif.jpg", encoded(rgb, "JPEG", exif=exif, **high), **lossy)
    yield _good("no_end.jpg", whole[:-2], **lossy)
    yield _good("after_the_end.jpg", whole + b"more" * 999, **lossy)
    scans = encoded(rgb, "JPEG", progressive=True)
    scans = scans[: scans.rindex(b"\xff\xc4")]
    yield _bad("cut_between_scans.jpg", scans, "truncated")
    # An Adobe marker that says YCCK of CMYK data, and one of no known kind.
    for name, transform in (("ycck", 2), ("adobe_none", 99)):
        data = bytearray(encoded(cmyk, "JPEG", **high))
        data[data.index(b"Adobe") + 11] = transform
        yield Kind(f"{name}.jpg".encode(), bytes(data), EITHER)


def _pngs():
    rgb, grey = Image.fromarray(base()), Image.fromarray(base()[..., 0])
    alpha = Image.fromarray(np.full([HEIGHT, WIDTH], 200, np.uint8))
    deep = base()[..., 0].astype(np.uint16) * 257
    yield _good("plain.png", encoded(rgb))
    yield _good("grey.png", encoded(grey))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    yield _good("alpha.png", encoded(rgba))
    both = Image.merge("LA", [grey, alpha])
    yield _good("grey_alpha.png", encoded(both))
    yield _good("grey16.png", encoded(deep))
    rows = np.repeat(deep[..., None], 3, -1).astype(">u2")
    scan = b"".join(b"\0" + row.tobytes() for row in rows)
    yield _good("rgb16.png", png(WIDTH, HEIGHT, depth=16, color=2, data=scan))
    palette = grey.convert("P")
    yield _good("palette.png", encoded(palette))
    yield _good("palette_alpha.png", encoded(palette, transparency=bytes([9])))
    frames = [Image.fromarray(255 - base())]
    yield _good(
        "animated.png", encoded(rgb, save_all=True, append_images=frames)
    )
    for depth in (1, 2, 4):
        levels = base()[..., 0] >> (8 - depth)
        bits = np.unpackbits(levels[..., None], axis=-1)[..., 8 - depth :]
        lines = np.packbits(bits.reshape(HEIGHT, -1), axis=1)
        scan = b"".join(b"\0" + line.tobytes() for line in lines)
        data = png(WIDTH, HEIGHT, depth=depth, data=scan)
        yield _good(f"grey{depth}.png", data, tolerance=60 / depth)
        level = png_chunk(b"tRNS", b"\0" + bytes([2**depth - 1]))
        data = png(WIDTH, HEIGHT, depth=depth, chunks=level, data=scan)
        yield _good(f"level{depth}.png", data, tolerance=60 / depth)
    plain = png(WIDTH, HEIGHT, data=_scanlines(base()[..., :1]))
    yield _good("made.png", plain)
    # Two that other files follow.
    yield _good("is_a_png.jpg", plain)
    yield _good("is_a_png_too.tif", plain)


def _scanlines(values: np.ndarray) -> bytes:
    return b"".join(b"\0" + line.tobytes() for line in values)


def _other_formats():
    rgb, grey = Image.fromarray(base()), Image.fromarray(base()[..., 0])
    lossy = {"tolerance": 2.5}
    frames = {"save_all": True, "append_images": [Image.fromarray(base() // 2)]}
    yield _good("plain.gif", encoded(grey, "GIF"))
    yield _good("animated.gif", encoded(grey, "GIF", **frames))
    yield _good("transparent.gif", encoded(grey, "GIF", transparency=3))
    yield _good("is_a_gif.png", encoded(grey, "GIF"))
    yield _good("lossy.webp", encoded(rgb, "WEBP", quality=98), **lossy)
    yield _good("lossless.webp", encoded(rgb, "WEBP", lossless=True), **lossy)
    animated = encoded(rgb, "WEBP", lossless=True, **frames)
    yield _good("animated.webp", animated, **lossy)
    yield _good("is_a_jpeg.webp", encoded(rgb, "JPEG"), **lossy)
    yield _good("plain.bmp", encoded(rgb, "BMP"))
    yield _good("grey.bmp", encoded(grey, "BMP"))
    yield _good("one_bit.bmp", encoded(grey.convert("1"), "BMP"), tolerance=60)
    yield _good("plain.dib", encoded(rgb, "DIB"))
    yield _good("plain.tga", encoded(rgb, "TGA"))
    unused = np.concatenate([base(), np.zeros([HEIGHT, WIDTH, 1])], axis=-1)
    unused = encoded(unused.astype(np.uint8), "TGA")
    yield _good("hides_all.tga", unused)
    # By its head the fourth channel is no alpha.
    yield _good("unused.tga", unused[:17] + b"\0" + unused[18:])
    yield _good("packed.tga", encoded(rgb, "TGA", compression="tga_rle"))
    yield _good("plain.ppm", encoded(rgb, "PPM"))
    yield _good("plain.pgm", encoded(grey, "PPM"))
    yield _good("further.pgm", encoded(grey, "PPM") + encoded(rgb, "PPM"))
    deep = (base()[..., 0].astype(">u2") * 257).tobytes()
    head = f"P5\n# a comment\n{WIDTH} {HEIGHT}\n65535\n".encode()
    yield _good("deep.pgm", head + deep)
    text = " ".join(map(str, base()[..., 0].ravel()))
    head = f"P2 {WIDTH} {HEIGHT} 255\n".encode()
    yield _good("text.pnm", head + text.encode())
    if features.check("jpg_2000"):
        yield _good("plain.jp2", encoded(rgb, "JPEG2000"), **lossy)
    if features.check("avif"):
        yield _good("plain.avif", encoded(rgb, "AVIF", quality=95), **lossy)


def _tiffs():
    rgb8 = base()
    rgb16 = base().astype(np.uint16) * 257
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
            yield _good(f"{name}_{ending}.tif", data)
    second = {"values": rgb8 // 2}
    pages = tiff_files.tiff({"values": rgb8}, second)
    yield _good("pages.tif", pages)
    small = {"values": rgb8[:4, :6], "tags": {254: 1}}
    cut = tiff_files.tiff(small, second)[: len(tiff_files.tiff(small)) + 9]
    yield _bad("only_a_thumbnail.tif", cut, "only a thumbnail")
    small["tags"] = {254: 1, 330: 8}
    data = tiff_files.tiff(small)
    yield _bad("in_a_sub_directory.tif", data, "in a sub-directory")
    lost = pages[: len(tiff_files.tiff(second)) + 9]
    yield _good("lost_page.tif", lost)
    one_bit = Image.fromarray(rgb8[..., 0]).convert("1")
    fax = encoded(one_bit, "TIFF", compression="group4")
    yield _good("one_bit.tif", fax, tolerance=60)
    cmyk = encoded(Image.fromarray(rgb8).convert("CMYK"), "TIFF")
    yield _good("cmyk.tif", cmyk)
    jpeg = encoded(rgb8, "TIFF", compression="jpeg", quality=97)
    yield _good("jpeg.tif", jpeg, tolerance=3)
    floating = encoded(rgb8[..., 0].astype(np.float32), "TIFF")
    yield _bad("float.tif", floating, "floating point")
    signed = tiff_files.tiff({"values": rgb8[..., :1], "sample_format": 2})
    yield _bad("signed.tif", signed, "signed integer")
    lab = tiff_files.tiff({"values": rgb8, "photometric": 8})
    yield _bad("lab.tif", lab, "CIELAB")
    raw = tiff_files.tiff({"values": rgb8, "photometric": 32803})
    yield _bad("camera.tif", raw, "raw pixels")
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
        yield _good(f"no_meaning_{name}.tif", _without_tag(data, 262))
    few_bits = {"values": rgb8[..., :1], "tags": {258: 4}}
    data = _without_tag(tiff_files.tiff(few_bits), 262)
    yield _bad("no_meaning_4.tif", data, "no photometric interpretation")
    dark = {"values": rgb8[..., :1], "photometric": 3}
    dark["tags"] = {320: [*range(256)] * 3}
    yield _good("palette_of_8_bits.tif", tiff_files.tiff(dark))
    for compression in (tiff_files.NONE, tiff_files.LZW):
        data = tiff_files.tiff({"values": rgb16, "compression": compression})
        data = _patched_tiff(data, 279, (0,) * 3)
        if compression == tiff_files.NONE:
            yield _good("no_counts.tif", data)
        else:
            yield _bad("no_counts_lzw.tif", data, "Received: 0 bytes")


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


def _profiles():
    rgb = Image.fromarray(base())
    good = icc_profiles.rgb(icc_profiles.srgb_curve())
    wrong_class = good[:12] + b"link" + good[16:]
    wrong_space = good[:16] + b"CMYK" + good[20:]
    huge = good + bytes(2**24)
    flat = icc_profiles.rgb(np.zeros(16))
    offsets = good[:132] + b"\xff" * 60 + good[192:]
    for name, profile in (
        ("srgb", good),
        ("cut", good[:200]),
        ("noise", bytes(range(256)) * 8),
        ("wrong_class", wrong_class),
        ("wrong_space", wrong_space),
        ("of_one_tone", flat),
        ("offsets", offsets),
    ):
        yield _good(f"icc_{name}.png", encoded(rgb, icc_profile=profile))
        data = encoded(rgb, "JPEG", quality=97, icc_profile=profile)
        yield _good(f"icc_{name}.jpg", data, tolerance=2)
    tiff = encoded(rgb, "TIFF", icc_profile=huge)
    yield _good("icc_huge.tif", tiff)
    chromaticities = png_chunk(b"cHRM", bytes(32))
    scan = _scanlines(base())
    data = png(WIDTH, HEIGHT, color=2, chunks=chromaticities, data=scan)
    yield _good("no_primaries.png", data)
    gamma = png_chunk(b"gAMA", struct.pack(">L", 1))
    data = png(WIDTH, HEIGHT, color=2, chunks=gamma, data=scan)
    yield _good("no_gamma.png", data)
    packed = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(3 * 10**7)))
    data = png(WIDTH, HEIGHT, color=2, chunks=packed, data=scan)
    yield Kind(b"icc_bomb.png", data, EITHER, ".")


def _orientations():
    transposed = Image.Transpose
    back = {
        1: None,
        2: transposed.FLIP_LEFT_RIGHT,
        3: transposed.ROTATE_180,
        4: transposed.FLIP_TOP_BOTTOM,
        5: transposed.TRANSPOSE,
        6: transposed.ROTATE_90,
        7: transposed.TRANSVERSE,
        8: transposed.ROTATE_270,
    }
    for number, method in back.items():
        stored = Image.fromarray(base())
        stored = stored if method is None else stored.transpose(method)
        exif = Image.Exif()
        exif[0x0112] = number
        for kind, ending, options in (
            ("JPEG", "jpg", {"quality": 97}),
            ("PNG", "png", {}),
            ("WEBP", "webp", {"lossless": True}),
            ("TIFF", "tif", {}),
        ):
            data = encoded(stored, kind, exif=exif, **options)
            yield _good(f"turned{number}.{ending}", data, tolerance=2.5)
    for number in (0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = number
        yield _good(f"turned{number}.png", encoded(base(), exif=exif))


def _sizes():
    for height, width in ((1, 1), (1, 20000), (20000, 1), (2, 3), (1, 7)):
        grey = np.full([height, width], 120, np.uint8)
        name = f"{width}x{height}.png"
        yield _good(name, encoded(grey), shape=(height, width), tolerance=99)


def _names():
    data = encoded(base())
    for name in (
        "with space.png",
        " leading and trailing .png",
        "new\nline.png",
        "tab\tand\rreturn.png",
        "\x1b[31mred\x07.png",
        "ünïcode 日本語 🙂.png",
        "e\u0301 combining.png",
        "\u202egnp.abc.png",
        "dots..in...name.png",
        "-dash.png",
        "--output=elsewhere.png",
        "quote'\"`$(id).png",
        "*star?[a].png",
        "%s%n{0}.png",
        "a,b;c.png",
        "back\\slash.png",
        "CON.png",
        "UPPER.PNG",
        "no_dot_png.png.png",
        "long" * 62 + ".png",
        "folder.jpg/inside.png",
        "fol\nder/inside.png",
    ):
        yield _good(name, data)
    yield _good(b"bytes \xe9\xff\xfe.png", data)


def _cut_and_flipped():
    rgb = Image.fromarray(base())
    sources = {
        "jpg": encoded(rgb, "JPEG"),
        "png": encoded(rgb),
        "gif": encoded(rgb, "GIF"),
        "webp": encoded(rgb, "WEBP"),
        "bmp": encoded(rgb, "BMP"),
        "tif": tiff_files.tiff({"values": base()}),
        "ppm": encoded(rgb, "PPM"),
    }
    for ending, data in sources.items():
        for share in (1, 5, 10, 25, 50, 75, 90):
            name = f"cut{share:02}.{ending}".encode()
            # What follows the pixels may be missing.
            expect = EITHER if share == 90 else REFUSED
            yield Kind(name, data[: len(data) * share // 100], expect, ".")
        rng = np.random.default_rng(0)
        for number in range(6):
            changed = bytearray(data)
            # The head alone, then anywhere.
            most = min(len(data), 64) if number < 3 else len(data)
            for place in rng.integers(0, most, 3):
                changed[place] ^= 1 << rng.integers(8)
            name = f"flipped{number}.{ending}"
            yield Kind(name.encode(), bytes(changed), EITHER, ".", shape=None)


def _not_pictures():
    zipped = b"PK\x05\x06" + bytes(18)
    for name, data in (
        ("empty.png", b""),
        ("one_byte.jpg", b"\xff"),
        ("zeros.png", bytes(5000)),
        ("noise.jpg", np.random.default_rng(1).bytes(5000)),
        ("text.png", b"This is not a picture.\n" * 99),
        ("page.jpg", b"<!DOCTYPE html><html><body>404</body></html>"),
        ("vector.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("document.jpg", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
        ("script.jpg", b"#!/bin/sh\ntouch owned\n"),
        ("archive.jpg", zipped),
        ("head_only.jpg", b"\xff\xd8\xff\xd9"),
        ("signature.png", b"\x89PNG\r\n\x1a\n"),
    ):
        yield _bad(name, data, "not a picture|damaged|empty|trunc|cannot")
    # Formats that Pillow knows and tfcolor does not: EPS would run a program.
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    postscript += b"%%EndComments\n(owned) (w) file\n%%EOF\n"
    yield _bad("postscript.jpg", postscript, "not a picture")
    yield _bad("icon.png", encoded(base(), "ICO"), "not a picture")
    yield _bad("pcx.bmp", encoded(base(), "PCX"), "not a picture")


def _crafted():
    for name, data in bombs().items():
        yield _bad(name, data, _TOO_LARGE)
    scan = _scanlines(base()[..., :1])
    texts = png_chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(3 * 10**7)))
    yield Kind(
        b"text_bomb.png", png(WIDTH, HEIGHT, chunks=texts, data=scan), EITHER
    )
    for depth in (8, 16):
        # They end well, and without a word.
        half = base()[: HEIGHT // 2, :, :1].repeat(depth // 8, axis=-1)
        half = png(WIDTH, HEIGHT, depth=depth, data=_scanlines(half))
        yield _bad(f"half{depth}.png", half, "truncated")
    too_much = png(WIDTH, HEIGHT, data=bytes(3 * 10**7))
    yield Kind(b"more_than_its_head.png", too_much, EITHER, ".", tolerance=99)
    yield _bad("values_in_values.tif", overlapping_tiff(), "damaged")
    exif = b"Exif\0\0" + overlapping_tiff()[:65000]
    plain = encoded(base(), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    yield _bad("values_in_values.jpg", plain[:2] + segment + plain[2:], "EXIF")
    late = png(WIDTH, HEIGHT, data=scan)
    exif = png_chunk(b"eXIf", overlapping_tiff())
    yield _bad("values_in_values.png", late[:-12] + exif + late[-12:], "EXIF")
    loop = bytearray(tiff_files.tiff({"values": base()}, {"values": base()}))
    (count,) = struct.unpack_from("<H", loop, 8)
    struct.pack_into("<L", loop, 10 + 12 * count, 8)
    yield _good("pages_in_a_circle.tif", bytes(loop))


def overlapping_tiff(entries: int = 4000) -> bytes:
    """A TIFF of which each of many values is nearly the whole file."""
    size = 8 + 2 + 12 * entries + 4
    table = b""
    for tag in range(1000, 1000 + entries):
        table += struct.pack("<HHLL", tag, 1, size, 0)
    directory = struct.pack("<H", entries) + table + bytes(4)
    return b"II*\0" + struct.pack("<L", 8) + directory


def _special_files():
    def make_socket(path):
        # A short name: a socket's path may have about 100 bytes.
        before = os.open(".", os.O_RDONLY)
        os.chdir(os.path.dirname(path))
        try:
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(os.path.basename(path))
        finally:
            os.fchdir(before)
            os.close(before)

    for name, make, reason in (
        ("pipe.jpg", os.mkfifo, "a pipe"),
        ("socket.jpg", make_socket, "a socket"),
        ("zero.jpg", lambda path: os.symlink("/dev/zero", path), "a device"),
        ("nothing.jpg", lambda path: os.symlink("absent", path), "nothing"),
        ("itself.jpg", lambda path: os.symlink("itself.jpg", path), "."),
        ("link.png", lambda path: os.symlink("plain.png", path), "link"),
        ("around", lambda path: os.symlink(".", path), "link"),
        (".hidden.png", encoded(base()), ""),
        ("words.txt", b"words", "1 .txt"),
    ):
        yield Kind(name.encode(), make, LEFT_OUT, reason)

    def sparse(path):
        with open(path, "xb") as file:
            file.truncate(2**42)

    yield _bad("sparse.jpg", sparse, "at most|too large|not a picture|.")
