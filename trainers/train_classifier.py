"""Trains a classifier on the trunk of a colorizer (task transfer).

    python -m trainers.train_classifier --images=fruits
        --flagfile=flags/presets/task_transfer_small.cfg
        --initial_weights=siggraph_small --workdir=runs/fruits

--images is a folder of class folders, whose names are the labels; or one with
train, val and test, each such a folder; or tfds:NAME/SPLIT. The trunk may come
from any colorizer of the family (--initial_weights), full or instance; without
one it starts anew. --crops=boxes --boxes=... learns from a random box of each
picture, as the instance colorizer does.

The run folder is that of train_full. At the end it also gets report/: curves,
confusion matrix ordered by color group (if --images has a
color_groups.json), tables, and with --colorizer test pictures in predicted
color. `tfcolor classify` uses the model.
"""

import functools
import os

from absl import flags

from flags import boxes as box_flags
from flags import classifier as classifier_flags
from flags import data as data_flags
from flags import labelled as labelled_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from tfcolor import metrics
from tfcolor.data import labelled
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import classifier_report
from tfcolor.losses import labels as label_losses
from tfcolor.training import fit
from tfcolor.training import validation_pictures
from tfcolor.weights import model_file
from trainers import assembly
from trainers import labelled_assembly
from trainers import launch

for _group in (
    box_flags,
    classifier_flags,
    labelled_flags,
    optimizer_flags,
    run_flags,
):
    flags.adopt_module_key_flags(_group)
# Those of `data` and `model` that a classifier knows.
for _name in (
    *("images", "validation_images", "validation_share", "data_dir"),
    "skip_corrupt",
    *("image_size", "load_size", "batch_size", "seed", "flip", "cache"),
    *("width", "initializer"),
):
    flags.declare_key_flag(_name)
flags.mark_flags_as_required(["images", "workdir"])


def main(argv):
    """Reads the flags, then: data, model, fit, report."""
    config, label_config = data_flags.config(), labelled_flags.config()
    run, strategy = assembly.start_run(__name__, seed=config.seed)

    parts = labelled_assembly.open_parts(run.log)
    seen = labelled_assembly.in_memory(parts) if config.cache else parts
    dataset = functools.partial(
        labelled.labelled_dataset,
        config=config,
        label_config=label_config,
        steps=run_flags.config().steps_per_epoch,
    )
    with strategy.scope():
        model = labelled_assembly.build_classifier(len(parts.class_names))

    info = model_file.ModelInfo(
        "task_transfer",
        config.image_size,
        class_names=parts.class_names,
        inputs=label_config.inputs,
    )
    task = fit.Task(
        train_data=lambda epoch, context: dataset(
            seen.train, epoch=epoch, training=True, context=context
        ),
        validation_data=assembly.kept(
            dataset(seen.validation, epoch=0, training=False),
            len(seen.validation),
            run.log,
        ),
        losses=label_losses.cross_entropy,
        metrics=metrics.label_metrics,
        observe=validation_pictures.ConfusionPicture,
        batch_size=config.batch_size,
        save_model=functools.partial(model_file.save, info=info),
        train_metrics=metrics.accuracies,
        higher_is_better=metrics.HIGHER_IS_BETTER,
        name_batch=assembly.batch_names(dataset, seen.train),
    )
    assembly.run_fit(model, task, train=seen.train, run=run, strategy=strategy)
    if not run.is_chief:
        return
    part = "validation" if seen.test is None else "test"
    write_report(
        run,
        dataset(getattr(seen, part), epoch=0, training=False),
        source=getattr(parts, part),
        class_names=parts.class_names,
        part=part,
    )


def write_report(run, dataset, *, source, class_names, part) -> None:
    """Writes report/ for the model that the run has kept.

    Args:
        run: RunFolder.
        dataset: Dataset of (inputs, targets), the pictures to measure on.
        source: the source of these pictures.
        class_names: tuple of str.
        part: str, what the pictures are.
    """
    model, _ = model_file.load(run.model)
    predictions = class_predictions.predict(model, dataset, class_names)
    folder = os.path.join(run.path, "report")
    text = classifier_report.write_report(
        folder,
        predictions,
        groups=class_predictions.read_groups(
            data_flags.IMAGES.value, class_names
        ),
        metrics=run.read_metrics(),
        examples=labelled_assembly.make_examples(source, predictions),
        part=part,
    )
    run.log.info("report: %s\n\n%s", folder, text)


if __name__ == "__main__":
    launch.run(main)
