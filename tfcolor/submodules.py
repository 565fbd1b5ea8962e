"""Modules of a package as its attributes, loaded on first use.

`tfcolor.color.lab` works after `import tfcolor` alone, and no import becomes
slower: a package takes from here its `__getattr__` and `__dir__` (PEP 562).
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable


def on_first_use(package: str) -> tuple[Callable, Callable]:
    """Makes what a package needs to load its modules on first use.

    Args:
        package: str, `__name__` of a package.

    Returns:
        Two functions, the package's `__getattr__` and `__dir__`.
    """

    def get(name):
        module = f"{package}.{name}"
        # Asked first: what a module itself fails to import is another error.
        if importlib.util.find_spec(module) is None:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}"
            )
        return importlib.import_module(module)

    def names():
        # Not above: it is slow to import.
        import pkgutil

        own = vars(sys.modules[package])
        found = pkgutil.iter_modules(own["__path__"])
        return sorted({*own, *(module.name for module in found)})

    return get, names
