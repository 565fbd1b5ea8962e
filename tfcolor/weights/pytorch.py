"""Published PyTorch weights into Keras models, strictly.

A state dict is a dict of numpy arrays under PyTorch's names. Every array is
used exactly once, or is ignored by name; anything missing, left over or of
another shape is an error that lists every such array, and the model keeps
the weights it had.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np

from tfcolor.color import ab_bins
from tfcolor.models import architecture
from tfcolor.models import siggraph_blocks
from tfcolor.weights import pytorch_archive
from tfcolor.weights import pytorch_keys
from tfcolor.weights import state_dicts

# PyTorch keeps kernels as (out, in, height, width), and (in, out, height,
# width) for transposed convolutions; Keras as (height, width, in, out), and
# (height, width, out, in). One transposition serves both. Kernels of dense
# layers are (out, in) there, (in, out) here.
_AXES = {4: (2, 3, 1, 0), 2: (1, 0)}
_SCORE_FILTERS = 16
# Four times the published width: a network is built before all of a file was
# compared with it, and a small file may promise much.
_MOST_FILTERS = 256


def width_of(state: Mapping[str, np.ndarray]) -> float:
    """Returns the width of the network that a state dict belongs to.

    Args:
        state: mapping of str to array.

    Returns:
        float, 1 for the published networks.

    Raises:
        ValueError: the first convolution is missing, or wider than any.
    """
    for key in state:
        if pytorch_keys.plain_key(key) == "model1.0.weight":
            shape = state_dicts.shape_of(state, key)
            if len(shape) != 4 or not 1 <= shape[0] <= _MOST_FILTERS:
                raise ValueError(
                    "'model1.0.weight' must have 4 axes and at most "
                    f"{_MOST_FILTERS} filters. Received: shape={shape}"
                )
            return shape[0] / siggraph_blocks.FILTERS[0]
    raise ValueError(
        "A state dict of a colorizer must hold 'model1.0.weight'. "
        f"Received: {_some(state)}"
    )


def load_state(
    model: keras.Model, state: Mapping[str, np.ndarray]
) -> list[str]:
    """Puts published weights into a model.

    Args:
        model: keras.Model, made by `siggraph`, `instance`, `fusion` or
            `eccv16`.
        state: mapping of str to array, the state dict of that network.
            `module.` may prefix its keys.

    Returns:
        list of str, the keys that were ignored: counters of batch
        normalizations, the class head where `model` has none, and the
        published fusion network's unused `weight_layerout`.

    Raises:
        ValueError: a key is missing, unexpected or there twice, an array has
            another shape, or one is not finite. All of them are listed.
    """
    arrays, problems = plain_arrays(state, pytorch_keys.plain_key)
    targets = variables_of(_modules(model))
    ignored = _ignored(model, arrays)
    shapes = {key: shape_of(v) for key, v in targets.items()} | ignored
    refuse(
        f"{model.name!r}, each exactly once",
        problems + problems_of(shapes, arrays),
    )
    for key, variable in targets.items():
        array = arrays[key]
        variable.assign(to_keras(array))
        pytorch_archive.forget(array)
    return sorted(ignored)


def networks_of(
    state: Mapping[str, np.ndarray],
) -> dict[str, Mapping[str, np.ndarray]]:
    """Splits mmagic's single file into its three networks.

    Args:
        state: mapping of str to array.

    Returns:
        dict of "full", "instance" and "fusion" to a state dict each.

    Raises:
        ValueError: a key belongs to none of them, or a network is not there.
    """
    networks = {name: {} for name in pytorch_keys.MMAGIC_PREFIXES}
    strangers = []
    for key in state:
        plain = key.removeprefix("module.")
        for name, prefix in pytorch_keys.MMAGIC_PREFIXES.items():
            if plain.startswith(prefix):
                networks[name][plain.removeprefix(prefix)] = key
                break
        else:
            strangers.append(key)
    absent = [name for name, keys in networks.items() if not keys]
    if strangers or absent:
        raise ValueError(
            "Every key must start with one of "
            f"{sorted(pytorch_keys.MMAGIC_PREFIXES.values())}, and each of "
            f"these must be there. Received: unexpected {_some(strangers)}; "
            f"without {absent}"
        )
    return {
        name: state_dicts.renamed(state, keys)
        for name, keys in networks.items()
    }


def _some(keys) -> str:
    keys = sorted(keys)
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return f"{keys[:5]}{more}"


def _modules(model) -> dict[str, keras.Layer]:
    """Returns the layer of `model` for every published module."""
    own = {layer.name: layer for layer in model.layers}
    network = architecture.of(model).name
    modules = {
        module: own[name]
        for module, name in pytorch_keys.layer_names(network).items()
        if name in own
    }
    for module, name in pytorch_keys.WEIGHT_LAYERS.items():
        layer = own.get(f"{name}_fusion")
        if layer is None:
            continue
        for i in range(3):
            # Counts the ReLUs between the convolutions.
            place = 2 * i
            modules[f"{module}.simple_instance_conv.{place}"] = (
                layer.instance_convs[i]
            )
            modules[f"{module}.simple_bg_conv.{place}"] = (
                layer.background_convs[i]
            )
    return modules


def _ignored(model, arrays) -> dict[str, tuple[int, ...]]:
    """Returns shapes of the arrays that have no place in `model`."""
    modules = _modules(model)
    groups = [counters(modules)]
    classless = pytorch_keys.CLASS_HEAD not in modules
    if classless and "model8.3" in modules:
        filters = modules["model8.3"].filters
        groups.append(
            {
                f"{pytorch_keys.CLASS_HEAD}.weight": (
                    ab_bins.NUM_BINS,
                    filters,
                    1,
                    1,
                ),
                f"{pytorch_keys.CLASS_HEAD}.bias": (ab_bins.NUM_BINS,),
            }
        )
    if "weight_layer.simple_bg_conv.0" in modules:
        groups.append(_unused_weight_layer())
    return whole_groups(groups, arrays)


def _unused_weight_layer() -> dict[str, tuple[int, ...]]:
    filters = (2, _SCORE_FILTERS, _SCORE_FILTERS, 1)
    return {
        f"{pytorch_keys.UNUSED_WEIGHT_LAYER}.{part}.{2 * i}.{suffix}": shape
        for part in ("simple_instance_conv", "simple_bg_conv")
        for i in range(3)
        for suffix, shape in (
            ("weight", (filters[i + 1], filters[i], 3, 3)),
            ("bias", (filters[i + 1],)),
        )
    }


def shape_of(variable: keras.Variable) -> tuple[int, ...]:
    """Returns the shape of the array that PyTorch has for a variable.

    Args:
        variable: keras.Variable of a convolution, a dense layer or a
            normalization; not of a depthwise convolution.

    Returns:
        tuple of int.
    """
    shape = tuple(variable.shape)
    if len(shape) not in _AXES:
        return shape
    *size, second, first = shape
    return (first, second, *size)


def to_keras(array: np.ndarray) -> np.ndarray:
    """Returns an array of PyTorch with the axes that Keras has.

    Args:
        array: array of the shape that `shape_of` returns.

    Returns:
        float32 array of the shape of the variable.
    """
    array = array.astype(np.float32)
    return array.transpose(_AXES[array.ndim]) if array.ndim in _AXES else array


def plain_arrays(
    state: Mapping[str, np.ndarray], plain_key: Callable[[str], str]
) -> tuple[state_dicts.StateDict, list[str]]:
    """Gives the arrays of a state dict their plain names.

    Args:
        state: mapping of str to array.
        plain_key: function of a key to the plain one.

    Returns:
        StateDict, and a list of str, the names that are there twice.
    """
    names, problems = {}, []
    for key in state:
        plain = plain_key(key)
        if plain in names:
            problems.append(f"there twice: {plain}")
        names[plain] = key
    return state_dicts.renamed(state, names), problems


def variables_of(
    layers: Mapping[str, keras.Layer],
) -> dict[str, keras.Variable]:
    """Returns the variable of every published key.

    Args:
        layers: mapping from published modules to convolutions, dense layers
            and normalizations, with a bias or without.

    Returns:
        dict of str to keras.Variable.
    """
    found = {}
    for module, layer in layers.items():
        is_bn = isinstance(layer, keras.layers.BatchNormalization)
        suffixes = (
            pytorch_keys.BN_SUFFIXES if is_bn else pytorch_keys.CONV_SUFFIXES
        )[: len(layer.weights)]
        for suffix, variable in zip(suffixes, layer.weights, strict=True):
            found[f"{module}.{suffix}"] = variable
    return found


def counters(layers: Mapping[str, keras.Layer]) -> dict[str, tuple]:
    """Returns the shapes of the counters of batch normalizations, by key."""
    return {
        f"{module}.{pytorch_keys.COUNTER_SUFFIX}": ()
        for module, layer in layers.items()
        if isinstance(layer, keras.layers.BatchNormalization)
    }


def whole_groups(
    groups: Iterable[Mapping[str, tuple[int, ...]]],
    arrays: Mapping[str, np.ndarray],
) -> dict[str, tuple[int, ...]]:
    """Returns the groups of which something is there, in one dict.

    Each is there as a whole or not at all: a part of one means that the file
    is broken.

    Args:
        groups: dicts from keys to shapes.
        arrays: mapping of str to array, those that are there.

    Returns:
        dict from keys to shapes.
    """
    found = {}
    for group in groups:
        if any(key in arrays for key in group):
            found |= group
    return found


def without_module(key: str) -> str:
    """Returns a key without the `module.` of PyTorch's parallel training."""
    return key.removeprefix("module.")


