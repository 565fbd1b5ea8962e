"""What tfcolor makes public, and the page about it."""

import subprocess
import sys

import pytest

import tfcolor
from docs import make_api


@pytest.mark.parametrize("name", tfcolor.__all__)
def test_every_public_name_is_there_and_described(name):
    value = getattr(tfcolor, name)
    assert name in dir(tfcolor)
    if name != "__version__":
        assert len(value.__doc__) > 40


def test_rooms_can_be_reached_from_the_package():
    assert callable(tfcolor.models.siggraph.siggraph)
    assert callable(tfcolor.losses.huber)
    assert callable(tfcolor.color.lab.rgb_to_lab)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tfcolor.nothing


def test_the_package_alone_loads_neither_keras_nor_tensorflow():
    program = (
        "import sys, tfcolor; "
        "print({'keras', 'tensorflow', 'cv2'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"


def test_the_page_is_the_one_that_docstrings_make():
    assert make_api.PAGE.read_text() == make_api.text()


def test_a_shipped_model_is_a_keras_model_that_knows_itself():
    model = tfcolor.load_model("siggraph_small")
    assert model.architecture.name == "siggraph_blend"
    assert model.architecture.options["width"] == 0.25
