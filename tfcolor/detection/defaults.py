"""Defaults of detection.

Kept apart so that `tfcolor detect --help` can name the values without
importing TensorFlow, OpenCV or NumPy.
"""

# Both as in Su et al., Instance-aware image colorization, CVPR 2020, and the
# code that was released with it.
SCORE_THRESHOLD = 0.7
MAX_BOXES = 8
# Pictures of one size at once, where a detector takes several.
BATCH_SIZE = 4

INPUT_L = "L"
INPUT_RGB = "rgb"
INPUTS = (INPUT_L, INPUT_RGB)

# Of the output, the default first: a file for each picture, or one for all.
NPZ, COCO = "npz", "coco"
FORMATS = (NPZ, COCO)
