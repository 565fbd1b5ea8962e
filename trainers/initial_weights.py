"""Weights to start from: copied, or said in one line what they would fit.

A model file holds layers, not the flags it was built with. Where its layers do
not fit, the network is built with other values of the flags that change layers,
until they do: those values are what to set.
"""

import itertools
import math
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

import keras

from tfcolor.weights import transfer

_FLAG = "--initial_weights"
_WIDTH = "width"
# Widths that people choose.
_USUAL_WIDTHS = (
    *(1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 3, 1 / 2, 3 / 4),
    *(1, 1.5, 2),
)
# Networks that are built to find out what fits, and flags that change at once.
_MOST_BUILT, _MOST_CHANGED = 24, 2


def copied(
    start: keras.Model,
    build: Callable[..., keras.Model],
    options: dict,
    copy: Callable[[keras.Model, keras.Model], None],
    *,
    path: str,
    flag: str = _FLAG,
    choices: Mapping[str, tuple] | None = None,
    causes: Mapping[str, str] | None = None,
) -> keras.Model:
    """Builds a network that starts from the weights of another one.

    Args:
        start: keras.Model, of the weights.
        build: function of options to a keras.Model.
        options: dict, the values of flags of the same names.
        copy: function of `start` and the new model that copies weights, and
            raises `transfer.Mismatch` where they do not fit.
        path: str, where `start` came from.
        flag: str, that named it.
        choices: dict from the names of options that change layers, besides
            "width", to the values they may have.
        causes: dict from the name of a layer to what to look at where it
            alone does not fit.

    Returns:
        keras.Model.

    Raises:
        ValueError: the weights do not fit; says in one line which flags to
            set.
    """
    model = build(**options)
    try:
        copy(start, model)
    except transfer.Mismatch as error:
        fitting = _find_fitting(
            start, build, options, copy, dict(choices or {})
        )
        given = f"{flag}={path!r}"
        if fitting:
            now = {name: options[name] for name in fitting}
            raise ValueError(
                f"{flag} must be a network of the same flags; set "
                f"{_as_flags(fitting)}. Received: {_as_flags(now)} with {given}"
            ) from error
        raise ValueError(
            f"{flag} must be a network of the same kind and flags. Received: "
            f"{given}, {start.name!r} for {model.name!r}, "
            f"{_described(error, causes or {})}"
        ) from error
    return model


def _find_fitting(start, build, options, copy, choices) -> dict:
    """Returns the values of options with which weights fit; {} if none do."""
    if _WIDTH in options:
        width = _fitting_width(start, build, options, copy)
        if width is not None:
            choices = {_WIDTH: (width,), **choices}
    guesses = itertools.islice(_guesses(options, choices), _MOST_BUILT)
    for changed in guesses:
        try:
            copy(start, build(**options | changed))
        except ValueError:
            continue
        return changed
    return {}


def _fitting_width(start, build, options, copy) -> float | None:
    # At width 1 no number of filters has been rounded.
    try:
        copy(start, build(**options | {_WIDTH: 1.0}))
    except transfer.Mismatch as error:
        return inferred_width(error, 1.0)
    except ValueError:
        return None
    return 1.0


def _guesses(options: dict, choices: dict) -> Iterator[dict]:
    """Yields changes of one option, then of two, and with the width too."""
    others = {
        name: [value for value in values if value != options[name]]
        for name, values in choices.items()
    }
    # The width is inferred and most likely right: it may change besides.
    most = _MOST_CHANGED + (_WIDTH in others)
    for count in range(1, min(most, len(others)) + 1):
        for names in itertools.combinations(others, count):
            for values in itertools.product(*(others[n] for n in names)):
                yield dict(zip(names, values, strict=True))


def inferred_width(error: transfer.Mismatch, width: float) -> float | None:
    """Infers the width of a network from how many filters its layers have.

    Args:
        error: transfer.Mismatch between it and another one.
        width: float, of the other one.

    Returns:
        float, or None where no layer is wider or narrower, or no width gives
        the filters of all of them.
    """
    # Filters are rounded: each layer says between what the width lies.
    low, high = [], []
    for name, shapes in error.target.items():
        other = error.source.get(name)
        if not isinstance(other, list) or not isinstance(shapes, list):
            continue
        old, new = other[0], shapes[0]
        if len(old) == len(new) and old[-1] != new[-1]:
            low.append((old[-1] - 0.5) * width / new[-1])
            high.append((old[-1] + 0.5) * width / new[-1])
    if not low or max(low) > min(high):
        return None
    return _plainest(max(low), min(high))


def _plainest(low: float, high: float) -> float:
    """Returns a number in a range: a usual width, or of few digits."""
    for usual in _USUAL_WIDTHS:
        if low <= usual <= high:
            return float(f"{usual:.6g}")
    for digits in range(1, 8):
        number = math.ceil(low * 10**digits) / 10**digits
        if number <= high:
            return number
    return low


def _as_flags(options: dict) -> str:
    return " ".join(
        f"--{'' if value else 'no'}{name}"
        if isinstance(value, bool)
        else f"--{name}={value}"
        for name, value in options.items()
    )


def _described(error: transfer.Mismatch, causes: Mapping[str, str]) -> str:
    names = error.names()
    if len(names) == 1 and names[0] in causes:
        return f"which differ in {names[0]!r}: see {causes[names[0]]}"
    first = names[0]
    return (
        f"{len(names)} of {len(error.target)} layers differ, such as {first}: "
        f"{error.source.get(first)} != {error.target.get(first)}"
    )
