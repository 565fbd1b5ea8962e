import dataclasses
import gc
import io
import os
import threading
import time
import weakref

import numpy as np
import pytest
from PIL import Image
from PIL import PngImagePlugin

from tests import drawn
from tests.pictures import icc_profiles
from tfcolor.inference import output_paths
from tfcolor.pictures import decode
from tfcolor.pictures import jpeg_end
from tfcolor.pictures import png_end
from tfcolor.serving import colorize_files
from tfcolor.serving.failure import ServerError


class Turner:
    """Colorizes by swapping red and blue, after some failures."""

    def __init__(self, *, failures=0, passing=True):
        self.failures = failures
        self.passing = passing
        self.boxes = []

    def colorize(self, picture, *, boxes=None):
        self.boxes.append(boxes)
        if self.failures:
            self.failures -= 1
            raise ServerError("not now", passing=self.passing)
        rgb = decode.decode_rgb(picture)
        return drawn.encode(rgb[..., ::-1].copy())


def _run(client, jobs, **options):
    found = colorize_files.colorize_files(
        client, jobs, first_wait=0.0, **options
    )
    return {os.path.basename(o.source): o.reason for o in found}


def _plan(album, out):
    return output_paths.plan([str(album)], f"{out}/")


def test_every_picture_has_its_own_result(tmp_path):
    album = drawn.write_album(tmp_path / "album", 5)
    jobs = _plan(album, tmp_path / "out")
    assert set(_run(Turner(), jobs, parallel=3).values()) == {None}
    for i, job in enumerate(jobs):
        with Image.open(job.output) as picture:
            found = np.asarray(picture)
        np.testing.assert_array_equal(found, drawn.colored(i)[..., ::-1])


def test_a_bad_picture_does_not_stop_the_others(tmp_path):
    album = tmp_path / "album"
    drawn.write_album(album, 2)
    (album / "bad.png").write_bytes(b"nothing")
    reasons = _run(Turner(), _plan(album, tmp_path / "out"))
    assert "not a picture" in reasons.pop("bad.png")
    assert set(reasons.values()) == {None}
    assert not (tmp_path / "out" / "bad.png").exists()


@pytest.mark.parametrize(
    ("failures", "passing", "reason"),
    [(2, True, None), (3, True, "not now"), (1, False, "not now")],
)
def test_only_passing_failures_are_tried_again(
    failures, passing, reason, tmp_path
):
    album = drawn.write_album(tmp_path / "album", 1)
    client = Turner(failures=failures, passing=passing)
    jobs = _plan(album, tmp_path / "out")
    assert _run(client, jobs, retries=2) == {"000.png": reason}


def test_formats_are_those_of_the_names(tmp_path):
    album = tmp_path / "album"
    for extension in ("jpg", "tif", "bmp", "gif"):
        drawn.write(album / f"{extension}.{extension}", drawn.colored(1))
    jobs = _plan(album, tmp_path / "out")
    assert set(_run(Turner(), jobs).values()) == {None}
    for job in jobs:
        kind = {"jpg": "JPEG", "tif": "TIFF", "bmp": "BMP", "png": "PNG"}
        with Image.open(job.output) as picture:
            assert picture.format == kind[job.output[-3:]]
            assert picture.size == (32, 32)


def test_boxes_are_sent_and_none_is_a_row_of_zeros(tmp_path):
    album = drawn.write_album(tmp_path / "album", 2)
    boxes = {"000.png": np.float32([[1, 2, 3, 4]])}
    client = Turner()

    def find(source, pixels):
        assert pixels.shape == (32, 32, 3)
        return boxes.get(source[-7:], np.zeros([0, 4], np.float32))

    jobs = _plan(album, tmp_path / "out")
    _run(client, jobs, find_boxes=find, parallel=1)
    assert [found.tolist() for found in client.boxes] == [
        [[1, 2, 3, 4]],
        [[0, 0, 0, 0]],
    ]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_the_model_decodes_is_sent_as_it_is(kind):
    encoded = drawn.encode(drawn.colored(1), kind)
    assert colorize_files.fit_to_send(encoded) is encoded


@pytest.mark.parametrize(
    ("mode", "kind"), [("CMYK", "JPEG"), ("I;16", "TIFF"), ("L", "GIF")]
)
def test_everything_else_is_sent_as_png_of_the_same_pixels(mode, kind):
    picture = Image.fromarray(drawn.grey(1)[..., 0])
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 250)
    stream = io.BytesIO()
    (picture if mode == "I;16" else picture.convert(mode)).save(stream, kind)
    sent = colorize_files.fit_to_send(stream.getvalue())
    assert sent.startswith(b"\x89PNG")
    expected = decode.decode_picture(stream.getvalue()).pixels
    found = decode.decode_picture(sent).pixels
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, np.broadcast_to(expected, found.shape))


def test_colors_of_a_profile_are_converted_before_they_are_sent():
    picture = Image.fromarray(drawn.grey(1))
    stream = io.BytesIO()
    picture.save(stream, "PNG", icc_profile=icc_profiles.rgb(1.0))
    sent = colorize_files.fit_to_send(stream.getvalue())
    found = decode.decode_picture(sent)
    assert (found.pixels.dtype, found.icc_profile) == (np.uint8, None)
    expected = decode.decode_rgb(stream.getvalue())
    np.testing.assert_array_equal(found.pixels, expected)


