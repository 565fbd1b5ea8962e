"""State dicts as torchvision's AlexNet and ResNet-18 have them.

Seeded as `published_states`: an array is a function of a seed and its name.
"""

import numpy as np

from tests.weights import published_states

_STAGES = {1: 64, 2: 128, 3: 256, 4: 512}
_ALEXNET_CONVS = {
    0: (64, 3, 11),
    3: (192, 64, 5),
    6: (384, 192, 3),
    8: (256, 384, 3),
    10: (256, 256, 3),
}


def _scaled(count, width):
    return max(1, round(count * width))


def _tensors(shapes, seed):
    arrays = {}
    for key, shape in shapes.items():
        array = published_states.tensor(key, shape, seed)
        if len(shape) == 2:
            # The weights of normalizations lie around 1, those of linear
            # layers around 0.
            array = (array - 1) * 5 * (6 / shape[1]) ** 0.5
        arrays[key] = array
    return arrays


def _linear(name, out, into):
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def alexnet(seed, width=1.0, classes=1000):
    """AlexNet's state dict."""
    shapes = {}
    for place, (out, into, size) in _ALEXNET_CONVS.items():
        into = into if into == 3 else _scaled(into, width)
        out = _scaled(out, width)
        shapes[f"features.{place}.weight"] = (out, into, size, size)
        shapes[f"features.{place}.bias"] = (out,)
    hidden = _scaled(4096, width)
    shapes |= _linear("classifier.1", hidden, 36 * _scaled(256, width))
    shapes |= _linear("classifier.4", hidden, hidden)
    shapes |= _linear("classifier.6", classes, hidden)
    return _tensors(shapes, seed)


def resnet18(seed, width=1.0, classes=1000):
    """ResNet-18's state dict."""
    channels = _scaled(64, width)
    shapes = {"conv1.weight": (channels, 3, 7, 7)}
    shapes |= published_states.bn("bn1", channels)
    for stage, filters in _STAGES.items():
        filters = _scaled(filters, width)
        for block in (0, 1):
            name = f"layer{stage}.{block}"
            shapes[f"{name}.conv1.weight"] = (filters, channels, 3, 3)
            shapes |= published_states.bn(f"{name}.bn1", filters)
            shapes[f"{name}.conv2.weight"] = (filters, filters, 3, 3)
            shapes |= published_states.bn(f"{name}.bn2", filters)
            if stage > 1 and block == 0:
                down = f"{name}.downsample"
                shapes[f"{down}.0.weight"] = (filters, channels, 1, 1)
                shapes |= published_states.bn(f"{down}.1", filters)
            channels = filters
    shapes |= _linear("fc", classes, channels)
    return _tensors(shapes, seed)


def picture(seed, height, width):
    """Lightness of a random picture, float32 [1, H, W, 1]."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 100, [1, height, width, 1]).astype(np.float32)
