"""The backend of Keras, where it must be TensorFlow.

Networks, colors and losses are made of `keras.ops` and run on any backend. What
makes graphs, data sets and files of TensorFlow of them does not, and would end
in errors about tensors.
"""

import keras

_TENSORFLOW = "tensorflow"


def require_tensorflow(what: str) -> None:
    """Raises ValueError unless Keras computes by TensorFlow.

    Args:
        what: str, what needs it; the beginning of a sentence.

    Raises:
        ValueError: it computes by another backend.
    """
    backend = keras.backend.backend()
    if backend != _TENSORFLOW:
        raise ValueError(
            f"{what} needs TensorFlow as the backend of Keras: set "
            f"KERAS_BACKEND={_TENSORFLOW}, or unset it, and `backend` in "
            f"~/.keras/keras.json counts. Received: the backend {backend!r}"
        )
