"""The command and the colorizer without TensorFlow, beside those with it."""

import functools
import os
import subprocess
import sys
from concurrent import futures

import numpy as np
import pytest
from PIL import Image

from tests.inference import models
from tfcolor.data import sample_pictures
from tfcolor.inference import litert_network
from tfcolor.inference import litert_runtime
from tfcolor.inference.colorizer import Colorizer
from tfcolor.inference.hint_points import HintPoint
from tfcolor.pictures import decode

needs_litert = pytest.mark.skipif(
    not litert_network.has_own_package(), reason="needs ai-edge-litert"
)


@functools.cache
def _colorizer(runtime, **options):
    return Colorizer(runtime=runtime, **options)


def _samples():
    for path in sample_pictures.paths():
        with open(path, "rb") as file:
            yield decode.decode_rgb(file.read())


def _away(picture, **options):
    litert = _colorizer("litert", **options).colorize(picture)
    expected = _colorizer("tensorflow", **options).colorize(picture)
    assert litert.dtype == expected.dtype == picture.dtype
    return np.abs(litert.astype(int) - expected)


@needs_litert
@pytest.mark.slow
@pytest.mark.parametrize("style", ["natural", "vivid"])
def test_samples_are_equal_within_a_level(style):
    for picture in _samples():
        assert _away(picture, style=style).max() <= 1


@pytest.mark.slow
@needs_litert
def test_kinds_of_pictures_are_equal_within_a_level():
    rgb = next(_samples())
    grey = rgb.mean(-1).astype(np.uint8)
    sepia = (grey[..., None] * np.array([1.0, 0.88, 0.7])).astype(np.uint8)
    for picture in (grey, grey[..., None], sepia, rgb[:1, :1], rgb[:9, :200]):
        assert _away(picture).max() <= 1
    assert _away(rgb.astype(np.uint16) * 257 + 3).max() <= 257


@needs_litert
@pytest.mark.slow
def test_options_are_equal_within_a_level():
    rgb = next(_samples())
    for options in (
        {"saturation": 2.0, "upsampling": "bilinear"},
        {"saturation": 0.0},
    ):
        assert _away(rgb, **options).max() <= 1


@needs_litert
@pytest.mark.slow
def test_batches_and_colors_alone_are_those_of_tensorflow():
    pictures = [picture[:100, :150] for picture in _samples()][:3]
    hidden = pictures[0] // 2
    found, expected = (
        _colorizer(runtime).colorize_batch(pictures, seen=[hidden, None, None])
        for runtime in ("litert", "tensorflow")
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert np.abs(ours.astype(int) - theirs).max() <= 1
    for method in ("predict_ab", "network_ab"):
        given = pictures[0] if method == "predict_ab" else pictures
        found, expected = (
            np.asarray(getattr(_colorizer(runtime), method)(given))
            for runtime in ("litert", "tensorflow")
        )
        np.testing.assert_allclose(found, expected, atol=0.05)


@needs_litert
def test_pictures_of_a_batch_are_those_of_one_by_one():
    pictures = [picture[:90, :120] for picture in _samples()][:5]
    colorizer = _colorizer("litert")
    alone = [colorizer.colorize(picture) for picture in pictures]
    with futures.ThreadPoolExecutor(3) as pool:
        batches = list(pool.map(colorizer.colorize_batch, [pictures] * 3))
    for batch in batches:
        for found, expected in zip(batch, alone, strict=True):
            np.testing.assert_array_equal(found, expected)


@needs_litert
def test_hints_fall_back_to_tensorflow_by_themselves():
    picture = next(_samples())[:90, :120]
    hints = [HintPoint(60, 40, "#ff0000", radius=12)]
    auto = Colorizer(runtime="auto")
    assert isinstance(auto._runtimes.usual, litert_runtime.LiteRTRuntime)
    assert auto.takes_hints and not _colorizer("litert").takes_hints
    found = auto.colorize(picture, hints=hints)
    expected = _colorizer("tensorflow").colorize(picture, hints=hints)
    np.testing.assert_array_equal(found, expected)
    plain = auto.colorize(picture)
    np.testing.assert_array_equal(plain, _colorizer("litert").colorize(picture))
    with pytest.raises(ValueError, match="runtime='litert' with hints"):
        _colorizer("litert").colorize(picture, hints=hints)


def test_other_models_and_sizes_fall_back_or_are_refused(tmp_path):
    model = models.plain_model()
    path = models.save(model, tmp_path / "plain.keras")
    for options, reason in (
        ({"model": model}, "a model other than"),
        ({"model": path}, "a model other than"),
        ({"image_size": 256}, "`image_size` other than 320"),
        ({"crop_size": 64}, "`crop_size`"),
    ):
        with pytest.raises(ValueError, match=f"'litert' with {reason}"):
            Colorizer(runtime="litert", **options)
    assert Colorizer(path, runtime="auto").image_size == 16
    alone = Colorizer(models.alone_model(), image_size=16, runtime="auto")
    assert not alone.takes_hints


def test_the_package_may_be_missing(monkeypatch):
    monkeypatch.setattr(litert_network, "has_own_package", lambda: False)
    with pytest.raises(ValueError, match="ai-edge-litert, .* not installed"):
        Colorizer(runtime="litert")


def test_other_runtimes_are_refused():
    with pytest.raises(ValueError, match="`runtime` must be one of"):
        Colorizer(runtime="onnx")


@needs_litert
def test_an_unknown_style_is_refused_as_ever():
    with pytest.raises(ValueError, match="`style` must be one of"):
        Colorizer(runtime="litert", style="loud")


_PROGRAM = """
import sys
from tfcolor.cli import main
status = main.run(sys.argv[1:])
heavy = {"tensorflow", "keras", "matplotlib", "pandas"} & set(sys.modules)
print("imported:", *sorted(heavy))
sys.exit(status)
"""


@needs_litert
def test_the_command_imports_no_tensorflow(tmp_path):
    album = tmp_path / "album"
    album.mkdir()
    rgb = next(_samples())[:80, :100]
    Image.fromarray(rgb).save(album / "photo.jpg", quality=90)
    framed = np.full((160, 200, 3), 250, np.uint8)
    framed[30:110, 40:140] = rgb
    Image.fromarray(framed).save(album / "framed.png")
    alpha = np.full((80, 100, 1), 255, np.uint8)
    alpha[:20] = 0
    Image.fromarray(np.concatenate([rgb, alpha], -1)).save(album / "alpha.png")
    Image.fromarray(rgb[..., 0].astype(np.uint16) * 257).save(album / "16.png")
    (album / "bad.jpg").write_bytes(b"no picture")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "colorize", str(album), "--compare"]
        + [f"--output={tmp_path / 'new'}/"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1] == "imported:"
    assert "failed: " in done.stderr and "XNNPACK" not in done.stderr
    assert len(os.listdir(tmp_path / "new")) == 8


def test_threads_are_those_that_tensorflow_would_take(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    assert litert_network.processors() == 3
    for none in ("", "0", "many"):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", none)
        assert litert_network.processors() == len(os.sched_getaffinity(0))
