import os

import numpy as np
import pytest
from PIL import Image

from tests import drawn
from tests.inference import models
from tests.pictures import icc_profiles
from tfcolor import Colorizer
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.inference import picture_files
from tfcolor.inference.hint_points import HintPoint
from tfcolor.inference.output_paths import PictureJob
from tfcolor.pictures import decode
from tfcolor.pictures import shown_colors


@pytest.fixture(scope="module")
def colorizer():
    return Colorizer(models.lightness_model(), image_size=16, batch_size=3)


def _write(path, shape=(20, 30), dtype=np.uint8, **options):
    high = np.iinfo(dtype).max
    values = np.random.default_rng(0).integers(0, high, shape, dtype)
    Image.fromarray(values).save(path, **options)
    return values


def _run(colorizer, jobs):
    return list(picture_files.colorize_files(colorizer, jobs))


def test_files_hold_what_the_colorizer_returns(colorizer, tmp_path):
    jobs, expected = [], []
    for number in range(8):
        source = tmp_path / f"{number}.png"
        values = _write(source, (5 + number, 20 - number))
        jobs.append(PictureJob(str(source), f"{tmp_path}/out/{number}.png"))
        expected.append(colorizer.colorize(values))
    done = [Outcome(job.source, (job.output,)) for job in jobs]
    assert _run(colorizer, jobs) == done
    for job, rgb in zip(jobs, expected, strict=True):
        with open(job.output, "rb") as file:
            np.testing.assert_array_equal(decode.decode_rgb(file.read()), rgb)
    assert sorted(os.listdir(tmp_path / "out")) == [
        f"{number}.png" for number in range(8)
    ]


def test_a_bad_picture_does_not_stop_the_others(colorizer, tmp_path):
    _write(tmp_path / "good.png")
    (tmp_path / "text.png").write_text("hello")
    data = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    names = ["text", "good", "none", "cut"]
    jobs = [
        PictureJob(f"{tmp_path}/{name}.png", f"{tmp_path}/out/{name}.png")
        for name in names
    ]
    reasons = [outcome.reason for outcome in _run(colorizer, jobs)]
    assert "not a picture" in reasons[0]
    assert reasons[1] is None
    assert reasons[2] == "No such file or directory"
    assert "truncated" in reasons[3]
    assert os.listdir(tmp_path / "out") == ["good.png"]


def test_a_hint_out_of_one_picture_is_the_reason_it_fails(colorizer, tmp_path):
    _write(tmp_path / "a.png")
    points = (HintPoint(30, 0, "#ff0000"),)
    job = PictureJob(f"{tmp_path}/a.png", f"{tmp_path}/b.png", hints=points)
    (outcome,) = _run(colorizer, [job])
    assert "30 x 20 pixels" in outcome.reason


def test_writing_errors_are_reasons(colorizer, tmp_path):
    _write(tmp_path / "a.png")
    job = PictureJob(f"{tmp_path}/a.png", f"{tmp_path}/a.png/b.png")
    (outcome,) = _run(colorizer, [job])
    assert "cannot be written" in outcome.reason


