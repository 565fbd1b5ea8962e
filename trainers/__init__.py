"""Training programs, one a task; run from a checkout."""

import os

# Before a trainer imports TensorFlow, whose start-up messages would come
# between the lines of --help and of the run.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