def problems_of(
    shapes: Mapping[str, tuple[int, ...]],
    arrays: Mapping[str, np.ndarray],
    *,
    keys: Iterable[str] | None = None,
) -> list[str]:
    """Says what is wrong with the arrays of a state dict.

    Args:
        shapes: mapping from every key that must be there to its shape.
        arrays: mapping of str to array, those that are there.
        keys: iterable of str, which keys are looked at, or None, those of both
            mappings: no other array may be there.

    Returns:
        list of str, empty if nothing is.
    """
    if keys is None:
        keys = sorted(shapes.keys() | arrays.keys())
    found = (_problem(key, shapes, arrays) for key in keys)
    return [problem for problem in found if problem is not None]


def refuse(whose: str, problems: Sequence[str]) -> None:
    """Raises an error that lists what is wrong with weights, if anything is.

    Args:
        whose: str, whose the weights must be.
        problems: sequence of str.

    Raises:
        ValueError: there are problems.
    """
    if problems:
        raise ValueError(
            f"The weights must be those of {whose}. "
            f"Received: {len(problems)} problems\n  " + "\n  ".join(problems)
        )


def _problem(
    key: str,
    shapes: Mapping[str, tuple[int, ...]],
    arrays: Mapping[str, np.ndarray],
) -> str | None:
    """Says what is wrong with an array, if anything is."""
    if key not in arrays:
        return f"missing: {key} {shapes[key]}"
    shape = state_dicts.shape_of(arrays, key)
    if key not in shapes:
        return f"unexpected: {key} {shape}"
    if shape != shapes[key]:
        return f"shape of {key}: {shape}, not {shapes[key]}"
    array = np.asarray(arrays[key])
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        return f"not finite: {key}"
    pytorch_archive.forget(array)
    return None