def test_a_jpeg_without_end_is_completed_before_it_is_sent():
    encoded = drawn.encode(drawn.colored(1), "JPEG")
    sent = colorize_files.fit_to_send(encoded[:-2])
    expected = decode.decode_rgb(encoded)
    np.testing.assert_array_equal(decode.decode_rgb(sent), expected)


def test_what_is_wrong_with_a_picture_that_is_sent_is_said(tmp_path):
    album = tmp_path / "album"
    drawn.write_album(album, 1)
    whole = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    Image.fromarray(noise).save(whole, "JPEG")
    data = whole.getvalue()
    (album / "cut.jpg").write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    found = colorize_files.colorize_files(
        Turner(), _plan(album, tmp_path / "out"), first_wait=0.0
    )
    notes = {os.path.basename(o.source): o.notes for o in found}
    assert jpeg_end.DAMAGED in notes.pop("cut.jpg")
    assert set(notes.values()) == {()}


def test_failures_keep_nothing_of_what_was_sent(tmp_path):
    errors = []

    class Failing:
        def colorize(self, picture, *, boxes=None):
            error = ServerError("no", passing=False)
            errors.append(weakref.ref(error))
            raise error

    album = drawn.write_album(tmp_path / "album", 3)
    jobs = _plan(album, tmp_path / "out")
    found = colorize_files.colorize_files(Failing(), jobs)
    # Not at its end yet.
    assert [next(found).reason for _ in jobs] == ["no"] * 3
    gc.collect()
    assert [error() for error in errors] == [None] * 3
    found.close()


_XMP = b'<rdf:Description tiff:Orientation="6"/>'


def _turned(kind, **options):
    stream = io.BytesIO()
    Image.fromarray(drawn.colored(1, 20, 30)).save(stream, kind, **options)
    return stream.getvalue()


def _raw_exif():
    """Text of a PNG as ImageMagick writes EXIF."""
    exif = Image.Exif()
    exif[274] = 6
    block = exif.tobytes()
    text = PngImagePlugin.PngInfo()
    lines = f"\nexif\n{len(block):8}\n{block.hex()}\n"
    text.add_text("Raw profile type exif", lines, zip=True)
    return text


def _xmp_text():
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", _XMP.decode())
    return text


@pytest.mark.parametrize(
    "encoded",
    [
        _turned("JPEG", xmp=_XMP),
        _turned("PNG", pnginfo=_xmp_text()),
        _turned("PNG", pnginfo=_raw_exif()),
    ],
    ids=["JPEG, XMP", "PNG, XMP", "PNG, text"],
)
def test_what_exif_does_not_turn_is_turned_before_it_is_sent(encoded):
    sent = colorize_files.fit_to_send(encoded)
    assert sent is not encoded
    found = decode.decode_picture(sent).pixels
    assert found.shape == (30, 20, 3)
    expected = decode.decode_picture(encoded).pixels
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("more", [{}, {"xmp": _XMP}])
def test_what_exif_turns_is_sent_as_it_is(kind, more):
    exif = Image.Exif()
    exif[274] = 6
    if kind == "PNG" and more:
        more = {"pnginfo": _xmp_text()}
    encoded = _turned(kind, exif=exif, **more)
    assert colorize_files.fit_to_send(encoded) is encoded


@pytest.mark.parametrize("what", ["checksum", "end", "most of the end"])
def test_pngs_that_strict_decoders_refuse_are_written_anew(what):
    whole = drawn.encode(drawn.colored(1))
    cut = {"end": whole[:-12], "most of the end": whole[:-1]}
    checksum = whole.index(b"IEND") - 5
    wrong = bytearray(whole)
    wrong[checksum] ^= 1
    notes = []
    sent = colorize_files.fit_to_send(
        cut.get(what, bytes(wrong)), say=notes.append
    )
    assert sent.endswith(whole[-12:])
    assert notes == [png_end.DAMAGED] * (what == "checksum")
    found = decode.decode_picture(sent)
    assert not found.notes
    np.testing.assert_array_equal(found.pixels, drawn.colored(1))


def test_a_png_that_lacks_pixels_is_not_sent():
    noise = drawn.encode(drawn.grey(1))
    with pytest.raises(OSError, match="truncated"):
        colorize_files.fit_to_send(noise[: len(noise) // 2])


def test_an_end_does_not_wait_for_further_tries(tmp_path):
    failed = threading.Event()

    class OneOfTwo(Turner):
        def colorize(self, picture, *, boxes=None):
            if picture == bad:
                failed.set()
                raise ServerError("busy", passing=True)
            failed.wait()
            return super().colorize(picture)

    album = drawn.write_album(tmp_path / "album", 2)
    bad = (tmp_path / "album" / "001.png").read_bytes()
    found = colorize_files.colorize_files(
        OneOfTwo(), _plan(album, tmp_path / "out"), first_wait=9.0, retries=1
    )
    assert next(found).reason is None
    start = time.monotonic()
    # As an interruption does.
    found.close()
    assert time.monotonic() - start < 5


def test_answers_have_a_limit_too(tmp_path):
    class Large:
        def colorize(self, picture, *, boxes=None):
            return drawn.encode(drawn.colored(1, 33, 32))

    (job,) = _plan(drawn.write_album(tmp_path / "album", 1), tmp_path / "o")
    job = dataclasses.replace(job, output=str(tmp_path / "out.jpg"))
    (found,) = colorize_files.colorize_files(Large(), [job], max_pixels=1024)
    assert "at most 1024 pixels" in found.reason
    assert not (tmp_path / "out.jpg").exists()
