import numpy as np
import pytest
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.inference import finish
from tfcolor.inference import prepare


def _noise(*shape, dtype=np.uint8):
    high = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, high, shape, dtype)


def _ab(*shape, scale=20.0):
    ab = np.random.default_rng(1).normal(0, scale, (*shape, 2))
    return ab.astype(np.float32)


@pytest.mark.parametrize("size", [(50, 70), (9, 40), (40, 9), (1, 1), (3, 5)])
def test_resize_ab_is_an_antialiased_bilinear_resize(size):
    ab = _ab(16, 16)
    expected = tf.image.resize(ab, size, "bilinear", antialias=True)
    np.testing.assert_allclose(finish.resize_ab(ab, *size), expected, atol=1e-4)


@pytest.mark.parametrize("size", [(50, 70), (9, 40), (3000, 3)])
def test_rows_are_those_of_the_whole(size):
    ab = _ab(16, 16)
    whole = finish.resize_ab(ab, *size).numpy()
    rows = size[0] // 3
    for top in (0, rows, size[0] - rows):
        part = finish.resize_ab(ab, *size, top=top, rows=rows)
        np.testing.assert_allclose(part, whole[top : top + rows], atol=2e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [10.0, 200.0])
def test_lightness_is_kept_even_out_of_gamut(dtype, channels, scale):
    picture = tf.constant(_noise(40, 60, channels, dtype=dtype))
    rgb = finish.finish(picture, _ab(8, 8, scale=scale))
    assert rgb.dtype == picture.dtype
    assert rgb.shape == (40, 60, 3)
    difference = prepare.picture_L(rgb) - prepare.picture_L(picture)
    limit = 0.15 if dtype == np.uint8 else 0.01
    assert np.abs(difference).mean() < limit


def test_color_is_the_ab_asked_for():
    picture = tf.fill([4, 5, 1], tf.constant(119, tf.uint8))
    ab = np.broadcast_to(np.float32([20, -15]), (8, 8, 2))
    for saturation in (1.0, 0.5):
        rgb = finish.finish(picture, ab, saturation=saturation)
        found = lab.rgb_to_lab(tf.cast(rgb, tf.float32) / 255)[..., 1:]
        assert np.abs(found - saturation * ab[0, 0]).max() < 0.5


@pytest.mark.parametrize("channels", [1, 3])
def test_no_saturation_gives_grey_and_grey_stays_itself(channels):
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    picture = np.repeat(picture, channels, axis=-1)
    rgb = finish.finish(tf.constant(picture), _ab(8, 8), saturation=0.0)
    assert np.array_equal(rgb, np.broadcast_to(picture, (16, 16, 3)))


def test_strips_do_not_show(monkeypatch):
    picture, ab = tf.constant(_noise(53, 31, 3)), _ab(8, 8)
    whole = finish.finish(picture, ab).numpy().astype(int)
    for strip_pixels in (31 * 20, 31 * 53):
        monkeypatch.setattr(finish, "STRIP_PIXELS", strip_pixels)
        strips = finish.finish(picture, ab).numpy().astype(int)
        # A value may fall on the other side of a half.
        assert np.abs(strips - whole).max() <= 1
        assert (strips != whole).mean() < 1e-3


def test_eager_and_graph_give_the_same_bytes(monkeypatch):
    monkeypatch.setattr(finish, "STRIP_PIXELS", 31 * 10)
    picture, ab = tf.constant(_noise(53, 31, 3)), tf.constant(_ab(8, 8))
    spec = [tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([8, 8, 2])]
    graph = tf.function(finish.finish, input_signature=spec)
    np.testing.assert_array_equal(
        graph(picture, ab), finish.finish(picture, ab)
    )


@pytest.mark.parametrize("size", [(1, 1), (7, 2000), (2000, 7)])
def test_any_size_works(size):
    rgb = finish.finish(tf.constant(_noise(*size, 3)), _ab(16, 16))
    assert rgb.shape == (*size, 3)


def _edge(side):
    """A dark left half and a light right half, and colors like that."""
    picture = np.full([side, side, 1], 60, np.uint8)
    picture[:, side // 2 :] = 200
    return tf.constant(picture)


def test_guided_ab_ends_where_lightness_does():
    side, small = 256, 32
    picture = _edge(side)
    ab = np.zeros([small, small, 2], np.float32)
    ab[:, small // 2 :] = (30, -20)
    found = {
        upsampling: finish.full_ab(picture, ab, upsampling=upsampling).numpy()
        for upsampling in finish.UPSAMPLINGS
    }
    # Two pixels beside the edge, where a pixel of ab covers eight.
    left, right = side // 2 - 2, side // 2 + 1
    steps = {
        name: ab[side // 2, right, 0] - ab[side // 2, left, 0]
        for name, ab in found.items()
    }
    assert steps["bilinear"] < 15
    assert steps["guided"] > 27
    for ab in found.values():
        np.testing.assert_allclose(ab[:, : side // 4], 0, atol=0.1)
        np.testing.assert_allclose(ab[:, -side // 4 :, 0], 30, atol=0.1)


def test_guided_ab_keeps_what_depends_on_lightness_in_a_line():
    L = np.random.default_rng(0).uniform(0, 100, (32, 40, 1))
    L = tf.constant(L, tf.float32)
    ab = tf.concat([0.3 * L - 5, -0.2 * L + 8], axis=-1)
    slope, offset = np.split(finish.guided_ab(L, ab), 2, axis=-1)
    # Less what counts as flat, 16 of a variance of 833.
    np.testing.assert_allclose(slope[..., 0], 0.3 * 833 / 849, atol=0.02)
    np.testing.assert_allclose(slope * L + offset, ab, atol=1e-4)


def test_guided_ab_of_a_flat_picture_is_ab():
    ab = _ab(16, 16)
    slope, offset = np.split(
        finish.guided_ab(tf.fill([16, 16, 1], 40.0), ab), 2, -1
    )
    np.testing.assert_allclose(slope, 0, atol=1e-3)
    np.testing.assert_allclose(offset, ab, atol=0.05)


def test_guided_ab_keeps_colors_of_equal_lightness_apart():
    side, small = 256, 32
    picture = tf.fill([side, side, 1], tf.constant(120, tf.uint8))
    ab = np.zeros([small, small, 2], np.float32)
    ab[:, : small // 2], ab[:, small // 2 :] = (40, 40), (-5, -40)
    found = finish.full_ab(picture, ab, upsampling="guided").numpy()
    # A pixel of ab beside the edge.
    assert np.abs(found[:, side // 2 - 9] - (40, 40)).max() < 0.5
    assert np.abs(found[:, side // 2 + 8] - (-5, -40)).max() < 0.5


def test_guided_strips_are_those_of_the_whole(monkeypatch):
    picture, ab = tf.constant(_noise(90, 50, 3)), _ab(16, 16)
    whole = finish.finish(picture, ab, upsampling="guided").numpy().astype(int)
    monkeypatch.setattr(finish, "STRIP_PIXELS", 700)
    strips = finish.finish(picture, ab, upsampling="guided").numpy().astype(int)
    assert np.abs(whole - strips).max() <= 1


def test_an_unknown_upsampling_is_refused():
    with pytest.raises(ValueError, match="Received: upsampling='cubic'"):
        finish.finish(
            tf.constant(_noise(4, 4, 3)), _ab(2, 2), upsampling="cubic"
        )
