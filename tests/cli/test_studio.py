import builtins
import sys

import pytest

from tfcolor.cli import main


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--port=-1", "--port must be in 0..65535. Received: -1"),
        ("--port=65536", "--port must be in 0..65535. Received: 65536"),
        (
            "--models_folder=no_such_folder",
            "--models_folder must be a folder. Received: 'no_such_folder'",
        ),
        (
            "--boxes=no_such_file",
            "--boxes must be a folder or a file. Received: 'no_such_file'",
        ),
        ("--max_pixels=0", None),
    ],
)
def test_wrong_usage_is_named(argument, said, capsys):
    assert main.run(["studio", "--no_browser", argument]) == 2
    error = capsys.readouterr().err
    if said is not None:
        assert error == f"tfcolor studio: error: {said}\n"
    assert "Received: " in error


def test_without_the_extra_one_sentence_says_what_to_install(
    monkeypatch, capsys
):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] in ("starlette", "uvicorn"):
            raise ModuleNotFoundError(f"No module {name!r}", name="uvicorn")
        return real(name, *args, **kwargs)

    for name in [n for n in sys.modules if n.startswith("tfcolor.studio")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    assert main.run(["studio", "--no_browser"]) == 2
    said = capsys.readouterr().err
    assert "pip install -c constraints.txt -e '.[studio]'" in said
    assert said.count("\n") == 1
