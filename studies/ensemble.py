"""Runs the experiment on ensembles: does knowing the class help to color?

    python -m studies.ensemble --images=imagenet13
        --workdir=runs/ensemble_experiment

For each seed one run of train_alexnet (unless --classifier names a model for
all), then one of train_ensemble for each of --variants: the colorizer alone,
the ensemble, conditional on the true classes (oracle) or on those of other
pictures (shuffled), as many weights without classes (same_parameters), and
others. Each is in a folder of its own with the command that repeats it; all
runs of one seed come before those of the next. Started again, it goes on:
finished runs are kept, an interrupted one continues where it stopped. --minutes
stops in time.

After every run, results.md, results.csv and results.png in --workdir are about
all runs that are finished: the loss of the study seed by seed and class by
class on the test pictures, paired differences from the first variant and
between all of them, also where the classifier is right and where it is wrong,
classes improved, how yellow the pictures are, the classifier's top-1 and top-3.
"""

import itertools
import json
import os

import numpy as np
from absl import flags

from flags import data as data_flags
from flags import ensemble as ensemble_flags
from flags import run as run_flags
from studies import resumable_runs
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import classifier_report
from tfcolor.evaluation import color_scores
from tfcolor.evaluation import compare
from tfcolor.evaluation import packages
from tfcolor.evaluation import per_class
from tfcolor.evaluation import plots
from tfcolor.evaluation import results
from tfcolor.evaluation.color_scores import ColorScores
from trainers import launch

# Name of a variant to the flags of train_ensemble that make it.
VARIANTS = {
    "resnet": ("--class_source=none",),
    "ensemble": ("--class_source=classifier",),
    "oracle": ("--class_source=given", "--class_input=true"),
    "shuffled": ("--class_source=given", "--class_input=shuffled"),
    "same_parameters": ("--class_source=constant",),
    # Other features, and what the branch does when it may learn.
    "one_hot": ("--class_source=classifier", "--features=one_hot"),
    "logits": ("--class_source=classifier", "--features=logits"),
    "penultimate": ("--class_source=classifier", "--features=penultimate"),
    "trained_along": ("--class_source=classifier", "--train_classifier"),
    "untaught": ("--class_source=classifier", "--train_classifier"),
}
# The variant whose classifier has learned nothing before.
UNTAUGHT = "untaught"
# Variants that start from the classifier.
TAUGHT = (
    *("ensemble", "one_hot", "logits", "penultimate"),
    "trained_along",
)

VARIANT_NAMES = flags.DEFINE_list(
    "variants",
    ["resnet", "ensemble", "oracle", "shuffled", "same_parameters"],
    "What is compared with the first of them: " + ", ".join(VARIANTS) + ".",
)
ALEXNET_PRESET = flags.DEFINE_string(
    "alexnet_preset",
    "flags/presets/alexnet_small.cfg",
    "Flag file of the run that trains the classifier.",
)
ALEXNET_TRAIN_FLAGS = flags.DEFINE_multi_string(
    "alexnet_flag",
    [],
    "A flag that the run of the classifier gets after its preset; may be given "
    "more than once. --train_flag is for all other runs.",
)
ENSEMBLE_PRESET = flags.DEFINE_string(
    "ensemble_preset",
    "flags/presets/ensemble_small.cfg",
    "Flag file of all other runs.",
)

for _name in (
    *("images", "workdir", "precision", "classifier", "classifier_width"),
    *("seeds", "train_flag", "minutes", "list"),
):
    flags.declare_key_flag(_name)
flags.mark_flags_as_required(["images", "workdir"])

_CLASSIFIER_RESULT = os.path.join("report", classifier_report.SUMMARY)
# What train_ensemble writes last.
SCORES = os.path.join("report", "scores.csv")


def main(argv):
    """Runs what is not done yet, one after the other."""
    resumable_runs.run_or_list(list_runs(), outputs)


