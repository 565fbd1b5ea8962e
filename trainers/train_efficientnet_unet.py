"""Trains a colorizer on an ImageNet encoder: EfficientNet-Lite and a U-net.

    python -m trainers.train_efficientnet_unet
        --flagfile=flags/presets/efficientnet_unet_1.cfg
        --images='photos/**/*.jpg' --workdir=runs/stage1

Without --initial_weights the encoder begins with the weights of a package
(extra [pretrained]), the rest at random. The three presets follow each other,
each from the model before: --initial_weights=runs/stage1/model.keras.

The run folder is that of train_full.
"""

import functools

from absl import flags

from flags import data as data_flags
from flags import efficientnet as efficientnet_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from tfcolor.data import pipelines
from tfcolor.models.efficientnet_unet import check_size
from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.weights import efficientnet_files
from tfcolor.weights import model_file
from tfcolor.weights import transfer
from trainers import assembly
from trainers import initial_weights
from trainers import launch

for _group in (
    data_flags,
    efficientnet_flags,
    objective_flags,
    optimizer_flags,
    run_flags,
):
    flags.adopt_module_key_flags(_group)
# Of other networks.
_UNUSED = ("width", "gradient_stop", "initializer")
flags.mark_flags_as_required(["images", "workdir"])


def main(argv):
    """Reads the flags, then: data, model, fit."""
    config = data_flags.config()
    check_size(config.image_size)
    run, strategy = assembly.start_run(
        __name__, seed=config.seed, unused=_UNUSED
    )

    train, held_out = assembly.open_whole_pictures(run.log, config)
    path = run_flags.INITIAL_WEIGHTS.value
    options = efficientnet_flags.options()
    with strategy.scope():
        if path:
            model = initial_weights.copied(
                assembly.load_network(path),
                efficientnet_unet,
                options,
                transfer.copy_weights,
                path=path,
            )
        else:
            model = efficientnet_unet(**options)
            efficientnet_files.load_encoder(model, variant=options["variant"])

    info = model_file.ModelInfo("efficientnet_unet", config.image_size)
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
