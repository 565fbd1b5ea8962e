"""Defaults of the colorizer and of its command.

Kept apart so that `tfcolor colorize --help` can name the values without
importing TensorFlow.
"""

# `weights.shipped.DEFAULT`.
MODEL = "lite2_unet"
# Pictures that go through the network at once.
BATCH_SIZE = 8
# Boxes of one picture that are processed at once.
BOXES_AT_ONCE = 2
# A factor on ab; 1 leaves the network's colors as they are.
SATURATION = 1.0
# How ab comes to the size of a picture.
UPSAMPLINGS = ("bilinear", "guided")
# Of "guided": pixels of ab on each side of a place, and the variance of L, in
# its own units squared, below which an area counts as flat.
GUIDE_RADIUS, GUIDE_FLAT = 2, 16.0
# What runs the network.
AUTO, TENSORFLOW, LITERT = RUNTIMES = ("auto", "tensorflow", "litert")
# A hint's radius without one of its own, as a part of the short side.
HINT_RADIUS = 1 / 50
# How long a film's colors are kept along motion, and its quality (CRF).
SMOOTHING, CRF = 0.9, 18
# Instead of a crop size: each box's crop has the size that the box deserves.
ADAPTIVE = "adaptive"
# Classes that are named of a picture.
TOP = 3
