"""Training steps for pictures in an array, on each backend of Keras.

No step waits for the device: losses are numbers there until somebody reads
them. A moving average of the weights is kept beside them, as
`tfcolor.training.moving_average` has it, which needs TensorFlow.
"""

import collections
import warnings

import keras
import numpy as np
from keras import ops

from tfcolor.data import array_examples
from tfcolor.losses import colorized
from tfcolor.models.discriminator import Judged
from tfcolor.training import averaged_weights
from tfcolor.training import optimizer as optimizer_lib

# The largest part of a device's free memory that all pictures may take.
_PICTURES_SHARE = 0.5


class Steps:
    """Runs steps: draws examples, follows the gradient, averages the weights.

    `of_backend` makes one for the backend in use.

    Args:
        network: keras.Model with the inputs and outputs of `siggraph`, or a
            `discriminator.Judged` around one. Its variables are not to be
            read: see `averages`.
        losses: function of `objective.objective`.
        pictures: uint8 array [N, P, P, 3].
        config: FullDataConfig.
        optimizer_config: OptimizerConfig.
    """

    def __init__(self, network, losses, pictures, config, optimizer_config):
        self._network = network
        self._judged = isinstance(network, Judged)
        self._changing = averaged_weights.changing(
            network.colorizer if self._judged else network
        )
        self._losses = losses
        self._config = config
        self._optimizer_config = optimizer_config
        self._rng = np.random.default_rng(config.seed)
        self._count = 0
        self._pictures, self._on_device = pictures, False
        if pictures.nbytes < _PICTURES_SHARE * self._free_bytes():
            self._pictures, self._on_device = self._put(pictures), True

    def run(self, chosen: np.ndarray, rate: float):
        """Runs a step.

        Args:
            chosen: int array [B], places of pictures.
            rate: float, the learning rate.

        Returns:
            float32 scalar on the device, the loss.
        """
        self._count += 1
        momentum = min(
            self._optimizer_config.ema_momentum,
            averaged_weights.early_momentum(self._count),
        )
        batch = array_examples.draw(
            self._rng,
            len(chosen),
            side=self._pictures.shape[1],
            config=self._config,
        )
        if self._on_device:
            batch["chosen"] = chosen.astype(np.int32)
        else:
            batch["rgb"] = self._pictures[chosen]
        return self._run(batch, rate, momentum)

    def averages(self) -> list[np.ndarray]:
        """Returns averages of `averaged_weights.changing`, float32 arrays."""
        return [ops.convert_to_numpy(average) for average in self._averages]

    def _examples(self, batch, pictures, grain):
        rgb = batch["rgb"] if pictures is None else pictures[batch["chosen"]]
        inputs, targets = array_examples.examples(rgb, batch, grain)
        if self._judged:
            inputs |= {
                "rgb": colorized.true_rgb(targets["L"], targets["ab"]),
                "judged_L": targets["L"],
            }
        return inputs, targets

    def _grain_shape(self, batch) -> tuple[int, ...]:
        return (*batch["shown"].shape, 1)

    def _loss(self, targets, outputs):
        losses = self._losses(targets, outputs).values()
        return sum(ops.mean(value) for value in losses)

    def _free_bytes(self) -> float:
        """Free memory of a device that has its own; 0 without one."""
        return 0

    def _put(self, array: np.ndarray):
        """Copies an array to the device."""
        raise NotImplementedError

    def _run(self, batch, rate, momentum):
        raise NotImplementedError


