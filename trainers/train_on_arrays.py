"""Trains a colorizer on any Keras backend, from pictures in arrays.

    python -m trainers.train_on_arrays --pack='photos/**/*.jpg' --packs=packs
    KERAS_BACKEND=jax python -m trainers.train_on_arrays --packs=packs
        --flagfile=flags/presets/efficientnet_unet_2.cfg --workdir=runs/stage2
        --initial_weights=runs/stage1/model.keras --steps=20000 --batch_size=128

For machines with a GPU and JAX or PyTorch, but no TensorFlow: beside the
backend it needs keras, numpy and Pillow. The first command packs pictures as
JPEGs of --pack_size squares into files of at most 55 MB; it runs anywhere. The
second reads them into memory once, and does all else on the device: parts of
random size, mirrors, age, hints, CIELAB.

It takes the presets of train_efficientnet_unet; --cache, --min_color_range,
--load_size and --epochs mean nothing here, --steps is the length. The run
folder gets model.keras, a minute old at most; the loss goes to the screen. For
several machines, exact resumption and TensorBoard: train_efficientnet_unet.
"""

import os
import sys
import time

import keras
import numpy as np
from absl import app
from absl import flags
from keras import ops

from flags import efficientnet as efficientnet_flags
from flags import fields
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from tfcolor.color import ab_bins
from tfcolor.color import lab
from tfcolor.data import full_data_config
from tfcolor.data import memory
from tfcolor.data import packs
from tfcolor.losses import classification
from tfcolor.losses import objective
from tfcolor.models.efficientnet_unet import check_size
from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.training import optimizer as optimizer_lib
from tfcolor.weights import efficientnet_files
from tfcolor.weights import model_file

_COUNTED = 2000
# Patches of hints a picture gets at most, and their largest side in pixels.
_PATCHES, _PATCH_SIDE = 24, 9
_SAVE_SECONDS = 60

PACK = flags.DEFINE_string(
    "pack", None, "Pictures to pack into --packs, a glob; then nothing else."
)
PACKS = flags.DEFINE_string("packs", None, "Folder of packed pictures.")
PACK_SIZE = flags.DEFINE_integer(
    "pack_size", 176, "Side in pixels of the packed squares."
)
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.")
INITIAL_WEIGHTS = flags.DEFINE_string(
    "initial_weights", None, "Model to start from, a .keras file."
)
STEPS = flags.DEFINE_integer("steps", 1000, "Length of the run.")
LOG_STEPS = flags.DEFINE_integer("log_steps", 50, "Steps between two rows.")
# Lines of presets that have no meaning here.
flags.DEFINE_integer("epochs", 1, "Ignored: --steps is the length.")
flags.DEFINE_string("best_by", "last", "Ignored: the last weights are kept.")
_data = fields.define(full_data_config.FullDataConfig)

for _group in (efficientnet_flags, objective_flags, optimizer_flags):
    flags.adopt_module_key_flags(_group)
flags.mark_flag_as_required("packs")


