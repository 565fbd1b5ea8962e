"""`tfcolor colorize --cluster`: memory of the command, speed and overhead.

    python -m benchmarks.cluster --what=memory --pictures=1000000
    python -m benchmarks.cluster --what=speed --pictures=64 --side=512
    python -m benchmarks.cluster --what=overhead --pictures=24 --side=512

`memory` makes a manifest and gives it to workers that do nothing, and prints
the command's resident memory as they go on. `speed` colors the same pictures
by `tfcolor colorize` in one process of one thread and on a cluster of two
processes of one thread, from start to exit; the time of the network's first
picture is left out of neither. `overhead` compares processor times, which other
programs do not change: of `colorize_files` for a picture, and of the engine,
tasks, ledger, plan and results, for one without work.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import psutil
from absl import app
from absl import flags
from PIL import Image

from tfcolor.cluster import engine
from tfcolor.cluster import listing
from tfcolor.cluster.engine import Results
from tfcolor.data.outcome import Outcome

_WHAT = flags.DEFINE_enum(
    "what", "speed", ["speed", "memory", "overhead"], "what is measured"
)
_PICTURES = flags.DEFINE_integer("pictures", 64, "how many pictures")
_SIDE = flags.DEFINE_integer("side", 512, "pixels of a picture's sides")
_CHUNK = flags.DEFINE_integer("chunk", 256, "pictures of a task")
_NOTHINGS = flags.DEFINE_integer(
    "nothings", 20_000, "pictures of no work, of `overhead`"
)
_REPEATS = flags.DEFINE_integer("repeats", 3, "runs of each side")


def _nothing():
    """Makes work that says of each picture that it is done."""
    return lambda entries: Results(
        [Outcome(e.source, (f"/colored/{e.target}",)) for e in entries],
        [None] * len(entries),
    )


def _resident() -> float:
    return psutil.Process().memory_info().rss / 2**20


def _run_nothing(folder: pathlib.Path, count: int, chunk: int, say) -> float:
    """Runs a manifest of pictures of no work; returns seconds."""
    manifest = folder / "scans.txt"
    with open(manifest, "w") as file:
        for i in range(count):
            file.write(f"/archive/{i // 1000:05d}/scan_{i:09d}.tif\n")
    with engine.connected(engine.LOCAL):
        # What Ray itself needs is there before the first picture.
        say("connected", 0)
        started = time.monotonic()
        found = listing.Listing([f"@{manifest}"])
        plan = listing.write_plan(
            listing.with_targets(found, str(folder)), str(folder / "plan")
        )
        say("planned", 0)
        done, next_said = 0, 0
        begun = time.monotonic()
        for results in engine.run_chunks(plan.in_chunks(chunk), _nothing):
            done += len(results.outcomes)
            if done >= next_said:
                say("done", done)
                next_said += max(count // 10, 1)
        say("done", done)
        seconds = time.monotonic() - begun
        print(f"\nplanned in {begun - started:.1f} s, done in {seconds:.1f} s")
        return seconds


def _memory() -> None:
    print("| | pictures | MB of the command |\n|---|---|---|")

    def say(what, done):
        print(f"| {what} | {done} | {_resident():.0f} |", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        _run_nothing(pathlib.Path(folder), _PICTURES.value, _CHUNK.value, say)


def _cpu_seconds() -> float:
    """Returns the processor time of this process and of all below it."""
    own = psutil.Process()
    total = 0.0
    for process in [own, *own.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _overhead() -> None:
    """Prints processor times of a picture, and of the engine for it.

    Unlike seconds they do not depend on what else runs.
    """
    times = []
    with tempfile.TemporaryDirectory() as folder:
        _run_nothing(
            pathlib.Path(folder),
            _NOTHINGS.value,
            _CHUNK.value,
            lambda *_: times.append(_cpu_seconds()),
        )
    # From the first results on: Ray and its processes have started.
    engine_ms = 1000 * (times[-1] - times[2]) / (_NOTHINGS.value - _CHUNK.value)
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    picture_ms = _picture_ms()
    print("| | ms of a processor for each picture |\n|---|---|")
    print(f"| a picture of {_SIDE.value} px, file to file | {picture_ms:.0f} |")
    print(f"| the engine | {engine_ms:.2f} |")
    print(f"\nOverhead: {100 * engine_ms / picture_ms:.2f} %")


def _picture_ms() -> float:
    """Colorizes files in this process; returns what each of them takes."""
    from tfcolor.inference import output_paths
    from tfcolor.inference import picture_files
    from tfcolor.inference.colorizer import Colorizer

    colorizer = Colorizer(batch_size=1)
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        (root / "all").mkdir()
        _make_album(root / "all")
        jobs = output_paths.plan([str(root / "all")], f"{root}/out/")
        times = [
            _cpu_seconds()
            for _ in picture_files.colorize_files(colorizer, jobs)
        ]
    return 1000 * (times[-1] - times[1]) / (len(times) - 2)


def _make_album(folder: pathlib.Path) -> None:
    rng = np.random.default_rng(0)
    side = _SIDE.value
    for i in range(_PICTURES.value):
        small = Image.fromarray(rng.integers(0, 256, (16, 16), np.uint8))
        picture = small.resize((side, side), Image.Resampling.BICUBIC)
        picture.save(folder / f"{i:05d}.jpg", quality=90)


def _command(album, output, *options, **variables) -> float:
    """Returns the seconds that a command takes, start to exit."""
    started = time.monotonic()
    subprocess.run(
        [
            *(sys.executable, "-m", "tfcolor", "colorize", str(album)),
            *(f"--output={output}/", *options),
        ],
        env={**os.environ, **variables},
        check=True,
        capture_output=True,
    )
    return time.monotonic() - started


def _speed() -> None:
    one_thread = {"TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    sides = {
        "one process, one thread": (["--batch_size=1"], one_thread),
        "one process, all threads": ([], {}),
        f"cluster, {os.cpu_count()} processes": (["--cluster"], {}),
    }
    times = {name: [] for name in sides}
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        for name in ("few", "all"):
            (root / name).mkdir()
        _make_album(root / "all")
        first = sorted((root / "all").iterdir())[: os.cpu_count()]
        for path in first:
            (root / "few" / path.name).write_bytes(path.read_bytes())
        for turn in range(_REPEATS.value):
            for name, (options, variables) in sides.items():
                both = [
                    _command(
                        root / album,
                        root / f"{album}{turn}{name}",
                        *options,
                        **variables,
                    )
                    for album in ("few", "all")
                ]
                times[name].append(both)
                print(name, [round(t, 1) for t in both], flush=True)
    more = _PICTURES.value - len(first)
    print("| | start to exit | ms for each further picture |\n|---|---|---|")
    for name, pairs in times.items():
        whole = np.median([pair[1] for pair in pairs])
        each = np.median([pair[1] - pair[0] for pair in pairs]) / more
        print(f"| {name} | {whole:.1f} s | {1000 * each:.0f} |")


def main(_) -> None:
    """Measures, and prints."""
    {"memory": _memory, "overhead": _overhead, "speed": _speed}[_WHAT.value]()


if __name__ == "__main__":
    app.run(main)
