import argparse

import numpy as np
import pytest

from tests import drawn
from tests.export import exported
from tests.inference import models
from tfcolor import Colorizer
from tfcolor.cli import client
from tfcolor.pictures import decode


def _run(*arguments):
    parser = argparse.ArgumentParser(prog="tfcolor")
    client.add_parser(parser.add_subparsers())
    return client.run(parser.parse_args(["client", *map(str, arguments)]))


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_a_folder_is_colorized_as_python_does(
    server, protocol, tmp_path, capsys
):
    album = drawn.write_album(tmp_path / "album", 3, side=20)
    (tmp_path / "album" / "bad.png").write_bytes(b"nothing")
    url = {"rest": server.rest_url, "grpc": server.grpc_url}[protocol]
    arguments = [album, f"--url={url}", f"--output={tmp_path / 'out'}/"]
    assert _run(*arguments) == 1
    printed = capsys.readouterr()
    assert "Colorized 3 pictures" in printed.out
    assert "1 failed" in printed.out
    assert "bad.png: The file is not a picture" in printed.err
    colorizer = Colorizer(
        models.lightness_model(), image_size=exported.IMAGE_SIZE
    )
    for i in range(3):
        data = (tmp_path / "out" / f"{i:03}.png").read_bytes()
        np.testing.assert_array_equal(
            decode.decode_picture(data).pixels,
            colorizer.colorize(drawn.colored(i, 20, 20)),
        )
    served = server.served
    assert _run(*arguments) == 1
    assert server.served == served
    assert "3 there already, skipped" in capsys.readouterr().out


@pytest.mark.slow
def test_a_busy_server_is_asked_again(server, tmp_path):
    picture = drawn.write(tmp_path / "a.png", drawn.colored(1))
    server.unavailable = 1
    output = tmp_path / "b.jpg"
    assert _run(picture, f"--url={server.rest_url}", f"--output={output}") == 0
    assert output.read_bytes().startswith(b"\xff\xd8\xff")


def test_a_server_that_is_not_there_is_named(tmp_path, capsys):
    picture = drawn.write(tmp_path / "a.png", drawn.colored(1))
    arguments = [picture, f"--output={tmp_path / 'b.png'}", "--retries=0"]
    assert _run(*arguments, "--url=http://127.0.0.1:9") == 1
    assert "http://127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flag",
    [
        "--url=localhost:8501",
        "--parallel=0",
        "--retries=-1",
        "--timeout=0",
        "--boxes=nowhere",
    ],
)
def test_wrong_usage_ends_with_status_2(flag, tmp_path, capsys):
    picture = drawn.write(tmp_path / "a.png", drawn.colored(1))
    arguments = [picture, "--url=http://localhost:1", flag]
    assert _run(*arguments, f"--output={tmp_path / 'b.png'}") == 2
    assert "tfcolor client: error" in capsys.readouterr().err
