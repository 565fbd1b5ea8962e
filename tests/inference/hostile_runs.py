"""Runs every command on a hostile album, all of them in this one process.

    python -m tests.inference.hostile_runs FOLDER

FOLDER holds `album`; results and what was said are written beside it. A
process of its own: what C libraries print counts as well, and so does the
memory that it takes.
"""

import contextlib
import json
import os
import re
import sys
import time

from tests.detection import tiny_detectors
from tests.inference import models
from tfcolor.cli import main
from tfcolor.weights import model_file


def _peak() -> int:
    """Kilobytes at most, of this process alone.

    Not ru_maxrss, which begins with that of the process that started it.
    """
    with open("/proc/self/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])


def _classifier(path: str) -> str:
    import keras

    L = keras.Input((None, None, 1), name="L")
    mean = keras.layers.GlobalAveragePooling2D()(L)
    logits = keras.layers.Dense(2)(mean)
    model = keras.Model({"L": L}, {"logits": logits})
    info = model_file.ModelInfo("alexnet", 16, class_names=("light", "dark"))
    model_file.save(model, path, info)
    return path


@contextlib.contextmanager
def _written_to(path: str):
    """Sends standard output and errors to a file, those of C code too."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = [os.dup(1), os.dup(2)]
    with open(path, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, kept in enumerate(before, start=1):
            os.dup2(kept, number)
            os.close(kept)


def run(folder: str) -> None:
    """Runs the commands, and writes runs.json: status, seconds, memory."""
    os.chdir(folder)
    model = models.save(models.plain_model((8, 12)), "plain.keras")
    classifier = _classifier("classifier.keras")
    detector = tiny_detectors.object_detection_api("detector")
    commands = {
        "colorize": ["album", "--output=colorized/", f"--model={model}"],
        "client": [
            *("album", "--output=client/", "--retries=0"),
            "--url=http://127.0.0.1:9",
        ],
        "detect": ["album", "--output=boxes", f"--detector={detector}"],
        "classify": ["album", f"--model={classifier}", "--output=classes.csv"],
        "prepare": ["--images=album", "--output=records", "--size=16"],
        "evaluate": [
            *("--truth", "album/b*", "album/turned*.webp", "album/cut9*"),
            *("--output=report", f"--model={model}"),
            *("--geometry=squash", "--geometry_size=32"),
        ],
    }
    runs = {}
    for name, arguments in commands.items():
        start = time.monotonic()
        with _written_to(f"{name}.txt"):
            status = main.run([name, *arguments])
        runs[name] = {
            "status": status,
            "seconds": time.monotonic() - start,
            "memory": _peak(),
        }
    with open("runs.json", "w") as file:
        json.dump(runs, file)


if __name__ == "__main__":
    run(sys.argv[1])
