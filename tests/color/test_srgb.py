import numpy as np
import tensorflow as tf

from tfcolor.color import srgb


def test_transfer_curve_has_the_values_of_the_standard():
    # Half of the encoded range is 21.4 % of the light.
    np.testing.assert_allclose(
        srgb.srgb_to_linear(tf.constant([0.0, 0.02, 0.5, 1.0])),
        [0.0, 0.02 / 12.92, 0.21404114, 1.0],
        atol=1e-6,
    )


def test_linear_to_srgb_undoes_srgb_to_linear():
    rgb = np.linspace(0, 1, 1001, dtype=np.float32)
    back = srgb.linear_to_srgb(srgb.srgb_to_linear(rgb))
    np.testing.assert_allclose(back, rgb, atol=1e-5)


def test_curves_are_continuous_at_their_thresholds():
    for function, threshold in (
        (srgb.srgb_to_linear, 0.04045),
        (srgb.linear_to_srgb, 0.0031308),
    ):
        below, above = function(
            tf.constant([threshold - 1e-6, threshold + 1e-6])
        ).numpy()
        assert 0 < above - below < 1e-4


def test_linear_to_srgb_keeps_the_sign_of_negative_light():
    result = srgb.linear_to_srgb(tf.constant([-0.5, -0.01]))
    np.testing.assert_allclose(result, [-6.46, -0.1292], rtol=1e-6)
