"""Runs of trainers that are over at once."""

import pathlib
from collections.abc import Callable

from studies import resumable_runs
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import classifier_report


def replace_training(monkeypatch, train: Callable) -> list[list[str]]:
    """Replaces the processes of runs by a function.

    Args:
        monkeypatch: pytest's.
        train: function of the run's folder, pathlib.Path, and its command. It
            writes results and returns the exit status, or None for 0.

    Returns:
        list to which the command of each run is added.
    """
    commands = []

    def process(command, watch, deadline):
        commands.append(command)
        (folder,) = [c[10:] for c in command if c.startswith("--workdir=")]
        return train(pathlib.Path(folder), command) or 0

    monkeypatch.setattr(resumable_runs, "_process", process)
    return commands


def write_report(
    folder: pathlib.Path,
    predictions: class_predictions.ClassPredictions,
    summary: str = "{}",
) -> None:
    """Writes what a study reads of the report of a classifier."""
    report = folder / "report"
    report.mkdir()
    class_predictions.write_predictions(
        predictions, str(report / classifier_report.PREDICTIONS)
    )
    (report / classifier_report.SUMMARY).write_text(summary)
