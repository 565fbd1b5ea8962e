"""Studies of two papers: experiments of many runs; run from a checkout."""

import os

# Before a study imports TensorFlow, as the trainers have it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
