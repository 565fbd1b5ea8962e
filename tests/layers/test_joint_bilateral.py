"""Tests of colors that keep to surfaces."""

import numpy as np
import pytest

from tfcolor.layers.joint_bilateral import JointBilateral


def _cells(x):
    """Means over cells of 4 x 4 pixels: [H / 4, W / 4, C]."""
    h, w, channels = x.shape
    return x.reshape(h // 4, 4, w // 4, 4, channels).mean((1, 3))


def _filtered_once(ab, L, alike, radius):
    """The definition, cell by cell: [h, w, 2]. `alike`: ab that decide."""
    h, w = L.shape
    flatness = np.empty_like(L)
    for y in range(h):
        for x in range(w):
            part = L[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            flatness[y, x] = 1 / np.sqrt(part.var() + 4)
    found = np.empty_like(ab)
    for y in range(h):
        for x in range(w):
            weights, colors = [], []
            for v in range(max(0, y - radius), min(h, y + radius + 1)):
                for u in range(max(0, x - radius), min(w, x + radius + 1)):
                    near = ((v - y) ** 2 + (u - x) ** 2) / (0.75 * radius) ** 2
                    similar = (L[v, u] - L[y, x]) ** 2 / 4**2
                    similar += ((alike[v, u] - alike[y, x]) ** 2).sum() / 15**2
                    weight = np.exp(-near / 2 - similar / 2) * flatness[v, u]
                    weights.append(weight)
                    colors.append(ab[v, u])
            found[y, x] = np.average(colors, axis=0, weights=weights)
    return found


@pytest.mark.parametrize("radius", [1, 3])
def test_cells_are_those_of_the_definition(radius):
    rng = np.random.default_rng(radius)
    L = rng.uniform(30, 50, (32, 40, 1))
    ab = rng.normal(0, 30, (32, 40, 2))
    small_ab, small_L = _cells(ab), _cells(L)[..., 0]
    once = _filtered_once(small_ab, small_L, small_ab, radius)
    twice = _filtered_once(once, small_L, small_ab, radius)
    layer = JointBilateral(radius)
    found = layer(ab[None].astype("float32"), L[None].astype("float32"))
    # Enlarged bilinearly: these pixels are an eighth of a cell from its middle.
    pixels = (found.numpy()[0] - ab)[1::4, 1::4]
    change = np.pad(twice - small_ab, ((1, 0), (1, 0), (0, 0)), "edge")
    expected = sum(
        share * change[y : y + 8, x : x + 10]
        for share, y, x in (
            (0.875 * 0.875, 1, 1),
            (0.125 * 0.875, 0, 1),
            (0.875 * 0.125, 1, 0),
            (0.125 * 0.125, 0, 0),
        )
    )
    np.testing.assert_allclose(pixels, expected, atol=1e-3)


def _two_surfaces():
    """Dark and bluish left, light and yellowish right; colors run over."""
    L = np.full((1, 64, 64, 1), 30, np.float32)
    L[:, :, 32:] = 80
    true = np.where(L < 50, [0, -40], [0, 40]).astype(np.float32)
    share = np.clip((np.arange(64) - 23.5) / 16, 0, 1)[None, None, :, None]
    ab = share * [0, 40] + (1 - share) * [0, -40] + 0 * true
    return ab.astype(np.float32), L, true


def test_colors_that_run_over_an_edge_come_back():
    ab, L, true = _two_surfaces()
    before = np.abs(ab - true)[..., 1]
    after = np.abs(JointBilateral(3)(ab, L).numpy() - true)[..., 1]
    # All but half a cell on each side of the edge.
    away = np.r_[:30, 34:64]
    assert before[:, :, away].max() > 27
    assert after[:, :, away].max() < 5
    assert after.mean() < before.mean()


def test_one_color_and_details_smaller_than_a_cell_stay():
    L = np.random.default_rng(0).uniform(0, 100, (1, 32, 32, 1)).astype("f4")
    ab = np.full((1, 32, 32, 2), (20, -30), np.float32)
    found = JointBilateral()(ab, L).numpy()
    np.testing.assert_allclose(found, ab, atol=1e-3)
    ab[:, ::2, ::2] += 10
    ab[:, 1::2, 1::2] -= 10
    found = JointBilateral()(ab, L).numpy()
    np.testing.assert_allclose(found, ab, atol=1e-3)


def test_pictures_of_a_batch_are_those_of_one_by_one():
    rng = np.random.default_rng(0)
    L = rng.uniform(0, 100, (2, 32, 64, 1)).astype("f4")
    ab = rng.normal(0, 30, (2, 32, 64, 2)).astype("f4")
    layer = JointBilateral(2)
    one_by_one = [layer(ab[i : i + 1], L[i : i + 1])[0] for i in range(2)]
    np.testing.assert_allclose(layer(ab, L), one_by_one, atol=1e-4)


def test_options_are_kept_and_checked():
    layer = JointBilateral(2)
    assert JointBilateral.from_config(layer.get_config()).radius == 2
    with pytest.raises(ValueError, match="radius=0"):
        JointBilateral(0)
