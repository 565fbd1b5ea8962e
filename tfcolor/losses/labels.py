"""Cross entropy of classes."""

import tensorflow as tf


def cross_entropy(targets: dict, outputs: dict) -> dict[str, tf.Tensor]:
    """Computes the cross entropy of each picture.

    Args:
        targets: dict with "label", int64 [B].
        outputs: dict with "logits", float32 [B, K].

    Returns:
        dict of float32 [B], in nats: "cross_entropy".
    """
    return {
        "cross_entropy": tf.nn.sparse_softmax_cross_entropy_with_logits(
            targets["label"], outputs["logits"]
        )
    }
