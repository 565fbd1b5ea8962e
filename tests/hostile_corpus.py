"""Pictures as they should not be, and how each of them must end.

`build` writes one file of every kind into a folder. What must come of a kind
is in its `expect`: the right picture, one line with a reason, or nothing but
a line that says that it was left out.
"""

import os
import socket
import struct
import zlib

import numpy as np
from PIL import Image
from PIL import features

from tests.hostile_kinds import EITHER
from tests.hostile_kinds import HEIGHT
from tests.hostile_kinds import LEFT_OUT
from tests.hostile_kinds import REFUSED
from tests.hostile_kinds import TOO_LARGE
from tests.hostile_kinds import WIDTH
from tests.hostile_kinds import Kind
from tests.hostile_kinds import bad
from tests.hostile_kinds import base
from tests.hostile_kinds import encoded
from tests.hostile_kinds import good
from tests.hostile_tiffs import tiffs
from tests.pictures import icc_profiles
from tests.pictures import tiff_files


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
        *tiffs(),
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


def _jpegs():
    rgb, grey = Image.fromarray(base()), Image.fromarray(base()[..., 0])
    cmyk = rgb.convert("CMYK")
    lossy = {"tolerance": 2.0}
    high = {"quality": 97}
    whole = encoded(rgb, "JPEG", **high)
    exif = Image.Exif()
    exif[0x0132] = "2020:01:01 00:00:00"
    yield good("plain.jpg", whole, **lossy)
    yield good(
        "progressive.jpg",
        encoded(rgb, "JPEG", progressive=True, **high),
        **lossy,
    )
    yield good(
        "subsampled.jpeg",
        encoded(rgb, "JPEG", subsampling=2, optimize=True, **high),
        **lossy,
    )
    yield good(
        "restarts.jpe",
        encoded(rgb, "JPEG", restart_marker_blocks=1, **high),
        **lossy,
    )
    yield good("grey.jfif", encoded(grey, "JPEG", **high), **lossy)
    yield good("cmyk.jpg", encoded(cmyk, "JPEG", **high), **lossy)
    yield good("comment.jpg", encoded(rgb, "JPEG", comment=b"\x1b[31m\xff"))
    yield good("exif.jpg", encoded(rgb, "JPEG", exif=exif, **high), **lossy)
    yield good("no_end.jpg", whole[:-2], **lossy)
    yield good("after_the_end.jpg", whole + b"more" * 999, **lossy)
    scans = encoded(rgb, "JPEG", progressive=True)
    scans = scans[: scans.rindex(b"\xff\xc4")]
    yield bad("cut_between_scans.jpg", scans, "truncated")
    # An Adobe marker that says YCCK of CMYK data, and one of no known kind.
    for name, transform in (("ycck", 2), ("adobe_none", 99)):
        data = bytearray(encoded(cmyk, "JPEG", **high))
        data[data.index(b"Adobe") + 11] = transform
        yield Kind(f"{name}.jpg".encode(), bytes(data), EITHER)


def _pngs():
    rgb, grey = Image.fromarray(base()), Image.fromarray(base()[..., 0])
    alpha = Image.fromarray(np.full([HEIGHT, WIDTH], 200, np.uint8))
    deep = base()[..., 0].astype(np.uint16) * 257
    yield good("plain.png", encoded(rgb))
    yield good("grey.png", encoded(grey))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    yield good("alpha.png", encoded(rgba))
    both = Image.merge("LA", [grey, alpha])
    yield good("grey_alpha.png", encoded(both))
    yield good("grey16.png", encoded(deep))
    rows = np.repeat(deep[..., None], 3, -1).astype(">u2")
    scan = b"".join(b"\0" + row.tobytes() for row in rows)
    yield good("rgb16.png", png(WIDTH, HEIGHT, depth=16, color=2, data=scan))
    palette = grey.convert("P")
    yield good("palette.png", encoded(palette))
    yield good("palette_alpha.png", encoded(palette, transparency=bytes([9])))
    frames = [Image.fromarray(255 - base())]
    yield good(
        "animated.png", encoded(rgb, save_all=True, append_images=frames)
    )
    for depth in (1, 2, 4):
        levels = base()[..., 0] >> (8 - depth)
        bits = np.unpackbits(levels[..., None], axis=-1)[..., 8 - depth :]
        lines = np.packbits(bits.reshape(HEIGHT, -1), axis=1)
        scan = b"".join(b"\0" + line.tobytes() for line in lines)
        data = png(WIDTH, HEIGHT, depth=depth, data=scan)
        yield good(f"grey{depth}.png", data, tolerance=60 / depth)
        level = png_chunk(b"tRNS", b"\0" + bytes([2**depth - 1]))
        data = png(WIDTH, HEIGHT, depth=depth, chunks=level, data=scan)
        yield good(f"level{depth}.png", data, tolerance=60 / depth)
    plain = png(WIDTH, HEIGHT, data=_scanlines(base()[..., :1]))
    yield good("made.png", plain)
    # Two that other files follow.
    yield good("is_a_png.jpg", plain)
    yield good("is_a_png_too.tif", plain)


