"""Every command and snippet of the README is run, in its order.

What a sentence names alone is looked up: commands, options, the Python API.

Commands run in a folder with the files that the README names, as small as can
be; MORE adds flags that make them short, ELSEWHERE names what runs the others.
A command that neither knows fails the first test.
"""

import ast
import inspect
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
from absl import flags
from PIL import Image

import tfcolor
from tests import class_albums
from tests import drawn
from tests.detection import tiny_detectors
from tests.inference import models
from tests.inference.film import films
from tests.serving.model_server import ModelServer
from tests.weights import published_states
from tests.weights import pytorch_pickles
from tfcolor.cli import main
from tfcolor.data import sample_pictures
from trainers import train_full

ROOT = pathlib.Path(__file__).parents[1]
# What runs the commands that are not run here.
ELSEWHERE = {
    "make demo": "tests/cli/test_demo.py",
    "make test": "the caller",
    "make setup": "the caller",
    "pip install -c constraints.txt -e '.[evaluate,film,studio]'": (
        "make setup, [dev]"
    ),
    "pip install -c constraints.txt 'tensorflow[and-cuda]'": "needs a GPU",
    "tensorboard --logdir=runs": "tests/training reads the event files",
    "docker compose -f deploy/docker-compose.yml up -d": "tests/test_deploy.py",
}
_SHORT = ["--epochs=1", "--log_steps=1", "--validation_share=0.3"]
MORE = {
    "trainers.train_full": [*_SHORT, "--width=0.0625", "--batch_size=2"],
    "trainers.train_efficientnet_unet": [
        *_SHORT,
        "--batch_size=2",
        "--image_size=64",
    ],
    "trainers.train_classifier": [*_SHORT, "--batch_size=2", "--image_size=32"],
}
# What the scene holds, beside copies of deploy/ and flags/.
SCENE = {
    *("old.jpg", "basket.jpg", "clip.mp4", "albums", "photos", "fruits"),
    *("mask_rcnn", "checkpoints", "siggraph17-df00044c.pth"),
}
# Arguments that name what a command reads.
_READ = ("input", "truth", "images", "checkpoint", "detector", "boxes", "model")
# ADDRESS, for example: a command that nobody runs as it stands.
_PLACEHOLDER = r"\b[A-Z]{3,}\b"
# Commands that a sentence may name without the input that they need.
_NEED_INPUT = ("colorize", "client")
# A class or function of the package, alone or in a call.
_PYTHON = r"(?:tfcolor\.|(?=[A-Z]))\w+(?:\(.*)?"
_START = ("tfcolor ", "python ", "make ", "pip ", "docker ", "tensorboard ")


