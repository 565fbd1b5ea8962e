"""Published weights of DDColor into Keras, strictly.

Every array of a checkpoint is used exactly once, or ignored by these rules:
counters of batch normalizations, the encoder's last normalization, which only
its ImageNet classes needed, and the ImageNet mean and deviation, which must be
what they are.

Spectral norms are divided out: a kernel's largest singular value, as training
left it, is u (W v), with W the kernel as a matrix of one row an output.

References:
    github.com/piddnad/DDColor, ddcolor/model.py.
    T. Miyato et al., "Spectral Normalization for Generative Adversarial
    Networks", ICLR 2018.
"""

import collections
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np

from tfcolor.color import scaling
from tfcolor.models import convnext
from tfcolor.models.ddcolor import ddcolor
from tfcolor.weights import pytorch
from tfcolor.weights import pytorch_archive
from tfcolor.weights import state_dicts

_ARCH = "encoder.arch"
_FIRST = f"{_ARCH}.downsample_layers.0.0.weight"
_QUERIES = "decoder.color_decoder.query_feat.weight"
# Of the published ones at most 192 and 100.
_MOST_FILTERS, _MOST_QUERIES = 384, 1000
_MIXTURE = "refine_net.0.0"
# Ignored, but not whatever they hold.
_FIXED = {
    "mean": scaling.IMAGENET_MEAN,
    "std": scaling.IMAGENET_DEVIATION,
}
# How far rounding to half precision takes them, bfloat16 too.
_ROUNDED = 2e-3
_SPECTRAL = ("weight_orig", "weight_u", "weight_v")
_SHUFFLES = {"pixels0_shuffle": 2, "pixels1_shuffle": 2, "pixels2_shuffle": 2}
_SHUFFLES |= {f"{name}_bn": scale for name, scale in _SHUFFLES.items()}
_SHUFFLES |= {"last_shuffle": 4}


class _Slot(NamedTuple):
    """Where an array goes.

    Attributes:
        shape: tuple of int, of the array.
        place: function of the array to a dict of keras.Variable to array.
    """

    shape: tuple[int, ...]
    place: Callable


def build(
    state: Mapping[str, np.ndarray],
) -> tuple[keras.Model, list[str]]:
    """Builds the network that a state dict belongs to, with its weights.

    Args:
        state: mapping of str to array; see `arrays`.

    Returns:
        The model of `ddcolor`, and the list of the keys that were ignored.

    Raises:
        ValueError: it is no state dict of DDColor, or see `arrays`.
    """
    model = ddcolor(**options_of(state))
    return model, arrays(state, model)


def options_of(state: Mapping[str, np.ndarray]) -> dict:
    """Returns the options of the network that a state dict belongs to.

    Args:
        state: mapping of str to array; see `arrays`.

    Returns:
        dict, the keyword arguments of `ddcolor`.

    Raises:
        ValueError: it is no state dict of DDColor.
    """
    shapes = {
        pytorch.without_module(key): state_dicts.shape_of(state, key)
        for key in state
    }
    for key in (_FIRST, _QUERIES):
        if len(shapes.get(key, ())) < 2:
            raise ValueError(
                f"A state dict of DDColor must hold {key!r}. Received: "
                f"{sorted(state)[:5]} and so on"
            )
    # A network is built before all of a file was compared with it.
    if shapes[_FIRST][0] > _MOST_FILTERS or shapes[_QUERIES][0] > _MOST_QUERIES:
        raise ValueError(
            f"DDColor must have at most {_MOST_FILTERS} filters and "
            f"{_MOST_QUERIES} queries. Received: {shapes[_FIRST][0]} and "
            f"{shapes[_QUERIES][0]}"
        )
    depth = _count(shapes, r"encoder\.arch\.stages\.2\.(\d+)\.")
    depths = {v.depths[2]: name for name, v in convnext.VARIANTS.items()}
    if depth not in depths:
        raise ValueError(
            "The third stage of DDColor's encoder must have "
            f"{' or '.join(map(str, depths))} blocks. Received: {depth}"
        )
    encoder = depths[depth]
    return {
        "encoder": encoder,
        "width": shapes[_FIRST][0] / convnext.VARIANTS[encoder].filters,
        "queries": shapes[_QUERIES][0],
        "decoder_blocks": _count(
            shapes, r"decoder\.color_decoder\.transformer_ffn_layers\.(\d+)\."
        ),
    }


