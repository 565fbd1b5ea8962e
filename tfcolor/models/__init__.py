"""Builder functions: `name(*, ...) -> keras.Model`."""

from tfcolor import submodules as _submodules

__getattr__, __dir__ = _submodules.on_first_use(__name__)
