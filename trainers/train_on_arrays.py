"""Trains a colorizer on any Keras backend, from pictures in arrays.

    python -m trainers.train_on_arrays --pack=photos --packs=packs
    KERAS_BACKEND=torch python -m trainers.train_on_arrays --packs=packs
        --flagfile=flags/presets/efficientnet_unet_gpu.cfg --workdir=runs/gpu
        --feature_weight=0.25 --steps=1000000 --minutes=10
        --precision=bfloat16

For machines with a GPU and JAX or PyTorch, but no TensorFlow: beside the
backend it needs keras, numpy and Pillow, and without --initial_weights the
extra [pretrained]. The first command packs pictures as WebP of --pack_size
squares into files of at most 55 MB, where all of tfcolor is installed. The
second reads them into memory once, and does all else on the device: parts of
random size, mirrors, age, hints, CIELAB. Where all pictures fit into half of
the device's free memory, they stay there.

On an NVIDIA H200, KERAS_BACKEND=torch learns from 2,400 pictures of 192 pixels
a second in batches of 512, which keep the device busier than smaller ones; jax
had not compiled the step there after three minutes. --adversarial_weight makes
each step several times as long.

It takes the presets of train_efficientnet_unet, and with --network=siggraph the
flags of train_full's network. --teacher=lite2_unet lets a small network learn
from a large one, in the proportion of --teacher_share. These flags of the
presets have no effect here: --epochs, --best_by, --cache, --min_color_range and
--load_size. --steps is the length, --minutes a limit, the last weights are
kept, and nearly grey pictures are to be left out of the packs. For
--schedule=released, an epoch is a pass over the pictures.

The run folder gets model.keras, a minute old at most: the moving average of
--ema_momentum, in float32. The loss goes to the screen, and
why a run ended early to train.log too. A run that was stopped
does not go on: the same command begins anew, and --initial_weights with its
model.keras from what it had learned. For several machines, exact resumption
and TensorBoard: train_efficientnet_unet.
"""

import os

import keras
import numpy as np
from absl import app
from absl import flags
from keras import ops

from flags import efficientnet as efficientnet_flags
from flags import fields
from flags import model as model_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import teacher as teacher_flags
from tfcolor.color import ab_bins
from tfcolor.color import lab
from tfcolor.data import files
from tfcolor.data import full_data_config
from tfcolor.data import packs
from tfcolor.layers import bin_colors
from tfcolor.losses import colorized
from tfcolor.losses import distillation
from tfcolor.losses import objective
from tfcolor.models import architecture
from tfcolor.models import blend
from tfcolor.models import discriminator
from tfcolor.models import efficientnet_lite
from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file
from tfcolor.weights import shipped
from tfcolor.weights import transfer
from trainers import array_fit
from trainers import array_steps
from trainers import initial_weights
from trainers import launch

# What `packs` calls flags otherwise than they are.
_ARGUMENTS = {"pictures": "--pack", "write": "--pack", "folder": "--packs"}
# Keras' files of weights alone.
_WEIGHTS_ALONE = (".h5", ".hdf5", ".weights.json")
_TRY_LESS = "a smaller --batch_size or --image_size, or --precision=bfloat16"
_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

PACK = flags.DEFINE_string(
    "pack",
    None,
    "Pictures to pack into --packs, folders or globs; then nothing else.",
)
PACKS = flags.DEFINE_string("packs", None, "Folder of packed pictures.")
PACK_SIZE = flags.DEFINE_integer(
    "pack_size", 176, "Side in pixels of the packed squares.", lower_bound=1
)
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.")
INITIAL_WEIGHTS = flags.DEFINE_string(
    "initial_weights",
    None,
    "Model to start from, a .keras file or the name of one that ships.",
)
STEPS = flags.DEFINE_integer("steps", 1000, "Length of the run.", lower_bound=1)
MINUTES = flags.DEFINE_float(
    "minutes",
    None,
    "Limit of the run, the reading of the packs and the last save included. "
    "The schedule follows the larger of the shares of steps and of time.",
    lower_bound=0.01,
)
PRECISION = flags.DEFINE_enum(
    "precision",
    "float32",
    list(_POLICIES),
    "Number format of the network; weights, colors and losses are float32.",
)
LOG_STEPS = flags.DEFINE_integer(
    "log_steps", 50, "Steps between two rows.", lower_bound=1
)
# Lines of presets that have no meaning here.
flags.DEFINE_integer("epochs", 1, "Ignored: --steps is the length.")
flags.DEFINE_string("best_by", "last", "Ignored: the last weights are kept.")
_data = fields.define(full_data_config.FullDataConfig)
FEATURE_WEIGHT = flags.DEFINE_float(
    "feature_weight",
    0.0,
    "Weight of how differently an EfficientNet-Lite0 for ImageNet sees the "
    "true and the predicted picture; needs the extra [pretrained].",
    lower_bound=0,
)
FEATURE_CLASS_SHARE = flags.DEFINE_float(
    "feature_class_share",
    0.0,
    "Share of the classes' color in what --feature_weight looks at, as in a "
    "style of a model that ships; the rest is the regression's.",
    lower_bound=0,
    upper_bound=1,
)
FEATURE_TEMPERATURE = flags.DEFINE_float(
    "feature_temperature", 0.55, "Temperature of that color."
)
ADVERSARIAL_WEIGHT = flags.DEFINE_float(
    "adversarial_weight",
    0.0,
    "Weight of a discriminator's judgement, which is trained along. Its layers "
    "are those of 'conv[0-9]|attention_|logits/' for --slow_layers.",
    lower_bound=0,
)
DISCRIMINATOR_WIDTH = flags.DEFINE_float(
    "discriminator_width", 0.5, "Factor on its filters."
)

