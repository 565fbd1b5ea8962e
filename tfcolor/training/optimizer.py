"""Optimizers and learning rates."""

import dataclasses
import math
import re

import keras

OPTIMIZERS = ("adam", "adamw")
SCHEDULES = ("released", "cosine", "constant", "halving")


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """How weights follow gradients. The defaults are the released options.

    Attributes:
        optimizer: str, "adam" or "adamw".
        learning_rate: float, the highest rate of the run.
        beta_1: float, decay of Adam's first moment.
        beta_2: float, decay of Adam's second moment.
        epsilon: float. PyTorch's default; Keras' own is 1e-7.
        weight_decay: float, for adamw.
        clip_norm: float, largest global norm of the gradient; 0 is no limit.
        schedule: str. "released": constant, then linear to almost 0 over the
            last `decay_epochs`. "cosine": from step to step along half a
            cosine to 0. "constant". "halving": half as much from each share
            in `halve_at` of the run on.
        decay_epochs: int, for the released schedule. In a run that is
            shorter than that, the last third, as in the released scripts.
        halve_at: str. Shares of the run, 0..1, with commas between them, for
            the halving schedule.
        warmup_steps: int. The rate climbs linearly from 0 over so many steps.
        ema_momentum: float in [0, 1). Momentum of a moving average of the
            weights, which then is what gets validated and saved; 0 is off.
        slow_layers: str. A regular expression; layers whose names begin with
            it learn at `slow_rate` times the rate: those that come trained.
            Empty: none.
        slow_rate: float above 0.
    """

    optimizer: str = "adam"
    learning_rate: float = 5e-4
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    schedule: str = "released"
    decay_epochs: int = 50
    halve_at: str = ""
    warmup_steps: int = 0
    ema_momentum: float = 0.0
    slow_layers: str = ""
    slow_rate: float = 0.1

    def __post_init__(self):
        """Refuses unknown choices and rates that cannot train."""
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(
                f"`optimizer` must be one of {OPTIMIZERS}. "
                f"Received: optimizer={self.optimizer!r}"
            )
        if self.schedule not in SCHEDULES:
            raise ValueError(
                f"`schedule` must be one of {SCHEDULES}. "
                f"Received: schedule={self.schedule!r}"
            )
        if self.learning_rate <= 0:
            raise ValueError(
                "`learning_rate` must be above 0. "
                f"Received: learning_rate={self.learning_rate}"
            )
        if self.decay_epochs < 0:
            raise ValueError(
                "`decay_epochs` must be at least 0. "
                f"Received: decay_epochs={self.decay_epochs}"
            )
        if self.slow_rate <= 0:
            raise ValueError(
                "`slow_rate` must be above 0. "
                f"Received: slow_rate={self.slow_rate}"
            )
        if not all(0 < share < 1 for share in _shares(self.halve_at)):
            raise ValueError(
                "`halve_at` must be shares above 0 and below 1. "
                f"Received: halve_at={self.halve_at!r}"
            )
        if not 0 <= self.ema_momentum < 1:
            raise ValueError(
                "`ema_momentum` must be at least 0 and below 1. "
                f"Received: ema_momentum={self.ema_momentum}"
            )


def _shares(halve_at: str) -> list[float]:
    """Reads `OptimizerConfig.halve_at`; what is no number is not a share."""
    try:
        return [float(text) for text in halve_at.split(",") if text.strip()]
    except ValueError:
        return [math.nan]


def build_optimizer(
    config: OptimizerConfig, *, learning_rate=None
) -> keras.optimizers.Optimizer:
    """Builds the optimizer; call it in the scope of the strategy.

    Args:
        config: OptimizerConfig.
        learning_rate: float, schedule of Keras or None, the config's.

    Returns:
        keras.optimizers.Optimizer, with a loss scale where the global
        precision policy is mixed_float16.
    """
    options = {
        "learning_rate": learning_rate or config.learning_rate,
        "beta_1": config.beta_1,
        "beta_2": config.beta_2,
        "epsilon": config.epsilon,
        "global_clipnorm": config.clip_norm or None,
    }
    if config.optimizer == "adamw":
        kind = keras.optimizers.AdamW
        options["weight_decay"] = config.weight_decay
    else:
        kind = keras.optimizers.Adam
    if config.slow_layers:
        kind = _with_slow_layers(kind, config)
    optimizer = kind(**options)
    if keras.mixed_precision.dtype_policy().name == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def _with_slow_layers(kind: type, config: OptimizerConfig) -> type:
    """Makes an optimizer class under which some layers learn slowly."""

    class WithSlowLayers(kind):
        def update_step(self, gradient, variable, learning_rate):
            # TensorFlow's variable, which does not know its layer.
            index = self._get_variable_index(variable)
            factor = rate_factor(config, self._trainable_variables[index].path)
            return super().update_step(
                gradient, variable, learning_rate * factor
            )

    return WithSlowLayers


def rate_factor(config: OptimizerConfig, path: str) -> float:
    """Returns the factor on the rate of a weight.

    Args:
        config: OptimizerConfig.
        path: str, of the variable.

    Returns:
        float: `slow_rate` for those of `slow_layers`, else 1.
    """
    slow = config.slow_layers and re.match(config.slow_layers, path)
    return config.slow_rate if slow else 1.0


def decay_epochs(config: OptimizerConfig, *, epochs: int) -> int:
    """Says over how many epochs the released schedule falls.

    Args:
        config: OptimizerConfig.
        epochs: int, length of the whole run.

    Returns:
        int: `config.decay_epochs`, or, where the run is shorter than that, a
        third of it: the released scripts have 50 epochs of 150.
    """
    if config.decay_epochs <= epochs:
        return config.decay_epochs
    return round(epochs / 3)


def schedule_note(config: OptimizerConfig, *, epochs: int) -> str:
    """Says in a line what is unusual about the rates of a run.

    Args:
        config: OptimizerConfig.
        epochs: int, length of the whole run.

    Returns:
        str, empty when nothing is.
    """
    decay = decay_epochs(config, epochs=epochs)
    if config.schedule != "released" or decay == config.decay_epochs:
        return ""
    return (
        f"`epochs={epochs}` is less than `decay_epochs={config.decay_epochs}`: "
        f"the learning rate falls over a third of the run, {decay} epochs"
    )


def learning_rate(
    config: OptimizerConfig, step: int, *, steps_per_epoch: int, epochs: int
) -> float:
    """Computes the rate of one step.

    Args:
        config: OptimizerConfig.
        step: int from 0.
        steps_per_epoch: int.
        epochs: int, length of the whole run.

    Returns:
        float.
    """
    factor = 1.0
    if config.schedule == "released":
        epoch = step // steps_per_epoch
        decay = decay_epochs(config, epochs=epochs)
        late = max(0, epoch + 1 - (epochs - decay))
        factor = max(0.0, 1 - late / (decay + 1))
    elif config.schedule == "cosine":
        done = step / max(1, steps_per_epoch * epochs)
        factor = (1 + math.cos(math.pi * min(1.0, done))) / 2
    elif config.schedule == "halving":
        done = step / max(1, steps_per_epoch * epochs)
        factor = 0.5 ** sum(done >= share for share in _shares(config.halve_at))
    if step < config.warmup_steps:
        factor *= (step + 1) / config.warmup_steps
    return config.learning_rate * factor
