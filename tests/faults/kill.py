"""Kills commands at random moments, and looks at what is left.

    python -m tests.faults.kill [--times=30] [--seed=0] [--only=training,...]

Each command runs on tiny pictures in a process of its own, and is killed as
`kill -9` does: after a random time, spread over what it takes, or at a random
one of its file operations. Then every file that has its name must be whole,
and nothing that was given may be changed. The same command is started again,
and killed again or left alone: then everything must be as if it had never been
killed, without a leftover. The status is 0 if all that is so.
"""

import argparse
import dataclasses
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback

from tests.faults import scenes
from tests.faults.scenes import Scene

_PATIENCE = 240
_EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir")


@dataclasses.dataclass
class Counts:
    """What was tried, and what went wrong.

    Attributes:
        kills: int.
        by_operation: int, of these at a file operation.
        late: int, processes that ended before they were killed.
        finished: int, series that ran to the end and were compared.
        over_old: int, of these over older results.
        faults: list of str.
        seconds: float, that the command takes uninterrupted.
        interrupted: bool, before all kills were done.
    """

    kills: int = 0
    by_operation: int = 0
    late: int = 0
    finished: int = 0
    over_old: int = 0
    faults: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    def row(self, name: str) -> str:
        """One row of a Markdown table."""
        return (
            f"| {name} | {self.seconds:.1f} s | {self.kills} "
            f"({self.by_operation}) | {self.finished} ({self.over_old}) | "
            f"{self.late} | {len(self.faults)} |"
        )


HEAD = (
    "| what | takes | kills (at a file operation) | finished and compared "
    "(over older results) | ended before | faults |\n|---|---|---|---|---|---|"
)


class Processes:
    """Starts functions in processes that have imported everything."""

    def __init__(self):
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(scenes.IMPORTED))

    def run(self, log, name, part, *arguments, seconds=_PATIENCE, **watched):
        """Runs a part of a scene to its end, or kills it.

        Args:
            log: path of a file for all that it says.
            name: str, of the scene.
            part: str, which of the scene's functions.
            *arguments: its arguments.
            seconds: float, until it is killed.
            **watched: see `_watch`.

        Returns:
            int, its exit status.
        """
        process = self._context.Process(
            target=_inside, args=(str(log), watched, name, part, arguments)
        )
        process.start()
        process.join(seconds)
        if process.is_alive():
            process.kill()
            process.join()
        return process.exitcode


def _inside(log, watched, name, part, arguments):
    """In the process: says everything to a file, and runs."""
    with open(log, "a") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    if watched:
        _watch(**watched)
    status = 1
    try:
        (scene,) = [s for s in scenes.SCENES if s.name == name]
        status = getattr(scene, part)(*arguments) or 0
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def _watch(folder, counted, kill_at=None):
    """Counts file operations, and dies before one of them.

    Args:
        folder: str, below which they count.
        counted: str, the file that their number is written to.
        kill_at: int from 1, or None.
    """
    file, count = open(counted, "w"), 0

    def hook(event, arguments):
        nonlocal count
        if event not in _EVENTS:
            return
        path = arguments[0]
        if not isinstance(path, str | bytes):
            return
        if not os.fsdecode(path).startswith(folder):
            return
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        file.seek(0)
        file.write(str(count))
        file.flush()

    sys.addaudithook(hook)