def arrays(state: Mapping[str, np.ndarray], model: keras.Model) -> list[str]:
    """Copies published weights into a model, every array exactly once.

    Args:
        state: mapping of str to array, PyTorch's state dict. `module.` may
            prefix its keys; kernels with spectral norm come as `weight_orig`,
            `weight_u` and `weight_v`, or folded already as `weight`.
        model: keras.Model of `ddcolor`. Keeps the weights it had if anything
            is wrong.

    Returns:
        list of str, the keys that were ignored.

    Raises:
        ValueError: a key is missing, unexpected or there twice, an array has
            another shape, or one is not finite. All of them are listed.
    """
    plain, problems = pytorch.plain_arrays(state, pytorch.without_module)
    found, more = fold(plain)
    problems += more
    slots = dict(_slots(model))
    ignored = _ignored(model, plain)
    shapes = {key: slot.shape for key, slot in slots.items()} | ignored
    problems += pytorch.problems_of(shapes, found)
    problems += [
        f"not ImageNet's: {key} {np.ravel(found[key]).tolist()}"
        for key, values in _FIXED.items()
        if np.size(found.get(key, ())) == len(values)
        and not np.allclose(np.ravel(found[key]), values, atol=_ROUNDED)
    ]
    pytorch.refuse(f"{model.name!r}, each exactly once", problems)
    _assign(slots, found)
    return sorted(ignored)


def encoder_arrays(state: Mapping[str, np.ndarray], model: keras.Model) -> None:
    """Copies ConvNeXt's published ImageNet weights into the encoder.

    Args:
        state: mapping of str to array. The last normalization and the classes
            are not used.
        model: keras.Model of `ddcolor`. The maps that its decoders see have
            normalizations of their own, which keep their weights.

    Raises:
        ValueError: a key is missing or unexpected, an array has another
            shape, or one is not finite. All of them are listed.
    """
    names = {
        f"{_ARCH}.{key}": key
        for key in state
        if not key.startswith(("norm.", "head."))
    }
    found = state_dicts.renamed(state, names)
    slots = {
        key: slot
        for key, slot in _slots(model)
        if key.startswith((f"{_ARCH}.downsample", f"{_ARCH}.stages"))
    }
    shapes = {key: slot.shape for key, slot in slots.items()}
    pytorch.refuse(
        "ConvNeXt, of the size of the encoder",
        pytorch.problems_of(shapes, found),
    )
    _assign(slots, found)


def fold(
    state: Mapping[str, np.ndarray],
) -> tuple[Mapping[str, np.ndarray], list[str]]:
    """Divides spectral norms out of a state dict's kernels.

    Args:
        state: mapping of str to array.

    Returns:
        mapping of str to array, where `weight` stands for each complete
        `weight_orig`, `weight_u` and `weight_v`; and a list of str, what is
        wrong with the others.
    """
    folded, used, problems = {}, set(), []
    for key in state:
        module, _, suffix = key.rpartition(".")
        if suffix != _SPECTRAL[0]:
            continue
        keys = [f"{module}.{name}" for name in _SPECTRAL]
        missing = [name for name in keys if name not in state]
        if missing:
            problems += [f"missing: {name}" for name in missing]
            continue
        kernel, u, v = (np.asarray(state[name]) for name in keys)
        used |= set(keys)
        matrix = kernel.reshape(len(kernel), -1) if kernel.ndim else kernel
        if matrix.ndim != 2 or (u.shape, v.shape) != tuple(
            (n,) for n in matrix.shape
        ):
            problems.append(
                f"shapes of {module}: kernel {kernel.shape}, u {u.shape}, "
                f"v {v.shape}"
            )
            continue
        norm = np.dot(u.astype(np.float64), matrix.astype(np.float64) @ v)
        if not np.isfinite(norm) or not norm:
            problems.append(f"norm of {key}: {norm}")
            norm = 1.0
        folded[f"{module}.weight"] = (kernel / norm).astype(np.float32)
    others = {key: key for key in state if key not in used}
    rest = state_dicts.renamed(state, others)
    return collections.ChainMap(folded, rest), problems


