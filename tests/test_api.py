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


# What of each room is reached without another import.
REACHED = {
    "color": ("lab.rgb_to_lab", "gamut.in_gamut"),
    "data": ("pipelines.full_view", "sources.open_source"),
    "losses": ("huber", "HuberLoss"),
    "metrics": ("psnr", "ssim"),
    "models": ("siggraph.siggraph", "ensemble.ensemble"),
}


def test_every_room_is_among_those_that_are_reached():
    assert set(REACHED) == set(tfcolor._ROOMS)


def test_rooms_can_be_reached_from_the_package():
    # In a process of its own: there no other test has imported anything.
    lines = ["import tfcolor"]
    for room, names in REACHED.items():
        for name in names:
            lines.append(f"assert callable(tfcolor.{room}.{name}), {room!r}")
            lines.append(
                f"assert {name.split('.')[0]!r} in dir(tfcolor.{room})"
            )
    program = "\n".join(lines)
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    "module",
    [tfcolor, tfcolor.color, tfcolor.data, tfcolor.models],
    ids=lambda module: module.__name__,
)
def test_what_is_not_there_is_no_attribute(module):
    with pytest.raises(
        AttributeError, match=f"{module.__name__}' has no attribute 'nothing'"
    ):
        _ = module.nothing


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


def test_all_names_come_without_the_packages_of_extras():
    program = (
        "import sys; sys.modules.update(jinja2=None, pandas=None)\n"
        "from tfcolor import *\n"
        "assert callable(evaluate) and callable(colorize_album)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
