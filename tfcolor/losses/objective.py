"""What a colorizer is trained for: a weighted sum of losses."""

import dataclasses
from collections.abc import Callable

import numpy as np
from keras import ops

from tfcolor.losses import classification
from tfcolor.losses import regression

# Pictures whose colors are counted for `bin_weights`.
COUNTED = 2000


@dataclasses.dataclass(frozen=True)
class ObjectiveConfig:
    """Weights of the losses; a loss of weight 0 is not computed.

    Attributes:
        huber_weight: float. Weight of `regression.huber`; 10 as released.
        huber_delta: float. Delta of `regression.huber`, in network units.
        squared_weight: float. Weight of `regression.squared`.
        class_weight: float. Weight of `classification.bin_cross_entropy`.
        rebalance: float in 0..1. Share of the uniform distribution in the
            class rebalancing; 0 turns rebalancing off, 0.5 is Zhang 2016.
    """

    huber_weight: float = 10.0
    huber_delta: float = regression.RELEASED_DELTA
    squared_weight: float = 0.0
    class_weight: float = 0.0
    rebalance: float = 0.0

    def __post_init__(self):
        """Refuses weights under which nothing could be learned."""
        weights = (self.huber_weight, self.squared_weight, self.class_weight)
        if min(weights) < 0 or max(weights) == 0:
            raise ValueError(
                "`huber_weight`, `squared_weight` and `class_weight` must not "
                f"be negative, and one must be above 0. Received: {weights}"
            )


def bin_weights(
    config: ObjectiveConfig, count: Callable[[], np.ndarray]
) -> np.ndarray | None:
    """Returns the weights of colors in the class loss.

    Args:
        config: ObjectiveConfig.
        count: function without arguments to an array [529], how often each ab
            bin occurs in `COUNTED` training pictures or more; called only
            where `config` rebalances classes.

    Returns:
        float32 array [529], or None where colors weigh alike.
    """
    if not (config.class_weight and config.rebalance):
        return None
    return classification.rebalancing_weights(
        count(), uniform_share=config.rebalance
    )


def objective(config: ObjectiveConfig, *, bin_weights=None):
    """Makes the loss function of a colorizer.

    Args:
        config: ObjectiveConfig.
        bin_weights: float32 tensor [529] or None, for the class loss.

    Returns:
        A function of `(targets, outputs)`, the dicts of the data set and the
        model, that returns a dict of float32 tensors [B]: the weighted losses
        by name; their sum is to be minimized.
    """

    def losses(targets, outputs):
        ab = targets["ab"]
        result = {}
        if config.huber_weight:
            result["huber"] = config.huber_weight * regression.huber(
                ab, outputs["ab"], delta=config.huber_delta
            )
        if config.squared_weight:
            result["squared"] = config.squared_weight * regression.squared(
                ab, outputs["ab"]
            )
        if config.class_weight:
            entropy = classification.bin_cross_entropy(
                ab, outputs["ab_logits"], bin_weights=bin_weights
            )
            result["class"] = config.class_weight * entropy
        return {k: ops.cast(v, "float32") for k, v in result.items()}

    return losses
