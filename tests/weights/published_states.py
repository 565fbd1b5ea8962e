"""State dicts as the published networks have them, with seeded weights.

The published networks have 34 million weights: too many to store. Both sides
of a comparison build the same ones: an array is a function of a seed and of
its own name. tests/golden/README.md says how the other side used them.
"""

import zlib

import numpy as np

_CONVS = {1: 2, 2: 2, 3: 3, 4: 3, 5: 3, 6: 3, 7: 3}
_FILTERS = (64, 128, 256, 512, 512, 512, 512, 256, 128, 128)
_WEIGHT_LAYERS = {
    "": 64,
    "2": 128,
    "3": 256,
    "4": 512,
    "5": 512,
    "6": 512,
    "7": 512,
    "8_1": 256,
    "8_2": 256,
    "9_1": 128,
    "9_2": 128,
    "10_1": 128,
    "10_2": 128,
}


def tensor(key, shape, seed):
    """One array of a state dict."""
    rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
    if key.endswith("num_batches_tracked"):
        return np.asarray(1, np.int64)
    if key.endswith("running_var"):
        value = rng.uniform(0.5, 1.5, shape)
    elif key.endswith("running_mean"):
        value = rng.normal(0, 0.1, shape)
    elif len(shape) == 4:
        value = rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
    elif key.endswith("weight"):
        value = rng.uniform(0.8, 1.2, shape)
    else:
        value = rng.normal(0, 0.05, shape)
    return value.astype(np.float32)


def _conv(name, out, into, size=3):
    return {f"{name}.weight": (out, into, size, size), f"{name}.bias": (out,)}


def _up(name, into, out):
    return {f"{name}.weight": (into, out, 4, 4), f"{name}.bias": (out,)}


def bn(name, channels):
    """Shapes of a batch normalization."""
    vectors = ("weight", "bias", "running_mean", "running_var")
    shapes = {f"{name}.{vector}": (channels,) for vector in vectors}
    return shapes | {f"{name}.num_batches_tracked": ()}


def _trunk_shapes(width):
    f = [0, *(round(filters * width) for filters in _FILTERS)]
    shapes, channels = {}, 4
    for block, convs in _CONVS.items():
        for i in range(convs):
            shapes |= _conv(f"model{block}.{2 * i}", f[block], channels)
            channels = f[block]
        shapes |= bn(f"model{block}.{2 * convs}", channels)
    shapes |= _up("model8up.0", f[7], f[8])
    shapes |= _conv("model3short8.0", f[8], f[3])
    shapes |= _conv("model8.1", f[8], f[8]) | _conv("model8.3", f[8], f[8])
    shapes |= bn("model8.5", f[8]) | _up("model9up.0", f[8], f[9])
    shapes |= _conv("model2short9.0", f[9], f[2])
    shapes |= _conv("model9.1", f[9], f[9]) | bn("model9.3", f[9])
    shapes |= _up("model10up.0", f[9], f[10])
    shapes |= _conv("model1short10.0", f[10], f[1])
    shapes |= _conv("model10.1", f[10], f[10])
    shapes |= _conv("model_class.0", 529, f[8], 1)
    return shapes | _conv("model_out.0", 2, f[10], 1)


def _score_shapes(width):
    channels = {
        f"weight_layer{name}": round(filters * width)
        for name, filters in _WEIGHT_LAYERS.items()
    }
    shapes = {}
    for name, into in (channels | {"weight_layerout": 2}).items():
        for part in ("simple_instance_conv", "simple_bg_conv"):
            shapes |= _conv(f"{name}.{part}.0", 16, into)
            shapes |= _conv(f"{name}.{part}.2", 16, 16)
            shapes |= _conv(f"{name}.{part}.4", 1, 16)
    return shapes


def full(seed, width=1.0):
    """The full-picture or the instance network's state dict."""
    shapes = _trunk_shapes(width)
    return {key: tensor(key, s, seed) for key, s in shapes.items()}


def fusion(seed, width=1.0):
    """The fusion network's state dict."""
    shapes = _score_shapes(width) | _trunk_shapes(width)
    return {key: tensor(key, s, seed) for key, s in shapes.items()}


def eccv16_shapes(width=1.0):
    """Shapes of the network of ECCV 2016."""
    f = [0, *(round(filters * width) for filters in _FILTERS)]
    shapes, channels = {}, 1
    for block, convs in _CONVS.items():
        for i in range(convs):
            shapes |= _conv(f"model{block}.{2 * i}", f[block], channels)
            channels = f[block]
        shapes |= bn(f"model{block}.{2 * convs}", channels)
    shapes |= _up("model8.0", f[7], f[8])
    shapes |= _conv("model8.2", f[8], f[8]) | _conv("model8.4", f[8], f[8])
    shapes |= _conv("model8.6", 313, f[8], 1)
    return shapes | {"model_out.weight": (2, 313, 1, 1)}


def eccv16(seed, width=1.0):
    """Its state dict; the bins' colors fill ab, as the published ones do."""
    shapes = eccv16_shapes(width)
    state = {key: tensor(key, s, seed) for key, s in shapes.items()}
    bins = np.random.default_rng(seed).uniform(-1, 1, (2, 313, 1, 1))
    # Logits of some width: a softmax of equal ones hides faults.
    state["model8.6.weight"] *= 4
    return state | {"model_out.weight": bins.astype(np.float32)}


def mmagic(seed, width=1.0):
    """All three networks in mmagic's file, in its spelling."""
    unnumbered = (
        "model8up model9up model10up model3short8 model2short9 "
        "model1short10 model_class"
    ).split()
    networks = {
        "image_model": full(seed, width),
        "instance_model": full(seed + 1, width),
        "fusion_model": fusion(seed + 2, width),
    }
    state = {}
    for prefix, arrays in networks.items():
        for key, value in arrays.items():
            for name in unnumbered:
                key = key.replace(f"{name}.0.", f"{name}.")
            state[f"{prefix}.{key}"] = value
    return state
