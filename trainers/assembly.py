"""From flags to a run and its parts: what all trainers of `tf.data` share."""

import contextlib
import math
import os
import sys
from collections.abc import Callable
from collections.abc import Collection

import keras
import numpy as np
import tensorflow as tf
from absl import flags

from flags import boxes as box_flags
from flags import data as data_flags
from flags import fields
from flags import model as model_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from tfcolor import atomic
from tfcolor import keras_backend
from tfcolor import metrics
from tfcolor.boxes import box_files
from tfcolor.color import ab_bins
from tfcolor.data import box_pipelines
from tfcolor.data import epochs
from tfcolor.data import files
from tfcolor.data import full_data_config
from tfcolor.data import memory_source
from tfcolor.data import sources
from tfcolor.inference import colorization_model
from tfcolor.losses import objective
from tfcolor.models import blend
from tfcolor.models.siggraph import siggraph
from tfcolor.training import fit
from tfcolor.training import optimizer as optimizer_lib
from tfcolor.training import strategy as strategy_lib
from tfcolor.training import validation_pictures
from tfcolor.training import workers
from tfcolor.training.run_folder import RunFolder
from tfcolor.training.task import Task
from tfcolor.weights import transfer
from trainers import initial_weights
from trainers import launch

# Validation data that take more memory are not kept in it.
_KEPT_BYTES = 4 * 2**30


def start_run(program: str, *, seed: int, unused: Collection[str] = ()):
    """Opens the run folder and sets seed, precision and strategy.

    Args:
        program: str, `__name__` of the trainer.
        seed: int, of the initial weights.
        unused: names of flags that play no part in this trainer.

    Returns:
        RunFolder and tf.distribute.Strategy.

    Raises:
        OSError: the folder cannot be written, or another process trains
            there.
        ValueError: a flag of `unused` is on the command line, or Keras has
            another backend than TensorFlow.
    """
    keras_backend.require_tensorflow(
        "Every trainer but trainers.train_on_arrays"
    )
    ignored = _ignored(unused)
    # First: workers find each other before anything is computed.
    strategy = strategy_lib.build_strategy(run_flags.STRATEGY.value)
    worker = strategy_lib.this_worker(strategy)
    # `fit` keeps others away; here nothing of theirs is touched.
    folder = run_flags.WORKDIR.value
    alone = atomic.held(folder) if worker.is_chief else contextlib.nullcontext()
    with alone:
        run = RunFolder(folder, is_chief=worker.is_chief)
        run.write_flags(fields.replay_lines(sys.modules[program]))
    if ignored:
        run.log.warning("no part is played here by %s", ", ".join(ignored))
    if worker.count > 1:
        run.log.info("worker %d of %d", worker.index, worker.count)
    keras.utils.set_random_seed(seed)
    strategy_lib.set_precision(run_flags.PRECISION.value)
    return run, strategy


def _ignored(unused: Collection[str]) -> list[str]:
    """Finds flags that were given and mean nothing.

    Flag files may have them: presets serve several trainers, and the
    flags.cfg of earlier runs hold what was said then.

    Raises:
        ValueError: one is on the command line.
    """
    typed = {
        argument.lstrip("-").partition("=")[0]
        for argument in sys.argv[1:]
        if argument.startswith("-")
    }
    ignored = []
    for name in unused:
        flag = flags.FLAGS[name]
        if flag.value == flag.default:
            continue
        if typed & {name, f"no{name}"}:
            raise ValueError(
                f"--{name} plays no part in this trainer and must not be "
                f"given. Received: {flag.serialize()}"
            )
        ignored.append(flag.serialize())
    return ignored


def told(say: Callable) -> Callable[[str], None]:
    """Makes a log's method say texts of the library in flags.

    Args:
        say: function as `logging.Logger.info`.

    Returns:
        function of a line of text.
    """
    return lambda line: say("%s", launch.in_flags(line))


def open_sources(log, *, shrink_to: int | None = None):
    """Opens the training and validation pictures that the flags name.

    Args:
        log: logging.Logger.
        shrink_to: int or None. See `decode.decode_rgb`.

    Returns:
        Two sources.
    """
    options = {
        "shrink_to": shrink_to,
        "data_dir": data_flags.DATA_DIR.value,
        "skip_corrupt": data_flags.SKIP_CORRUPT.value,
        "max_pixels": data_flags.MAX_PIXELS.value,
    }
    train = sources.open_source(data_flags.IMAGES.value, **options)
    if data_flags.VALIDATION_IMAGES.value:
        held_out = sources.open_source(
            data_flags.VALIDATION_IMAGES.value, **options
        )
    else:
        share, fewest = data_flags.held_out(len(train))
        train, held_out = sources.split_by_hash(
            train, share=share, fewest=fewest, say=told(log.info)
        )
    log.info("%d training, %d validation pictures", len(train), len(held_out))
    return train, held_out


