"""A flags.cfg of an earlier tfcolor replays its run with today's trainers."""

import importlib
import pathlib
import subprocess
import sys

import pytest
from absl import flags

from flags import fields
from tests import flag_files

ROOT = pathlib.Path(__file__).parents[2]
FILES = sorted((ROOT / "tests/golden/old_flags").glob("*.cfg"))
# Trainers that came later: there is no older file of theirs.
_LATER = {"train_ddcolor", "train_efficientnet_unet", "train_on_arrays"}
by_trainer = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_every_trainer_of_that_time_has_a_file():
    trainers = {path.stem for path in (ROOT / "trainers").glob("train_*.py")}
    assert {path.stem for path in FILES} == trainers - _LATER


@by_trainer
def test_every_old_flag_keeps_its_value(path):
    trainer = importlib.import_module(f"trainers.{path.stem}")
    with flag_files.parsed(path):
        lines = fields.replay_lines(trainer)
    # A newer flag stands beside them, with its default.
    assert set(path.read_text().splitlines()) <= set(lines)


@by_trainer
def test_an_old_flag_is_a_key_flag_of_its_trainer(path):
    trainer = importlib.import_module(f"trainers.{path.stem}")
    known = flags.FLAGS.get_key_flags_for_module(trainer)
    names = {flag.name for flag in known}
    found = flags.FLAGS.read_flags_from_files([f"--flagfile={path}"])
    words = {line.removeprefix("--").partition("=")[0] for line in found}
    assert {w if w in names else w.removeprefix("no") for w in words} <= names


@pytest.mark.slow
@by_trainer
def test_a_trainer_reads_an_old_file_as_its_command_line(path):
    # In a process of its own: there only flags of this trainer are known.
    program = (
        "import sys; from absl import flags; "
        f"import trainers.{path.stem}; "
        f"left = flags.FLAGS(['program', '--flagfile={path}']); "
        "assert left == ['program'], left"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
