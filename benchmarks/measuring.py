"""How benchmarks measure: times side by side, peak memory, Markdown tables.

Two sides are timed in turns in one process, so that whatever slows the
machine down meets both; what is compared is the ratio within a turn. Memory
is measured in a process of its own for each side. Nothing here imports a
framework, so that such a process holds one framework alone.
"""

import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_REPORT = (
    "import sys; from benchmarks import measuring; "
    "measuring.report_memory(*sys.argv[1:])"
)
# Calls before the memory is read: allocators grow for more than one.
_MEMORY_CALLS = 3
_MATMUL_SIDE = 2048
_MATMUL_REPEATS = 8
_PACKAGES = ("tensorflow", "keras", "torch")
_NO_VALUE = "-"


class Memory(NamedTuple):
    """Memory of a process, bytes.

    Attributes:
        loaded: int, once the networks are built and nothing has run.
        peak: int, the most it ever held.
    """

    loaded: int
    peak: int


def in_turns(
    functions: Mapping[str, Callable], *, repeats: int, warmup: int = 2
) -> dict[str, list]:
    """Calls functions in turns; who begins changes from turn to turn.

    Args:
        functions: mapping of a side's name to a function without arguments.
        repeats: int, turns that count.
        warmup: int, turns before them.

    Returns:
        dict of the names to `repeats` results each.
    """
    for _ in range(warmup):
        for function in functions.values():
            function()
    names = list(functions)
    results = {name: [] for name in names}
    for turn in range(repeats):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            results[name].append(functions[name]())
    return results


def seconds_in_turns(
    functions: Mapping[str, Callable], *, repeats: int, warmup: int = 2
) -> dict[str, list[float]]:
    """Times functions in turns.

    Args:
        functions: as for `in_turns`.
        repeats: int, timed turns.
        warmup: int, turns before them, in which graphs are made.

    Returns:
        dict of the names to `repeats` seconds each.
    """
    return in_turns(
        {name: _timed(function) for name, function in functions.items()},
        repeats=repeats,
        warmup=warmup,
    )


def _timed(function: Callable) -> Callable:
    def run():
        started = time.perf_counter()
        function()
        return time.perf_counter() - started

    return run


def ratio_over(
    seconds: Mapping[str, Sequence[float]], name: str, other: str
) -> float | None:
    """Returns the median over turns of a side's time over another's.

    Args:
        seconds: mapping of str to sequence of float, of `seconds_in_turns`.
        name: str.
        other: str.

    Returns:
        float, or None if one of them was not timed or both are the same.
    """
    if name == other or not {name, other} <= seconds.keys():
        return None
    return statistics.median(
        mine / theirs
        for mine, theirs in zip(seconds[name], seconds[other], strict=True)
    )


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess:
    """Runs Python in a new process that finds this project's modules.

    Args:
        code: str, of `python -c`.
        *arguments: str, its further arguments.

    Returns:
        subprocess.CompletedProcess with the texts that it wrote, whatever its
        status.
    """
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": _ROOT},
        capture_output=True,
        text=True,
        check=False,
    )


def memory_of(module: str, function: str, **options) -> Memory:
    """Measures the memory of what a function returns, in a new process.

    Args:
        module: str, name of a module.
        function: str, its function of `options` that loads what is needed
            and returns a function without arguments, which is then called.
        **options: arguments, of kinds that JSON knows.

    Returns:
        Memory.

    Raises:
        RuntimeError: the process failed.
    """
    done = run_python(_REPORT, module, function, json.dumps(options))
    if done.returncode:
        raise RuntimeError(
            f"{module}.{function} must run in a process of its own. "
            f"Received: exit status {done.returncode}\n{done.stderr[-2000:]}"
        )
    return Memory(*json.loads(done.stdout.splitlines()[-1]))


def report_memory(module: str, function: str, options: str) -> None:
    """Runs in the new process of `memory_of`, and prints what it measures.

    Args:
        module: str.
        function: str.
        options: str, JSON.
    """
    load = getattr(importlib.import_module(module), function)
    run = load(**json.loads(options))
    loaded = _own_memory("VmRSS")
    for _ in range(_MEMORY_CALLS):
        run()
    print(json.dumps([loaded, _own_memory("VmHWM")]))


def _own_memory(entry: str) -> int:
    # Not ru_maxrss where there is a choice: a process that was started by a
    # large one inherits its peak there.
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            values = dict(line.split(":", 1) for line in file)
    except FileNotFoundError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if platform.system() == "Darwin" else peak * 1024
    return int(values[entry].split()[0]) * 1024


def has_torch(*, say: bool = True) -> bool:
    """Tells whether PyTorch is installed.

    Args:
        say: bool, whether to print that it is not.

    Returns:
        bool.
    """
    found = importlib.util.find_spec("torch") is not None
    if say and not found:
        print("PyTorch is not installed: tfcolor alone.\n", flush=True)
    return found


def matmul_flops(multiply: Callable) -> float:
    """Measures the most floating point operations a second of a machine.

    Args:
        multiply: function of the side n of two square float32 matrices that
            returns a function without arguments, which multiplies them.

    Returns:
        float, 1/s, of the quickest of several products.
    """
    run = multiply(_MATMUL_SIDE)
    seconds = seconds_in_turns({"": run}, repeats=_MATMUL_REPEATS)[""]
    return 2 * _MATMUL_SIDE**3 / min(seconds)


def print_machine() -> None:
    """Prints a Markdown row that says where and with what was measured.

    `load` is how many processes wanted a core in the last minute. Above 1 the
    times mean little: PyTorch's threads wait for each other, and become
    slower by far more than their share.
    """
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line for line in file if line.startswith("model name")]
        processor = names[0].split(":")[1].strip()
    except (FileNotFoundError, IndexError):
        processor = platform.processor() or platform.machine()
    versions = []
    for package in _PACKAGES:
        try:
            versions.append(importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            versions.append(None)
    print_table(
        ["processor", "cores", "load", "system", "Python", *_PACKAGES],
        [
            [
                *(processor, os.cpu_count(), os.getloadavg()[0]),
                platform.system(),
                *(platform.python_version(), *versions),
            ]
        ],
    )


def print_table(header: Sequence, rows: Sequence[Sequence]) -> None:
    """Prints a Markdown table and an empty line.

    Args:
        header: sequence of str.
        rows: sequences of as many values. None and missing ones become "-",
            floats get three digits.
    """
    lines = [header, ["---"] * len(header), *rows]
    for line in lines:
        print("| " + " | ".join(_cell(value) for value in line) + " |")
    print(flush=True)


def _cell(value) -> str:
    if value is None:
        return _NO_VALUE
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def memory_cells(memory: Mapping[str, Memory], name: str, other: str) -> list:
    """Returns cells of a table: peak memory, over another side's, loaded.

    Args:
        memory: mapping of str to Memory.
        name: str.
        other: str.

    Returns:
        list of three, str, float or None.
    """
    if name not in memory:
        return [None, None, None]
    own = memory[name]
    ratio = None
    if other in memory and other != name:
        ratio = own.peak / memory[other].peak
    return [megabytes(own.peak), ratio, megabytes(own.loaded)]


def megabytes(size: float) -> str:
    """Returns a number of bytes as a cell of a table."""
    return f"{size / 1e6:.0f} MB"
