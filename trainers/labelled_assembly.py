"""From flags to labelled pictures, classifiers of them and their reports.

For train_classifier, train_alexnet and, the pictures alone, train_ensemble.
"""

import dataclasses
import functools
import os
from collections.abc import Callable

import keras
import numpy as np

from flags import boxes as box_flags
from flags import classifier as classifier_flags
from flags import data as data_flags
from flags import labelled as labelled_flags
from flags import run as run_flags
from tfcolor import metrics
from tfcolor.boxes import box_files
from tfcolor.data import box_pipelines
from tfcolor.data import epochs
from tfcolor.data import labelled_parts
from tfcolor.data import memory_source
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import classifier_report
from tfcolor.evaluation import packages
from tfcolor.inference import colorizer as colorizer_lib
from tfcolor.models import task_transfer
from tfcolor.training import validation_pictures
from tfcolor.training.run_folder import RunFolder
from tfcolor.training.task import Task
from tfcolor.weights import model_file
from tfcolor.weights import transfer
from trainers import assembly
from trainers import initial_weights

# Pictures in the figure of examples.
_EXAMPLES = 12


def open_parts(log) -> labelled_parts.LabelledParts:
    """Opens the labelled pictures that the flags name.

    Args:
        log: logging.Logger; is told what is unusual about them.

    Returns:
        LabelledParts, with boxes if the flags want crops of boxes.

    Raises:
        ValueError: crops of boxes are wanted and there are none.
        ImportError: tables of results need the extra [evaluate].
    """
    packages.check()
    config, label_config = data_flags.config(), labelled_flags.config()
    whole = label_config.crops == "whole"
    parts = labelled_parts.open_parts(
        data_flags.IMAGES.value,
        validation_images=data_flags.VALIDATION_IMAGES.value,
        test_images=labelled_flags.TEST_IMAGES.value,
        validation_share=data_flags.VALIDATION_SHARE.value,
        test_share=label_config.test_share,
        pictures_per_class=label_config.pictures_per_class,
        seed=config.seed,
        shrink_to=config.load_side if whole else None,
        data_dir=data_flags.DATA_DIR.value,
        skip_corrupt=data_flags.SKIP_CORRUPT.value,
        max_pixels=data_flags.MAX_PIXELS.value,
    )
    for note in parts.notes:
        assembly.told(log.warning)(note)
    log.info(
        "%d classes; %d training, %d validation, %d test pictures",
        len(parts.class_names),
        len(parts.train),
        len(parts.validation),
        len(parts.test or ()),
    )
    if whole:
        return parts
    boxes = None
    if box_flags.BOXES.value:
        boxes = box_files.open_boxes(box_flags.BOXES.value)
    elif not parts.train.has_boxes:
        raise ValueError("--crops=boxes needs --boxes. Received: no --boxes")
    max_boxes = box_flags.config().max_boxes
    return _mapped(
        parts,
        lambda _, source: box_pipelines.BoxedSource(
            source, boxes, max_boxes=max_boxes
        ),
    )


def in_memory(parts) -> labelled_parts.LabelledParts:
    """Keeps all pictures of all parts in memory.

    Args:
        parts: LabelledParts.

    Returns:
        LabelledParts of `memory_source.MemorySource`.
    """
    side = data_flags.config().load_side
    return _mapped(
        parts,
        lambda name, source: memory_source.into_memory(
            source, side=side, crops=True, label=name
        ),
    )


def _mapped(parts, change) -> labelled_parts.LabelledParts:
    """Changes each source of the parts by a function of name and source."""
    return dataclasses.replace(
        parts,
        **{
            name: change(name, source)
            for name in ("train", "validation", "test")
            if (source := getattr(parts, name)) is not None
        },
    )


def build_classifier(num_classes: int) -> keras.Model:
    """Builds the network of the flags, its trunk from a colorizer if named.

    Args:
        num_classes: int.

    Returns:
        keras.Model.

    Raises:
        ValueError: the colorizer's trunk has other weights than the network.
    """
    options = classifier_flags.options()
    if options["head"] == "flatten":
        options["image_size"] = data_flags.config().image_size

    def build(**options):
        return task_transfer.task_transfer(num_classes=num_classes, **options)

    def copy(start, model):
        names = task_transfer.trunk_layers(
            legacy_bn_order=options["legacy_bn_order"]
        )
        transfer.copy_layers(start, model, names)

    path = run_flags.INITIAL_WEIGHTS.value
    if not path:
        return build(**options)
    start = assembly.load_network(path)
    options |= initial_weights.seen_mask(start)
    return initial_weights.copied(start, build, options, copy, path=path)


def fit_classifier(
    model: keras.Model,
    *,
    parts: labelled_parts.LabelledParts,
    seen: labelled_parts.LabelledParts,
    view: epochs.View,
    losses: Callable,
    info: model_file.ModelInfo,
    run: RunFolder,
    strategy,
) -> None:
    """Trains a model that predicts classes, and writes report/ at the end.

    Args:
        model: keras.Model, built in the scope of `strategy`.
        parts: LabelledParts, at the pictures' own sizes.
        seen: LabelledParts, the same or what `in_memory` made of them.
        view: View of labelled sources.
        losses: function of (targets, outputs); see `Task`.
        info: ModelInfo of the file.
        run: RunFolder.
        strategy: tf.distribute.Strategy.
    """
    task = Task(
        **assembly.task_data(seen.train, seen.validation, view, run.log),
        losses=losses,
        metrics=metrics.label_metrics,
        observe=validation_pictures.ConfusionPicture,
        save_model=functools.partial(model_file.save, info=info),
        train_metrics=metrics.accuracies,
        higher_is_better=metrics.HIGHER_IS_BETTER,
    )
    assembly.run_fit(model, task, train=seen.train, run=run, strategy=strategy)
    if not run.is_chief:
        return
    part = "validation" if seen.test is None else "test"
    _write_report(
        run,
        epochs.epoch(getattr(seen, part), view, epoch=0, training=False),
        source=getattr(parts, part),
        class_names=parts.class_names,
        part=part,
    )


def _write_report(run, dataset, *, source, class_names, part) -> None:
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
        examples=make_examples(source, predictions),
        part=part,
    )
    run.log.info("report: %s\n\n%s", folder, text)


def make_examples(source, predictions) -> list[classifier_report.Example]:
    """Colorizes some test pictures for the figure, if there is a colorizer.

    Args:
        source: source of the pictures, at their own sizes.
        predictions: ClassPredictions of these pictures.

    Returns:
        list of Example, spread evenly over the pictures; empty without
        --colorizer.
    """
    if not classifier_flags.COLORIZER.value:
        return []
    colorizer = colorizer_lib.Colorizer(classifier_flags.COLORIZER.value)
    places = np.linspace(0, len(predictions.names) - 1, _EXAMPLES).round()
    wanted = {predictions.names[int(i)]: int(i) for i in places}
    examples = []
    for example in source.examples().as_numpy_iterator():
        index = wanted.pop(os.fsdecode(example["name"]), None)
        if index is not None:
            rgb, row = example["rgb"], predictions.probabilities[index]
            grey = colorizer_lib.grey(rgb)
            examples.append(
                classifier_report.Example(
                    rgb,
                    grey,
                    colorizer.colorize(grey),
                    predictions.class_names[predictions.labels[index]],
                    predictions.class_names[row.argmax()],
                    float(row.max()),
                )
            )
        if not wanted:
            break
    return examples
