"""Colorizers that are slow, or end their process at some pictures."""

import functools
import os
import pathlib
import signal
import time

from tfcolor.inference import loaded_picture
from tfcolor.inference.colorizer import Colorizer

POISON = "poison"


def slow_colorizer(model: str, pids: str):
    """Takes a while for each picture, and says which process has it."""
    return _with_load(model, functools.partial(_wait, pids))


def poisoned_colorizer(model: str):
    """Ends its process, as `kill -9` does, at pictures with a certain name."""
    return _with_load(model, _die_of_poison)


def _wait(pids: str, source: str) -> None:
    (pathlib.Path(pids) / str(os.getpid())).touch()
    time.sleep(0.3)


def _die_of_poison(source: str) -> None:
    if os.path.basename(source).startswith(POISON):
        os.kill(os.getpid(), signal.SIGKILL)


def _with_load(model, before):
    load = loaded_picture.load

    def patched(source, **options):
        before(source)
        return load(source, **options)

    loaded_picture.load = patched
    return Colorizer(model, batch_size=1)
