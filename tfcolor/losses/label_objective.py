"""What a classifier is trained for: cross entropy, and small weights."""

import dataclasses
from collections.abc import Callable

import keras
from keras import ops

TARGETS = ("one_hot", "soft")


@dataclasses.dataclass(frozen=True)
class LabelObjectiveConfig:
    """Targets and regularization of a classifier.

    Attributes:
        targets: str. "one_hot": all of a picture's class; "soft": a share of
            it is spread over all classes.
        smoothing: float in (0, 1). That share.
        l2: float. Factor on half the sum of the squares of all kernels: each
            step's gradient gets `l2` times the kernel, as PyTorch's
            `weight_decay` does.
    """

    targets: str = "one_hot"
    smoothing: float = 0.1
    l2: float = 0.0

    def __post_init__(self):
        """Refuses unknown choices and numbers out of range."""
        if self.targets not in TARGETS:
            raise ValueError(
                f"`targets` must be one of {TARGETS}. "
                f"Received: targets={self.targets!r}"
            )
        if not 0 < self.smoothing < 1:
            raise ValueError(
                "`smoothing` must be above 0 and below 1. "
                f"Received: smoothing={self.smoothing}"
            )
        if self.l2 < 0:
            raise ValueError(
                f"`l2` must not be negative. Received: l2={self.l2}"
            )


def label_objective(
    config: LabelObjectiveConfig, model: keras.Model
) -> Callable[[dict, dict], dict]:
    """Makes the loss function of a classifier.

    Args:
        config: LabelObjectiveConfig.
        model: keras.Model, whose kernels are kept small.

    Returns:
        A function of `(targets, outputs)`, dicts with "label", int64 [B], and
        "logits", float32 [B, K], that returns a dict of float32 [B] whose sum
        is to be minimized: "cross_entropy" in nats, and "l2" if it counts.
    """
    kernels = [
        weight
        for weight in model.trainable_weights
        if weight.path.rpartition("/")[2] == "kernel"
    ]
    smoothing = config.smoothing if config.targets == "soft" else 0.0

    def losses(targets, outputs):
        logits = outputs["logits"]
        count = logits.shape[-1]
        wanted = ops.one_hot(targets["label"], count, dtype="float32")
        wanted = wanted * (1 - smoothing) + smoothing / count
        entropy = ops.categorical_crossentropy(wanted, logits, from_logits=True)
        result = {"cross_entropy": entropy}
        if config.l2:
            squares = sum(ops.sum(k * k) for k in kernels) / 2
            # The same for every picture: its mean is taken.
            result["l2"] = ops.zeros_like(entropy) + config.l2 * squares
        return result

    return losses


def cross_entropy(targets: dict, outputs: dict) -> dict:
    """Computes the cross entropy of each picture.

    Args:
        targets: dict with "label", int64 [B].
        outputs: dict with "logits", float32 [B, K].

    Returns:
        dict of float32 [B], in nats: "cross_entropy".
    """
    return {
        "cross_entropy": ops.sparse_categorical_crossentropy(
            targets["label"], outputs["logits"], from_logits=True
        )
    }
