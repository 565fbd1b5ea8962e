"""What a training step of PyTorch computes."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.utils import _python_dispatch

from benchmarks import pytorch_networks


class ConvCounter(_python_dispatch.TorchDispatchMode):
    """Counts convolutions while it is entered.

    Attributes:
        forward: int.
        to_inputs: int, gradients with respect to what goes in.
        to_kernels: int, gradients with respect to kernels.
    """

    def __init__(self):
        super().__init__()
        self.forward = self.to_inputs = self.to_kernels = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Counts an operation and does it."""
        del types
        if function is torch.ops.aten.convolution.default:
            self.forward += 1
        elif function is torch.ops.aten.convolution_backward.default:
            wanted = args[-1]
            self.to_inputs += wanted[0]
            self.to_kernels += wanted[1]
        return function(*args, **kwargs or {})


def weights_with_gradient(networks: Mapping[str, nn.Module]) -> int:
    """Counts the weights whose gradient the last step computed.

    Args:
        networks: mapping of str to nn.Module.

    Returns:
        int.
    """
    return sum(
        weight.numel()
        for network in networks.values()
        for weight in network.parameters()
        if weight.grad is not None
    )


def trained_weights(network) -> int:
    """Counts the weights of a fusion network that the optimizer knows.

    Args:
        network: nn.Module, "fusion".

    Returns:
        int.
    """
    return sum(
        weight.numel()
        for name in pytorch_networks.TRAINED
        for weight in getattr(network, name).parameters()
    )
