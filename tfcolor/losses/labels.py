"""Cross entropy of classes."""

from keras import ops


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
