"""What colorizers and classifiers are trained for, in keras.ops.

Functions give the loss of each picture; the classes are `keras.losses.Loss`:

    model.compile(
        "adam",
        loss={"ab": losses.HuberLoss(), "ab_logits": losses.BinCrossEntropy()},
    )
    model.fit(inputs, {"ab": ab, "ab_logits": ab})
"""

from tfcolor.losses.classification import BinCrossEntropy
from tfcolor.losses.classification import bin_cross_entropy
from tfcolor.losses.classification import rebalancing_weights
from tfcolor.losses.regression import HuberLoss
from tfcolor.losses.regression import huber
from tfcolor.losses.regression import squared

__all__ = [
    "BinCrossEntropy",
    "HuberLoss",
    "bin_cross_entropy",
    "huber",
    "rebalancing_weights",
    "squared",
]
