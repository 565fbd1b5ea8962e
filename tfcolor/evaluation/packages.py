"""The packages of the extra [evaluate], imported on first use."""

import importlib

from tfcolor import extras

_NAMES = ("jinja2", "pandas")


def __getattr__(name):
    if name in _NAMES:
        return _imported(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def check() -> None:
    """Raises ImportError unless all are installed; says how to install them."""
    for name in _NAMES:
        _imported(name)


def _imported(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            "Evaluations need jinja2 and pandas, "
            f"{extras.how_to_install('evaluate')}. Received: {error}"
        ) from error
