"""Trains the ensemble: a ResNet colorizer that knows what pictures show.

    python -m trainers.train_ensemble --images=imagenet13
        --flagfile=flags/presets/ensemble_small.cfg
        --classifier=runs/alexnet/model.keras --workdir=runs/ensemble

--images is a folder of class folders, as for train_classifier. --class_source
makes the ensemble (classifier) or one of its controls: given classes, true
(--class_input=true, an oracle) or of other pictures (shuffled); constant, the
same weights without classes; none, the colorizer alone.

The run folder is that of train_full. At the end it also gets report/: the loss
of the study class by class on the test pictures (scores.csv, by_class.md,
by_class.csv, by_class.png).
"""

import functools
import os

from absl import flags

from flags import data as data_flags
from flags import ensemble as ensemble_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import resnet as resnet_flags
from flags import run as run_flags
from tfcolor import atomic
from tfcolor.data import class_colors
from tfcolor.data import epochs
from tfcolor.data import lightness
from tfcolor.evaluation import color_scores
from tfcolor.evaluation import per_class
from tfcolor.evaluation import plots
from tfcolor.weights import model_file
from trainers import assembly
from trainers import labelled_assembly
from trainers import launch
from trainers import resnet_assembly

for _group in (
    ensemble_flags,
    objective_flags,
    optimizer_flags,
    resnet_flags,
    run_flags,
):
    flags.adopt_module_key_flags(_group)
# Those of other groups that play a part here.
for _name in (
    *("images", "validation_images", "validation_share", "data_dir"),
    "skip_corrupt",
    *("image_size", "load_size", "batch_size", "seed", "flip", "cache"),
    *("test_images", "test_share", "pictures_per_class", "width"),
    *("dropout", "batch_norm", "enlarge"),
):
    flags.declare_key_flag(_name)
flags.mark_flags_as_required(["images", "workdir"])

SCORES = "scores.csv"
_INPUTS = {
    "none": "L",
    "true": model_file.TRUE_CLASSES,
    "shuffled": model_file.SHUFFLED_CLASSES,
}


def main(argv):
    """Reads the flags, then: data, model, fit, report."""
    config = data_flags.config()
    resnet_assembly.check_objective()
    run, strategy = assembly.start_run(__name__, seed=config.seed)

    parts = labelled_assembly.open_parts(run.log)
    seen = labelled_assembly.in_memory(parts) if config.cache else parts
    class_input = ensemble_flags.class_input()
    with strategy.scope():
        model = resnet_assembly.build_ensemble(parts.class_names)
    view = lightness.lightness_only(
        class_colors.class_color_view(
            config,
            class_input=class_input,
            num_classes=len(parts.class_names),
            label_pool=class_colors.read_labels(parts.train),
        ),
        resnet_flags.LIGHTNESS.value,
    )

    info = model_file.ModelInfo(
        "ensemble",
        config.image_size,
        class_names=parts.class_names,
        inputs=_INPUTS[class_input],
    )
    assembly.fit_colorizer(
        model,
        train=seen.train,
        held_out=seen.validation,
        view=view,
        save_model=functools.partial(model_file.save, info=info),
        run=run,
        strategy=strategy,
    )
    if not run.is_chief:
        return
    part = "validation" if seen.test is None else "test"
    data = epochs.epoch(getattr(seen, part), view, epoch=0, training=False)
    write_report(run, data, class_names=parts.class_names, part=part)


def write_report(run, dataset, *, class_names, part) -> None:
    """Writes report/ for the model that the run has kept.

    Args:
        run: RunFolder.
        dataset: Dataset of (inputs, targets), the pictures to measure on.
        class_names: tuple of str.
        part: str, what the pictures are.
    """
    model, _ = model_file.load(run.model)
    method = os.path.basename(os.path.abspath(run.path))
    scores = color_scores.score_model(
        model, dataset, class_names, method=method
    )
    folder = os.path.join(run.path, "report")
    os.makedirs(folder, exist_ok=True)
    text = per_class.markdown(
        scores,
        heading=f"{len(scores.names)} {part} pictures",
        delivered=False,
    )
    for name, data in (
        ("by_class.csv", per_class.csv_text(scores).encode()),
        ("by_class.png", plots.png(plots.draw_by_class(scores))),
        ("by_class.md", text.encode()),
    ):
        atomic.write_bytes(os.path.join(folder, name), data)
    # Last: it says that the report is whole.
    color_scores.write_scores(scores, os.path.join(folder, SCORES))
    run.log.info("report: %s\n\n%s", folder, text)


if __name__ == "__main__":
    launch.run(main)
