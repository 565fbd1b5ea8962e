"""Running many training programs one after the other, resumably.

A run is a folder with the command that makes it (command.txt), what it is
(condition.json), and what it began with: version, and hashes of the flag files
and weights it read (began_with.json). If these have changed since, a line says
so. Finished runs are kept; an interrupted one continues where it
stopped, as every trainer does. Why a run failed is in its train.log. A run that
has neither a result nor a checkpoint may be started again with other flags.
"""

import collections
import dataclasses
import functools
import glob
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from absl import flags

from flags import run as run_flags
from tfcolor import atomic
from tfcolor.training import run_folder
from tfcolor.training.loop import Interrupted
from tfcolor.training.loop import SignalWatch
from tfcolor.version import __version__
from tfcolor.weights import shipped
from trainers import launch

SEEDS = flags.DEFINE_list(
    "seeds",
    ["0", "1", "2"],
    "Seeds: of the initial weights, the choice of pictures, their order.",
)
TRAIN_FLAGS = flags.DEFINE_multi_string(
    "train_flag",
    [],
    "A flag that every run gets after the preset, such as "
    "--train_flag=--epochs=9; may be given more than once.",
)
MINUTES = flags.DEFINE_float(
    "minutes",
    None,
    "Stop after so long; the run that is under way saves itself. The same "
    "command goes on from there.",
    lower_bound=0.0,
)
LIST = flags.DEFINE_bool(
    "list", False, "Only list the runs and which are done."
)

COMMAND, CONDITION = "command.txt", "condition.json"
BEGAN_WITH = "began_with.json"
# Flags that name a file a run depends on, or a shipped model.
_FILE_FLAGS = ("flagfile", "classifier", "initial_weights")
_FILE_FLAGS += ("full_weights", "instance_weights")
_INTERRUPTED = 130
# Names that Linux gives to bfloat16 instructions.
_BFLOAT16 = ("avx512_bf16", "amx_bf16")


@dataclasses.dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        folder: str.
        module: str, the trainer.
        arguments: tuple of str, its flags but for --workdir.
        condition: dict that JSON knows: what the run is among the others.
        result: str. File in the folder that is there when it is finished.
        needs: tuple of Run, which must be finished first.
    """

    folder: str
    module: str
    arguments: tuple[str, ...]
    condition: dict
    result: str
    needs: tuple["Run", ...] = ()

    @property
    def name(self) -> str:
        """Name of the folder."""
        return os.path.basename(self.folder)

    def is_done(self) -> bool:
        """Tells whether the run is finished."""
        return os.path.exists(os.path.join(self.folder, self.result))

    def has_begun(self) -> bool:
        """Tells whether there is a checkpoint that the run would go on from."""
        pattern = os.path.join(
            glob.escape(self.folder), "checkpoints/*/*.index"
        )
        return self.is_done() or bool(glob.glob(pattern))

    def command(self) -> list[str]:
        """Returns the command, for `subprocess`."""
        start = [sys.executable, "-m", self.module, *self.arguments]
        return [*start, f"--workdir={self.folder}"]


def run_or_list(
    runs: list[Run], results: Callable[[dict[str, dict]], dict[str, bytes]]
) -> None:
    """Runs what is not done yet, or with --list only says what that is.

    Args:
        runs: list of Run.
        results: function of a dict, as `read_conditions` returns it, to what
            all finished runs say: a dict from the name of a file in --workdir
            to its bytes, empty where no run is finished.

    Raises:
        Interrupted: SIGINT or SIGTERM came.
        ValueError: a run began with another command, or one failed.
    """
    if LIST.value:
        print_list(runs)
        return
    workdir = run_flags.WORKDIR.value

    def write():
        if os.path.isdir(workdir):
            for name, data in results(read_conditions(workdir)).items():
                atomic.write_bytes(os.path.join(workdir, name), data)

    run_all(runs, minutes=MINUTES.value, after_each=write)


def run_all(
    runs: list[Run],
    *,
    minutes: float | None,
    after_each: Callable[[], None],
    start: Callable | None = None,
) -> None:
    """Runs what is not done yet, in order.

    Args:
        runs: list of Run.
        minutes: float or None. No run starts after so long, and the one under
            way is told to save itself.
        after_each: function without arguments, called after every run, and
            once where nothing is left to do.
        start: function of (command, watch, deadline) to an exit status; None
            is a process of its own.

    Raises:
        Interrupted: SIGINT or SIGTERM came.
        ValueError: a run began with another command, or one failed.
    """
    for run in runs:
        _check_same(run)
    _say_changes(runs)
    deadline = time.monotonic() + 60 * minutes if minutes else float("inf")
    # By name: why.
    failed = {}
    with SignalWatch() as watch:
        for number, run in enumerate(runs, start=1):
            if run.is_done():
                continue
            if time.monotonic() > deadline or watch.received:
                break
            missing = [n.name for n in run.needs if not n.is_done()]
            if missing:
                failed[run.name] = f"needs {', '.join(missing)}"
                continue
            print(f"== run {number} of {len(runs)}: {run.name}", flush=True)
            _prepare(run)
            logged = len(_log_lines(run))
            status = (start or _process)(run.command(), watch, deadline)
            if watch.received:
                break
            if status not in (0, _INTERRUPTED):
                failed[run.name] = _reason(run, status, logged)
            after_each()
    after_each()
    done = sum(run.is_done() for run in runs)
    print(f"{done} of {len(runs)} runs are done")
    if watch.received:
        raise Interrupted(f"{watch.received}; the same command goes on.")
    if failed:
        raise ValueError(
            f"All runs must end well. Received: {len(failed)} that did not; "
            "train.log in their folders says more"
            + "".join(f"\n  {name}: {why}" for name, why in failed.items())
        )


def read_conditions(workdir: str) -> dict[str, dict]:
    """Reads what the runs in a folder are.

    Args:
        workdir: str.

    Returns:
        dict from the folder of a run, finished or not, to its condition.
    """
    found = {}
    for name in sorted(os.listdir(workdir)):
        path = os.path.join(workdir, name, CONDITION)
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                found[os.path.join(workdir, name)] = json.load(file)
    return found


def quickest_precision() -> str:
    """Returns --precision, or the quickest that this machine has."""
    if flags.FLAGS["precision"].present:
        return run_flags.PRECISION.value
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            known = file.read().split()
    except OSError:
        return "float32"
    fast = any(name in known for name in _BFLOAT16)
    return "onednn_bfloat16" if fast else "float32"


def print_list(runs: list[Run]) -> None:
    """Prints the runs, and which are done."""
    for run in runs:
        print(f"{'done' if run.is_done() else '    '}  {run.name}")


def _command_text(run) -> str:
    return shlex.join(["python", *run.command()[1:]]) + "\n"


def _check_same(run) -> None:
    """Refuses a run that another command has trained."""
    path, text = os.path.join(run.folder, COMMAND), _command_text(run)
    if not os.path.exists(path) or not run.has_begun():
        return
    with open(path, encoding="utf-8") as file:
        before = file.read()
    if before != text:
        now, then = shlex.split(text), shlex.split(before)
        raise ValueError(
            "A run that has trained must go on with the flags it began with; "
            f"give another --workdir, or delete its folder {run.folder!r}. "
            f"Received: {[part for part in now if part not in then]} where it "
            f"had {[part for part in then if part not in now]}"
        )


def _files(run) -> list[str]:
    """Lists the files of flags and weights that a run reads, sorted."""
    found, left = set(), list(run.arguments)
    while left:
        name, _, path = left.pop().strip().lstrip("-").partition("=")
        if name not in _FILE_FLAGS:
            continue
        if path in shipped.names():
            path = shipped.weights_file(path)
        if path in found or not os.path.isfile(path):
            continue
        found.add(path)
        if name == "flagfile":
            with open(path, encoding="utf-8") as file:
                left += file.read().splitlines()
    return sorted(found)


@functools.cache
def _hash(path: str, modified: int) -> str:
    """The SHA-256 of a file; `modified` is when it changed last, in ns."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _inputs(run) -> dict[str, str]:
    """Returns what a run depends on: the version, and hashes by file."""
    hashes = {p: _hash(p, os.stat(p).st_mtime_ns) for p in _files(run)}
    return {"tfcolor": __version__, **hashes}


