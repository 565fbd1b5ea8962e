import subprocess
import sys

import pytest
import tensorflow as tf

from tests import drawn
from tests.export import c_api
from tests.export import exported
from tests.inference import models
from tfcolor import Colorizer
from tfcolor.pictures import decode


def _names(path):
    """The graph's names of what serving_default takes and returns."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], path)
    signature = meta_graph.signature_def["serving_default"]
    (taken,), (returned,) = (
        signature.inputs.values(),
        signature.outputs.values(),
    )
    return taken.name, returned.name


def _run(picture):
    path = exported.saved_model()
    return subprocess.run(
        [sys.executable, "-I", c_api.__file__, path, *_names(path)],
        input=picture,
        capture_output=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_bytes_are_equal_through_the_c_api():
    picture = drawn.encode(drawn.colored(1, 33, 21), "JPEG")
    colorizer = Colorizer(
        models.lightness_model(), image_size=exported.IMAGE_SIZE
    )
    expected = colorizer.colorize(decode.decode_rgb(picture))
    process = _run(picture)
    assert process.returncode == 0, process.stderr[-500:]
    assert process.stdout == tf.io.encode_png(expected).numpy()


@pytest.mark.slow
def test_what_is_no_picture_is_an_error_through_the_c_api():
    process = _run(b"\xff\xd8\xff no picture")
    assert process.returncode == 3
    assert b"Picture 0 of the request" in process.stderr