for _group in (
    efficientnet_flags,
    model_flags,
    objective_flags,
    optimizer_flags,
    teacher_flags,
):
    flags.adopt_module_key_flags(_group)
flags.mark_flag_as_required("packs")


def count_bins(pictures: np.ndarray) -> np.ndarray:
    """Counts the ab bins of some pictures: float64 [529]."""
    ab = lab.bytes_to_L_and_ab(pictures[: objective.COUNTED, ::4, ::4])[1]
    return ab_bins.count(ab)


def make_losses(pictures: np.ndarray, teacher: keras.Model | None = None):
    """Makes the loss function of the flags; see `objective.objective`.

    Args:
        pictures: uint8 array [N, P, P, 3].
        teacher: keras.Model or None, of `load_teacher`.
    """
    wanted = objective_flags.config()
    weights = objective.bin_weights(wanted, lambda: count_bins(pictures))
    if weights is not None:
        # Once, not in each step.
        weights = ops.convert_to_tensor(weights)
    losses = objective.objective(wanted, bin_weights=weights)
    if teacher is not None:
        losses = distillation.distilled(
            losses,
            teacher,
            config=wanted,
            share=teacher_flags.TEACHER_SHARE.value,
        )
    features = build_features() if FEATURE_WEIGHT.value else None

    def all_losses(targets, outputs):
        result = losses(targets, outputs)
        if features is not None:
            true, found = (
                lab.lab_to_rgb(ops.concatenate([targets["L"], ab], axis=-1))
                for ab in (targets["ab"], blended(outputs))
            )
            result["features"] = (
                FEATURE_WEIGHT.value
                * colorized.feature_distance(features, true, found)
            )
        if ADVERSARIAL_WEIGHT.value:
            result |= colorized.adversarial_losses(
                outputs, weight=ADVERSARIAL_WEIGHT.value
            )
        return result

    return all_losses


def blended(outputs: dict):
    """Returns the color that --feature_weight looks at: [B, H, W, 2]."""
    share = FEATURE_CLASS_SHARE.value
    if not share:
        return outputs["ab"]
    classes = bin_colors.BinColors(
        temperature=FEATURE_TEMPERATURE.value, scale=blend.CLASS_STEP
    )(outputs["ab_logits"])
    return (1 - share) * outputs["ab"] + share * classes


def build_features() -> keras.Model:
    """Builds the network of --feature_weight, in --precision."""
    features = efficientnet_lite.efficientnet_features()
    load_imagenet(features, "lite0")
    return features


def load_imagenet(network: keras.Model, variant: str) -> None:
    """Gives an encoder the weights that a package carries."""
    # Needs packages of its own.
    from tfcolor.weights import efficientnet_files

    efficientnet_files.load_encoder(network, variant=variant)


def load_teacher() -> keras.Model | None:
    """Loads the network of --teacher, in float32.

    Raises:
        ValueError: it does not predict a distribution over colors.
    """
    path = teacher_flags.TEACHER.value
    if not path:
        return None
    network = load_network(path)
    network.trainable = False
    if "ab_logits" not in network.output:
        raise ValueError(
            "--teacher must be a colorizer with a distribution over colors. "
            f"Received: --teacher={path!r}, {network.name!r}"
        )
    return network


def load_network(name_or_path: str) -> keras.Model:
    """Loads a model that ships or a .keras file, without its blend."""
    load = shipped.load if name_or_path in shipped.names() else model_file.load
    return blend.network(load(name_or_path)[0])