class OnDevice(keras.Model):
    """A colorizer whose loss is computed from packed pictures, on the device.

    Args:
        network: keras.Model with the inputs and outputs of `siggraph`.
        losses: function of `objective.objective`.
        config: FullDataConfig.
        seed: int.

    Call arguments:
        rgb: uint8 tensor [B, S, S, 3], S at least `config.image_size`.
    """

    def __init__(self, network, losses, config, *, seed: int = 0):
        super().__init__()
        self.network = network
        self.picture_losses = losses
        self.config = config
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, rgb, training=False):
        """Adds the losses of a batch, and returns its ab."""
        rgb = ops.cast(rgb, "float32") / 255.0
        count, size = ops.shape(rgb)[0], self.config.image_size
        if training:
            rgb = self._random_views(rgb, count)
        else:
            edge = (rgb.shape[1] - size) // 2
            rgb = rgb[:, edge : edge + size, edge : edge + size]
        colors = lab.rgb_to_lab(rgb)
        L, ab = colors[..., :1], colors[..., 1:]
        hints, mask = ops.zeros_like(ab), ops.zeros_like(L)
        if training:
            hints, mask = self._hints(ab, count)
            L = self._aged(L, count)
        outputs = self.network(
            {"L": L, "hints": hints, "mask": mask}, training=training
        )
        for value in self.picture_losses({"ab": ab}, outputs).values():
            self.add_loss(ops.mean(value))
        return outputs["ab"]

    def _uniform(self, *shape, low=0.0, high=1.0):
        return keras.random.uniform(shape, low, high, seed=self.seeds)

    def _random_views(self, rgb, count):
        """Cuts parts of random size and shape, half of them mirrored."""
        side, size = rgb.shape[1], self.config.image_size
        area = self._uniform(count, low=self.config.min_area)
        ratio = ops.power(4 / 3, self._uniform(count, low=-1.0))
        height = ops.minimum(1.0, ops.sqrt(area / ratio)) * side
        width = ops.minimum(1.0, ops.sqrt(area * ratio)) * side
        top = self._uniform(count) * (side - height)
        left = self._uniform(count) * (side - width)
        mirrored = ops.cast(self._uniform(count) < 0.5, "float32")
        if not self.config.flip:
            mirrored = mirrored * 0
        # Of the place in the result to that in the picture.
        step_x, step_y, zero = width / size, height / size, area * 0
        x_from = left + mirrored * (width - step_x)
        transforms = ops.stack(
            [
                *(step_x * (1 - 2 * mirrored), zero, x_from),
                *(zero, step_y, top),
                *(zero, zero),
            ],
            axis=-1,
        )
        views = ops.image.affine_transform(
            rgb, transforms, interpolation="bilinear", fill_mode="nearest"
        )
        return ops.clip(views[:, :size, :size], 0.0, 1.0)

    def _hints(self, ab, count):
        """Gives some pictures the colors of a few patches."""
        size = self.config.image_size
        keep = self._uniform(count, 1) < self.config.hint_share
        more = self._uniform(count, _PATCHES) > self.config.hint_probability
        there = ops.cumprod(ops.cast(more, "float32"), axis=1)
        there = there * ops.cast(keep, "float32")
        half = self._uniform(count, _PATCHES, low=0.5, high=_PATCH_SIDE / 2)
        places = self._uniform(count, _PATCHES, 2) * size
        line = ops.arange(size, dtype="float32")

        def near(axis):
            distance = ops.abs(line[None, None] - places[..., axis : axis + 1])
            return ops.cast(distance <= half[..., None], "float32")

        rows = near(0) * there[..., None]
        covered = ops.einsum("bky,bkx->byx", rows, near(1))
        mask = ops.cast(covered > 0, "float32")[..., None]
        smooth = ops.average_pool(ab, 5, 1, padding="same")
        return smooth * mask, mask

    def _aged(self, L, count):
        """Fades, blurs and roughens; see `augment.aged_lightness`."""
        u = self._uniform(count, 1, 1, 1, 6)
        u = [u[..., i] for i in range(6)]
        ages = ops.cast(u[0] < self.config.aged_share, "float32")
        blur = ages * ops.cast(u[4] < 0.25, "float32")
        L = L + blur * (ops.average_pool(L, 3, 1, padding="same") - L)
        exponent = ops.exp(ages * (1.04 * u[1] - 0.51))
        # Away from 0, where the power has no gradient.
        L = ops.power(ops.maximum(L, 1e-4) / 100, exponent)
        black = ages * 25 * u[2] * u[2]
        white = 100 - ages * 25 * u[3] * u[3]
        grain = keras.random.normal(ops.shape(L), seed=self.seeds)
        grain = grain * (ages * 5 * u[5] * u[5])
        return ops.clip(black + L * (white - black) + grain, 0.0, 100.0)


class Saved(keras.callbacks.Callback):
    """Logs the loss, and saves the network every minute and at the end."""

    def __init__(self, network, path, info):
        super().__init__()
        self._network, self._path, self._info = network, path, info
        self._saved_at = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        """Prints a row, saves if a minute is over."""
        if (batch + 1) % LOG_STEPS.value == 0:
            print(f"step {batch + 1}: loss {float(logs['loss']):.4f}")
        if time.monotonic() - self._saved_at > _SAVE_SECONDS:
            self.save()

    def on_train_end(self, logs=None):
        """Saves."""
        self.save()

    def save(self):
        """Writes the model file."""
        model_file.save(self._network, self._path, self._info)
        self._saved_at = time.monotonic()


