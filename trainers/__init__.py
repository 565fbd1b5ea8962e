"""Training programs, one a task; run from a checkout."""

import os
import sys

# Before a trainer imports TensorFlow, whose start-up messages would come
# between the lines of --help and of the run.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_NEEDED = "tensorflow"
_WITHOUT_IT = (
    "error: TensorFlow is not installed. With JAX or PyTorch alone: "
    "KERAS_BACKEND=jax (or torch) python -m trainers.train_on_arrays, and "
    "--network=siggraph there for the network of train_full"
)


def _say_what_is_missing(kind, error, trace, otherwise=sys.excepthook):
    if not isinstance(error, ImportError) or error.name != _NEEDED:
        otherwise(kind, error, trace)
        return
    print(_WITHOUT_IT, file=sys.stderr)
    sys.exit(2)


# A trainer's flags have their defaults from the library, so that all that it
# imports fails before there is a `main` or --help.
sys.excepthook = _say_what_is_missing
