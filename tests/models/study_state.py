"""The task transfer study's classifier: seeded weights, and loading them."""

import numpy as np

from tests.weights import published_states

_TRUNK = {1: (4, 64, 2), 2: (64, 128, 2), 3: (128, 256, 3), 4: (256, 512, 3)}
_TRUNK |= {5: (512, 512, 3)}
_NEW = {6: (512, 256), 7: (256, 128), 8: (128, 64), 9: (64, 32)}
_BN = ("weight", "bias", "running_mean", "running_var")


def layers(width):
    """Yields (our layer, the study's name, shape) of all but the last one."""

    def narrow(count):
        return count if count == 4 else max(1, round(count * width))

    for block, (into, out, convs) in _TRUNK.items():
        into, out = narrow(into), narrow(out)
        for i in range(convs):
            ours = f"block{block}_conv{i + 1}"
            yield ours, f"model{block}.{2 * i}", (out, into, 3, 3)
            into = out
        # Its last convolution is followed by BN and only then by ReLU.
        yield f"block{block}_bn", f"model{block}.{2 * convs - 1}", (out,)
    for block, sizes in _NEW.items():
        into, out = map(narrow, sizes)
        ours = f"transfer{block - 5}"
        yield f"{ours}_conv", f"model_aux{block}.0", (out, into, 3, 3)
        yield f"{ours}_bn", f"model_aux{block}.1", (out,)


def state(seed, *, width, size):
    """The study's state dict for pictures of `size` pixels, 10 classes."""
    arrays = {}
    for _, name, shape in layers(width):
        parts = ("weight", "bias") if len(shape) == 4 else _BN
        for part in parts:
            key = f"{name}.{part}"
            whole = shape if part == "weight" else shape[:1]
            arrays[key] = published_states.tensor(key, whole, seed)
    features = max(1, round(32 * width)) * (size // 8) ** 2
    rng = np.random.default_rng(seed)
    weight = rng.normal(0, features**-0.5, (10, features))
    arrays["model_aux10.0.weight"] = weight.astype(np.float32)
    arrays["model_aux10.0.bias"] = np.linspace(-1, 1, 10, dtype=np.float32)
    return arrays


def load(model, arrays, *, width, size):
    """Gives a classifier with the head "flatten" the study's weights."""
    for ours, name, shape in layers(width):
        if len(shape) == 4:
            kernel = arrays[f"{name}.weight"].transpose(2, 3, 1, 0)
            values = [kernel, arrays[f"{name}.bias"]]
        else:
            values = [arrays[f"{name}.{part}"] for part in _BN]
        model.get_layer(ours).set_weights(values)
    # It flattens channels first, we flatten them last.
    side = size // 8
    kernel = arrays["model_aux10.0.weight"].reshape(10, -1, side, side)
    kernel = kernel.transpose(2, 3, 1, 0).reshape(-1, 10)
    bias = arrays["model_aux10.0.bias"]
    model.get_layer("logits").set_weights([kernel, bias])
