"""The numbers of sRGB and CIELAB, for `srgb`, `lab`, `gamut` and `array_lab`.

Those of scikit-image, so that pictures converted by either agree; they are
written out because matrices rounded elsewhere differ in the fourth digit.
"""

# IEC 61966-2-1, with the thresholds that scikit-image and OpenCV use too.
ENCODED_THRESHOLD = 0.04045
LINEAR_THRESHOLD = 0.0031308
SLOPE = 12.92
OFFSET = 0.055
EXPONENT = 2.4

# sRGB primaries with a D65 white, as in scikit-image `xyz_from_rgb`.
XYZ_FROM_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
# The inverse of the matrix above.
RGB_FROM_XYZ = (
    (3.24048134, -1.53715152, -0.49853633),
    (-0.96925495, 1.87599, 0.04155593),
    (0.05564664, -0.20404134, 1.05731107),
)
# CIE 15:2004, D65, 2 degrees; Y = 1.
WHITE = (0.95047, 1.0, 1.08883)

# CIE 15:2004: f(t) is a cube root above the threshold and a line below it.
F_THRESHOLD = 0.008856
F_SLOPE = 7.787
F_INVERSE_THRESHOLD = 0.2068966

# Rounding of the two matrices alone leaves a grey up to 8e-6 outside 0..1.
GAMUT_TOLERANCE = 1e-4
# Halvings on the way to the edge of sRGB: 2^-12 of the chroma is far below one
# 8-bit step.
GAMUT_STEPS = 12
