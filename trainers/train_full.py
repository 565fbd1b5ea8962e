"""Trains the full-picture colorizer (Zhang et al., SIGGRAPH 2017).

    python -m trainers.train_full --flagfile=flags/presets/siggraph_small.cfg
        --images='photos/**/*.jpg' --workdir=runs/full

The preset comes first; flags after it override its values. After Ctrl-C or a
crash, the same command continues where it stopped. The run folder holds
flags.cfg, train.log, metrics.csv, curves.png, TensorBoard logs, checkpoints
and model.keras, the model of the best validation so far.

The first comment of a preset says how long it takes and what to expect of it.

On a machine with JAX or PyTorch and no TensorFlow, use `python -m
trainers.train_on_arrays`; --network=siggraph makes this network.
"""

import functools

from absl import flags

from flags import data as data_flags
from flags import model as model_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from tfcolor.data import pipelines
from tfcolor.weights import model_file
from trainers import assembly
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


def main(argv):
    """Reads the flags, then: data, model, fit."""
    config = data_flags.config()
    run, strategy = assembly.start_run(__name__, seed=config.seed)

    train, held_out = assembly.open_whole_pictures(run.log, config)
    with strategy.scope():
        model = assembly.build_siggraph()

    info = model_file.ModelInfo("siggraph", config.image_size)
    assembly.fit_colorizer(
        model,
        train=train,
        held_out=held_out,
        view=pipelines.full_view(config),
        save_model=functools.partial(model_file.save, info=info),
        run=run,
        strategy=strategy,
    )


if __name__ == "__main__":
    launch.run(main)
