"""What PyTorch does in a benchmark: inference and training steps.

Inputs and results are numpy arrays as tfcolor's models have them: channels
last, CIELAB. This module knows no TensorFlow, so that the memory of PyTorch
can be measured alone.
"""

import contextlib
import copy
from collections.abc import Callable
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from benchmarks import pytorch_networks
from tfcolor.color import scaling

# Of the released training scripts.
_HUBER_DELTA = 1 / 110
_LOSS_WEIGHT = 10


def build(
    *, width: float, original: str | None, seed: int = 0
) -> dict[str, nn.Module]:
    """Builds "full", "instance" and "fusion" with random weights.

    Args:
        width: float.
        original: str or None; see `pytorch_networks.build`.
        seed: int, of the weights.

    Returns:
        dict of str to nn.Module, in evaluation mode.
    """
    torch.manual_seed(seed)
    networks = pytorch_networks.build(width=width, original=original)
    for network in networks.values():
        with_random_weights(network)
        # Small, so that colors are none of the most vivid.
        nn.init.normal_(network.model_out[0].weight, 0.0, 0.02)
    return networks


def with_random_weights(network: nn.Module) -> nn.Module:
    """Draws weights for a network, and returns it in evaluation mode.

    Args:
        network: nn.Module.

    Returns:
        `network`.
    """
    for module in network.modules():
        _randomize(module)
    return network.eval()


def _randomize(module) -> None:
    """Draws weights that keep the size of what goes through them."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.normal_(module.bias, 0.0, 0.05)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.uniform_(module.weight, 0.8, 1.2)
        nn.init.normal_(module.bias, 0.0, 0.05)
        nn.init.normal_(module.running_mean, 0.0, 0.1)
        nn.init.uniform_(module.running_var, 0.5, 1.5)


def states(networks: Mapping[str, nn.Module]) -> dict[str, dict]:
    """Returns the weights as published files hold them.

    Args:
        networks: mapping of str to nn.Module.

    Returns:
        dict of the same names to a dict of str to a copied array.
    """
    return {
        name: {
            key: value.numpy().copy()
            for key, value in network.state_dict().items()
        }
        for name, network in networks.items()
    }


def _nchw(array) -> torch.Tensor:
    array = np.asarray(array, np.float32).transpose(0, 3, 1, 2)
    # PyTorch wants memory of its own, which it may write to.
    return torch.from_numpy(np.array(array, order="C"))


def _picture(inputs) -> tuple[torch.Tensor, ...]:
    """Returns L, hints and mask in network units."""
    L = (_nchw(inputs["L"]) - scaling.L_CENTER) / scaling.L_SCALE
    hints = _nchw(inputs["hints"]) / scaling.AB_SCALE
    return L, hints, _nchw(inputs["mask"]) - scaling.MASK_CENTER


def _instances(inputs) -> tuple[tuple[torch.Tensor, ...], list]:
    """Returns what the instance network sees, and the boxes' places."""
    crops = np.asarray(inputs["crops"])[0]
    nothing = np.zeros_like(crops)
    seen = _picture(
        {"L": crops, "hints": nothing.repeat(2, -1), "mask": nothing}
    )
    height, width = (int(n) for n in np.asarray(inputs["picture_size"])[0])
    places = pytorch_networks.place_boxes(
        np.asarray(inputs["boxes"])[0].astype(int).tolist(),
        height=height,
        width=width,
        size=np.shape(inputs["L"])[1],
    )
    return seen, places


def _ab(result) -> np.ndarray:
    ab = result.detach().numpy().transpose(0, 2, 3, 1)
    return ab * scaling.AB_SCALE


def full_inference(network, inputs: Mapping) -> Callable:
    """Prepares the full network on whole pictures.

    Args:
        network: nn.Module, "full".
        inputs: mapping of "L", "hints", "mask" to arrays.

    Returns:
        Function without arguments to ab, float32 [B, S, S, 2].
    """
    picture = _picture(inputs)

    def run():
        with torch.no_grad():
            return _ab(network(*picture)[1])

    return run


def fusion_inference(
    networks, inputs: Mapping, *, gradients: bool = False
) -> Callable:
    """Prepares instance and fusion network on one picture with boxes.

    Args:
        networks: mapping of str to nn.Module.
        inputs: mapping, of `fusion.instance_colorizer`, of one picture all
            of whose boxes are valid.
        gradients: bool. Whether what gradients would need is kept, as the
            original's test program does.

    Returns:
        Function without arguments to ab, float32 [1, S, S, 2].
    """
    picture = _picture(inputs)
    seen, places = _instances(inputs)

    def run():
        with contextlib.nullcontext() if gradients else torch.no_grad():
            _, maps = networks["instance"](*seen)
            return _ab(networks["fusion"](*picture, maps, places))

    return run


def _loss(ab_pred, ab_true):
    distance = (ab_pred - ab_true).abs()
    near = distance * distance / (2 * _HUBER_DELTA)
    far = distance - _HUBER_DELTA / 2
    loss = torch.where(distance < _HUBER_DELTA, near, far)
    return _LOSS_WEIGHT * loss.sum(dim=1).mean()


def _adam(weights, rate):
    return torch.optim.Adam(weights, lr=rate, betas=(0.9, 0.999))


def full_step(network, inputs: Mapping, ab, *, rate: float) -> Callable:
    """Prepares a training step of the full network.

    Args:
        network: nn.Module, "full". A copy of it is trained.
        inputs: mapping of "L", "hints", "mask" to arrays.
        ab: array [B, S, S, 2], what is to be predicted.
        rate: float, learning rate.

    Returns:
        Function without arguments that does a step, to the loss before it.
    """
    picture, ab = _picture(inputs), _nchw(ab) / scaling.AB_SCALE
    network = copy.deepcopy(network).train()
    optimizer = _adam(network.parameters(), rate)

    def step():
        _, result = network(*picture)
        optimizer.zero_grad()
        loss = _loss(result, ab)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def fusion_step(networks, inputs: Mapping, ab, *, rate: float) -> Callable:
    """Prepares a training step of the fusion stage, as released.

    All three networks run, the full one for nothing, and none is frozen: the
    gradients of all weights of two networks are computed, though the
    optimizer knows only `pytorch_networks.TRAINED`.

    Args:
        networks: mapping of str to nn.Module.
        inputs: mapping, as for `fusion_inference`.
        ab: array [1, S, S, 2], what is to be predicted.
        rate: float, learning rate.

    Returns:
        Function without arguments that does a step, to the loss before it.
    """
    picture, ab = _picture(inputs), _nchw(ab) / scaling.AB_SCALE
    seen, places = _instances(inputs)
    fusion = networks["fusion"]
    trained = [
        weight
        for name in pytorch_networks.TRAINED
        for weight in getattr(fusion, name).parameters()
    ]
    optimizer = _adam(trained, rate)

    def step():
        networks["full"](*picture)
        _, maps = networks["instance"](*seen)
        result = fusion(*picture, maps, places)
        optimizer.zero_grad()
        loss = _loss(result, ab)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def matmul(side: int) -> Callable:
    """Prepares a product of two square float32 matrices.

    Args:
        side: int.

    Returns:
        Function without arguments.
    """
    a, b = torch.randn(side, side), torch.randn(side, side)
    return lambda: torch.mm(a, b)
