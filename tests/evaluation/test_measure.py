import numpy as np
import pytest
from skimage.color import deltaE_ciede2000
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio
from skimage.metrics import structural_similarity

from tfcolor.evaluation import measure
from tfcolor.metrics import MAX_PSNR


def _pair(height=40, width=30, seed=0):
    generator = np.random.default_rng(seed)
    rgb = generator.integers(0, 256, (height, width, 3))
    noise = generator.integers(-30, 31, rgb.shape)
    predicted = np.clip(rgb + noise, 0, 255)
    return rgb.astype(np.uint8), predicted.astype(np.uint8)


def test_every_metric_matches_skimage():
    rgb, predicted = _pair()
    values = measure.measure(rgb, predicted)
    lab, lab_predicted = rgb2lab(rgb), rgb2lab(predicted)
    error = lab - lab_predicted
    expected = {
        "psnr": peak_signal_noise_ratio(rgb, predicted),
        "ssim": structural_similarity(
            rgb / 255,
            predicted / 255,
            channel_axis=-1,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        ),
        "ciede2000": deltaE_ciede2000(lab, lab_predicted).mean(),
        "ab_rmse": np.sqrt((error[..., 1:] ** 2).mean()),
        "L_difference": np.abs(error[..., 0]).mean(),
    }
    for key, value in expected.items():
        assert values[key] == pytest.approx(value, rel=1e-3), key


def test_every_metric_has_a_value():
    assert set(measure.measure(*_pair())) == {m.key for m in measure.METRICS}


def test_bands_of_rows_give_the_numbers_of_the_whole(monkeypatch):
    pair = _pair(61, 17)
    whole = measure.measure(*pair)
    monkeypatch.setattr(measure, "BAND_PIXELS", 17 * 7)
    assert measure.measure(*pair) == pytest.approx(whole, rel=1e-4)


@pytest.mark.parametrize("size", [(32, 32), (1, 1), (3, 90)])
def test_a_perfect_prediction_is_perfect(size):
    rgb, _ = _pair(*size)
    values = measure.measure(rgb, rgb)
    assert values["psnr"] == pytest.approx(MAX_PSNR)
    assert values["ssim"] == pytest.approx(1)
    for key in ("ciede2000", "ab_rmse", "L_difference"):
        assert values[key] == pytest.approx(0, abs=1e-6)
    for key, value in measure.colorfulness(rgb).items():
        assert values[key] == value


def test_exchanging_the_pictures_keeps_all_errors():
    rgb, predicted = _pair()
    one, other = (
        measure.measure(rgb, predicted),
        measure.measure(predicted, rgb),
    )
    for key in ("psnr", "ssim", "ciede2000", "ab_rmse", "L_difference"):
        assert one[key] == pytest.approx(other[key], rel=1e-4)


def test_pictures_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="must have one shape"):
        measure.measure(_pair(8, 8)[0], _pair(8, 9)[0])


def test_chosen_pixels_are_measured_as_if_there_were_no_others():
    rgb, predicted = _pair()
    chosen = np.zeros(rgb.shape[:2], bool)
    chosen[5:25, 10:30] = True
    expected = measure.measure(rgb[5:25, 10:30], predicted[5:25, 10:30])
    del expected["ssim"]
    # What lies outside must not count.
    predicted[~chosen] = 0
    values = measure.measure_pixels(rgb, predicted, chosen)
    assert set(values) == {m.key for m in measure.PIXEL_METRICS}
    assert values == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("width", [1, 10, 99, 1000])
def test_bands_cover_every_row_once(monkeypatch, width):
    monkeypatch.setattr(measure, "BAND_PIXELS", 100)
    rows = np.arange(37)
    parts = [rows[band] for band in measure.row_bands(37, width)]
    np.testing.assert_array_equal(np.concatenate(parts), rows)
    assert all(len(part) * width <= 100 or len(part) == 1 for part in parts)
