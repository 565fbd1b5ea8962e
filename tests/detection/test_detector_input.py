import cv2
import numpy as np

from tfcolor.detection import detector_input


def test_stacked_L_is_the_8_bit_L_of_opencv_three_times():
    rgb = np.random.default_rng(0).integers(0, 256, [64, 50, 3], np.uint8)
    stacked = detector_input.stacked_L(rgb).numpy()
    assert stacked.dtype == np.uint8
    L = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[..., :1].astype(int)
    assert np.abs(stacked.astype(int) - L).max() <= 1
    assert (stacked == L).mean() > 0.8


def test_stacked_L_goes_from_0_to_255():
    rgb = np.array([[[0, 0, 0], [255, 255, 255], [119, 119, 119]]], np.uint8)
    stacked = detector_input.stacked_L(rgb).numpy()
    # Grey 119 has L 50.03.
    np.testing.assert_array_equal(stacked[0, :, 0], [0, 255, 128])
    np.testing.assert_array_equal(stacked[..., 0], stacked[..., 2])