class JaxSteps(Steps):
    """A pure function of all that changes, compiled once."""

    def __init__(self, network, losses, pictures, config, optimizer_config):
        import jax

        self._jax = jax
        super().__init__(network, losses, pictures, config, optimizer_config)
        self._optimizer = optimizer_lib.build_optimizer(optimizer_config)
        self._optimizer.build(network.trainable_variables)
        names = [variable.name for variable in self._optimizer.variables]
        self._rate = names.index("learning_rate")
        self._key = jax.random.key(config.seed)
        others = network.non_trainable_variables
        places = {
            id(variable): i
            for i, variable in enumerate(
                [*network.trainable_variables, *others]
            )
        }
        self._averaged = [places[id(variable)] for variable in self._changing]
        # Copies: a step takes the memory of its arguments.
        self._state = [
            [jax.numpy.array(variable.value) for variable in variables]
            for variables in (
                *(network.trainable_variables, others),
                *(self._optimizer.variables, self._changing),
            )
        ]
        self._step = jax.jit(self._pure_step, donate_argnums=0)
        self._last = None

    @property
    def _averages(self):
        return self._state[3]

    def _free_bytes(self):
        found = self._jax.local_devices()[0].memory_stats() or {}
        return found.get("bytes_limit", 0) - found.get("bytes_in_use", 0)

    def _put(self, array):
        return self._jax.device_put(array)

    def _run(self, batch, rate, momentum):
        # One step ahead keeps the device busy; many would hide the time.
        self._jax.block_until_ready(self._last)
        self._state, loss = self._step(
            self._state,
            self._pictures if self._on_device else None,
            batch,
            np.uint32(self._count),
            np.float32(rate),
            np.float32(momentum),
        )
        self._last = loss
        return loss

    def _pure_step(self, state, pictures, batch, count, rate, momentum):
        jax = self._jax
        weights, others, slots, averages = state
        grain = jax.random.normal(
            jax.random.fold_in(self._key, count), self._grain_shape(batch)
        )
        inputs, targets = self._examples(batch, pictures, grain)

        def loss_of(weights):
            outputs, changed = self._network.stateless_call(
                weights, others, inputs, training=True
            )
            return self._loss(targets, outputs), changed

        (loss, others), gradients = jax.value_and_grad(loss_of, has_aux=True)(
            weights
        )
        slots = list(slots)
        slots[self._rate] = rate
        weights, slots = self._optimizer.stateless_apply(
            slots, gradients, weights
        )
        present = [*weights, *others]
        present = [present[i] for i in self._averaged]
        averages = [
            momentum * average + (1 - momentum) * value
            for average, value in zip(averages, present, strict=True)
        ]
        return [weights, others, slots, averages], loss


class TorchSteps(Steps):
    """A traced function, and PyTorch's own optimizer.

    Keras goes through layers and weights one by one, for longer than a quick
    device computes.
    """

    def __init__(self, network, losses, pictures, config, optimizer_config):
        import torch

        self._torch = torch
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        super().__init__(network, losses, pictures, config, optimizer_config)
        if self._device == "cuda":
            _spare_copies(torch)
        self._weights = [v.value for v in network.trainable_variables]
        self._others = [
            v.value.detach() for v in network.non_trainable_variables
        ]
        self._names, self._traced = (), {}
        self._optimizer = self._build_optimizer(optimizer_config)
        self._values = [v.value.detach() for v in self._changing]
        self._averages = [value.clone() for value in self._values]
        self._generator = torch.Generator(self._device)
        self._generator.manual_seed(config.seed)

    def _build_optimizer(self, config):
        torch = self._torch
        groups = collections.defaultdict(list)
        for variable in self._network.trainable_variables:
            factor = optimizer_lib.rate_factor(config, variable.path)
            groups[factor].append(variable.value)
        kind = torch.optim.Adam
        decay = 0.0
        if config.optimizer == "adamw":
            kind, decay = torch.optim.AdamW, config.weight_decay
        return kind(
            [
                # The decay is that of the full rate.
                {"params": p, "factor": f, "weight_decay": decay / f}
                for f, p in groups.items()
            ],
            betas=(config.beta_1, config.beta_2),
            eps=config.epsilon,
            fused=self._device == "cuda",
        )

    def _free_bytes(self):
        if self._device == "cpu":
            return 0
        return self._torch.cuda.mem_get_info()[0]

    def _put(self, array):
        return self._torch.from_numpy(array).to(self._device)

    def _put_soon(self, array):
        """Copies an array to the device while that computes."""
        tensor = self._torch.from_numpy(array)
        if self._device == "cpu":
            return tensor
        return tensor.pin_memory().to(self._device, non_blocking=True)

    def _run(self, batch, rate, momentum):
        torch = self._torch
        batch = {name: self._put_soon(array) for name, array in batch.items()}
        if self._on_device:
            batch["rgb"] = self._pictures[batch.pop("chosen")]
        batch["grain"] = torch.randn(
            self._grain_shape(batch),
            generator=self._generator,
            device=self._device,
        )
        self._names = sorted(batch)
        tensors = [batch[name] for name in self._names]
        shapes = tuple(tensor.shape for tensor in tensors)
        tensors += [*self._weights, *self._others]
        if shapes not in self._traced:
            self._traced[shapes] = self._trace(tensors)
        loss, *others = self._traced[shapes](*tensors)
        self._optimizer.zero_grad()
        loss.backward()
        if self._optimizer_config.clip_norm:
            torch.nn.utils.clip_grad_norm_(
                self._weights, self._optimizer_config.clip_norm
            )
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        self._optimizer.step()
        with torch.no_grad():
            if others:
                torch._foreach_copy_(self._others, others)
            torch._foreach_mul_(self._averages, momentum)
            torch._foreach_add_(
                self._averages, self._values, alpha=1 - momentum
            )
        return loss.detach()

    def _trace(self, tensors):
        torch = self._torch
        # Fusing takes minutes, and little of the time of a step.
        torch._C._jit_set_profiling_executor(False)
        with warnings.catch_warnings():
            # That shapes are constants: they are.
            warnings.simplefilter("ignore")
            return torch.jit.trace(self._pure_loss, tensors, check_trace=False)

    def _pure_loss(self, *tensors):
        counts = len(self._names), len(self._names) + len(self._weights)
        batch = dict(zip(self._names, tensors[: counts[0]], strict=True))
        inputs, targets = self._examples(batch, None, batch.pop("grain"))
        outputs, others = self._network.stateless_call(
            list(tensors[counts[0] : counts[1]]),
            list(tensors[counts[1] :]),
            inputs,
            training=True,
        )
        return self._loss(targets, outputs), *others


