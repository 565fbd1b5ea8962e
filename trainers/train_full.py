"""Trains the full-picture colorizer (Zhang et al., SIGGRAPH 2017).

    python -m trainers.train_full --flagfile=flags/presets/siggraph_small.cfg
        --images='photos/**/*.jpg' --workdir=runs/full

A preset comes first: what follows it changes it. Interrupted, by Ctrl-C or
worse, the same command goes on where it stopped. The run folder holds
flags.cfg, train.log, metrics.csv, curves.png, TensorBoard logs, checkpoints
and model.keras, the model of the best validation so far.

Presets say in their heads how long they take and what to expect of them.
"""

import functools
import sys

import keras
from absl import flags

from flags import data as data_flags
from flags import fields
from flags import model as model_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from tfcolor.data import color_statistics
from tfcolor.data import pipelines
from tfcolor.data import sources
from tfcolor.losses import classification
from tfcolor.losses import objective
from tfcolor.metrics import validation
from tfcolor.models.siggraph import siggraph
from tfcolor.training import fit
from tfcolor.training import strategy as strategy_lib
from tfcolor.training.run_folder import RunFolder
from tfcolor.weights import model_file
from tfcolor.weights import shipped
from tfcolor.weights import transfer
from trainers import launch

for _group in (
    data_flags,
    model_flags,
    objective_flags,
    optimizer_flags,
    run_flags,
):
    flags.adopt_module_key_flags(_group)
flags.mark_flags_as_required(["images", "workdir"])


def open_sources(config: pipelines.FullDataConfig, log):
    """Opens the training and validation pictures that the flags name."""
    options = {
        "shrink_to": config.load_side,
        "data_dir": data_flags.DATA_DIR.value,
    }
    train = sources.open_source(data_flags.IMAGES.value, **options)
    if data_flags.VALIDATION_IMAGES.value:
        held_out = sources.open_source(
            data_flags.VALIDATION_IMAGES.value, **options
        )
    else:
        train, held_out = sources.split_by_hash(
            train, share=data_flags.VALIDATION_SHARE.value
        )
    log.info("%d training, %d validation pictures", len(train), len(held_out))
    if config.cache:
        train = pipelines.into_memory(
            train,
            side=config.load_side,
            min_color_range=config.min_color_range,
        )
    if train.drop_log.summary():
        log.info(train.drop_log.summary())
    return train, held_out


def build_model(options: dict) -> keras.Model:
    """Builds the network and gives it the weights to start from."""
    model = siggraph(**options)
    start = run_flags.INITIAL_WEIGHTS.value
    if start:
        load = shipped.load if start in shipped.names() else model_file.load
        transfer.copy_weights(load(start)[0], model)
    return model


def build_losses(config: objective.ObjectiveConfig, training_batches):
    """Makes the loss function, counting colours first where it needs that."""
    bin_weights = None
    if config.class_weight and config.rebalance:
        counts = color_statistics.count_bins(training_batches)
        bin_weights = classification.rebalancing_weights(
            counts, uniform_share=config.rebalance
        )
    return objective.objective(config, bin_weights=bin_weights)


def main(argv):
    """Reads the flags, then: data, model, losses, fit."""
    data_config, fit_config = data_flags.config(), run_flags.config()
    run = RunFolder(run_flags.WORKDIR.value)
    run.write_flags(fields.replay_lines(sys.modules[__name__]))
    keras.utils.set_random_seed(data_config.seed)
    strategy_lib.set_precision(run_flags.PRECISION.value)
    strategy = strategy_lib.build_strategy(run_flags.STRATEGY.value)

    train, held_out = open_sources(data_config, run.log)
    train_data = functools.partial(
        pipelines.full_dataset, train, data_config, training=True
    )
    validation_data = pipelines.full_dataset(
        held_out, data_config, epoch=0, training=False
    )

    with strategy.scope():
        model = build_model(model_flags.options())
    info = model_file.ModelInfo("siggraph", data_config.image_size)
    task = fit.Task(
        train_data=lambda epoch: train_data(epoch=epoch),
        validation_data=validation_data.cache(),
        losses=build_losses(objective_flags.config(), train_data(epoch=0)),
        metrics=validation.colorizer_metrics,
        draw=validation.draw_triples,
        batch_size=data_config.batch_size,
        save_model=functools.partial(model_file.save, info=info),
    )
    fit.fit(
        model,
        task,
        steps_per_epoch=fit_config.steps_per_epoch
        or sources.steps_in(train, data_config.batch_size),
        config=fit_config,
        optimizer_config=optimizer_flags.config(),
        run=run,
        strategy=strategy,
    )
    if train.drop_log.summary():
        run.log.info(train.drop_log.summary())
    run.log.info("done: %s", run.model)


if __name__ == "__main__":
    launch.run(main)
