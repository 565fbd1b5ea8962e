"""What holds of every color, tried on many."""

import hypothesis
import numpy as np
from hypothesis import strategies

from tests import properties
from tfcolor.color import ab_bins
from tfcolor.color import gamut
from tfcolor.color import lab


@properties.tried(30)
@hypothesis.given(properties.colors(0, 1))
def test_a_color_comes_back_from_lab(rgb):
    there = lab.rgb_to_lab(rgb).numpy()
    assert np.isfinite(there).all()
    assert (there[:, 0] >= -1e-3).all() and (there[:, 0] <= 100.001).all()
    back = lab.lab_to_rgb(there).numpy()
    np.testing.assert_allclose(back, rgb, atol=2e-4)


@properties.tried(30)
@hypothesis.given(properties.colors(0, 100, 1), properties.colors(-150, 150, 2))
def test_a_color_brought_into_the_gamut_keeps_lightness_and_hue(L, ab):
    reduced = gamut.reduce_chroma(L, ab).numpy()
    assert gamut.in_gamut(L, reduced).numpy().all()
    # Never longer than before, and in the same direction.
    before, after = (np.linalg.norm(x, axis=-1) for x in (ab, reduced))
    assert (after <= before * (1 + 1e-6)).all()
    turned = ab[:, 0] * reduced[:, 1] - ab[:, 1] * reduced[:, 0]
    np.testing.assert_allclose(turned, 0, atol=1e-3)
    rgb = lab.lab_to_rgb(np.concatenate([L, reduced], -1)).numpy()
    found = lab.rgb_to_L(rgb).numpy()
    np.testing.assert_allclose(found, L, atol=0.2)
    # What is inside already stays as it is.
    again = gamut.reduce_chroma(L, reduced).numpy()
    np.testing.assert_array_equal(again, reduced)


@properties.tried(30)
@hypothesis.given(
    properties.colors(-200, 200, 2), strategies.integers(0, 2**32 - 1)
)
def test_the_bin_of_a_color_does_not_depend_on_its_neighbors(ab, seed):
    order = np.random.default_rng(seed).permutation(len(ab))
    bins = np.asarray(ab_bins.encode(ab))
    assert (bins >= 0).all() and (bins < ab_bins.NUM_BINS).all()
    np.testing.assert_array_equal(
        np.asarray(ab_bins.encode(ab[order])), bins[order]
    )
