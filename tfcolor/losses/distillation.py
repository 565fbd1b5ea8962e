"""What a small colorizer learns from a large one, beside the truth.

A photograph shows one of the colors that a thing may have; a trained network
says how likely each of them is, and what their mean is. Both are smoother
targets than the truth, and within reach of a network that cannot know more.

Reference:
    G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural
    Network", 2015. https://arxiv.org/abs/1503.02531
"""

import dataclasses
from collections.abc import Callable

import keras
from keras import ops

from tfcolor.color import ab_bins
from tfcolor.losses import objective


def distilled(
    losses: Callable[[dict, dict], dict],
    teacher: keras.Model,
    *,
    config: objective.ObjectiveConfig,
    share: float,
) -> Callable[[dict, dict], dict]:
    """Makes a loss function of one, whose truth counts less.

    Args:
        losses: function of `objective.objective`.
        teacher: keras.Model with the inputs and outputs of `siggraph`. It
            does not learn.
        config: ObjectiveConfig, of `losses`; its weights are those of the
            teacher's targets too.
        share: float in 0..1. What the teacher's targets count; the truth
            counts the rest.

    Returns:
        A function of `(targets, outputs)`: dicts with "L", float32 [B, H, W,
        1], "ab", [B, H, W, 2], and perhaps "hints" and "mask", as inputs have
        them, which the teacher then sees; and with "ab" and "ab_logits". It
        returns a dict of float32 tensors [B]: the weighted losses by name;
        those with the teacher are called `teacher_...`.

    Raises:
        ValueError: `share` is outside 0..1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"`share` must be in 0..1. Received: share={share}")
    regressions = None
    if config.huber_weight or config.squared_weight:
        regressions = objective.objective(
            dataclasses.replace(config, class_weight=0.0)
        )

    def all_losses(targets, outputs):
        answers = _answers(teacher, targets)
        result = {
            name: (1 - share) * loss
            for name, loss in losses(targets, outputs).items()
        }
        if regressions:
            asked = targets | {"ab": answers["ab"]}
            for name, loss in regressions(asked, outputs).items():
                result[f"teacher_{name}"] = share * loss
        if config.class_weight:
            result["teacher_class"] = (
                share
                * config.class_weight
                * soft_cross_entropy(answers["ab_logits"], outputs["ab_logits"])
            )
        return result

    return all_losses


def _answers(teacher, targets) -> dict:
    """Asks the teacher, in float32."""
    zeros = ops.zeros_like(targets["L"])
    hints = targets.get("hints", ops.zeros_like(targets["ab"]))
    inputs = {
        "L": targets["L"],
        "hints": hints,
        "mask": targets.get("mask", zeros),
    }
    outputs = teacher(inputs, training=False)
    return {
        name: ops.stop_gradient(ops.cast(value, "float32"))
        for name, value in outputs.items()
    }


def soft_cross_entropy(true_logits, logits):
    """Computes the cross entropy of two distributions over the ab bins.

    Args:
        true_logits: float32 tensor [B, h, w, 529] or [B, h, w, 261].
        logits: float32 tensor of the same shape; or of 529 bins where
            `true_logits` has the 261 that hold colors of sRGB.

    Returns:
        float32 tensor [B], nats, mean over positions.

    Raises:
        ValueError: `logits` has fewer bins.
    """
    logs = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    bins, true_bins = logits.shape[-1], true_logits.shape[-1]
    if bins > true_bins:
        logs = ops.take(logs, ab_bins.SRGB_BINS, axis=-1)
    elif bins < true_bins:
        raise ValueError(
            "`logits` must have at least as many bins as `true_logits`. "
            f"Received: {bins} and {true_bins}"
        )
    true = ops.softmax(ops.cast(true_logits, "float32"), axis=-1)
    return -ops.mean(ops.sum(true * logs, axis=-1), axis=(1, 2))