def list_runs() -> list[resumable_runs.Run]:
    """Lists the runs that the flags ask for, in order.

    Returns:
        list of Run.

    Raises:
        ValueError: a list has a value that is not known.
    """
    variants = VARIANT_NAMES.value
    seeds = resumable_runs.SEEDS.value
    wrong = set(variants) - set(VARIANTS)
    wrong |= {seed for seed in seeds if not seed.isdigit()}
    if wrong or not variants:
        raise ValueError(
            f"--variants must be of {list(VARIANTS)}, --seeds "
            f"numbers. Received: {sorted(wrong)}"
        )
    runs, classifiers = [], {}
    needed = set(variants) & set(TAUGHT)
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
        f"--precision={resumable_runs.quickest_precision()}",
    )


def _folder(name: str) -> str:
    return os.path.join(run_flags.WORKDIR.value, name)


def _classifier_run(seed: int) -> resumable_runs.Run:
    return resumable_runs.Run(
        _folder(f"alexnet-seed{seed}"),
        "trainers.train_alexnet",
        (
            *_shared(ALEXNET_PRESET.value, seed),
            *ALEXNET_TRAIN_FLAGS.value,
        ),
        {"variant": CLASSIFIER, "seed": seed},
        _CLASSIFIER_RESULT,
    )


def _variant_run(variant, seed, classifier) -> resumable_runs.Run:
    arguments = [
        *_shared(ENSEMBLE_PRESET.value, seed),
        *resumable_runs.TRAIN_FLAGS.value,
        *VARIANTS[variant],
    ]
    needs = ()
    if variant in TAUGHT:
        path = ensemble_flags.CLASSIFIER.value
        if classifier is not None:
            needs = (classifier,)
            path = os.path.join(classifier.folder, "model.keras")
        arguments.append(f"--classifier={path}")
    elif variant == UNTAUGHT:
        width = ensemble_flags.CLASSIFIER_WIDTH.value
        arguments.append(f"--classifier_width={width}")
    return resumable_runs.Run(
        _folder(f"{variant}-seed{seed}"),
        "trainers.train_ensemble",
        tuple(arguments),
        {"variant": variant, "seed": seed},
        SCORES,
        needs,
    )


def outputs(conditions: dict[str, dict]) -> dict[str, bytes]:
    """Writes tables and chart of the finished runs.

    Args:
        conditions: dict from the folder of a run to what it is.

    Returns:
        dict from the name of a file in --workdir to its bytes; empty without
        a finished run.
    """
    runs = ordered(read_runs(conditions, SCORES), VARIANT_NAMES.value)
    if not runs:
        return {}
    text = markdown(runs, finished_classifiers(conditions))
    found = {"results.md": text.encode()}
    scores = over_seeds(runs)
    if scores is not None:
        found["results.csv"] = per_class.csv_text(scores).encode()
        found["results.png"] = plots.png(plots.draw_by_class(scores))
    return found


CLASSIFIER = "classifier"
_SCALE = 1000


def read_runs(
    conditions: dict[str, dict], scores_file: str
) -> dict[str, dict[int, ColorScores]]:
    """Reads the finished runs of colorizers.

    Args:
        conditions: dict from the folder of a run to a dict with "variant" and
            "seed".
        scores_file: str, path of the scores inside a folder.

    Returns:
        dict from variant to a dict from seed to ColorScores of one method.

    Raises:
        ValueError: runs were measured on different pictures.
    """
    runs, names = {}, None
    for folder, condition in conditions.items():
        path = os.path.join(folder, scores_file)
        variant = condition["variant"]
        if variant == CLASSIFIER or not os.path.isfile(path):
            continue
        scores = color_scores.read_scores(path, method=variant)
        if names not in (None, scores.names):
            raise ValueError(
                "All runs of an experiment must be measured on the same "
                f"pictures. Received: {path!r} with other ones"
            )
        names = scores.names
        runs.setdefault(variant, {})[condition["seed"]] = scores
    return runs


