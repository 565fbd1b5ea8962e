import subprocess
import sys

import pytest

import tfcolor
from tfcolor.cli import main

# Prints which of the slow libraries a command has imported.
_PROGRAM = """
import sys
from tfcolor.cli import main
try:
    status = main.run(sys.argv[1:])
except SystemExit as error:
    status = error.code
slow = {"tensorflow", "keras", "cv2"} & set(sys.modules)
print("status", status, "imported", sorted(slow))
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["colorize", "--help"],
        ["evaluate", "--help"],
        ["demo", "--help"],
        ["detect", "--help"],
        ["classify", "--help"],
        ["models", "--help"],
        ["models"],
        ["import-weights", "--help"],
        ["prepare", "--help"],
        ["export", "--help"],
        ["client", "--help"],
        ["studio", "--help"],
    ],
)
def test_help_and_version_do_not_wait_for_tensorflow(arguments):
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.endswith("status 0 imported []\n")
    assert result.stderr == ""


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit):
        main.run(["--version"])
    assert capsys.readouterr().out == f"tfcolor {tfcolor.__version__}\n"


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main.run(["--help"])
    words = capsys.readouterr().out.split()
    for command in (
        *("colorize", "evaluate", "demo", "detect"),
        *("classify", "models", "import-weights", "prepare", "export"),
        "client",
    ):
        assert command in words


@pytest.mark.parametrize("arguments", [[], ["paint"], ["colorize"]])
def test_wrong_usage_ends_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        main.run(arguments)
    assert error.value.code == 2
    assert "usage: tfcolor" in capsys.readouterr().err


def test_a_disk_that_is_full_ends_with_one_line(monkeypatch, capsys):
    def fill(_):
        raise OSError("a.png cannot be written:\nNo space left on device")

    monkeypatch.setattr(main.demo, "run", fill)
    assert main.run(["demo", "--output=demo"]) == 1
    said = "tfcolor: error: a.png cannot be written: No space left on device\n"
    assert capsys.readouterr().err == said


def test_an_interrupt_ends_with_one_line(monkeypatch, capsys):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(main.colorize, "run", interrupt)
    assert main.run(["colorize", "a.jpg", "--output=b.jpg"]) == 130
    assert capsys.readouterr().err == "tfcolor: interrupted\n"


@pytest.mark.parametrize("error", [MemoryError(), ValueError("a fault")])
def test_memory_that_runs_out_ends_in_one_line(monkeypatch, capsys, error):
    def run(args):
        raise error

    monkeypatch.setattr(main.colorize, "run", run)
    arguments = ["colorize", "a.jpg", "--output=b.png"]
    if isinstance(error, MemoryError):
        assert main.run(arguments) == 1
        said = capsys.readouterr().err
        assert said.startswith("tfcolor: error: Memory ran out. Try a smaller")
        assert said.count("\n") == 1
        return
    with pytest.raises(ValueError, match="a fault"):
        main.run(arguments)
