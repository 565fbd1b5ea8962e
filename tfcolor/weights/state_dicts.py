"""State dicts whose arrays become float32 when they are asked for.

A checkpoint in half precision would otherwise be in memory twice as large as
its file, beside the model that is made of it; and a small hostile file, whose
tensors are all views of one, could fill the memory.
"""

import collections
from collections.abc import Iterator
from collections.abc import Mapping

import numpy as np

from tfcolor.weights import pytorch_archive


class StateDict(Mapping):
    """A mapping of str to array, like a dict that is only read.

    Numbers with a point are float32. Those that are float32 in the file stay
    there; others are converted anew each time, and nothing keeps them.

    Args:
        arrays: mapping of str to array, of any types.
        names: mapping of str to str, the names here to those in `arrays`; None
            for the same ones.
    """

    def __init__(
        self,
        arrays: Mapping[str, np.ndarray],
        names: Mapping[str, str] | None = None,
    ):
        names = {name: name for name in arrays} if names is None else names
        if isinstance(arrays, StateDict):
            names = {name: arrays._names[old] for name, old in names.items()}
            arrays = arrays._arrays
        self._arrays, self._names = arrays, names

    def __getitem__(self, name: str) -> np.ndarray:
        array = self._raw(name)
        # bfloat16 is of kind "V": NumPy has none of its own.
        if array.dtype.kind not in "fV" or array.dtype == np.float32:
            return array
        with np.errstate(over="ignore"):
            converted = array.astype(np.float32)
        pytorch_archive.forget(array)
        return converted

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns an array's shape, without a look at its numbers.

        Args:
            name: str.

        Returns:
            tuple of int.
        """
        return np.shape(self._raw(name))

    def _raw(self, name: str) -> np.ndarray:
        return np.asarray(self._arrays[self._names[name]])


def renamed(
    state: Mapping[str, np.ndarray], names: Mapping[str, str]
) -> StateDict:
    """Returns a part of a state dict under other names.

    Args:
        state: mapping of str to array.
        names: mapping of str to str, the new names to the old ones.

    Returns:
        StateDict.
    """
    return StateDict(state, names)


def shape_of(state: Mapping[str, np.ndarray], name: str) -> tuple[int, ...]:
    """Returns the shape of an array of any mapping.

    Args:
        state: mapping of str to array.
        name: str, a key of it.

    Returns:
        tuple of int.
    """
    if isinstance(state, collections.ChainMap):
        state = next(part for part in state.maps if name in part)
    if isinstance(state, StateDict):
        return state.shape(name)
    return np.shape(state[name])