def _blocks() -> list[str]:
    """The indented blocks of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^ {4}.*\n(?:\s*\n(?= {4}))?)+", text, re.MULTILINE)
    return [re.sub(r"^ {4}", "", b, flags=re.MULTILINE) for b in blocks]


def _commands() -> list[str]:
    joined = "\n".join(_blocks()).replace("\\\n", " ")
    lines = [re.sub(r"\s{2,}#.*", "", line) for line in joined.splitlines()]
    return [" ".join(s.split()) for s in lines if s.startswith(_START)]


def _named() -> list[str]:
    """All pieces of code within sentences and tables."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pieces = re.findall(r"(?<!`)`([^`]+)`", text)
    return [" ".join(p.split()).removeprefix(".venv/bin/") for p in pieces]


def _inline() -> list[str]:
    """Whole commands within sentences; `tfcolor` and a name alone is none."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    starts = r"tfcolor\s[^`]+\s--|(?:python|pip|make|docker)\s"
    quoted = re.findall(rf"(?<!`)`((?:{starts})[^`]+)`", text)
    return [" ".join(command.split()) for command in quoted]


def _snippets() -> list[str]:
    """Successive pieces of Python."""
    return [b for b in _blocks() if re.search(r"^from \w+ import", b, re.M)]


def _published_weights(folder):
    """Files under the README's names, of narrow networks."""
    narrow = 1 / 32
    pytorch_pickles.save(
        folder / "siggraph17-df00044c.pth", published_states.full(0, narrow)
    )
    place = folder / "checkpoints/coco_finetuned_mask_256_ffs"
    place.mkdir(parents=True)
    for name, state in {
        "GComp": published_states.full(1, narrow),
        "G": published_states.full(2, narrow),
        "GF": published_states.fusion(3, narrow),
    }.items():
        pytorch_pickles.save(place / f"latest_net_{name}.pth", state)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A folder with what the README names, and a model server."""
    folder = tmp_path_factory.mktemp("readme")
    for name in ("deploy", "flags"):
        shutil.copytree(ROOT / name, folder / name)
    _published_weights(folder)
    tiny_detectors.object_detection_api(folder / "mask_rcnn")
    class_albums.write_parts(folder / "fruits", train=4, val=2, test=2)
    drawn.write_album(folder / "albums", 2)
    samples = sample_pictures.paths()
    for path in samples[:2]:
        shutil.copy(path, folder / "albums")
    drawn.write_album(folder / "photos", 8, kind="jpg")
    films.write(folder / "clip.mp4", [films.ramp(t) for t in range(3)])
    for name in ("old.jpg", "basket.jpg"):
        shutil.copy(samples[0], folder / name)
    assert set(os.listdir(folder)) == SCENE | {"deploy", "flags"}
    return folder


def _shortened(command: str) -> list[str]:
    words = shlex.split(command)
    program = " ".join(words[:3])
    for name, more in MORE.items():
        if name in program:
            words += more
    if words[0] == "tfcolor":
        words[:1] = [sys.executable, "-m", "tfcolor"]
    else:
        words[0] = sys.executable
    return words


def _run(command: str, folder) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        _shortened(command),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stderr}"
    return result.stdout


def _can_run(command: str) -> bool:
    is_ours = command.startswith(("tfcolor ", "python -m "))
    return is_ours and not re.search(_PLACEHOLDER, command)


def test_every_command_is_run_somewhere():
    commands = [*_commands(), *_inline()]
    known = [c for c in commands if _can_run(c)]
    assert len(known) > 10 and _inline()
    assert {c for c in commands if c not in known} == set(ELSEWHERE)


def _read_and_written(words: list[str]) -> tuple[list[str], list[str]]:
    """Parses a command; returns the paths that it reads and writes."""
    if words[0] == "python":
        values = [word.partition("=")[::2] for word in words[3:]]
        return [], [value for name, value in values if name == "--workdir"]
    try:
        args = main.make_parser().parse_args(words[1:])
    except SystemExit as end:
        assert end.code == 0 and words[-1] == "--help", words
        return [], []
    found = [getattr(args, name, None) for name in _READ]
    values = [v for f in found for v in (f if isinstance(f, list) else [f])]
    # Others are names of models.
    read = [v for v in values if v and (set(v) & {".", "/"} or v in SCENE)]
    return read, [args.output] if getattr(args, "output", None) else []


def test_every_command_is_understood_and_names_what_is_there():
    there = set(SCENE)
    for command in [*_commands(), *_inline()]:
        if command in ELSEWHERE:
            continue
        read, written = _read_and_written(shlex.split(command))
        assert {path.split("/")[0] for path in read} <= there, command
        there |= {path.split("/")[0] for path in written}


def test_every_command_that_a_sentence_names_is_understood():
    named = [shlex.split(p) for p in _named() if p.startswith("tfcolor ")]
    assert {"studio", "models", "prepare"} <= {words[1] for words in named}
    for words in named:
        alone = words[1:]
        more = ["--help"] if alone in [[c] for c in _NEED_INPUT] else []
        _read_and_written(words + more)


def _options() -> dict[str, list]:
    """The options of all sub-commands, by name."""
    found = {}
    for action in main.make_parser()._actions:
        for parser in (getattr(action, "choices", None) or {}).values():
            for option in parser._actions:
                for name in option.option_strings:
                    found.setdefault(name, []).append(option)
    return found


def test_every_option_that_a_sentence_names_is_there():
    pieces = [w for p in _named() if p.startswith("--") for w in p.split()]
    options, trainer = (
        _options(),
        flags.FLAGS.get_key_flags_for_module(train_full),
    )
    assert "--skip_color" in pieces and len(pieces) > 8
    known = {f"--{flag.name}": flag for flag in trainer}
    for piece in pieces:
        name, _, value = piece.partition("=")
        assert name in options or name in known or name == "--flagfile", piece
        if name not in options:
            continue
        choices = [option.choices for option in options[name]]
        assert not value or any(c is None or value in c for c in choices), piece


def _looked_up(node: ast.expr):
    """What an expression is; a class stands for its objects."""
    if isinstance(node, ast.Name):
        return tfcolor if node.id == "tfcolor" else getattr(tfcolor, node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_looked_up(node.value), node.attr)
    assert isinstance(node, ast.Call)
    called = _looked_up(node.func)
    given = [None] * len(node.args)
    if isinstance(node.func, ast.Attribute):
        # An object's method has the object as its first argument.
        given += [None] * isinstance(_looked_up(node.func.value), type)
    keywords = {keyword.arg: None for keyword in node.keywords}
    inspect.signature(called).bind(*given, **keywords)
    return called


def test_every_part_of_the_python_api_that_a_sentence_names_is_there():
    pieces = [p for p in _named() if re.fullmatch(_PYTHON, p)]
    assert {'Colorizer(runtime="litert")', "Boxes"} <= set(pieces)
    assert any(".detect(" in piece for piece in pieces)
    for piece in pieces:
        _looked_up(ast.parse(piece, mode="eval").body)
    for wrong in ('Colorizer(engine="litert")', "Colorizer().paint(rgb)"):
        with pytest.raises((AttributeError, TypeError)):
            _looked_up(ast.parse(wrong, mode="eval").body)


@pytest.mark.long
def test_the_commands_work_one_after_the_other(scene):
    for command in [*_commands(), *_inline()]:
        if command in ELSEWHERE:
            continue
        if " client " not in command:
            _run(command, scene)
            continue
        exported = str(scene / "deploy/models/colorizer/1")
        with ModelServer(exported) as server:
            url = re.search(r"--url=(\S+)", command)[1]
            # What was colorized before would be left as it is.
            shutil.rmtree(scene / "colored")
            _run(command.replace(url, server.rest_url), scene)
    colored = np.asarray(Image.open(scene / "vivid.png"), int)
    grey = np.asarray(Image.open(scene / "old.jpg"))
    assert colored.shape[:2] == grey.shape[:2]
    assert np.ptp(colored, -1).max() > 20
    assert len(list((scene / "colored").glob("*"))) == 4
    assert (scene / "report/index.html").exists()
    assert (scene / "runs/full/model.keras").exists()


def test_the_python_pieces_work_one_after_the_other(tmp_path, monkeypatch):
    # That of the README's commands is too slow for a quick test.
    models.save(models.counting_model(), tmp_path / "instcolorization.keras")
    monkeypatch.chdir(tmp_path)
    names = {"grey": drawn.grey(0, 120, 160)}
    seen = []
    for piece in _snippets():
        exec(compile(piece, "README.md", "exec"), names)
        seen.append(names["rgb"])
    with_hint, with_box = seen
    assert all(rgb.shape == (120, 160, 3) for rgb in seen)
    # The hint is blue, #3b7dd8, and where it is set the picture is too.
    red, green, blue = with_hint[78:83, 118:123].reshape(-1, 3).mean(0)
    assert blue > green > red
    # Without a box that model leaves a picture grey.
    red, green, _ = with_box.reshape(-1, 3).mean(0)
    assert red > green + 5