def finished_classifiers(conditions: dict[str, dict]) -> dict[int, str]:
    """Finds the finished runs of classifiers.

    Args:
        conditions: dict, as for `read_runs`.

    Returns:
        dict from seed to the folder of a run.
    """
    return {
        condition["seed"]: folder
        for folder, condition in conditions.items()
        if condition["variant"] == CLASSIFIER
        and os.path.isfile(_summary_path(folder))
    }


def _summary_path(folder) -> str:
    return os.path.join(folder, "report", classifier_report.SUMMARY)


def ordered(runs: dict, variants: list[str]) -> dict:
    """Puts runs in the order of the variants; those without runs are left out.

    Args:
        runs: dict, of `read_runs`.
        variants: list of str.

    Returns:
        dict.
    """
    return {name: runs[name] for name in variants if name in runs}


def common_seeds(runs: dict) -> list[int]:
    """Returns the seeds that every variant has, in order."""
    seeds = [set(found) for found in runs.values()]
    return sorted(set.intersection(*seeds)) if seeds else []


def over_seeds(runs: dict) -> ColorScores | None:
    """Takes each picture's mean over the seeds that every variant has.

    Args:
        runs: dict, of `ordered`.

    Returns:
        ColorScores of all variants; None if no seed is common.
    """
    seeds = common_seeds(runs)
    if not seeds:
        return None
    tables = []
    names = next(iter(runs.values()))[seeds[0]].names
    for found in runs.values():
        some = [found[seed].table for seed in seeds]
        mean = np.mean([table["value"].to_numpy() for table in some], axis=0)
        tables.append(some[0].assign(value=mean))
    first, *others = tables
    others = [table[table["method"] != compare.TRUE] for table in others]
    return ColorScores(packages.pandas.concat([first, *others]), names)


def seed_table(runs: dict) -> list[list[str]]:
    """Builds the table of losses and changes, seed by seed.

    Args:
        runs: dict, of `ordered`.

    Returns:
        list of rows of str, the header first.
    """
    first = next(iter(runs))
    seeds = sorted({seed for found in runs.values() for seed in found})
    header = ["variant", *(f"loss, seed {seed}" for seed in seeds)]
    header += [f"change against {first} of the same seed, %"]
    rows = [header]
    for variant, found in runs.items():
        losses = {s: _loss(found[s], variant) for s in found}
        cells = [
            f"{_SCALE * losses[s]:.3f}" if s in losses else "–" for s in seeds
        ]
        both = [s for s in seeds if s in losses and s in runs[first]]
        changes = [
            100 * (losses[s] / _loss(runs[first][s], first) - 1) for s in both
        ]
        rows.append([variant, *cells, _spread(changes, variant == first)])
    return rows


def _loss(scores: ColorScores, variant: str) -> float:
    return float(scores.losses[variant].mean())


def _spread(changes: list[float], is_first: bool) -> str:
    if is_first or not changes:
        return "–"
    each = ", ".join(f"{change:+.2f}" for change in changes)
    if len(changes) < 2:
        return each
    deviation = np.std(changes, ddof=1)
    return f"{np.mean(changes):+.2f} (SD {deviation:.2f}; {each})"


def classifier_sentence(classifiers: dict[int, str]) -> str:
    """Says how good the classifiers of the ensembles are.

    Args:
        classifiers: dict, of `finished_classifiers`.

    Returns:
        str; empty without any.
    """
    parts = []
    for seed, folder in sorted(classifiers.items()):
        with open(_summary_path(folder), encoding="utf-8") as file:
            summary = json.load(file)
        top1, top3 = (
            results.percent(results.Estimate(*summary[key].values()))
            for key in ("accuracy", "top3")
        )
        parts.append(f"seed {seed}: top-1 {top1} %, top-3 {top3} %")
    return f"Classifiers: {'; '.join(parts)}." if parts else ""


