"""Runs the experiment on ensembles: does knowing the class help to color?

    python -m trainers.ensemble_experiment --images=imagenet13
        --workdir=runs/ensemble_experiment

For each seed one run of train_alexnet (unless --classifier names a model for
all), then one of train_ensemble for each of --variants: the colorizer alone,
the ensemble, told the true classes (oracle), told those of other pictures
(shuffled), as many weights without classes (same_parameters), and others. Each
is in a folder of its own with the command that repeats it; all runs of one seed
come before those of the next. Started again, it goes on: finished runs are
kept, an interrupted one continues where it stopped. --minutes stops in time.

After every run, results.md, results.csv and results.png in --workdir are about
all runs that are finished: the loss of the study seed by seed and class by
class on the test pictures, paired differences from the first variant and
between all of them, also where the classifier is right and where it is wrong,
classes improved, how yellow the pictures are, the classifier's top-1 and top-3.
"""

import itertools
import os

from absl import flags

from flags import data as data_flags
from flags import ensemble as ensemble_flags
from flags import experiment as experiment_flags
from flags import matrix as matrix_flags
from flags import run as run_flags
from tfcolor.data import encode
from tfcolor.evaluation import by_class_plot
from tfcolor.evaluation import by_class_tables
from tfcolor.evaluation import class_plots
from tfcolor.evaluation import class_report
from tfcolor.evaluation import ensemble_table
from trainers import launch
from trainers import many_runs

flags.adopt_module_key_flags(matrix_flags)
for _name in (
    *("images", "workdir", "precision", "classifier", "classifier_width"),
    *("seeds", "train_flag", "minutes", "list"),
):
    flags.declare_key_flag(_name)
flags.mark_flags_as_required(["images", "workdir"])

_CLASSIFIER_RESULT = os.path.join("report", class_report.SUMMARY)
# What train_ensemble writes last.
SCORES = os.path.join("report", "scores.csv")


def main(argv):
    """Runs what is not done yet, one after the other."""
    many_runs.run_or_list(list_runs(), write_results)


def list_runs() -> list[many_runs.Run]:
    """Lists the runs that the flags ask for, in order.

    Returns:
        list of Run.

    Raises:
        ValueError: a list has a value that is not known.
    """
    variants = matrix_flags.VARIANT_NAMES.value
    seeds = experiment_flags.SEEDS.value
    wrong = set(variants) - set(matrix_flags.VARIANTS)
    wrong |= {seed for seed in seeds if not seed.isdigit()}
    if wrong or not variants:
        raise ValueError(
            f"--variants must be of {list(matrix_flags.VARIANTS)}, --seeds "
            f"numbers. Received: {sorted(wrong)}"
        )
    runs, classifiers = [], {}
    needed = set(variants) & set(matrix_flags.TAUGHT)
    for seed, variant in itertools.product(map(int, seeds), variants):
        own = needed and not ensemble_flags.CLASSIFIER.value
        if own and seed not in classifiers:
            classifiers[seed] = _classifier_run(seed)
            runs.append(classifiers[seed])
        runs.append(_variant_run(variant, seed, classifiers.get(seed)))
    return runs


def _shared(preset: str, seed: int) -> tuple[str, ...]:
    return (
        f"--flagfile={preset}",
        f"--images={data_flags.IMAGES.value}",
        f"--seed={seed}",
        f"--precision={many_runs.quickest_precision()}",
    )


def _folder(name: str) -> str:
    return os.path.join(run_flags.WORKDIR.value, name)


def _classifier_run(seed: int) -> many_runs.Run:
    return many_runs.Run(
        _folder(f"alexnet-seed{seed}"),
        "trainers.train_alexnet",
        (
            *_shared(matrix_flags.ALEXNET_PRESET.value, seed),
            *matrix_flags.ALEXNET_TRAIN_FLAGS.value,
        ),
        {"variant": ensemble_table.CLASSIFIER, "seed": seed},
        _CLASSIFIER_RESULT,
    )


def _variant_run(variant, seed, classifier) -> many_runs.Run:
    arguments = [
        *_shared(matrix_flags.ENSEMBLE_PRESET.value, seed),
        *experiment_flags.TRAIN_FLAGS.value,
        *matrix_flags.VARIANTS[variant],
    ]
    needs = ()
    if variant in matrix_flags.TAUGHT:
        path = ensemble_flags.CLASSIFIER.value
        if classifier is not None:
            needs = (classifier,)
            path = os.path.join(classifier.folder, "model.keras")
        arguments.append(f"--classifier={path}")
    elif variant == matrix_flags.UNTAUGHT:
        width = ensemble_flags.CLASSIFIER_WIDTH.value
        arguments.append(f"--classifier_width={width}")
    return many_runs.Run(
        _folder(f"{variant}-seed{seed}"),
        "trainers.train_ensemble",
        tuple(arguments),
        {"variant": variant, "seed": seed},
        SCORES,
        needs,
    )


def write_results(workdir: str) -> None:
    """Writes tables and chart of the finished runs, if there is one.

    Args:
        workdir: str.
    """
    if not os.path.isdir(workdir):
        return
    conditions = many_runs.read_conditions(workdir)
    runs = ensemble_table.ordered(
        ensemble_table.read_runs(conditions, SCORES),
        matrix_flags.VARIANT_NAMES.value,
    )
    if not runs:
        return
    classifiers = ensemble_table.finished_classifiers(conditions)
    text = ensemble_table.markdown(runs, classifiers)
    outputs = {"results.md": text.encode()}
    scores = ensemble_table.over_seeds(runs)
    if scores is not None:
        outputs |= {
            "results.csv": by_class_tables.csv_text(scores).encode(),
            "results.png": class_plots.png(by_class_plot.draw(scores)),
        }
    for name, data in outputs.items():
        encode.write_atomically(os.path.join(workdir, name), data)


if __name__ == "__main__":
    launch.run(main)
