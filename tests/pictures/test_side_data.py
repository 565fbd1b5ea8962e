import io

import numpy as np
import pytest
from PIL import Image
from PIL import PngImagePlugin

from tfcolor.pictures import decode
from tfcolor.pictures import encode
from tfcolor.pictures.side_data import SideData

_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description '
    b'tiff:Orientation="6"><dc:title>Boats</dc:title>'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
_ALL = (".jpg", ".jfif", ".png", ".webp", ".bmp", ".tif")


def _picture(*shape, dtype=np.uint8):
    high = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, high, shape, dtype)


def _file(kind, mode="RGB", **options):
    file = io.BytesIO()
    shape = (9, 13) if mode in ("L", "I;16") else (9, 13, 3)
    dtype = np.uint16 if mode == "I;16" else np.uint8
    Image.fromarray(_picture(*shape, dtype=dtype)).save(file, kind, **options)
    return file.getvalue()


def _again(data, extension, dtype=np.uint8):
    """What a copy of a file in another format says."""
    picture = decode.decode_picture(data)
    shape = (*picture.pixels.shape[:2], 3)
    copy = encode.encode_picture(
        _picture(*shape, dtype=dtype),
        extension,
        exif=picture.exif,
        side=picture.side,
    )
    return decode.decode_picture(copy)


@pytest.mark.parametrize("extension", _ALL)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_a_print_keeps_its_size(kind, extension, dtype):
    options = {"dpi": (300, 150)}
    if kind == "WEBP":
        exif = Image.Exif()
        exif[282], exif[283], exif[296] = 300.0, 150.0, 2
        options = {"exif": exif}
    again = _again(_file(kind, **options), extension, dtype)
    assert again.side.dpi == pytest.approx((300, 150), rel=1e-3)


def test_centimetres_are_known():
    data = _file("TIFF", resolution=118.11, resolution_unit=3)
    assert _again(data, ".jpg").side.dpi == pytest.approx((300, 300), rel=1e-3)
    exif = Image.Exif()
    exif[282], exif[283], exif[296] = 118.11, 118.11, 3
    data = _file("WEBP", exif=exif)
    assert _again(data, ".png").side.dpi == pytest.approx((300, 300), rel=1e-3)


def test_a_print_on_its_side_is_turned_with_the_picture():
    exif = Image.Exif()
    exif[274], exif[282], exif[283], exif[296] = 6, 300.0, 150.0, 2
    data = _file("JPEG", dpi=(300, 150), exif=exif)
    again = _again(data, ".tif")
    assert again.side.dpi == pytest.approx((150, 300))
    kept = Image.Exif()
    kept.load(again.exif)
    assert (kept[282], kept[283]) == (150, 300)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_no_size_is_made_up(kind):
    exif = Image.Exif()
    exif[271] = "Maker"
    assert decode.decode_picture(_file(kind, exif=exif)).side.dpi is None


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_xmp_is_kept_and_says_upright(kind, extension, dtype):
    options = {"xmp": _XMP}
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", _XMP.decode())
        options = {"pnginfo": info}
    elif kind == "TIFF":
        options = {"tiffinfo": {700: _XMP}}
    picture = decode.decode_picture(_file(kind, **options))
    assert picture.pixels.shape == (13, 9, 3)
    again = _again(_file(kind, **options), extension, dtype)
    assert again.side.xmp == _XMP.replace(b'"6"', b'"1"')
    assert again.pixels.shape == (13, 9, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_texts_of_a_png_are_kept(dtype):
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "Boats")
    info.add_text("Author", "Ωmega", zip=True)
    info.add_itxt("Comment", "für alle")
    again = _again(_file("PNG", pnginfo=info), ".png", dtype)
    assert dict(again.side.texts) == {
        "Title": "Boats",
        "Author": "Ωmega",
        "Comment": "für alle",
    }
    as_jpeg = _again(_file("PNG", pnginfo=info), ".jpg")
    ((key, text),) = as_jpeg.side.texts
    assert key == "Comment"
    assert "Title: Boats\nAuthor: Ωmega" in text


@pytest.mark.parametrize("kind", ["JPEG", "GIF"])
@pytest.mark.parametrize("comment", ["Boats on the lake", "Bäume"])
def test_comments_are_kept(kind, comment):
    data = _file(kind, comment=comment.encode())
    for extension in (".jpg", ".png"):
        again = _again(data, extension)
        assert again.side.texts == (("Comment", comment),)
    with Image.open(
        io.BytesIO(
            encode.encode_picture(
                _picture(9, 13, 3),
                ".tif",
                side=decode.decode_picture(data).side,
            )
        )
    ) as tiff:
        stored = tiff.tag_v2[270]
    assert stored.encode("latin-1").decode().startswith(comment)


def test_what_a_format_does_not_hold_is_said():
    side = SideData(xmp=_XMP, texts=(("Title", "x"),), has_iptc=True)
    for extension, words in {
        ".png": ["IPTC"],
        ".webp": ["IPTC", "texts (Title)"],
        ".BMP": ["IPTC", "EXIF", "XMP", "texts (Title)"],
    }.items():
        (note,) = encode.left_out(extension, exif=b"Exif\0\0", side=side)
        for word in ("IPTC", "EXIF", "XMP", "texts (Title)"):
            assert (word in note) == (word in words)
    long = SideData(xmp=_XMP * 1000, texts=(("Title", "x" * 70000),))
    (note,) = encode.left_out(".jpg", exif=None, side=long)
    assert "XMP" in note
    assert "texts" in note
    data = encode.encode_picture(_picture(9, 13, 3), ".jpg", side=long)
    assert decode.decode_picture(data).side == SideData()
    assert encode.left_out(".png", exif=b"x", side=SideData()) == []


def test_texts_that_a_description_of_a_tiff_displaces_are_said():
    exif = Image.Exif()
    exif[270] = "Boats"
    exif = exif.tobytes()
    side = SideData(texts=(("Comment", "x"),))
    data = encode.encode_picture(
        _picture(9, 13, 3), ".tif", exif=exif, side=side
    )
    kept = Image.Exif()
    kept.load(decode.decode_picture(data).exif)
    assert kept[270] == "Boats"
    (note,) = encode.left_out(".tif", exif=exif, side=side)
    assert note == "left out of the TIFF file: its texts (Comment)"
    assert encode.left_out(".tif", exif=None, side=side) == []
    assert encode.left_out(".tif", exif=exif, side=SideData()) == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".tif"])
def test_texts_of_windows_and_scanners_are_kept(kind, extension):
    texts = {
        tag: f"Bäume {tag}".encode("utf-16-le") for tag in range(40091, 40096)
    }
    exif = Image.Exif()
    exif[269] = "Album 7"
    for tag, text in texts.items():
        exif[tag] = text
    picture = decode.decode_picture(_file(kind, exif=exif))
    data = encode.encode_picture(
        _picture(9, 13, 3), extension, exif=picture.exif
    )
    kept = Image.Exif()
    kept.load(decode.decode_picture(data).exif)
    assert kept[269] == "Album 7"
    assert {tag: kept[tag] for tag in texts} == texts


def test_iptc_texts_are_noticed():
    record = b"\x1c\x02\x78\x00\x05Boats"
    block = b"8BIM\x04\x04\0\0" + len(record).to_bytes(4, "big") + record
    segment = b"Photoshop 3.0\0" + block
    marker = b"\xff\xed" + (len(segment) + 2).to_bytes(2, "big") + segment
    data = _file("JPEG")
    picture = decode.decode_picture(data[:2] + marker + data[2:])
    assert picture.side.has_iptc
