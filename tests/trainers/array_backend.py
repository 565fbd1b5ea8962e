"""Runs a few steps on the backend of KERAS_BACKEND, and tells what came out.

    python -m tests.trainers.array_backend OUTPUT [OPTION ...]

Options: on_device, bfloat16, judged. It writes OUTPUT, an .npz file: losses,
and the averages and what they were made of after every step.
"""

import sys

import keras
import numpy as np

from tfcolor.data import full_data_config
from tfcolor.losses import colorized
from tfcolor.losses import objective
from tfcolor.models import discriminator
from tfcolor.training import optimizer
from trainers import array_steps

STEPS = 4
MOMENTUM = 0.3


def network() -> keras.Model:
    """A small one: a layer that is frozen, a slow one, a normalization."""
    inputs = {
        name: keras.Input((None, None, channels), name=name)
        for name, channels in (("L", 1), ("hints", 2), ("mask", 1))
    }

    def conv(x, filters, name, **options):
        return keras.layers.Conv2D(
            filters, 3, padding="same", name=name, **options
        )(x)

    x = keras.layers.Concatenate(name="all")(list(inputs.values()))
    x = conv(x, 4, "frozen", trainable=False)
    x = conv(x, 8, "slow")
    x = keras.layers.BatchNormalization(momentum=0.5, name="norm")(x)
    model = keras.Model(inputs, {"ab": conv(x, 2, "ab", dtype="float32")})
    # Each backend has random numbers of its own.
    rng = np.random.default_rng(1)
    model.set_weights(
        [abs(rng.normal(0, 0.1, weight.shape)) for weight in model.weights]
    )
    return model


def judged_network() -> discriminator.Judged:
    """The same beside a small discriminator."""
    judge = discriminator.discriminator(width=1 / 32)
    rng = np.random.default_rng(2)
    judge.set_weights(
        [rng.normal(0, 0.1, weight.shape) for weight in judge.weights]
    )
    return discriminator.Judged(network(), judge)


def config(image_size: int = 16) -> full_data_config.FullDataConfig:
    """Options of the data: everything but age, whose grain differs."""
    return full_data_config.FullDataConfig(
        image_size=image_size, min_area=0.5, flip=True, batch_size=4
    )


def make_steps(*, judged: bool = False, **options) -> array_steps.Steps:
    """Makes steps on noise."""
    rng = np.random.default_rng(0)
    # The discriminator takes no smaller ones.
    size = 64 if judged else 16
    pictures = rng.integers(0, 256, [8, size + 8, size + 8, 3], np.uint8)
    losses = objective.objective(objective.ObjectiveConfig(huber_delta=0.1))

    def judged_losses(targets, outputs):
        return losses(targets, outputs) | colorized.adversarial_losses(
            outputs, weight=0.5
        )

    return array_steps.of_backend(
        judged_network() if judged else network(),
        judged_losses if judged else losses,
        pictures,
        config(size),
        optimizer.OptimizerConfig(
            **{"clip_norm": 1.0, "ema_momentum": MOMENTUM}
            | {"slow_layers": "slow", "slow_rate": 0.1}
            | options
        ),
    )


def _present(steps) -> list[np.ndarray]:
    """The weights themselves, which `averages` does not tell."""
    if isinstance(steps, array_steps.JaxSteps):
        weights, others = steps._state[:2]
        values = [*weights, *others]
        values = [values[i] for i in steps._averaged]
    else:
        values = steps._values
    return [keras.ops.convert_to_numpy(value).copy() for value in values]


def main(output: str, *options: str) -> None:
    """Runs the steps."""
    if "bfloat16" in options:
        keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    if "on_device" in options:
        array_steps.Steps._free_bytes = lambda self: 2**40
        for kind in (array_steps.JaxSteps, array_steps.TorchSteps):
            kind._free_bytes = array_steps.Steps._free_bytes
    steps = make_steps(judged="judged" in options)
    # JAX and PyTorch alone have devices.
    assert steps._on_device == ("on_device" in options)
    history = [(steps.averages(), _present(steps))]
    losses = []
    for i in range(STEPS):
        losses.append(float(steps.run(np.arange(4) + i, 1e-2)))
        history.append((steps.averages(), _present(steps)))
    found = {
        f"{kind}{step}_{i}": array
        for step, pair in enumerate(history)
        for kind, arrays in zip(("average", "present"), pair, strict=True)
        for i, array in enumerate(arrays)
    }
    np.savez(output, losses=losses, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
