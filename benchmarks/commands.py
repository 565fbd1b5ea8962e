"""Whole commands: seconds from start to exit, and the most memory they held.

A command runs as its users run it, as a process of its own. A small process
between it and the benchmark waits for it: Linux counts what a process holds
when it starts another one as memory of the other, too.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import measuring

_REPORT = (
    "import sys; from benchmarks import commands; "
    "commands.report(*sys.argv[1:])"
)
_SHOWN_CHARACTERS = 2000


class CommandRun(NamedTuple):
    """What became of a command.

    Attributes:
        seconds: float, from its start to its exit.
        peak: int, the most memory that it held, bytes.
        output: str, what it printed.
    """

    seconds: float
    peak: int
    output: str


def run(arguments: Sequence[str]) -> CommandRun:
    """Runs a Python program.

    Args:
        arguments: sequence of str, those of `python`, such as "-m", "tfcolor".

    Returns:
        CommandRun.

    Raises:
        RuntimeError: the program failed.
    """
    done = measuring.run_python(_REPORT, *arguments)
    if done.returncode:
        raise RuntimeError(
            "A command must end with status 0. Received: status "
            f"{done.returncode} of {' '.join(arguments)}\n"
            f"{done.stderr[-_SHOWN_CHARACTERS:]}"
        )
    return CommandRun(*json.loads(done.stdout))


def report(*arguments: str) -> None:
    """Runs in the process between, and prints what it measures as JSON.

    Args:
        *arguments: str.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{output}\nstatus {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps([seconds, used.ru_maxrss * unit, output]))
