"""Trains DDColor (Kang et al., ICCV 2023).

    python -m trainers.train_ddcolor --images='photos/**/*.jpg'
        --flagfile=flags/presets/ddcolor_paper.cfg --workdir=runs/ddcolor
        --encoder_weights=convnext_large_22k_224.pth
        --vgg_weights=vgg16_bn-6c64b313.pth

Losses: the distance of ab, and how colorful pictures are. --perceptual_weight
adds the perceptual loss, which needs --vgg_weights; --adversarial_weight adds a
discriminator, which begins at random and learns in the same steps. Weights of
the encoder and of VGG16 are files that the user has; without --encoder_weights
or --initial_weights (a published name, `ddcolor_tiny` with --encoder=tiny, or a
file) the encoder begins at random, which takes far longer.
docs/ddcolor.md says what is not as published.

The run folder is that of train_full; a discriminator is in the checkpoints and
not in model.keras.
"""

from absl import flags

from flags import data as data_flags
from flags import ddcolor as ddcolor_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from tfcolor.data import lightness
from tfcolor.data import pipelines
from tfcolor.losses import colorized
from tfcolor.models.ddcolor import ddcolor
from tfcolor.models.discriminator import Judged
from tfcolor.models.discriminator import discriminator
from tfcolor.models.vgg import vgg16_features
from tfcolor.weights import ddcolor_keys
from tfcolor.weights import model_file
from tfcolor.weights import pytorch_files
from tfcolor.weights import torchvision
from tfcolor.weights import transfer
from trainers import assembly
from trainers import initial_weights
from trainers import launch

for _group in (data_flags, ddcolor_flags, optimizer_flags, run_flags):
    flags.adopt_module_key_flags(_group)
flags.declare_key_flag("width")
flags.mark_flags_as_required(["images", "workdir"])


def _build_network():
    """Builds the network of the flags, with the weights to start from."""
    path, options = run_flags.INITIAL_WEIGHTS.value, ddcolor_flags.options()
    if path:
        return initial_weights.copied(
            assembly.load_model(path),
            ddcolor,
            options,
            transfer.copy_weights,
            path=path,
        )
    model = ddcolor(**options)
    path = ddcolor_flags.ENCODER_WEIGHTS.value
    if path:
        ddcolor_keys.encoder_arrays(pytorch_files.read_state(path), model)
    return model


def _build_features(config: colorized.ColorizedConfig):
    """Builds VGG16 with the user's weights; None where it is not needed."""
    path = ddcolor_flags.VGG_WEIGHTS.value
    if not config.perceptual_weight or not path:
        return None
    state = pytorch_files.read_state(path)
    model = vgg16_features(width=torchvision.vgg16_width(state))
    torchvision.load_vgg16(model, state)
    return model


def main(argv):
    """Reads the flags, then: data, model, fit."""
    config = data_flags.config()
    objective = ddcolor_flags.objective()
    run, strategy = assembly.start_run(__name__, seed=config.seed)

    train, held_out = assembly.open_whole_pictures(run.log, config)
    with strategy.scope():
        model = _build_network()
        features = _build_features(objective)
        trained = model
        if objective.adversarial_weight:
            trained = Judged(model, discriminator())

    def with_pictures(inputs, targets):
        # Losses look at whole pictures.
        targets = inputs | targets
        if objective.adversarial_weight:
            inputs["rgb"] = colorized.true_rgb(
                targets["L"], targets["ab"], enhancement=objective.enhancement
            )
        return inputs, targets

    view = lightness.lightness_only(pipelines.full_view(config), "picture")
    info = model_file.ModelInfo(
        "ddcolor", config.image_size, upsampling="guided"
    )
    assembly.fit_colorizer(
        trained,
        train=train,
        held_out=held_out,
        view=view.then(with_pictures),
        save_model=lambda _, path: model_file.save(model, path, info),
        run=run,
        strategy=strategy,
        losses=colorized.objective(objective, features=features),
    )


if __name__ == "__main__":
    launch.run(main)
