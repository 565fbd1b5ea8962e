"""Trains the ResNet colorizer (Melas-Kyriazi and Han 2018).

    python -m trainers.train_resnet_colorizer --images='photos/**/*.jpg'
        --flagfile=flags/presets/resnet_small.cfg --workdir=runs/resnet

It sees lightness alone: hints play no part. --initial_weights may be a
colorizer of the same shape, or ResNet-18 as `tfcolor import-weights` writes it,
from which the encoder then starts. --form=faithful --lightness=grey is the form
of the study of ensembles.

The run folder is that of train_full.
"""

import functools

from absl import flags

from flags import data as data_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import resnet as resnet_flags
from flags import run as run_flags
from tfcolor.data import lightness
from tfcolor.data import pipelines
from tfcolor.weights import model_file
from trainers import assembly
from trainers import launch
from trainers import resnet_assembly

for _group in (
    data_flags,
    objective_flags,
    optimizer_flags,
    resnet_flags,
    run_flags,
):
    flags.adopt_module_key_flags(_group)
flags.declare_key_flag("width")
flags.mark_flags_as_required(["images", "workdir"])


def main(argv):
    """Reads the flags, then: data, model, fit."""
    config = data_flags.config()
    resnet_assembly.check_objective()
    run, strategy = assembly.start_run(__name__, seed=config.seed)

    train, held_out = assembly.open_whole_pictures(run.log, config)
    with strategy.scope():
        model = resnet_assembly.build_resnet()

    info = model_file.ModelInfo("resnet_colorizer", config.image_size)
    assembly.fit_colorizer(
        model,
        train=train,
        held_out=held_out,
        view=lightness.lightness_only(
            pipelines.full_view(config), resnet_flags.LIGHTNESS.value
        ),
        save_model=functools.partial(model_file.save, info=info),
        run=run,
        strategy=strategy,
    )


if __name__ == "__main__":
    launch.run(main)
