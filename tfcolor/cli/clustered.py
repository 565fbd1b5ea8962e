"""`--cluster`: a command over many pictures, on many machines."""

import argparse
import collections
import contextlib
import sys
from collections.abc import Callable

from tfcolor.cli import shared
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcomes

# Lines about pictures that are printed; all failures are in their table.
_MOST_LINES = 20

HELP = """\
clusters:
  --cluster[=ADDRESS] does the work on a Ray cluster (pip install
  'tfcolor[cluster]'): on the one at ADDRESS ("auto": the one this machine is
  part of), or without ADDRESS in processes on this machine. Inputs may also be
  s3:// and gs:// URLs, and manifests: @FILE names a text file or URL with one
  picture a line. Inputs and --output lie where all machines find them. What is
  there already is left as it is, so that the same command goes on after
  anything was killed. Pictures that failed are listed in <output>.failures.csv.
  Films are not colored there.
"""


def add_options(parser: argparse.ArgumentParser, *, sinks: bool) -> None:
    """Adds --cluster and what belongs to it.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
        sinks: bool. Whether results may go into shards.
    """
    group = add_workers(parser)
    group.add_argument(
        "--failures",
        metavar="PATH",
        help="CSV file or URL of the pictures that failed, with their reasons "
        "(default: <output>.failures.csv)",
    )
    if sinks:
        group.add_argument(
            "--sink",
            choices=("files", "tfrecord", "parquet"),
            default="files",
            help="a file for each result, or shards of encoded pictures "
            "(default: %(default)s)",
        )


def add_workers(parser: argparse.ArgumentParser):
    """Adds --cluster and what its processes get.

    Args:
        parser: argparse.ArgumentParser of a sub-command.

    Returns:
        The group of arguments.
    """
    group = parser.add_argument_group("on a cluster, see below")
    group.add_argument(
        "--cluster",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="work on the Ray cluster at ADDRESS, or in processes on this "
        "machine (default: in this process)",
    )
    group.add_argument(
        "--worker_cpus",
        type=int,
        default=1,
        metavar="N",
        help="processors, and threads, of each process (default: %(default)s)",
    )
    group.add_argument(
        "--worker_gpus",
        type=float,
        metavar="N",
        help="GPUs of each process; may be a fraction (default: 1 if the "
        "cluster has any, else 0)",
    )
    return group


def options(args: argparse.Namespace) -> dict:
    """Returns what functions of `cluster.album` take, of arguments."""
    from tfcolor.cluster.engine import Workers

    workers = Workers(args.worker_cpus, args.worker_gpus)
    return {"cluster": args.cluster, "workers": workers}


class _Counts:
    """What is remembered of any number of outcomes."""

    def __init__(self, table):
        self._table = table
        self._counts = collections.Counter()
        self._lines = []
        self.boxes = 0

    def add(self, outcome) -> None:
        """Counts an outcome."""
        if outcome.reason:
            self._count("failed")
            self._table.add(outcome.source, outcome.reason)
            self._say("failed", outcome.source, outcome.reason)
        elif outcome.skipped:
            self._count(outcome.skipped)
        else:
            self._count("done")
            self.boxes += outcome.boxes
        for note in outcome.notes:
            self._count("note")
            self._say("note", outcome.source, note)

    def _count(self, what: str) -> None:
        self._counts[what] += 1

    def _say(self, what: str, source: str, text: str) -> None:
        if self._counts[what] <= _MOST_LINES:
            self._lines.append((what, source, text))

    def say(self) -> None:
        """Prints the first notes and failures, and how many more there are."""
        for what in ("note", "failed"):
            for line in self._lines:
                if line[0] == what:
                    shared.say(*line)
            if (more := self._counts[what] - _MOST_LINES) > 0:
                print(f"{what}: {more} more", file=sys.stderr)

    def __getitem__(self, what: str) -> int:
        return self._counts[what]

    def summary(self, text: str) -> str:
        """Returns the last line of a command."""
        kinds = (outcome_lib.THERE_ALREADY, outcome_lib.IN_COLOR, "failed")
        extras = [f"{self[kind]} {kind}" for kind in kinds if self[kind]]
        return shared.with_extras(text, extras)


def run(
    command: str,
    args: argparse.Namespace,
    begin: Callable[[], Outcomes],
    *,
    summarize: Callable[[_Counts], str],
) -> int:
    """Runs a command over any number of pictures.

    Args:
        command: str, its name.
        args: argparse.Namespace.
        begin: function without arguments that begins the work. Its errors are
            wrong usage.
        summarize: function of what was counted to the last line.

    Returns:
        int, the exit status: 0, 1 if a picture failed, 2 for wrong usage.
    """
    import tqdm

    from tfcolor.cluster import failures

    try:
        outcomes = begin()
    except (OSError, ValueError, ImportError) as error:
        return shared.say_error(command, error, 2)
    path = args.failures or failures.default_path(args.output)
    progress = tqdm.tqdm(
        total=len(outcomes), unit="picture", smoothing=0, file=sys.stderr
    )
    try:
        with (
            failures.FailuresTable(path) as table,
            progress,
            contextlib.closing(outcomes),
        ):
            counts = _Counts(table)
            for outcome in outcomes:
                counts.add(outcome)
                progress.update()
    except (OSError, ValueError, ImportError) as error:
        # The model, which the workers alone open, or the output.
        return shared.say_error(command, error, 2 if progress.n == 0 else 1)
    counts.say()
    print(summarize(counts))
    if counts["failed"]:
        print(f"Failures: {path}", file=sys.stderr)
    return 1 if counts["failed"] else 0
