import os
import signal
import socket

import httpx2
import pytest

from tests.studio import pages
from tfcolor.cli import main

_SAMPLE = pages.ROOT / "tfcolor" / "data" / "samples" / "cow.jpg"


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
)
def test_a_studio_answers_and_leaves_nothing(tmp_path, number):
    with pages.running(temporary=tmp_path) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        assert len(os.listdir(tmp_path)) == 1
        assert httpx2.get(address, timeout=30).status_code == 200
        added = httpx2.post(
            f"{address}api/photos",
            content=pages.grey_jpeg(),
            headers=pages.name_header("old.jpg"),
            timeout=120,
        )
        assert added.status_code == 201
        process.send_signal(number)
        assert process.wait(60) == 0
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_the_shipped_models_result_is_the_commands(tmp_path):
    output = tmp_path / "command.jpg"
    (tmp_path / "own").mkdir()
    assert main.run(["colorize", str(_SAMPLE), f"--output={output}"]) == 0
    with pages.running(temporary=tmp_path / "own") as (_, address):
        added = httpx2.post(
            f"{address}api/photos",
            content=_SAMPLE.read_bytes(),
            headers=pages.name_header("cow.jpg"),
            timeout=120,
        ).json()
        photo = f"{address}api/photos/{added['id']}"
        edit = {"edit": {"model": "lite2_unet"}}
        found = httpx2.post(f"{photo}/result", json=edit, timeout=120)
        place = {"x": added["width"] / 2, "y": added["height"] / 2}
        offered = httpx2.post(
            f"{photo}/colors", json=edit | place, timeout=120
        ).json()
    assert found.content == output.read_bytes()
    chances = [color["probability"] for color in offered["colors"]]
    assert len(chances) == 9 and chances == sorted(chances, reverse=True)
    assert len({color["color"] for color in offered["colors"]}) == 9


@pytest.mark.slow
def test_what_a_killed_studio_leaves_the_next_one_removes(tmp_path):
    with pages.running(temporary=tmp_path) as (process, _):
        process.kill()
        process.wait(20)
    (left,) = os.listdir(tmp_path)
    with pages.running(temporary=tmp_path), pages.running(temporary=tmp_path):
        # Its folder is gone, and the two that run have theirs.
        assert left not in os.listdir(tmp_path)
        assert len(os.listdir(tmp_path)) == 2
    assert os.listdir(tmp_path) == []


def test_a_port_that_is_taken_is_named(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main.run(["studio", f"--port={port}", "--no_browser"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("tfcolor studio: error: [Errno ")
    assert "Address already in use" in said and said.count("\n") == 1
