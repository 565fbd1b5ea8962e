"""Runs the task transfer experiment: does colorization teach classes?

    python -m trainers.task_transfer_experiment --images=fruits
        --trunks=random,full=siggraph_small,instance=runs/instance/model.keras
        --workdir=runs/task_transfer

One run of train_classifier for each trunk, what learns (--freezes), what is
seen (--input_modes), number of training pictures (--sizes) and seed, each in a
folder of its own with the command that repeats it. All runs of one seed come
before those of the next, cheap ones first. Any of the lists may be shorter for
a part of the experiment; --minutes stops in time. Started again, it goes on:
finished runs are kept, an interrupted one continues where it stopped.

After every run, results.csv, results.md and results.png in --workdir are about
all runs that are finished: accuracies with 95 % intervals, gains over a random
trunk, errors inside colour groups beside what chance has.
"""

import itertools
import os
import shlex
import signal
import subprocess
import sys
import time

from absl import flags

from flags import data as data_flags
from flags import experiment as experiment_flags
from flags import run as run_flags
from tfcolor.data import encode
from tfcolor.evaluation import class_plots
from tfcolor.evaluation import color_groups
from tfcolor.evaluation import transfer_plot
from tfcolor.evaluation import transfer_table
from tfcolor.models import task_transfer
from tfcolor.training import fit
from tfcolor.training.signal_watch import SignalWatch
from trainers import launch

flags.adopt_module_key_flags(experiment_flags)
for _name in ("images", "workdir", "precision"):
    flags.declare_key_flag(_name)
flags.mark_flags_as_required(["images", "workdir"])

_COMMAND = "command.txt"
_INTERRUPTED = 130
# Names that Linux gives to bfloat16 instructions.
_BFLOAT16 = ("avx512_bf16", "amx_bf16")


def main(argv):
    """Runs what is not done yet, one after the other."""
    models = _models()
    runs = list_runs(models)
    workdir = run_flags.WORKDIR.value
    if experiment_flags.LIST.value:
        for folder, _, _ in runs:
            done = transfer_table.is_done(folder)
            print(f"{'done' if done else '    '}  {os.path.basename(folder)}")
        return
    minutes = experiment_flags.MINUTES.value
    deadline = time.monotonic() + 60 * minutes if minutes else float("inf")
    commands = [_command(*run, models) for run in runs]
    for (folder, *_), command in zip(runs, commands, strict=True):
        _check_same(folder, command)
    failed = []
    with SignalWatch() as watch:
        for number, (folder, setting, seed) in enumerate(runs, start=1):
            if transfer_table.is_done(folder):
                continue
            if time.monotonic() > deadline:
                break
            print(f"== run {number} of {len(runs)}: {os.path.basename(folder)}")
            command = commands[number - 1]
            _prepare(folder, setting, seed, command)
            status = _run(command, watch, deadline)
            if watch.received:
                break
            if status not in (0, _INTERRUPTED):
                failed.append(os.path.basename(folder))
            write_results(workdir)
    write_results(workdir)
    _say_end(runs, failed, watch)


def _say_end(runs, failed, watch) -> None:
    left = [f for f, _, _ in runs if not transfer_table.is_done(f)]
    print(f"{len(runs) - len(left)} of {len(runs)} runs are done")
    if watch.received:
        raise fit.Interrupted(f"{watch.received}; the same command goes on.")
    if failed:
        raise ValueError(
            f"All runs must end well. Received: failures of {failed}; see "
            "train.log in their folders"
        )


def _models() -> dict[str, str | None]:
    """Returns {trunk: model to start from, None for a random one}."""
    models = {}
    for entry in experiment_flags.TRUNKS.value:
        name, _, model = entry.partition("=")
        if not name or bool(model) == (name == transfer_table.RANDOM):
            raise ValueError(
                f"--trunks must be 'random' and NAME=MODEL. Received: {entry!r}"
            )
        models[name] = model or None
    return models