def open_whole_pictures(log, config: full_data_config.FullDataConfig):
    """Opens the pictures of the full stage, as large as it loads them.

    Args:
        log: logging.Logger.
        config: FullDataConfig; with `cache` those of training are squares in
            memory.

    Returns:
        Two sources, of training and validation.
    """
    train, held_out = open_sources(log, shrink_to=config.load_side)
    if config.cache:
        train = memory_source.into_memory(
            train,
            side=config.load_side,
            min_color_range=config.min_color_range,
        )
    return train, held_out


def open_boxed_sources(log):
    """Opens the pictures that the flags name, with their boxes.

    Args:
        log: logging.Logger.

    Returns:
        Two BoxedSources, for training and validation.
    """
    return with_boxes(open_sources(log), box_pipelines.BoxedSource)


def with_boxes(opened, boxed: Callable) -> tuple:
    """Gives sources the boxes of the flags, or those they have themselves.

    Args:
        opened: sources.
        boxed: function of (source, boxes, max_boxes=), such as BoxedSource.

    Returns:
        tuple of what `boxed` makes of each source.

    Raises:
        ValueError: there are no boxes.
    """
    boxes = None
    if box_flags.BOXES.value:
        boxes = box_files.open_boxes(box_flags.BOXES.value)
    elif not all(source.has_boxes for source in opened):
        raise ValueError(
            "--boxes must be given, unless the pictures are shards that have "
            "boxes. Received: no --boxes"
        )
    max_boxes = box_flags.config().max_boxes
    return tuple(boxed(source, boxes, max_boxes=max_boxes) for source in opened)


def load_model(name_or_path: str) -> keras.Model:
    """Loads a model to start from.

    Args:
        name_or_path: str, of a shipped or a published model, or of a file; see
            `colorization_model.open_model`.

    Returns:
        keras.Model.
    """
    return colorization_model.open_model(name_or_path)[0]


def load_network(name_or_path: str) -> keras.Model:
    """Loads the network that other networks start from.

    Args:
        name_or_path: str; see `load_model`.

    Returns:
        keras.Model: what `load_model` returns, or the network inside a blend.
    """
    return blend.network(load_model(name_or_path))


def build_siggraph() -> keras.Model:
    """Builds the network of the flags, with the weights to start from."""
    path, options = run_flags.INITIAL_WEIGHTS.value, model_flags.options()
    if not path:
        return siggraph(**options)
    start = load_network(path)
    return initial_weights.copied(
        start,
        siggraph,
        options | initial_weights.seen_mask(start),
        transfer.copy_weights,
        path=path,
    )


def build_losses(config: objective.ObjectiveConfig, training_batches, drop_log):
    """Makes the loss function, counting colors first where it needs that.

    Args:
        config: ObjectiveConfig.
        training_batches: Dataset of (inputs, targets).
        drop_log: DropLog of the training pictures.

    Returns:
        Function of (targets, outputs); see `objective.objective`.

    Raises:
        ValueError: there is no batch.
    """

    def count():
        counts = count_bins(training_batches)
        if not counts.any():
            dropped = drop_log.summary() or "nothing was dropped"
            raise ValueError(
                "The training pictures that are not dropped must fill a batch "
                f"(--batch_size). Received: no batch; {dropped}"
            )
        return counts

    return objective.objective(
        config, bin_weights=objective.bin_weights(config, count)
    )


def count_bins(
    dataset: tf.data.Dataset, *, limit: int = objective.COUNTED
) -> np.ndarray:
    """Counts the ab bins of a data set's pictures.

    Args:
        dataset: batches of (inputs, {"ab": float32 [B, H, W, 2]}).
        limit: int, how many pictures to look at.

    Returns:
        float64 array [529], pixels in each bin.
    """
    counts, pictures = np.zeros(ab_bins.NUM_BINS), 0
    for _, targets in dataset:
        counts += ab_bins.count(targets["ab"])
        pictures += int(targets["ab"].shape[0])
        if pictures >= limit:
            break
    return counts


