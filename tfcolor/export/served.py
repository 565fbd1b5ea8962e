"""What an exported model is: its signatures, and requests with answers."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfcolor.export.warm_up import Request


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


class Case(NamedTuple):
    """A request and what Python says to it.

    Attributes:
        name: str.
        request: Request.
        expected: dict of arrays by output name; or str, a part of the error's
            message.
    """

    name: str
    request: Request
    expected: dict[str, np.ndarray] | str


@dataclasses.dataclass(frozen=True)
class Served:
    """All that an exported model is.

    Attributes:
        signatures: list of Signature.
        options: dict, what the graph was made with.
        warm_up: list of Request.
        cases: function without arguments to a list of Case.
        note: str. What people should know of the answers.
        labels: list of str, names of the classes that a model answers with or
            takes, in their order; empty for models without classes.
    """

    signatures: list[Signature]
    options: dict[str, float]
    warm_up: list[Request]
    cases: Callable[[], list[Case]]
    note: str
    labels: list[str] = dataclasses.field(default_factory=list)