def list_runs(models: dict[str, str | None]) -> list[tuple]:
    """Lists the runs that the flags ask for, cheap ones first.

    Args:
        models: dict from the names of trunks to models.

    Returns:
        list of (folder, Setting, seed).

    Raises:
        ValueError: a list has a value that is not known.
    """
    freezes = experiment_flags.FREEZES.value
    sizes = experiment_flags.SIZES.value
    seeds = experiment_flags.SEEDS.value
    wrong = set(freezes) - set(task_transfer.FREEZES)
    wrong |= {s for s in sizes if s != transfer_table.ALL and not s.isdigit()}
    wrong |= {s for s in seeds if not s.isdigit()}
    if wrong:
        raise ValueError(
            f"--freezes must be of {task_transfer.FREEZES}, --sizes numbers "
            f"or 'all', --seeds numbers. Received: {sorted(wrong)}"
        )
    runs = []
    # A frozen trunk has no gradient: about a third of the time.
    freezes = sorted(freezes, key=lambda f: f != "trunk")
    for seed, freeze, size, inputs, trunk in itertools.product(
        map(int, seeds),
        freezes,
        sizes,
        experiment_flags.INPUT_MODES.value,
        models,
    ):
        setting = transfer_table.Setting(freeze, inputs, size, trunk)
        name = f"{trunk}-freeze_{freeze}-{inputs}-{size}-seed{seed}"
        folder = os.path.join(run_flags.WORKDIR.value, name)
        runs.append((folder, setting, seed))
    return runs


def _command(folder, setting, seed, models) -> list[str]:
    command = [
        *(sys.executable, "-m", "trainers.train_classifier"),
        f"--flagfile={experiment_flags.PRESET.value}",
        f"--images={data_flags.IMAGES.value}",
        f"--workdir={folder}",
        f"--freeze={setting.freeze}",
        f"--inputs={setting.inputs}",
        f"--seed={seed}",
        f"--precision={_precision()}",
    ]
    if setting.pictures_per_class != transfer_table.ALL:
        command.append(f"--pictures_per_class={setting.pictures_per_class}")
    if models[setting.trunk]:
        command.append(f"--initial_weights={models[setting.trunk]}")
    return command + experiment_flags.TRAIN_FLAGS.value


def _precision() -> str:
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


def _command_text(command) -> str:
    return shlex.join(["python", *command[1:]]) + "\n"


def _check_same(folder, command) -> None:
    """Refuses a run that another command began."""
    path, text = os.path.join(folder, _COMMAND), _command_text(command)
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        before = file.read()
    if before != text:
        raise ValueError(
            "An experiment must go on with the flags it began with; give "
            f"another --workdir. Received: {text.strip()!r} where "
            f"{path!r} has {before.strip()!r}"
        )


def _prepare(folder, setting, seed, command) -> None:
    """Keeps what a run is, and the command that repeats it."""
    path = os.path.join(folder, _COMMAND)
    encode.write_atomically(path, _command_text(command).encode())
    transfer_table.write_condition(folder, setting, seed)


def _run(command, watch, deadline) -> int:
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


def write_results(workdir: str) -> None:
    """Writes table and plot of the finished runs, if there is one.

    Args:
        workdir: str.
    """
    runs = transfer_table.read_runs(workdir)
    if not runs:
        return
    class_names = next(iter(next(iter(runs.values())).values())).class_names
    groups = color_groups.read(data_flags.IMAGES.value, class_names)
    rows = transfer_table.make_rows(runs, groups)
    plot = transfer_plot.draw(rows, num_classes=len(class_names))
    for name, data in (
        ("results.csv", transfer_table.csv_text(rows).encode()),
        ("results.md", transfer_table.markdown(rows).encode()),
        ("results.png", class_plots.png(plot)),
    ):
        encode.write_atomically(os.path.join(workdir, name), data)


if __name__ == "__main__":
    launch.run(main)
