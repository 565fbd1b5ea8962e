"""What a run leaves in its folder, as tests look at it."""

import csv
import subprocess
import sys

import numpy as np
import tensorflow as tf

from tfcolor.weights import model_file


def rows(workdir):
    """The rows of metrics.csv."""
    with open(workdir / "metrics.csv", newline="") as f:
        return list(csv.DictReader(f))


def column(workdir, name):
    """The values of a column of metrics.csv, without empty ones."""
    return [float(row[name]) for row in rows(workdir) if row[name]]


def latest(workdir):
    """Every value of the latest checkpoint, by name."""
    path = tf.train.latest_checkpoint(workdir / "checkpoints/latest")
    reader = tf.train.load_checkpoint(path)
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if "OBJECT_GRAPH" not in name
    }


def assert_same_run(first, second):
    """Weights, optimizer, average, step, figures and saved model are equal."""
    values, others = latest(first), latest(second)
    assert values.keys() == others.keys()
    assert any("average" in name for name in values)
    for name, value in values.items():
        if "save_counter" not in name:
            np.testing.assert_allclose(
                others[name], value, rtol=1e-5, atol=1e-6, err_msg=name
            )
    for name in ("step", "loss", "validation/loss", "learning_rate"):
        np.testing.assert_allclose(
            column(second, name), column(first, name), rtol=1e-4
        )
    models = [
        model_file.load(str(folder / "model.keras"))[0].get_weights()
        for folder in (first, second)
    ]
    for one, other in zip(*models, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def program(workdir, kind):
    """Runs a tiny run in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.training.tiny_run", workdir, kind],
        capture_output=True,
        text=True,
        check=False,
    )