def _spare_copies(torch) -> None:
    """Has Keras hand maps to PyTorch as they are: [B, H, W, C] in memory.

    It copies each twice, to [B, C, H, W] and back, for other uses.
    """
    from keras.src.backend.torch import nn

    copied = nn._transpose_spatial_inputs

    def transposed(inputs):
        if inputs.ndim != 4:
            return copied(inputs)
        return torch.permute(inputs, (0, 3, 1, 2))

    nn._transpose_spatial_inputs = transposed


class TensorFlowSteps(Steps):
    """Where TensorFlow is, pictures stay on the host."""

    def __init__(self, network, losses, pictures, config, optimizer_config):
        import tensorflow as tf

        self._tf = tf
        super().__init__(network, losses, pictures, config, optimizer_config)
        self._optimizer = optimizer_lib.build_optimizer(optimizer_config)
        self._optimizer.build(network.trainable_variables)
        self._values = [v.value for v in self._changing]
        self._averages = [tf.Variable(v, trainable=False) for v in self._values]
        self._step = tf.function(self._graph_step)

    def _run(self, batch, rate, momentum):
        constant = self._tf.constant
        return self._step(
            {name: constant(array) for name, array in batch.items()},
            constant([self._config.seed, self._count]),
            constant(rate, "float32"),
            constant(momentum, "float32"),
        )

    def _graph_step(self, batch, seed, rate, momentum):
        tf = self._tf
        shape = self._grain_shape(batch)
        grain = tf.random.stateless_normal(shape, seed)
        inputs, targets = self._examples(batch, None, grain)
        weights = self._network.trainable_variables
        with tf.GradientTape() as tape:
            outputs = self._network(inputs, training=True)
            loss = self._loss(targets, outputs)
        gradients = tape.gradient(
            loss,
            [v.value for v in weights],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        self._optimizer.learning_rate = rate
        self._optimizer.apply(gradients, weights)
        for average, value in zip(self._averages, self._values, strict=True):
            average.assign(momentum * average + (1 - momentum) * value)
        return loss


_KINDS = {"jax": JaxSteps, "torch": TorchSteps, "tensorflow": TensorFlowSteps}


def of_backend(*args, **options) -> Steps:
    """Makes the `Steps` of the backend in use, of the arguments of `Steps`.

    Raises:
        ValueError: there are none for it.
    """
    backend = keras.backend.backend()
    if backend not in _KINDS:
        raise ValueError(
            f"KERAS_BACKEND must be one of {tuple(_KINDS)}. "
            f"Received: KERAS_BACKEND={backend}"
        )
    return _KINDS[backend](*args, **options)