def _assign(slots, found) -> None:
    for key, slot in slots.items():
        array = found[key]
        for variable, value in slot.place(array.astype(np.float32)):
            variable.assign(value)
        # Read once: of a large file one array at a time stays in memory.
        pytorch_archive.forget(array)


def _count(names, pattern) -> int:
    """Returns how many numbers a part of the names has."""
    matches = (re.match(pattern, name) for name in names)
    return len({match.group(1) for match in matches if match})


def _modules(model) -> Iterator[tuple[str, str]]:
    """Yields a published module's name and that of our layer."""
    own = [layer.name for layer in model.layers]
    arch, decoder = _ARCH, "decoder.color_decoder"
    for stage in range(4):
        conv, norm = (1, 0) if stage else (0, 1)
        downsample = f"{arch}.downsample_layers.{stage}"
        yield f"{downsample}.{conv}", f"stage{stage}_conv"
        yield f"{downsample}.{norm}", f"stage{stage}_norm"
        yield f"{arch}.norm{stage}", f"stage{stage}_map"
        for block in range(_count(own, rf"stage{stage}_block(\d+)_")):
            theirs = f"{arch}.stages.{stage}.{block}"
            ours = f"stage{stage}_block{block}"
            yield f"{theirs}.dwconv", f"{ours}_depthwise"
            yield f"{theirs}.norm", f"{ours}_norm"
            yield f"{theirs}.pwconv1", f"{ours}_expand"
            yield f"{theirs}.pwconv2", f"{ours}_project"
    for i in range(3):
        theirs, ours = f"decoder.layers.{i}", f"pixels{i}"
        yield f"{theirs}.shuf.conv.0", f"{ours}_shuffle"
        yield f"{theirs}.shuf.conv.1", f"{ours}_shuffle_bn"
        yield f"{theirs}.bn", f"{ours}_skip_bn"
        yield f"{theirs}.conv.0", f"{ours}_conv"
        yield f"{theirs}.conv.2", f"{ours}_conv_bn"
        yield f"{decoder}.input_proj.{i}", f"level{i}_conv"
        yield f"{decoder}.color_embed.layers.{i}", f"filters{i}"
    yield "decoder.last_shuf.conv.0", "last_shuffle"
    yield f"{decoder}.decoder_norm", "decoder_norm"
    for i in range(_count(own, r"decoder(\d+)_look")):
        cross = f"{decoder}.transformer_cross_attention_layers.{i}"
        itself = f"{decoder}.transformer_self_attention_layers.{i}"
        forward = f"{decoder}.transformer_ffn_layers.{i}"
        yield f"{cross}.multihead_attn", f"decoder{i}_look"
        yield f"{cross}.norm", f"decoder{i}_look_norm"
        yield f"{itself}.self_attn", f"decoder{i}_exchange"
        yield f"{itself}.norm", f"decoder{i}_exchange_norm"
        yield f"{forward}.linear1", f"decoder{i}_expand"
        yield f"{forward}.linear2", f"decoder{i}_project"
        yield f"{forward}.norm", f"decoder{i}_norm"


