"""`--cluster`: a command over many pictures, on many machines."""

import argparse
import os
import sys
from collections.abc import Callable
from collections.abc import Sequence

from tfcolor.cli import shared
from tfcolor.data.outcome import Outcomes

HELP = """\
clusters:
  --cluster[=ADDRESS] does the work on a Ray cluster (in the checkout: pip
  install -c constraints.txt -e '.[cluster]'): on the one at ADDRESS ("auto":
  the one this machine is part of), or in processes on this machine; without
  ADDRESS it must not stand right before an input. Inputs may also be s3:// and
  gs:// URLs, and manifests: @FILE names a text file or URL with one picture a
  line, absolute or relative to the folder of the manifest. Inputs and --output
  must be where all machines find them. Results that exist are kept, so the same
  command goes on after anything was killed. Pictures that failed are listed in
  <output>.failures.csv.
"""
# What goes with --cluster, and its value where nobody gave it.
_DEFAULTS = {
    "sink": "files",
    "failures": None,
    "worker_cpus": 1,
    "worker_gpus": None,
}
# What `options` calls flags otherwise than they are.
ARGUMENTS = {"cpus": "--worker_cpus", "gpus": "--worker_gpus"}


def add_options(parser: argparse.ArgumentParser, *, sinks: bool) -> None:
    """Adds --cluster and what belongs to it.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
        sinks: bool. Whether results may go into shards.
    """
    group = _add_workers(parser)
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
            default=_DEFAULTS["sink"],
            help="a file for each result, or shards of encoded pictures "
            "(default: %(default)s)",
        )


def _add_workers(parser: argparse.ArgumentParser):
    """Adds --cluster and what its processes get; returns their group."""
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
        default=_DEFAULTS["worker_cpus"],
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


def has_gpu(args: argparse.Namespace) -> bool:
    """Tells whether this process works for a cluster that gave it a GPU."""
    if args.cluster is None:
        return False
    from tfcolor.cluster import engine

    return engine.has_gpu()


def options(args: argparse.Namespace) -> dict:
    """Returns what functions of `cluster` take, of arguments."""
    from tfcolor.cluster.engine import Workers

    workers = Workers(args.worker_cpus, args.worker_gpus)
    return {"cluster": args.cluster, "workers": workers}


def here(
    args: argparse.Namespace,
    inputs: Sequence[str],
    begin: Callable[[], Outcomes],
) -> Callable[[], Outcomes]:
    """Lets a command without --cluster refuse what only a cluster does.

    Args:
        args: argparse.Namespace.
        inputs: sequence of str, the pictures as people named them.
        begin: function without arguments that begins the work.

    Returns:
        function without arguments, `begin` after these checks; it raises
        ValueError where one fails.
    """

    def checked():
        from tfcolor.cluster import storage

        for name, default in _DEFAULTS.items():
            value = getattr(args, name, default)
            if value != default:
                raise ValueError(
                    f"`{name}` needs `cluster`. Received: {name}={value}"
                )
        for path in inputs:
            if _is_elsewhere(path):
                raise ValueError(
                    "Manifests (@FILE) and URLs need `cluster`. "
                    f"Received: {path!r}"
                )
        if storage.is_url(args.output):
            raise ValueError(
                f"A URL as `output` needs `cluster`. Received: {args.output!r}"
            )
        return begin()

    return checked


def _is_elsewhere(path: str) -> bool:
    """Tells whether an input is none of a command without --cluster."""
    if os.path.lexists(path):
        return False
    from tfcolor.cluster import listing
    from tfcolor.cluster import storage

    return path.startswith(listing.MANIFEST) or storage.is_url(path)


def run(
    args: argparse.Namespace,
    begin: Callable[[], Outcomes],
    *,
    say_end: Callable[[shared.Tally], None],
    bars: shared.Bars | None = None,
) -> int:
    """Runs a command over any number of pictures.

    Args:
        args: argparse.Namespace.
        begin: function without arguments that begins the work. Its errors are
            wrong usage.
        say_end: function of a Tally that prints what there is to say at the
            end, before the line that names the table of failures.
        bars: Bars, or None; see `shared.run_outcomes`.

    Returns:
        int, the exit status: 0, 1 if a picture failed, 2 for wrong usage.
    """
    from tfcolor.cluster import failures

    path = args.failures or failures.default_path(args.output)

    def end(tally):
        say_end(tally)
        if tally.is_whole and tally.failures:
            print(f"Failures: {path}", file=sys.stderr)

    return shared.run_outcomes(
        args.command,
        lambda: failures.listed(begin(), path),
        end=end,
        bars=bars,
        on_cluster=True,
    )
