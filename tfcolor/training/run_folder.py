"""The folder of one training run.

flags.cfg         the flags of the run, replayable with --flagfile
train.log         what was said on the way
metrics.csv       one row a logged step or validation
curves.png        those rows as plots
tensorboard/      the same and pictures, for TensorBoard
checkpoints/      latest/ and best/: weights, optimizer, step
model.keras       the model of the best validation so far
"""

import csv
import logging
import os
import tempfile
import weakref

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

_METRICS = "metrics.csv"
_LOG_FORMAT = "%(asctime)s %(message)s"


class RunFolder:
    """Paths and plain files of a run.

    Args:
        path: str, made if absent.
        is_chief: bool. False: a worker that writes what the chief writes, as
            TensorFlow wants it to, but into a temporary folder of its own.

    Attributes:
        resume: str, the folder of checkpoints that the run goes on from.
    """

    def __init__(self, path: str, *, is_chief: bool = True):
        self.resume = os.path.join(path, "checkpoints", "latest")
        self.is_chief = is_chief
        if not is_chief:
            # Removed when nobody knows it any more.
            self._temporary = tempfile.TemporaryDirectory(prefix="tfcolor-")
            path = self._temporary.name
        self.path = path
        os.makedirs(path, exist_ok=True)
        self.tensorboard = os.path.join(path, "tensorboard")
        self.latest = os.path.join(path, "checkpoints", "latest")
        self.best = os.path.join(path, "checkpoints", "best")
        self.model = os.path.join(path, "model.keras")
        self.curves = os.path.join(path, "curves.png")
        self._flags = os.path.join(path, "flags.cfg")
        self._metrics = os.path.join(path, _METRICS)
        self.log = self._open_log()

    def _open_log(self) -> logging.Logger:
        log = logging.Logger(self.path)
        file = logging.FileHandler(os.path.join(self.path, "train.log"))
        # Nobody else knows when the file is no longer needed.
        weakref.finalize(log, file.close)
        for handler in (logging.StreamHandler(), file):
            handler.setFormatter(logging.Formatter(_LOG_FORMAT, "%H:%M:%S"))
            log.addHandler(handler)
        return log

    def discard(self) -> None:
        """Removes the temporary folder of a worker that is not the chief."""
        if not self.is_chief:
            self._temporary.cleanup()

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
        # A training curve and its validation share one plot.
        titles = list(
            dict.fromkeys(name.removeprefix("validation/") for name in names)
        )
        if not titles:
            return
        columns = min(3, len(titles))
        lines = -(-len(titles) // columns)
        figure, axes = plt.subplots(
            lines, columns, figsize=(4.2 * columns, 3 * lines), squeeze=False
        )
        for axis, title in zip(axes.flat, titles, strict=False):
            for name in (title, f"validation/{title}"):
                points = [(r["step"], r[name]) for r in rows if name in r]
                if points:
                    axis.plot(
                        *zip(*points, strict=True),
                        label=name.removesuffix(title) + title,
                        marker="." if name != title else None,
                    )
            axis.set(title=title, xlabel="step")
            axis.grid(alpha=0.3)
            axis.legend(fontsize="x-small")
        for axis in list(axes.flat)[len(titles) :]:
            axis.axis("off")
        figure.tight_layout()
        temporary = f"{self.curves}.tmp"
        figure.savefig(temporary, format="png", dpi=100)
        plt.close(figure)
        os.replace(temporary, self.curves)


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


def _write_atomically(path: str, text: str) -> None:
    temporary = f"{path}.tmp"
    with open(temporary, "w") as f:
        f.write(text)
    os.replace(temporary, path)
