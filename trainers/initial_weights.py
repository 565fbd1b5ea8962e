"""Weights to start from: copied, or one line that says what they would fit."""

from collections.abc import Callable
from collections.abc import Mapping

import keras

from tfcolor.models import architecture
from tfcolor.weights import transfer

_FLAG = "--initial_weights"


def copied(
    start: keras.Model,
    build: Callable[..., keras.Model],
    options: dict,
    copy: Callable[[keras.Model, keras.Model], None],
    *,
    path: str,
    flag: str = _FLAG,
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
        fitting = _find_fitting(start, build, options, copy)
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


def seen_mask(start: keras.Model) -> dict:
    """Returns how a network sees the mask of hints, which weights depend on.

    Args:
        start: keras.Model, of the weights.

    Returns:
        dict, the option `mask_center` of a builder; empty for networks that
        have none.
    """
    seen = architecture.of(start).options
    return {key: seen[key] for key in ("mask_center",) if key in seen}


def _find_fitting(start, build, options, copy) -> dict:
    """Returns the options with which the weights fit; {} if none do."""
    known = architecture.of(start).options
    names = sorted(options, key=lambda name: name != "width")
    found = {
        name: known[name]
        for name in names
        if name in known and known[name] != options[name]
    }
    if not _fits(start, build, options | found, copy):
        return {}
    for name in list(found):
        # Options that change no layer need not be set.
        others = {key: found[key] for key in found if key != name}
        if others and _fits(start, build, options | others, copy):
            found = others
    return found


def _fits(start, build, options, copy) -> bool:
    try:
        copy(start, build(**options))
    except ValueError:
        return False
    return True


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