def fit_colorizer(
    model: keras.Model,
    *,
    train,
    held_out,
    view: epochs.View,
    save_model: Callable,
    run: RunFolder,
    strategy,
    losses: Callable | None = None,
) -> None:
    """Trains a model that predicts ab, and says what was left out.

    Args:
        model: keras.Model, built in the scope of `strategy`.
        train: source of training pictures.
        held_out: source of validation pictures.
        view: View of the sources to targets with "ab".
        save_model: function of (model, path).
        run: RunFolder.
        strategy: tf.distribute.Strategy.
        losses: function of (targets, outputs), or None, those of the flags of
            `objective`.

    Raises:
        ValueError: the training pictures do not fill a batch.
    """
    _length(train, view.config.batch_size)
    data = task_data(train, held_out, view, run.log)
    if losses is None:
        losses = build_losses(
            objective_flags.config(),
            data["train_data"](0, None).map(
                view.finished,
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            ),
            train.drop_log,
        )
    task = Task(
        **data,
        losses=losses,
        metrics=metrics.colorizer_metrics,
        observe=validation_pictures.FirstTriples,
        save_model=save_model,
        higher_is_better=("psnr",),
        floors={"psnr": "grey_psnr"},
    )
    run_fit(model, task, train=train, run=run, strategy=strategy)


def task_data(train, held_out, view: epochs.View, log) -> dict:
    """Makes what a task has of data.

    Args:
        train: source of training pictures.
        held_out: source of validation pictures.
        view: View of both.
        log: logging.Logger.

    Returns:
        dict of arguments of `Task`.
    """
    steps = run_flags.config().steps_per_epoch

    def batches(source, **options):
        made = epochs.drawn(source, view, steps=steps, **options)
        return made.prefetch(tf.data.AUTOTUNE)

    return {
        "train_data": lambda epoch, context: batches(
            train, epoch=epoch, training=True, context=context
        ),
        "validation_data": kept(
            batches(held_out, epoch=0, training=False), len(held_out), log
        ),
        "finish": view.finished,
        "batch_size": view.config.batch_size,
        "name_batch": batch_names(batches, train),
    }


def _length(train, batch_size: int) -> tuple[int, int | None]:
    """Returns the steps of an epoch and of a pass; see `fit.fit`.

    Raises:
        ValueError: there are fewer pictures than a batch needs.
    """
    steps = run_flags.config().steps_per_epoch
    if steps and train.repeats:
        # From there an epoch is one data set, however long it is.
        return steps, None
    steps_per_pass = sources.steps_in(train, batch_size)
    return steps or steps_per_pass, steps_per_pass


def kept(batches: tf.data.Dataset, pictures: int, log) -> tf.data.Dataset:
    """Keeps validation data in memory after the first pass, if they fit.

    Args:
        batches: Dataset of batches.
        pictures: int, how many there are at most.
        log: logging.Logger; is told if they are made anew each time.

    Returns:
        Dataset.
    """
    size = pictures * sum(
        math.prod(spec.shape[1:]) * spec.dtype.size
        for spec in tf.nest.flatten(batches.element_spec)
        if spec.dtype != tf.string and spec.shape[1:].is_fully_defined()
    )
    if size <= _KEPT_BYTES:
        return batches.cache()
    log.info(
        "%d validation pictures, %.0f GB: made anew in each validation "
        "(--validation_epochs, --validation_share)",
        pictures,
        size / 1e9,
    )
    return batches


def batch_names(batches: Callable, source) -> Callable:
    """Makes what says which pictures a training batch is of.

    Args:
        batches: function of (source, epoch=, training=, names=) to a Dataset
            of batches with "name".
        source: source of training pictures.

    Returns:
        Function of the number of a pass (see `Task`) and the place of a
        batch in it, int from 0, to a list of str. It reads the pass up to
        there once more.
    """

    def names(epoch: int, place: int) -> list[str]:
        passed = batches(source, epoch=epoch, training=True, names=True)
        found = passed.repeat().skip(place).take(1)
        return [
            files.shown_name(os.fsdecode(name))
            for batch in found.as_numpy_iterator()
            for name in batch["name"]
        ]

    return names


def run_fit(model: keras.Model, task: Task, *, train, run, strategy):
    """Trains by the flags, and says what was left out.

    Args:
        model: keras.Model, built in the scope of `strategy`.
        task: Task.
        train: source of training pictures.
        run: RunFolder.
        strategy: tf.distribute.Strategy.
    """
    fit_config, optimizer_config = run_flags.config(), optimizer_flags.config()
    steps_per_epoch, steps_per_pass = _length(train, task.batch_size)
    note = optimizer_lib.schedule_note(
        optimizer_config, epochs=fit_config.epochs
    )
    if note:
        told(run.log.warning)(note)
    try:
        fit.fit(
            model,
            task,
            steps_per_epoch=steps_per_epoch,
            steps_per_pass=steps_per_pass,
            config=fit_config,
            optimizer_config=optimizer_config,
            run=run,
            strategy=strategy,
        )
    except workers.WorkerLost:
        run.discard()
        raise
    if train.drop_log.summary():
        told(run.log.info)(train.drop_log.summary())
    if run.is_chief:
        run.log.info("done: %s", run.model)
    else:
        run.log.info(
            "done: the first worker has written %s", run_flags.WORKDIR.value
        )
        run.discard()
