import numpy as np
import pytest
from PIL import Image

from tests.evaluation import synthetic
from tfcolor.evaluation import plots


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_plot_is_a_png_on_the_background_of_its_theme(tmp_path, theme):
    path = tmp_path / "plot.png"
    plots.write_plot(
        synthetic.comparison(methods=("one", "two")), str(path), theme
    )
    with Image.open(path) as plot:
        pixels = np.asarray(plot.convert("RGB"))
    assert pixels.shape[1] > 2 * pixels.shape[0]
    assert (pixels[0, 0] > 200).all() == (theme == "light")
    # Each method has a color: the plot is not just axes.
    spread = np.ptp(pixels.astype(int), axis=-1)
    assert (spread > 60).mean() > 0.005


def test_one_picture_and_an_outlier_can_be_drawn(tmp_path):
    path = tmp_path / "plot.png"
    plots.write_plot(synthetic.comparison(count=1), str(path), "light")
    comparison = synthetic.comparison(count=30)
    comparison.values["model"]["psnr"][0] = -60
    plots.write_plot(comparison, str(path), "light")
    assert path.stat().st_size > 10_000
