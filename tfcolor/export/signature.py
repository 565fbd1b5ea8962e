"""What a server can be asked for."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class Signature(NamedTuple):
    """One way of calling an exported model.

    Attributes:
        name: str. `serving_default` is the one taken when none is named.
        function: of the tensors of `inputs`, in that order, to a dict of
            tensors by name. Names of strings that hold bytes end in `_bytes`,
            so that TensorFlow Serving writes them as base64 in JSON.
        inputs: tf.TensorSpecs, each with a name.
        outputs: the same of what comes out.
    """

    name: str
    function: Callable[..., dict[str, tf.Tensor]]
    inputs: tuple[tf.TensorSpec, ...]
    outputs: tuple[tf.TensorSpec, ...]