def _slots(model) -> Iterator[tuple[str, _Slot]]:
    """Yields a published key and its slot, for all of a model's weights."""
    for module, name in _modules(model):
        layer = model.get_layer(name)
        if isinstance(layer, keras.layers.MultiHeadAttention):
            yield from _attention_slots(module, layer)
            continue
        for key, variable in pytorch.variables_of({module: layer}).items():
            yield key, _slot(layer, variable)
    for stage in range(4):
        own = [layer.name for layer in model.layers]
        for block in range(_count(own, rf"stage{stage}_block(\d+)_")):
            layer = model.get_layer(f"stage{stage}_block{block}_scale")
            key = f"{_ARCH}.stages.{stage}.{block}.gamma"
            yield key, _as_it_is(layer.scale)
    decoder = "decoder.color_decoder"
    for key, name in (
        ("query_feat", "queries"),
        ("query_embed", "query_places"),
    ):
        yield f"{decoder}.{key}.weight", _as_it_is(model.get_layer(name).rows)
    levels = [model.get_layer(f"level{i}_rows").level for i in range(3)]
    yield (
        f"{decoder}.level_embed.weight",
        _Slot(
            (3, *levels[0].shape), lambda array: zip(levels, array, strict=True)
        ),
    )
    yield from _mixture_slots(model)


def _as_it_is(variable) -> _Slot:
    return _Slot(tuple(variable.shape), lambda array: [(variable, array)])


def _slot(layer, variable) -> _Slot:
    """Returns the slot of a convolution's, linear layer's or norm's weight."""
    shape = pytorch.shape_of(variable)
    shuffle = _SHUFFLES.get(layer.name)
    # One filter for each channel, which comes first.
    depthwise = (
        isinstance(layer, keras.layers.DepthwiseConv2D) and len(shape) == 4
    )
    if depthwise:
        shape = (shape[1], shape[0], *shape[2:])

    def place(array):
        if shuffle:
            array = _rows_first(array, shuffle)
        if depthwise:
            array = array.swapaxes(0, 1)
        return [(variable, pytorch.to_keras(array))]

    return _Slot(shape, place)


def _rows_first(array, scale) -> np.ndarray:
    """Brings outputs in PyTorch's order of a shuffle into `PixelShuffle`'s."""
    parts = array.reshape(-1, scale**2, *array.shape[1:])
    return parts.swapaxes(0, 1).reshape(array.shape)


def _attention_slots(module, layer) -> Iterator[tuple[str, _Slot]]:
    """PyTorch keeps the kernels of queries, keys and values as one."""
    parts = (layer.query_dense, layer.key_dense, layer.value_dense)
    channels, heads, size = parts[0].kernel.shape
    wide = heads * size

    def kernels(array):
        for part, rows in zip(parts, np.split(array, 3), strict=True):
            yield part.kernel, rows.T.reshape(channels, heads, size)

    def biases(array):
        for part, row in zip(parts, np.split(array, 3), strict=True):
            yield part.bias, row.reshape(heads, size)

    def output(array):
        kernel = layer.output_dense.kernel
        return [(kernel, array.T.reshape(kernel.shape))]

    yield f"{module}.in_proj_weight", _Slot((3 * wide, channels), kernels)
    yield f"{module}.in_proj_bias", _Slot((3 * wide,), biases)
    yield f"{module}.out_proj.weight", _Slot((channels, wide), output)
    yield f"{module}.out_proj.bias", _as_it_is(layer.output_dense.bias)


def _mixture_slots(model) -> Iterator[tuple[str, _Slot]]:
    """The last convolution sees the queries' maps, then the picture."""
    queries = model.get_layer("mixture").kernel
    picture = model.get_layer("mixture_of_picture")
    count, outputs = queries.shape
    channels = picture.kernel.shape[2]

    def kernels(array):
        matrix = array.reshape(outputs, -1).T
        yield queries, matrix[:count]
        yield picture.kernel, matrix[None, None, count:]

    shape = (outputs, count + channels, 1, 1)
    yield f"{_MIXTURE}.weight", _Slot(shape, kernels)
    yield f"{_MIXTURE}.bias", _as_it_is(picture.bias)


def _ignored(model, plain) -> dict[str, tuple[int, ...]]:
    """Shapes of what has no place in the model."""
    channels = model.get_layer("stage3_map").gamma.shape
    layers = {module: model.get_layer(name) for module, name in _modules(model)}
    groups = [
        pytorch.counters(layers),
        {f"{_ARCH}.norm.{s}": tuple(channels) for s in ("weight", "bias")},
        {key: (1, len(values), 1, 1) for key, values in _FIXED.items()},
    ]
    return pytorch.whole_groups(groups, plain)
