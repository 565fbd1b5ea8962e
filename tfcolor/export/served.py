"""What kinds of models have in common when they are exported."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tfcolor.export.signature import Signature
from tfcolor.export.warm_up import Request


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
            is told of, in their order; empty for models without classes.
    """

    signatures: list[Signature]
    options: dict[str, float]
    warm_up: list[Request]
    cases: Callable[[], list[Case]]
    note: str
    labels: list[str] = dataclasses.field(default_factory=list)