def build_networks(path: str | None):
    """Builds the network to be kept and the one to be trained.

    Args:
        path: str or None, of the model to start from.

    Returns:
        Two keras.Model of the same weights: in float32, and in --precision.

    Raises:
        ValueError: the weights do not fit, or cannot be read.
    """
    if teacher_flags.NETWORK.value == "siggraph":
        build, options = siggraph, model_flags.options()
    else:
        build, options = efficientnet_unet, efficientnet_flags.options()
    if path and path.endswith(_WEIGHTS_ALONE):
        kept = build(**options)
        load_weights(kept, path)
    elif path:
        start = load_network(path)
        if build is siggraph:
            options |= initial_weights.seen_mask(start)
        kept = initial_weights.copied(
            start, build, options, transfer.copy_weights, path=path
        )
    else:
        kept = build(**options)
        if build is efficientnet_unet:
            load_imagenet(kept, options["variant"])
    keras.mixed_precision.set_dtype_policy(_POLICIES[PRECISION.value])
    trained = build(**options)
    trained.set_weights(kept.get_weights())
    if ADVERSARIAL_WEIGHT.value:
        judge = discriminator.discriminator(width=DISCRIMINATOR_WIDTH.value)
        trained = discriminator.Judged(trained, judge)
    return kept, trained


def load_weights(network: keras.Model, path: str) -> None:
    """Loads a file of weights that does not say what network they are of.

    Args:
        network: keras.Model.
        path: str, of a file as `keras.Model.save_weights` writes it.

    Raises:
        ValueError: they do not fit.
    """
    try:
        network.load_weights(path)
    except (ValueError, KeyError) as error:
        raise ValueError(
            "--initial_weights must be weights of a network of the same flags. "
            f"Received: --initial_weights={path!r} for {network.name!r}"
        ) from error


def check_size(image_size: int, *networks: keras.Model | None) -> None:
    """Raises ValueError unless networks take pictures of that side."""
    for network in networks:
        if network is None:
            continue
        multiple = architecture.takes(network).size_multiple
        if image_size % multiple:
            raise ValueError(
                f"--image_size must be a multiple of {multiple} for "
                f"{network.name!r}. Received: --image_size={image_size}"
            )


def read_pictures(image_size: int) -> np.ndarray:
    """Reads --packs.

    Args:
        image_size: int, side in pixels of what the network sees.

    Returns:
        uint8 array [N, P, P, 3].

    Raises:
        FileNotFoundError: there are none.
        ValueError: they are damaged, or smaller than `image_size`.
    """
    pictures = packs.read(PACKS.value)
    side = pictures.shape[1]
    if image_size > side:
        raise ValueError(
            "--image_size must be at most the side of the packed pictures, "
            f"{side}. Received: --image_size={image_size}"
        )
    print(
        f"{len(pictures)} pictures of {side} pixels, "
        f"{keras.backend.backend()} backend",
        flush=True,
    )
    return pictures


def train() -> None:
    """Reads the flags, then: pictures, network, fit."""
    clock = array_fit.Clock(MINUTES.value)
    config = full_data_config.FullDataConfig(**_data())
    rates = optimizer_flags.config()
    keras.utils.set_random_seed(config.seed)
    files.make_output_folder(WORKDIR.value)
    pictures = read_pictures(config.image_size)
    schedule = array_fit.Schedule(
        rates,
        steps=STEPS.value,
        steps_per_pass=max(1, len(pictures) // config.batch_size),
    )
    if schedule.note():
        print(schedule.note(), flush=True)
    teacher = load_teacher()
    network, trained = build_networks(INITIAL_WEIGHTS.value)
    check_size(config.image_size, network, teacher)
    steps = array_steps.of_backend(
        trained, make_losses(pictures, teacher), pictures, config, rates
    )
    path = os.path.join(WORKDIR.value, "model.keras")
    info = model_file.ModelInfo(teacher_flags.NETWORK.value, config.image_size)
    array_fit.fit(
        steps,
        packs.batches(
            len(pictures), batch_size=config.batch_size, seed=config.seed
        ),
        schedule,
        array_fit.Kept(network, path, info),
        length=STEPS.value,
        batch_size=config.batch_size,
        clock=clock,
        log_steps=LOG_STEPS.value,
    )
    print(f"done: {path}")


def main(argv):
    """Packs pictures, or trains."""
    del argv
    if PACK.value:
        count = packs.write(PACK.value, PACKS.value, size=PACK_SIZE.value)
        print(f"packed {count} pictures into {PACKS.value}")
    elif WORKDIR.value is None:
        raise app.UsageError("--workdir must be given")
    else:
        train()


if __name__ == "__main__":
    launch.run(main, try_less=_TRY_LESS, **_ARGUMENTS)
