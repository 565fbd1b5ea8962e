import json

import numpy as np
import pytest

from tfcolor.inference import hint_points
from tfcolor.inference.hint_points import HintPoint

_POINT = {"x": 3, "y": 4.5, "color": "#3b7Dd8"}


def _write(tmp_path, content):
    path = tmp_path / "hints.json"
    path.write_text(
        content if isinstance(content, str) else json.dumps(content)
    )
    return str(path)


def test_one_picture_needs_no_name(tmp_path):
    path = _write(tmp_path, {"points": [_POINT, {**_POINT, "radius": 2}]})
    assert hint_points.read_hints(path, ["a.jpg"]) == {
        "a.jpg": [
            HintPoint(3, 4.5, "#3b7Dd8"),
            HintPoint(3, 4.5, "#3b7Dd8", radius=2),
        ]
    }


def test_several_pictures_are_named(tmp_path):
    path = _write(tmp_path, {"trip/b.jpg": [_POINT]})
    assert hint_points.read_hints(path, ["a.jpg", "trip/b.jpg"]) == {
        "trip/b.jpg": [HintPoint(**_POINT)]
    }


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("{", "Expecting"),
        ([_POINT], "JSON object"),
        ({"points": [_POINT]}, "one picture"),
        ({"c.jpg": [_POINT]}, "'c.jpg'"),
        ({"a.jpg": _POINT}, "list of points"),
        ({"a.jpg": [3]}, "a.jpg, point 1: .*Received: 3"),
        ({"a.jpg": [_POINT, {"x": 1, "y": 2}]}, "a.jpg, point 2"),
        ({"a.jpg": [{**_POINT, "colour": 1}]}, "colour"),
        ({"a.jpg": [{**_POINT, "color": "blue"}]}, "Received: color='blue'"),
        ({"a.jpg": [{**_POINT, "color": 7}]}, "Received: color=7"),
        ({"a.jpg": [{**_POINT, "x": -1}]}, "Received: x=-1"),
        ({"a.jpg": [{**_POINT, "y": True}]}, "Received: y=True"),
        ('{"a.jpg": [{"x": NaN, "y": 1, "color": "#000000"}]}', "x=nan"),
        ({"a.jpg": [{**_POINT, "radius": 0}]}, "Received: radius=0"),
    ],
)
def test_errors_name_the_file_and_the_rule(tmp_path, content, rule):
    path = _write(tmp_path, content)
    with pytest.raises(ValueError, match=rule) as error:
        hint_points.read_hints(path, ["a.jpg", "b.jpg"])
    assert str(error.value).startswith(path)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        hint_points.read_hints(str(tmp_path / "none.json"), ["a.jpg"])


def test_points_must_lie_in_the_picture():
    hint_points.check_inside([HintPoint(9.5, 4, "#000000")], width=10, height=5)
    for point in (HintPoint(10, 4, "#000000"), HintPoint(9, 5, "#000000")):
        with pytest.raises(ValueError, match=r"10 x 5 pixels\. Received: x="):
            hint_points.check_inside([point], width=10, height=5)


def test_numbers_of_numpy_are_numbers():
    point = HintPoint(np.int64(3), np.float32(4.5), "#102030")
    assert (point.x, point.y) == (3, 4.5)