def count_bins(pictures: np.ndarray) -> np.ndarray:
    """Counts the ab bins of some pictures: float64 [529]."""
    counts = np.zeros(ab_bins.NUM_BINS)
    for rgb in pictures[:_COUNTED]:
        bins = ab_bins.encode(lab.bytes_to_lab(rgb[::4, ::4])[..., 1:])
        flat = ops.convert_to_numpy(bins).ravel()
        counts += np.bincount(flat, minlength=ab_bins.NUM_BINS)
    return counts


def schedule(config: optimizer_lib.OptimizerConfig, steps: int):
    """Returns the learning rate: a number, or a schedule of Keras."""
    if config.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(
            0.0,
            max(1, steps - config.warmup_steps),
            warmup_target=config.learning_rate,
            warmup_steps=config.warmup_steps,
        )
    return config.learning_rate


def load_weights(network, path: str, variant: str) -> None:
    """Loads the weights of a model file, of a network of the same flags.

    Args:
        network: keras.Model, of `efficientnet_unet`.
        path: str.
        variant: str, of the network.

    Raises:
        ValueError: the file does not fit.
    """
    try:
        network.load_weights(path)
    except (ValueError, KeyError) as error:
        raise ValueError(
            "--initial_weights must be an efficientnet_unet of the same "
            f"--variant. Received: --initial_weights={path!r} with "
            f"--variant={variant}"
        ) from error


def train() -> None:
    """Reads the flags, then: pictures, network, fit."""
    config = full_data_config.FullDataConfig(**_data())
    check_size(config.image_size)
    rate = optimizer_flags.config()
    keras.utils.set_random_seed(config.seed)
    pictures = packs.read(PACKS.value)
    print(f"{len(pictures)} pictures, {keras.backend.backend()} backend")
    options = efficientnet_flags.options()
    network = efficientnet_unet(**options)
    if INITIAL_WEIGHTS.value:
        load_weights(network, INITIAL_WEIGHTS.value, options["variant"])
    else:
        efficientnet_files.load_encoder(network, variant=options["variant"])
    wanted, weights = objective_flags.config(), None
    if wanted.class_weight and wanted.rebalance:
        weights = classification.rebalancing_weights(
            count_bins(pictures), uniform_share=wanted.rebalance
        )
    model = OnDevice(
        network, objective.objective(wanted, bin_weights=weights), config
    )
    model.compile(
        optimizer_lib.build_optimizer(
            rate, learning_rate=schedule(rate, STEPS.value)
        )
    )
    os.makedirs(WORKDIR.value, exist_ok=True)
    info = model_file.ModelInfo("efficientnet_unet", config.image_size)
    model.fit(
        packs.Batches(
            pictures,
            batch_size=config.batch_size,
            steps=STEPS.value,
            seed=config.seed,
        ),
        verbose=0,
        callbacks=[
            Saved(network, os.path.join(WORKDIR.value, "model.keras"), info)
        ],
    )


def main(argv):
    """Packs pictures, or trains; what is wrong is said in a line."""
    del argv
    try:
        _pack_or_train()
    except Exception as error:
        # The backends have errors of their own.
        known = memory.ran_out(error, "a smaller --batch_size or --image_size")
        if known is None and not isinstance(error, ValueError | OSError):
            raise
        print(f"\nerror: {known or error}", file=sys.stderr)
        sys.exit(2)


def _pack_or_train() -> None:
    if PACK.value:
        count = packs.write(PACK.value, PACKS.value, size=PACK_SIZE.value)
        print(f"packed {count} pictures into {PACKS.value}")
    elif WORKDIR.value is None:
        raise app.UsageError("--workdir must be given")
    else:
        train()


if __name__ == "__main__":
    app.run(main)
