import gc
import os
import sys

# Before anything imports TensorFlow.
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
# Servers of tests are on this machine, whatever proxy it has.
os.environ["no_proxy"] = "*"

import pytest
from absl import flags

# Tests set flags with `flagsaver.as_parsed`; there is no command line.
flags.FLAGS.mark_as_parsed()


def pytest_collection_finish():
    # What was imported stays: no search for garbage needs to pass it again.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def server():
    """A ModelServer of a small colorizer."""
    # Many tests need neither TensorFlow nor what talks to servers.
    from tests.export import exported
    from tests.serving.model_server import ModelServer

    with ModelServer(exported.saved_model()) as running:
        yield running


@pytest.fixture(autouse=True)
def _same_start_for_every_test():
    # Only where the test's module has imported it: many need no TensorFlow.
    keras = sys.modules.get("keras")
    if keras is None:
        yield
        return
    keras.utils.set_random_seed(0)
    yield
    keras.mixed_precision.set_dtype_policy("float32")
