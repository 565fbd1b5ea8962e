"""The folder of one training run.

flags.cfg         the flags of the run, replayable with --flagfile
train.log         what was said on the way
metrics.csv       one row a logged step or validation
curves.png        those rows as plots
tensorboard/      the same and pictures, for TensorBoard
checkpoints/      latest/ and best/: weights, optimizer, step; in latest/ also
                  the losses since the last row of metrics.csv
model.keras       the model of the best validation so far
"""

import contextlib
import csv
import json
import logging
import os
import re
import weakref

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from tfcolor import atomic

LOG = "train.log"
_METRICS = "metrics.csv"
_PENDING = "losses-"
# Temporary folders of workers.
_WORKER = "tfcolor-worker-"
_VALIDATION = "validation/"
# Names of figures that others are compared with begin so.
_COMPARED = ("grey_", "true_")
_LOG_FORMAT = "%(asctime)s %(message)s"


class _LogFile(logging.FileHandler):
    """A log that goes on where its disk is full: the console has the line."""

    def handleError(self, record):
        """Says nothing; what cannot do without the disk will."""


class RunFolder:
    """Paths and plain files of a run.

    Args:
        path: str, made if absent.
        is_chief: bool. False: a worker that writes what the chief writes, as
            TensorFlow wants it to, but into a temporary folder of its own.

    Raises:
        OSError: the folder cannot be made or written.

    Attributes:
        resume: str, the folder of checkpoints that the run goes on from.
    """

    def __init__(self, path: str, *, is_chief: bool = True):
        self.resume = os.path.join(path, "checkpoints", "latest")
        self.is_chief = is_chief
        atomic.remove_temporary(_WORKER)
        if not is_chief:
            temporary = contextlib.ExitStack()
            path = temporary.enter_context(atomic.temporary_folder(_WORKER))
            # Removed when nobody knows it any more.
            self._temporary = weakref.finalize(self, temporary.close)
        self.path = path
        with atomic.writing(path):
            os.makedirs(path, exist_ok=True)
            # Before anything is made ready for long.
            if not os.access(path, os.W_OK | os.X_OK):
                raise OSError(f"{path} is read-only")
        self.tensorboard = os.path.join(path, "tensorboard")
        self.latest = os.path.join(path, "checkpoints", "latest")
        self.best = os.path.join(path, "checkpoints", "best")
        self.model = os.path.join(path, "model.keras")
        self.curves = os.path.join(path, "curves.png")
        self._flags = os.path.join(path, "flags.cfg")
        self._metrics = os.path.join(path, _METRICS)
        # Beside the checkpoints lie the figures that belong to them.
        figures = os.path.join(self.latest, _PENDING)
        atomic.remove_leftovers([self.model, figures])
        self.log = self._open_log()

    def _open_log(self) -> logging.Logger:
        log = logging.Logger(self.path)
        file = _LogFile(os.path.join(self.path, LOG))
        # Nobody else knows when the file is no longer needed.
        weakref.finalize(log, file.close)
        for handler in (logging.StreamHandler(), file):
            handler.setFormatter(logging.Formatter(_LOG_FORMAT, "%H:%M:%S"))
            log.addHandler(handler)
        return log

    def discard(self) -> None:
        """Removes the temporary folder of a worker that is not the chief."""
        if not self.is_chief:
            self._temporary()

    def write_flags(self, lines: list[str]) -> None:
        """Keeps the flags of the run, and says which differ from last time.

        Args:
            lines: list of str, `--name=value`.
        """
        if os.path.exists(self._flags):
            with open(self._flags) as f:
                before = set(f.read().splitlines())
            changed = sorted(before ^ set(lines))
            if changed:
                self.log.warning(
                    "flags differ from the start of this run: %s",
                    ", ".join(
                        f"{'was' if line in before else 'now'} {line}"
                        for line in changed
                    ),
                )
        _write_atomically(self._flags, "\n".join(lines) + "\n")

    def write_pending(self, step: int, losses: dict[str, list[float]]) -> None:
        """Keeps the losses of steps that no row is about yet.

        Args:
            step: int, of the checkpoint that comes next.
            losses: dict from the name of a loss to its values, oldest first.
        """
        os.makedirs(self.latest, exist_ok=True)
        earlier = {s for s in _pending_steps(self.latest) if s < step}
        kept = sorted(earlier)[-1:]
        _write_atomically(_pending_path(self.latest, step), json.dumps(losses))
        # As many as there are checkpoints.
        for other in _pending_steps(self.latest) - {step, *kept}:
            os.remove(_pending_path(self.latest, other))

    def read_pending(self, step: int) -> dict[str, list[float]]:
        """Reads what `write_pending` kept for a checkpoint; {} if nothing."""
        path = _pending_path(self.resume, step)
        if not os.path.exists(path):
            return {}
        with open(path) as f:
            return json.load(f)

    def read_metrics(self) -> list[dict[str, float]]:
        """Reads the rows of metrics.csv; empty cells are left out."""
        return read_metrics(self.path)

    def write_metrics(self, rows: list[dict[str, float]]) -> None:
        """Writes metrics.csv and its plot.

        Args:
            rows: list of dicts, each with "step".
        """
        names = {"step": None}
        for row in rows:
            names.update(dict.fromkeys(row))
        lines = [",".join(names)]
        for row in rows:
            cells = (row.get(name) for name in names)
            lines.append(
                ",".join("" if c is None else f"{c:.7g}" for c in cells)
            )
        _write_atomically(self._metrics, "\n".join(lines) + "\n")
        self._plot(rows, [name for name in names if name != "step"])

    def _plot(self, rows, names):
        groups = curve_groups(names)
        if not groups:
            return
        columns = min(3, len(groups))
        lines = -(-len(groups) // columns)
        figure, axes = plt.subplots(
            lines, columns, figsize=(4.2 * columns, 3 * lines), squeeze=False
        )
        for axis, (title, members) in zip(
            axes.flat, groups.items(), strict=False
        ):
            for name in members:
                points = [(r["step"], r[name]) for r in rows if name in r]
                validated = name.startswith(_VALIDATION)
                axis.plot(
                    *zip(*points, strict=True),
                    label=name,
                    marker="." if validated else None,
                    # Dashed: what another curve is compared with.
                    linestyle="-" if _plain(name) == title else "--",
                )
            axis.set(title=title, xlabel="step")
            axis.grid(alpha=0.3)
            axis.legend(fontsize="x-small")
        for axis in list(axes.flat)[len(groups) :]:
            axis.axis("off")
        figure.tight_layout()
        try:
            with (
                atomic.replacing(self.curves) as new,
                atomic.writing(self.curves),
            ):
                figure.savefig(new, format="png", dpi=100)
        finally:
            plt.close(figure)


def curve_groups(names: list[str]) -> dict[str, list[str]]:
    """Says which columns of metrics.csv share a plot.

    Args:
        names: list of str, without "step".

    Returns:
        dict from the title of a plot to its columns: a figure in training and
        validation, and what it is compared with (`grey_psnr` with `psnr`,
        `true_colorfulness` with `colorfulness`).
    """
    plain = dict.fromkeys(map(_plain, names))
    groups = {}
    for name in names:
        title = _plain(name)
        for prefix in _COMPARED:
            rest = title.removeprefix(prefix)
            title = rest if rest in plain else title
        groups.setdefault(title, []).append(name)
    return groups


def _plain(name: str) -> str:
    return name.removeprefix(_VALIDATION)


def read_metrics(path: str) -> list[dict[str, float]]:
    """Reads the rows of a run's metrics.csv; empty cells are left out.

    Args:
        path: str, the folder of the run, which is not changed.

    Returns:
        list of dict of str to float; empty where there is none.

    Raises:
        ValueError: the file is damaged.
    """
    path = os.path.join(path, _METRICS)
    if not os.path.exists(path):
        return []
    try:
        with open(path, newline="") as f:
            rows = [
                {k: float(v) for k, v in row.items() if v}
                for row in csv.DictReader(f)
            ]
        if not all("step" in row for row in rows):
            raise ValueError("a row without a step")
    except (ValueError, TypeError, csv.Error) as error:
        raise ValueError(
            f"{_METRICS} of a run must be what training wrote. "
            f"Received: {path!r} ({error})"
        ) from error
    return rows


def _pending_path(folder: str, step: int) -> str:
    return os.path.join(folder, f"{_PENDING}{step}.json")


def _pending_steps(folder: str) -> set[int]:
    found = (
        re.fullmatch(rf"{_PENDING}(\d+)\.json", n) for n in os.listdir(folder)
    )
    return {int(match[1]) for match in found if match}


def _write_atomically(path: str, text: str) -> None:
    with (
        atomic.replacing(path) as new,
        atomic.writing(path),
        open(new, "w") as file,
    ):
        file.write(text)