def _scanlines(values: np.ndarray) -> bytes:
    return b"".join(b"\0" + line.tobytes() for line in values)


def _other_formats():
    rgb, grey = Image.fromarray(base()), Image.fromarray(base()[..., 0])
    lossy = {"tolerance": 2.5}
    frames = {"save_all": True, "append_images": [Image.fromarray(base() // 2)]}
    yield good("plain.gif", encoded(grey, "GIF"))
    yield good("animated.gif", encoded(grey, "GIF", **frames))
    yield good("transparent.gif", encoded(grey, "GIF", transparency=3))
    yield good("is_a_gif.png", encoded(grey, "GIF"))
    yield good("lossy.webp", encoded(rgb, "WEBP", quality=98), **lossy)
    yield good("lossless.webp", encoded(rgb, "WEBP", lossless=True), **lossy)
    animated = encoded(rgb, "WEBP", lossless=True, **frames)
    yield good("animated.webp", animated, **lossy)
    yield good("is_a_jpeg.webp", encoded(rgb, "JPEG"), **lossy)
    yield good("plain.bmp", encoded(rgb, "BMP"))
    yield good("grey.bmp", encoded(grey, "BMP"))
    yield good("one_bit.bmp", encoded(grey.convert("1"), "BMP"), tolerance=60)
    yield good("plain.dib", encoded(rgb, "DIB"))
    yield good("plain.tga", encoded(rgb, "TGA"))
    unused = np.concatenate([base(), np.zeros([HEIGHT, WIDTH, 1])], axis=-1)
    unused = encoded(unused.astype(np.uint8), "TGA")
    yield good("hides_all.tga", unused)
    # By its head the fourth channel is no alpha.
    yield good("unused.tga", unused[:17] + b"\0" + unused[18:])
    yield good("packed.tga", encoded(rgb, "TGA", compression="tga_rle"))
    yield good("plain.ppm", encoded(rgb, "PPM"))
    yield good("plain.pgm", encoded(grey, "PPM"))
    yield good("further.pgm", encoded(grey, "PPM") + encoded(rgb, "PPM"))
    deep = (base()[..., 0].astype(">u2") * 257).tobytes()
    head = f"P5\n# a comment\n{WIDTH} {HEIGHT}\n65535\n".encode()
    yield good("deep.pgm", head + deep)
    text = " ".join(map(str, base()[..., 0].ravel()))
    head = f"P2 {WIDTH} {HEIGHT} 255\n".encode()
    yield good("text.pnm", head + text.encode())
    if features.check("jpg_2000"):
        yield good("plain.jp2", encoded(rgb, "JPEG2000"), **lossy)
    if features.check("avif"):
        yield good("plain.avif", encoded(rgb, "AVIF", quality=95), **lossy)


def _profiles():
    rgb = Image.fromarray(base())
    srgb = icc_profiles.rgb(icc_profiles.srgb_curve())
    wrong_class = srgb[:12] + b"link" + srgb[16:]
    wrong_space = srgb[:16] + b"CMYK" + srgb[20:]
    huge = srgb + bytes(2**24)
    flat = icc_profiles.rgb(np.zeros(16))
    offsets = srgb[:132] + b"\xff" * 60 + srgb[192:]
    for name, profile in (
        ("srgb", srgb),
        ("cut", srgb[:200]),
        ("noise", bytes(range(256)) * 8),
        ("wrong_class", wrong_class),
        ("wrong_space", wrong_space),
        ("of_one_tone", flat),
        ("offsets", offsets),
    ):
        yield good(f"icc_{name}.png", encoded(rgb, icc_profile=profile))
        data = encoded(rgb, "JPEG", quality=97, icc_profile=profile)
        yield good(f"icc_{name}.jpg", data, tolerance=2)
    tiff = encoded(rgb, "TIFF", icc_profile=huge)
    yield good("icc_huge.tif", tiff)
    chromaticities = png_chunk(b"cHRM", bytes(32))
    scan = _scanlines(base())
    data = png(WIDTH, HEIGHT, color=2, chunks=chromaticities, data=scan)
    yield good("no_primaries.png", data)
    gamma = png_chunk(b"gAMA", struct.pack(">L", 1))
    data = png(WIDTH, HEIGHT, color=2, chunks=gamma, data=scan)
    yield good("no_gamma.png", data)
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
            yield good(f"turned{number}.{ending}", data, tolerance=2.5)
    for number in (0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = number
        yield good(f"turned{number}.png", encoded(base(), exif=exif))


def _sizes():
    for height, width in ((1, 1), (1, 20000), (20000, 1), (2, 3), (1, 7)):
        grey = np.full([height, width], 120, np.uint8)
        name = f"{width}x{height}.png"
        yield good(name, encoded(grey), shape=(height, width), tolerance=99)


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
        yield good(name, data)
    yield good(b"bytes \xe9\xff\xfe.png", data)


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
        yield bad(name, data, "not a picture|damaged|empty|trunc|cannot")
    # Formats that Pillow knows and tfcolor does not: EPS would run a program.
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    postscript += b"%%EndComments\n(owned) (w) file\n%%EOF\n"
    yield bad("postscript.jpg", postscript, "not a picture")
    yield bad("icon.png", encoded(base(), "ICO"), "not a picture")
    yield bad("pcx.bmp", encoded(base(), "PCX"), "not a picture")


def _crafted():
    for name, data in bombs().items():
        yield bad(name, data, TOO_LARGE)
    scan = _scanlines(base()[..., :1])
    texts = png_chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(3 * 10**7)))
    yield Kind(
        b"text_bomb.png", png(WIDTH, HEIGHT, chunks=texts, data=scan), EITHER
    )
    for depth in (8, 16):
        # They end well, and without a word.
        half = base()[: HEIGHT // 2, :, :1].repeat(depth // 8, axis=-1)
        half = png(WIDTH, HEIGHT, depth=depth, data=_scanlines(half))
        yield bad(f"half{depth}.png", half, "truncated")
    too_much = png(WIDTH, HEIGHT, data=bytes(3 * 10**7))
    yield Kind(b"more_than_its_head.png", too_much, EITHER, ".", tolerance=99)
    yield bad("values_in_values.tif", overlapping_tiff(), "damaged")
    exif = b"Exif\0\0" + overlapping_tiff()[:65000]
    plain = encoded(base(), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    yield bad("values_in_values.jpg", plain[:2] + segment + plain[2:], "EXIF")
    late = png(WIDTH, HEIGHT, data=scan)
    exif = png_chunk(b"eXIf", overlapping_tiff())
    yield bad("values_in_values.png", late[:-12] + exif + late[-12:], "EXIF")
    loop = bytearray(tiff_files.tiff({"values": base()}, {"values": base()}))
    (count,) = struct.unpack_from("<H", loop, 8)
    struct.pack_into("<L", loop, 10 + 12 * count, 8)
    yield good("pages_in_a_circle.tif", bytes(loop))


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

    yield bad("sparse.jpg", sparse, "at most|too large|not a picture|.")
