"""Defaults of detection.

Kept apart so that `tfcolor detect --help` can name the values without
importing TensorFlow.
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

# What `output_paths` and `boxes.box_folder` know, the default first.
FORMATS = ("npz", "coco")
NAMINGS = ("path", "stem")