def markdown(runs: dict, classifiers: dict[int, str]) -> str:
    """Writes the results.

    Args:
        runs: dict, of `ordered`, with at least one run.
        classifiers: dict, of `finished_classifiers`.

    Returns:
        str.
    """
    parts = ["# Experiment on ensembles"]
    if sentence := classifier_sentence(classifiers):
        parts.append(sentence)
    parts += ["## Seeds", results.markdown_table(seed_table(runs))]
    scores = over_seeds(runs)
    if scores is None:
        return "\n\n".join([*parts, "No seed has all variants yet."]) + "\n"
    seeds = common_seeds(runs)
    numbers = ", ".join(map(str, seeds))
    body = per_class.markdown(
        scores,
        heading=f"{len(scores.names)} test pictures, mean over seeds {numbers}",
        delivered=False,
    )
    if len(runs) > 1:
        parts += _pairs(runs, classifiers, scores, seeds)
    note = (
        "- Intervals are over pictures, of losses averaged over these seeds; "
        "the spread between seeds is in the first table.\n"
    )
    return "\n\n".join([*parts, body]) + note


def _pairs(runs, classifiers, scores, seeds) -> list[str]:
    """Writes how variants differ from each other, paragraph by paragraph."""
    parts = [
        "## Change of the loss, each against each, %",
        results.markdown_table(pair_table(scores)),
    ]
    if set(seeds) <= set(classifiers):
        right = read_right(classifiers)
        table = right_table(runs, right, seeds)
        first = next(iter(runs))
        parts += [
            f"## Change against {first} by what the classifier knew, %",
            results.markdown_table(table),
        ]
    return parts


def read_right(classifiers: dict[int, str]) -> dict[int, dict[str, bool]]:
    """Reads of which test pictures the classifiers were right.

    Args:
        classifiers: dict from seed to the folder of a finished run.

    Returns:
        dict from seed to a dict from a picture's name to whether its class was
        found.
    """
    found = {}
    for seed, folder in classifiers.items():
        path = os.path.join(folder, "report", classifier_report.PREDICTIONS)
        predictions = class_predictions.read_predictions(path)
        right = predictions.right().astype(bool)
        found[seed] = dict(zip(predictions.names, right, strict=True))
    return found


def pair_table(scores: ColorScores) -> list[list[str]]:
    """Builds the table of every variant against every other.

    Args:
        scores: ColorScores of the variants.

    Returns:
        list of rows of str, the header first: the change of the row's loss
        against the column's, %.
    """
    losses = scores.losses
    rows = [["loss of, against", *losses]]
    for name, loss in losses.items():
        cells = [
            "–" if other == name else _change(loss, losses[other])
            for other in losses
        ]
        rows.append([name, *cells])
    return rows


def right_table(
    runs: dict[str, dict[int, ColorScores]],
    right: dict[int, dict[str, bool]],
    seeds: list[int],
) -> list[list[str]]:
    """Builds the table of changes where the classifier is right, and wrong.

    Args:
        runs: dict from variant to a dict from seed to ColorScores.
        right: dict, of `read_right`, with all of the seeds.
        seeds: list of int, of which every variant has scores.

    Returns:
        list of rows of str, the header first: each variant's change of the
        loss against the first variant, %. A case is a picture and a seed;
        intervals are over pictures.
    """
    first, *others = runs
    names = runs[first][seeds[0]].names
    known = np.array([[right[seed][n] for n in names] for seed in seeds])
    losses = {
        variant: np.array([found[seed].losses[variant] for seed in seeds])
        for variant, found in runs.items()
    }
    rows = [["the classifier is", "cases", *others]]
    for word, cases in (("right", known), ("wrong", ~known)):
        some = cases.any(axis=0)
        sums = {
            name: (loss * cases).sum(axis=0)[some]
            for name, loss in losses.items()
        }
        changes = [_change(sums[name], sums[first]) for name in others]
        rows.append([word, str(cases.sum()), *changes])
    return rows


def _change(loss, other) -> str:
    """Writes how a loss differs from another one; a dash without pictures."""
    if not len(loss):
        return "–"
    change = per_class.relative_change(other, loss)
    return results.percent(change, 2, sign=True)


if __name__ == "__main__":
    launch.run(main)