def _say_changes(runs: list[Run]) -> None:
    """Says which files and version changed since runs began."""
    changed = collections.defaultdict(list)
    for run in runs:
        path = os.path.join(run.folder, BEGAN_WITH)
        # Runs made before this was kept have none.
        if not run.has_begun() or not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            before = json.load(file)
        now = _inputs(run)
        for name in sorted({*before, *now}):
            if before.get(name) != now.get(name):
                changed[name].append(run.name)
    for name, names in changed.items():
        if name == "tfcolor":
            name = f"tfcolor (now {__version__})"
        print(
            f"{name} has changed since these runs began, and they may not "
            f"compare with new ones: {', '.join(names)}",
            flush=True,
        )


def _log_lines(run) -> list[str]:
    path = os.path.join(run.folder, run_folder.LOG)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def _reason(run, status: int, logged: int) -> str:
    """Finds why a run failed; its log says so afterwards in any case.

    Args:
        run: Run.
        status: int, as `subprocess` has it.
        logged: int, lines of the log before it was started.

    Returns:
        str, one line.
    """
    for line in reversed(_log_lines(run)[logged:]):
        if launch.ERROR in line:
            return line.partition(launch.ERROR)[2]
    if status >= 0:
        reason = f"it ended with status {status}"
    else:
        reason = f"it was ended by {signal.Signals(-status).name}"
        if -status == signal.SIGKILL:
            reason += ", as Linux does when memory runs out (--batch_size)"
    launch.note_error(run.folder, reason)
    return reason


def _prepare(run) -> None:
    texts = {
        COMMAND: _command_text(run),
        CONDITION: json.dumps(run.condition, indent=2) + "\n",
    }
    if not run.has_begun():
        texts[BEGAN_WITH] = json.dumps(_inputs(run), indent=2) + "\n"
    for name, text in texts.items():
        path = os.path.join(run.folder, name)
        atomic.write_bytes(path, text.encode())


def _process(command, watch, deadline) -> int:
    """Runs a command; signals and the deadline reach it once.

    Returns:
        int, its exit status; 130 if it was told to stop and did.
    """
    # In a session of its own: Ctrl-C comes from here, and only once.
    child = subprocess.Popen(command, start_new_session=True)
    told = False
    try:
        while True:
            try:
                status = child.wait(timeout=1)
                # Told before it listens, a run just ends: nothing is lost.
                return _INTERRUPTED if told and status else status
            except subprocess.TimeoutExpired:
                late = time.monotonic() > deadline
                if (watch.received or late) and not told:
                    child.send_signal(signal.SIGTERM)
                    told = True
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
