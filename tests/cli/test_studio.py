import builtins
import sys

import pytest

from tfcolor.cli import main


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port=-1"],
        ["--port=65536"],
        ["--models_folder=no_such_folder"],
        ["--max_pixels=0"],
    ],
)
def test_wrong_usage_is_named(arguments, capsys):
    assert main.run(["studio", "--no_browser", *arguments]) == 2
    assert "Received: " in capsys.readouterr().err


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
    assert "pip install -e '.[studio]'" in said
    assert said.count("\n") == 1
