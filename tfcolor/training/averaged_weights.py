"""What a moving average is of, on any Keras backend.

For `moving_average`, which needs TensorFlow, and for trainers that run without.
"""

import keras


def changing(model: keras.Model) -> list[keras.Variable]:
    """Lists what a run changes, and what is averaged.

    Args:
        model: keras.Model.

    Returns:
        list of trainable weights, then the statistics of layers that learn.
    """
    weights = list(model.trainable_weights)
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            inner = changing(layer) if layer.trainable else []
            weights += [w for w in inner if not w.trainable]
        elif layer.trainable:
            weights += [
                w
                for w in layer.non_trainable_weights
                if keras.backend.is_float_dtype(w.dtype)
            ]
    return weights


def early_momentum(count):
    """Returns the most momentum of an update: less for the first ones.

    Early steps count more, so that an average does not carry the random start
    along.

    Args:
        count: int, or a float tensor, of the update, from 1 on.

    Returns:
        float or float tensor.
    """
    return count / (count + 9)