class Series:
    """Kills one scene again and again.

    Args:
        scene: Scene.
        folder: pathlib.Path, to work in.
        processes: Processes.
        rng: random.Random.
    """

    def __init__(self, scene: Scene, folder, processes, rng):
        self._scene = scene
        self._folder = folder
        self._processes = processes
        self._rng = rng
        self._given = folder / "given"
        self._log = folder / "log.txt"
        self._made = folder / "made"
        self._counted = folder / "counted.txt"
        self._whole_folder = folder / "whole"
        self._old_folder = folder / "old"
        self.counts = Counts()

    def run(self, times: int) -> Counts:
        """Kills so often; returns the counts."""
        self._prepare()
        while self.counts.kills < times:
            over = self._scene.run_old is not None and self._rng.random() < 0.5
            try:
                self._one_series(over, times)
            except AssertionError as error:
                self.counts.faults.append(f"{self._scene.name}: {error}")
            except KeyboardInterrupt:
                self.counts.interrupted = True
                break
        return self.counts

    def _do(self, part, *arguments, **options):
        return self._processes.run(
            self._log, self._scene.name, part, *arguments, **options
        )

    def _prepare(self):
        """Makes what is given, and finished results to compare with."""
        self._given.mkdir(parents=True)
        self._finish("make", self._given)
        self._given_files = scenes.files_in(self._given)
        self._old = None
        if self._scene.run_old is not None:
            self._finish("run_old", self._given, self._old_folder)
            self._old = scenes.files_in(self._old_folder)
        started = time.monotonic()
        watched = {"folder": str(self._whole_folder)}
        watched["counted"] = str(self._counted)
        self._finish("run", self._given, self._whole_folder, False, **watched)
        self.counts.seconds = time.monotonic() - started
        self._operations = int(self._counted.read_text())
        self._whole = scenes.files_in(self._whole_folder)

    def _finish(self, part, *arguments, **options):
        status = self._do(part, *arguments, **options)
        if status != 0:
            said = self._log.read_text()[-3000:]
            raise AssertionError(f"{part} ended with {status}: {said}")

    def _one_series(self, over, times):
        """Kills several times in a row, then lets the command finish."""
        shutil.rmtree(self._made, ignore_errors=True)
        self._log.write_text("")
        if over:
            shutil.copytree(self._old_folder, self._made)
        for _ in range(self._rng.randint(1, self._scene.kills)):
            if self.counts.kills == times or not self._kill(over):
                break
        self._finish("run", self._given, self._made, over)
        self._finish("check", self._made, self._whole_folder)
        assert scenes.files_in(self._given) == self._given_files, "touched"
        said = self._log.read_text()
        assert "Traceback" not in said, said[-3000:]
        self.counts.finished += 1
        self.counts.over_old += over

    def _kill(self, over) -> bool:
        """Starts and kills once; tells whether there was time for it."""
        by_operation = self._rng.random() < 0.5
        if by_operation:
            options = {
                "folder": str(self._made),
                "counted": str(self._counted),
                "kill_at": self._rng.randint(1, self._operations),
            }
        else:
            options = {"seconds": self._rng.uniform(0, self.counts.seconds)}
        status = self._do("run", self._given, self._made, over, **options)
        if status == 0:
            self.counts.late += 1
            return False
        said = self._log.read_text()[-3000:]
        assert status == -signal.SIGKILL, f"ended with {status}: {said}"
        self.counts.kills += 1
        self.counts.by_operation += by_operation
        if self._made.exists():
            old = self._old if over else None
            self._scene.check_killed(self._made, self._whole, old)
        assert scenes.files_in(self._given) == self._given_files, "touched"
        return True


def kill(name: str, *, times: int, seed: int) -> Counts:
    """Kills a scene so often.

    Args:
        name: str, of a scene.
        times: int.
        seed: int.

    Returns:
        Counts.
    """
    (scene,) = [s for s in scenes.SCENES if s.name == name]
    with tempfile.TemporaryDirectory(prefix="tfcolor-kill-") as folder:
        rng = random.Random(f"{seed} {name}")
        series = Series(scene, pathlib.Path(folder), Processes(), rng)
        return series.run(times)


def main() -> int:
    """Prints a table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [scene.name for scene in scenes.SCENES]
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(names))
    args = parser.parse_args()
    # What was counted until then is printed, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(HEAD, flush=True)
    faults = []
    for name in args.only.split(","):
        counts = kill(name, times=args.times, seed=args.seed)
        print(counts.row(name), flush=True)
        for fault in counts.faults:
            print(f"fault: {fault}", file=sys.stderr)
        faults += counts.faults
        if counts.interrupted:
            return 130
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
