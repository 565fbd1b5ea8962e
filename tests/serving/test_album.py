import os

import numpy as np
import pytest

from tests import drawn
from tests.export import exported
from tests.inference import models
from tests.serving.model_server import ModelServer
from tfcolor import Colorizer
from tfcolor.data import outcome as outcome_lib
from tfcolor.pictures import decode
from tfcolor.serving import album
from tfcolor.serving.address import Address
from tfcolor.serving.rest_client import RestClient

# Nobody listens there.
_NOWHERE = Address("http://127.0.0.1:9")


@pytest.fixture
def closed(monkeypatch):
    """The clients that were closed."""
    clients = []
    monkeypatch.setattr(RestClient, "close", lambda c: clients.append(c))
    return clients


@pytest.mark.slow
def test_an_album_is_colorized_as_python_does(closed, tmp_path):
    folder, out = drawn.write_album(tmp_path / "in", 2, side=20), tmp_path / "o"
    (tmp_path / "in" / "bad.png").write_bytes(b"nothing")
    with ModelServer(exported.saved_model()) as server:
        address = Address(server.rest_url)
        outcomes = album.colorize_by_server(
            [folder], f"{out}/", address=address, parallel=2
        )
        assert len(outcomes) == 3
        reasons = {os.path.basename(o.source): o.reason for o in outcomes}
    assert len(closed) == 1
    assert "not a picture" in reasons.pop("bad.png")
    assert reasons == {"000.png": None, "001.png": None}
    colorizer = Colorizer(
        models.lightness_model(), image_size=exported.IMAGE_SIZE
    )
    for i in range(2):
        np.testing.assert_array_equal(
            decode.decode_picture((out / f"{i:03}.png").read_bytes()).pixels,
            colorizer.colorize(drawn.colored(i, 20, 20)),
        )


def test_what_is_there_already_needs_no_server_and_no_boxes(tmp_path):
    folder = drawn.write_album(tmp_path / "in", 2)
    drawn.write_album(tmp_path / "out", 2)
    outcomes = album.colorize_by_server(
        [folder], f"{tmp_path}/out/", address=_NOWHERE, boxes="nowhere"
    )
    assert [o.skipped for o in outcomes] == [outcome_lib.THERE_ALREADY] * 2


def test_a_client_is_closed_when_its_album_is(closed, tmp_path):
    folder = drawn.write_album(tmp_path / "in", 3)
    outcomes = album.colorize_by_server(
        *([folder], f"{tmp_path}/out/"), address=_NOWHERE, retries=0
    )
    assert "http://127.0.0.1:9" in next(outcomes).reason
    assert not closed
    outcomes.close()
    assert len(closed) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parallel": 0}, "`parallel` must be 1 or above. Received: parallel="),
        ({"retries": -1}, "`retries` must be 0 or above. Received: retries=-1"),
        ({"timeout": 0.0}, "`timeout` must be above 0. Received: timeout=0.0"),
        ({"max_pixels": 0}, "max_pixels"),
        ({"boxes": "nowhere"}, "nowhere"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_picture(
    options, message, tmp_path
):
    folder = drawn.write_album(tmp_path / "in", 1)
    with pytest.raises((OSError, ValueError), match=message):
        album.colorize_by_server(
            [folder], f"{tmp_path}/out/", address=_NOWHERE, **options
        )
