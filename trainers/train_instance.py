"""Trains the instance colorizer (Su et al., CVPR 2020, second stage).

    python -m trainers.train_instance --images='photos/**/*.jpg'
        --flagfile=flags/presets/instance_small.cfg --boxes=boxes
        --initial_weights=runs/full/model.keras --workdir=runs/instance

It is the full-picture network, trained on one random box of each picture an
epoch, and on the whole picture where there is none. It starts from the full
colorizer. The run folder is that of train_full.
"""

import functools

from absl import flags

from flags import boxes as box_flags
from flags import data as data_flags
from flags import model as model_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from tfcolor.data import box_pipelines
from tfcolor.weights import model_file
from trainers import assembly
from trainers import launch

for _group in (
    data_flags,
    box_flags,
    model_flags,
    objective_flags,
    optimizer_flags,
    run_flags,
):
    flags.adopt_module_key_flags(_group)
# Boxes are cut out of pictures at their own size, anew in each epoch.
_UNUSED = ("cache",)
flags.mark_flags_as_required(["images", "workdir"])


def main(argv):
    """Reads the flags, then: data, model, fit."""
    config = data_flags.config()
    run, strategy = assembly.start_run(
        __name__, seed=config.seed, unused=_UNUSED
    )

    train, held_out = assembly.open_boxed_sources(run.log)
    with strategy.scope():
        model = assembly.build_siggraph()

    info = model_file.ModelInfo("siggraph", config.image_size)
    assembly.fit_colorizer(
        model,
        train=train,
        held_out=held_out,
        view=box_pipelines.instance_view(config),
        save_model=functools.partial(model_file.save, info=info),
        run=run,
        strategy=strategy,
    )


if __name__ == "__main__":
    launch.run(main)
