"""The authors' DDColor in PyTorch, from a checkout, with random weights.

The checkout needs what its own requirements.txt asks for. Nothing of PyTorch
is imported before a network is built.

Reference:
    github.com/piddnad/DDColor (Kang et al., ICCV 2023).
"""

import sys
import zlib

import numpy as np

# Rounds of the power method: not quite the largest singular value, as in
# training.
_ROUNDS = 3


def build(repository: str, encoder: str):
    """Builds the authors' network in evaluation mode.

    Args:
        repository: str, the checkout.
        encoder: str, "tiny" or "large".

    Returns:
        torch.nn.Module with the released options.
    """
    if repository not in sys.path:
        sys.path.insert(0, repository)
    from ddcolor import model as published

    network = published.DDColor(
        encoder_name=f"convnext-{encoder[0]}",
        input_size=(64, 64),
        num_output_channels=2,
        last_norm="Spectral",
        num_queries=100,
        num_scales=3,
        dec_layers=9,
    )
    return network.eval()


def random_state(shapes: dict, seed: int) -> dict[str, np.ndarray]:
    """Makes the weights of a network as if it had been trained.

    Args:
        shapes: dict of keys to shapes.
        seed: int. An array is a function of it and of its key.

    Returns:
        dict of keys to arrays.
    """
    state = {
        key: _random_array(key, shape, seed) for key, shape in shapes.items()
    }
    for key in [k for k in state if k.endswith("weight_orig")]:
        matrix = state[key].reshape(len(state[key]), -1)
        v = state[key.replace("orig", "v")]
        for _ in range(_ROUNDS):
            u = _unit(matrix @ v)
            v = _unit(matrix.T @ u)
        state[key.replace("orig", "u")] = u.astype(np.float32)
        state[key.replace("orig", "v")] = v.astype(np.float32)
    return state


def _unit(vector):
    return vector / np.linalg.norm(vector)


def _random_array(key, shape, seed) -> np.ndarray:
    rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
    if key.endswith("num_batches_tracked"):
        return np.asarray(7, np.int64)
    fan_in = np.prod(shape[1:]) if len(shape) > 1 else 1
    if key.endswith("running_var"):
        value = rng.uniform(0.5, 2.0, shape)
    elif key.endswith("gamma"):
        value = rng.uniform(0.05, 0.3, shape)
    elif len(shape) > 1 and ("embed.weight" in key or "feat" in key):
        value = rng.normal(0, 1, shape)
    elif len(shape) > 1:
        # The last layer of the queries' filters: ab of tens of units.
        gain = 30.0 if key.endswith("color_embed.layers.2.weight") else 1.0
        value = rng.normal(0, gain * fan_in**-0.5, shape)
    elif key.endswith(("weight", "weight_u", "weight_v")):
        value = rng.uniform(0.7, 1.3, shape)
    else:
        value = rng.normal(0, 0.1, shape)
    return value.astype(np.float32)


def with_random_weights(network, seed: int) -> dict[str, np.ndarray]:
    """Gives the authors' network random weights.

    Args:
        network: torch.nn.Module of `build`.
        seed: int.

    Returns:
        dict of keys to arrays, its state dict.
    """
    import torch

    own = network.state_dict()
    fixed = {key: own.pop(key).numpy() for key in ("mean", "std")}
    shapes = {key: tuple(value.shape) for key, value in own.items()}
    state = random_state(shapes, seed) | fixed
    network.load_state_dict(
        {key: torch.from_numpy(value) for key, value in state.items()},
        strict=True,
    )
    return state


def grey_tensor(L: np.ndarray):
    """Makes the authors' input: grey sRGB of a lightness.

    Args:
        L: float32 array [B, H, W, 1], 0..100.

    Returns:
        torch.Tensor, float32 [B, 3, H, W], 0..1.
    """
    import torch

    f = (L.astype(np.float64) + 16) / 116
    Y = np.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787)
    curve = 1.055 * np.maximum(Y, 0.0031308) ** (1 / 2.4) - 0.055
    grey = np.where(Y > 0.0031308, curve, 12.92 * Y).astype(np.float32)
    return torch.from_numpy(grey.transpose(0, 3, 1, 2).repeat(3, axis=1))