def test_a_failing_network_is_a_reason(colorizer, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    _write(tmp_path / "a.png")
    monkeypatch.setattr(colorizer, "colorize_batch", fail)
    job = PictureJob(f"{tmp_path}/a.png", f"{tmp_path}/b.png")
    (outcome,) = _run(colorizer, [job])
    assert "Memory ran out. Try a smaller `batch_size`" in outcome.reason


def test_alpha_exif_and_depth_go_along(colorizer, tmp_path):
    exif = Image.Exif()
    exif[271], exif[274] = "Maker", 6
    values = _write(tmp_path / "a.png", (20, 30, 4), exif=exif)
    _write(tmp_path / "b.png", dtype=np.uint16)
    jobs = [
        PictureJob(f"{tmp_path}/{name}.png", f"{tmp_path}/out/{name}.png")
        for name in "ab"
    ]
    _run(colorizer, jobs)
    a, b = (
        decode.decode_picture((tmp_path / f"out/{name}.png").read_bytes())
        for name in "ab"
    )
    assert np.array_equal(a.alpha[..., 0], np.rot90(values[..., 3], -1))
    assert b"Maker" in a.exif
    assert b.pixels.dtype == np.uint16


def test_compare_is_grey_beside_the_result(colorizer, tmp_path):
    values = _write(tmp_path / "a.png")
    job = PictureJob(
        f"{tmp_path}/a.png", None, compare=f"{tmp_path}/a.compare.png"
    )
    _run(colorizer, [job])
    strip = decode.decode_rgb((tmp_path / "a.compare.png").read_bytes())
    assert np.array_equal(strip[:, :30], np.repeat(values[..., None], 3, -1))
    assert np.array_equal(strip[:, 30:], colorizer.colorize(values))
    assert sorted(os.listdir(tmp_path)) == ["a.compare.png", "a.png"]


def test_big_pictures_go_alone_and_small_ones_together(
    colorizer, tmp_path, monkeypatch
):
    sizes = []
    colorize_batch = colorizer.colorize_batch

    def noted(pictures, **options):
        sizes.append(len(pictures))
        return colorize_batch(pictures, **options)

    monkeypatch.setattr(colorizer, "colorize_batch", noted)
    monkeypatch.setattr(picture_files, "_BATCH_PIXELS", 1000)
    jobs = []
    for number, side in enumerate((40, 10, 10, 10, 10, 30)):
        _write(tmp_path / f"{number}.bmp", (side, side))
        name = f"{tmp_path}/{number}"
        jobs.append(PictureJob(f"{name}.bmp", f"{name}.png"))
    assert all(o.reason is None for o in _run(colorizer, jobs))
    assert sizes == [1, 3, 2]


def test_stopping_early_leaves_whole_files_only(colorizer, tmp_path):
    jobs = []
    for number in range(12):
        _write(tmp_path / f"{number}.bmp")
        output = f"{tmp_path}/out/{number}.png"
        jobs.append(PictureJob(f"{tmp_path}/{number}.bmp", output))
    results = picture_files.colorize_files(colorizer, jobs)
    next(results)
    results.close()
    written = os.listdir(tmp_path / "out")
    assert 0 < len(written) < 12
    for name in written:
        data = (tmp_path / "out" / name).read_bytes()
        assert name.endswith(".png")
        assert decode.decode_rgb(data).shape == (20, 30, 3)


def _pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("bits", [8, 16])
def test_results_of_other_profiles_show_the_same(colorizer, tmp_path, bits):
    light = np.random.default_rng(0).uniform(0.02, 1, (20, 30))
    high, dtype = (255, np.uint8) if bits == 8 else (65535, np.uint16)
    # Numbers of an sRGB curve and of a linear one.
    for name, values, profile in (
        ("plain", shown_colors._linear_to_srgb(light), None),
        ("linear", light, icc_profiles.grey(1.0)),
    ):
        stored = np.round(values * high).astype(dtype)
        Image.fromarray(stored).save(
            tmp_path / f"{name}.png", icc_profile=profile
        )
    jobs = [
        PictureJob(
            f"{tmp_path}/{name}.png",
            f"{tmp_path}/out/{name}.tif",
            compare=f"{tmp_path}/out/{name}.compare.png",
        )
        for name in ("plain", "linear")
    ]
    assert not any(o.reason for o in _run(colorizer, jobs))
    plain, linear = (
        decode.decode_picture((tmp_path / f"out/{name}.tif").read_bytes())
        for name in ("plain", "linear")
    )
    assert linear.bits == bits
    assert linear.pixels.dtype == dtype
    assert plain.icc_profile is None
    assert linear.icc_profile == shown_colors.srgb_profile()
    moved = np.abs(plain.pixels.astype(int) - linear.pixels) / high
    # At 8 bits the linear picture itself has coarse dark tones.
    assert moved.mean() < (0.006 if bits == 8 else 0.0002)
    compare = decode.decode_picture(
        (tmp_path / "out/linear.compare.png").read_bytes()
    )
    assert compare.bits == bits


def test_hidden_colors_do_not_change_visible_ones(tmp_path):
    colorizer = Colorizer(models.lightness_model(), image_size=16)
    jobs = []
    for number in range(2):
        values = np.random.default_rng(number).integers(0, 256, (32, 32, 4))
        values[:, :16, :3] = 120
        values[..., 3] = np.where(np.arange(32) < 16, 255, 0)
        path = f"{tmp_path}/{number}"
        Image.fromarray(values.astype(np.uint8)).save(f"{path}.png")
        jobs.append(PictureJob(f"{path}.png", f"{path}.new.png"))
    _run(colorizer, jobs)
    first, second = (_pixels(job.output) for job in jobs)
    assert np.array_equal(first[:, :16], second[:, :16])
    assert not np.array_equal(first[:, 16:], second[:, 16:])


def test_notes_are_said_of_pictures_that_are_done(colorizer, tmp_path):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    _write(tmp_path / "b.png", icc_profile=b"broken")
    jobs = [
        PictureJob(f"{tmp_path}/{name}", f"{tmp_path}/out/{name}.png")
        for name in ("a.gif", "b.png")
    ]
    first, second = _run(colorizer, jobs)
    assert first.reason is None and second.reason is None
    assert "1 left out" in first.notes[0]
    assert "ICC profile is ignored" in second.notes[0]


def test_a_flat_frame_stays_grey_and_does_not_reach_the_network(tmp_path):
    colorizer = Colorizer(models.lightness_model(), image_size=16)
    y, x = np.mgrid[:60, :80]
    photo = (128 + 90 * np.sin(x / 7) * np.cos(y / 9)).astype(np.uint8)
    framed = np.full((100, 140), 128, np.uint8)
    framed[20:80, 30:110] = photo
    Image.fromarray(photo).save(tmp_path / "photo.png")
    Image.fromarray(framed).save(tmp_path / "framed.png")
    jobs = [
        PictureJob(f"{tmp_path}/{name}.png", f"{tmp_path}/{name}.new.png")
        for name in ("photo", "framed")
    ]
    outcomes = _run(colorizer, jobs)
    alone, whole = (_pixels(job.output).astype(int) for job in jobs)
    inner = whole[20:80, 30:110]
    # Pixels of the photo's edge may count as frame.
    assert np.abs(inner - alone)[3:-3, 3:-3].max() <= 12
    assert np.ptp(whole[:18], axis=-1).max() == 0
    assert np.array_equal(whole[0, 0], [128] * 3)
    assert outcomes[0].notes == ()
    assert "flat frame stays grey" in outcomes[1].notes[0]


def test_hints_in_a_framed_photo_keep_their_places(tmp_path):
    colorizer = Colorizer(models.plain_model((0, 0)), image_size=16)
    framed = np.full((100, 140), 128, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (64, 80), np.uint8)
    framed[20:84, 30:110] = noise
    Image.fromarray(framed).save(tmp_path / "a.png")
    jobs = [
        PictureJob(f"{tmp_path}/a.png", f"{tmp_path}/{n}.png", hints=(point,))
        for n, point in enumerate(
            (
                HintPoint(100, 30, "#ff0000", radius=6),
                HintPoint(5, 5, "#ff0000", radius=6),
            )
        )
    ]
    _run(colorizer, jobs)
    inside, outside = (np.ptp(_pixels(j.output), axis=-1) for j in jobs)
    row, column = np.unravel_index(inside.argmax(), inside.shape)
    assert abs(column - 100) < 10
    assert abs(row - 30) < 10
    # A hint on the frame says that it is a part of the picture.
    assert outside[:10, :10].max() > 30


def test_color_pictures_are_told_apart(colorizer, tmp_path):
    Image.fromarray(drawn.colored(0)).save(tmp_path / "color.png")
    _write(tmp_path / "grey.png")
    jobs = [
        PictureJob(f"{tmp_path}/{name}.png", f"{tmp_path}/out/{name}.png")
        for name in ("color", "grey")
    ]
    color, grey = _run(colorizer, jobs)
    assert color.reason is None and grey.notes == ()
    assert "color picture" in color.notes[0]
    os.remove(jobs[0].output)
    color, grey = picture_files.colorize_files(colorizer, jobs, skip_color=True)
    assert color == Outcome(jobs[0].source, skipped=outcome_lib.IN_COLOR)
    assert grey.written == (jobs[1].output,)
    assert os.listdir(tmp_path / "out") == ["grey.png"]


def test_who_stops_it_gets_what_was_done_and_nothing_else(colorizer, tmp_path):
    jobs = []
    for number in range(20):
        _write(tmp_path / f"{number}.png")
        output = f"{tmp_path}/out/{number}.png"
        jobs.append(PictureJob(f"{tmp_path}/{number}.png", output))
    seen = []
    for outcome in picture_files.colorize_files(
        colorizer, jobs, stop=lambda: len(seen) >= 2
    ):
        seen.append(outcome)
    assert 2 <= len(seen) <= 4 * colorizer.batch_size
    assert sorted(os.listdir(tmp_path / "out")) == sorted(
        os.path.basename(outcome.written[0]) for outcome in seen
    )
