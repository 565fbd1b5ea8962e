"""What tfcolor does in a benchmark: inference and training steps."""

import functools
from collections.abc import Callable
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from benchmarks import sample_boxes
from tfcolor.data import sample_pictures
from tfcolor.inference import adaptive_crops
from tfcolor.inference import network
from tfcolor.inference import network_inputs
from tfcolor.losses import objective
from tfcolor.models import fusion as fusion_lib
from tfcolor.models import siggraph_blocks
from tfcolor.models.instance import instance
from tfcolor.models.siggraph import siggraph
from tfcolor.pictures import decode
from tfcolor.training import optimizer as optimizer_lib
from tfcolor.training.moving_average import MovingAverage
from tfcolor.training.steps import Steps
from tfcolor.training.task import FitConfig
from tfcolor.training.task import Task
from tfcolor.weights import pytorch

_PICTURE = "horse.jpg"


def build(
    *, width: float, states: Mapping[str, Mapping] | None = None, seed: int = 0
) -> dict[str, keras.Model]:
    """Builds "full", "instance" and "fusion" (blending "faithful").

    Args:
        width: float.
        states: mapping of these names to weights of PyTorch, or None for
            random ones.
        seed: int, of random weights.

    Returns:
        dict of str to keras.Model.
    """
    keras.utils.set_random_seed(seed)
    options = {"width": width, "initializer": "he_normal"}
    networks = {
        "full": siggraph(**options),
        "instance": instance(**options),
        "fusion": fusion_lib.fusion(blending="faithful", **options),
    }
    for name, state in (states or {}).items():
        pytorch.load_state(networks[name], state)
    return networks


def fusion_inputs(
    boxes: int,
    *,
    image_size: int,
    box_scale: float,
    crop_sizes: tuple[int, ...],
) -> dict[str, tf.Tensor]:
    """Makes the inputs of `fusion.instance_colorizer` for a real picture.

    Args:
        boxes: int, how many.
        image_size: int. Side of the network's square in pixels.
        box_scale: float in 0..1. Factor on the sides of the boxes.
        crop_sizes: tuple of int, the sides of the crops' squares in pixels.

    Returns:
        dict of str to tensor.
    """
    rgb = _picture()
    height, width = rgb.shape[:2]
    placed = sample_boxes.boxes(
        boxes, height=height, width=width, scale=box_scale
    )
    picture = network_inputs.batch_inputs([rgb], [None], image_size=image_size)
    return picture | network_inputs.batch_box_inputs(
        [rgb],
        [np.array(placed)],
        network_inputs.BoxCrops(image_size, crop_sizes),
    )


def _picture() -> np.ndarray:
    paths = {p.rsplit("/", 1)[-1]: p for p in sample_pictures.paths()}
    with open(paths[_PICTURE], "rb") as file:
        return decode.decode_rgb(file.read())


def random_colors(inputs: Mapping, *, seed: int = 0) -> tf.Tensor:
    """Makes colors to be learned.

    Args:
        inputs: mapping with "L", float32 [B, S, S, 1].
        seed: int.

    Returns:
        float32 [B, S, S, 2], CIELAB.
    """
    shape = [*inputs["L"].shape[:-1], 2]
    rng = np.random.default_rng(seed)
    return tf.constant(rng.uniform(-60, 60, shape), tf.float32)


def inference(
    model: keras.Model, *, boxes_at_once: int | None = None
) -> Callable:
    """Traces a model as `Colorizer` does: once, for all sizes.

    Args:
        model: keras.Model with the output "ab".
        boxes_at_once: int or None, all; see `network.network_function`.

    Returns:
        Function of a mapping of the model's inputs to tensors, to ab, float32
        array [B, S, S, 2].
    """
    function = network.network_function(model, boxes_at_once=boxes_at_once)
    return lambda inputs: function(inputs).numpy()


class TrainingStep:
    """A training step as `training.fit` does it.

    Args:
        model: keras.Model with the output "ab".
        inputs: mapping of the model's inputs to tensors.
        ab: float32 tensor [B, S, S, 2], what is to be predicted.
        rate: float, learning rate.

    Attributes:
        graph: tf.Graph of a step.
    """

    def __init__(self, model: keras.Model, inputs: Mapping, ab, *, rate: float):
        self._inputs = {name: inputs[name] for name in model.input}
        self._ab = ab
        losses = objective.objective(objective.ObjectiveConfig())
        optimizer = optimizer_lib.build_optimizer(
            optimizer_lib.OptimizerConfig(learning_rate=rate)
        )
        optimizer.build(model.trainable_variables)
        weights = [v.value for v in model.trainable_variables]

        def step(inputs, ab):
            with tf.GradientTape() as tape:
                outputs = model(inputs, training=True)
                total = tf.reduce_mean(losses({"ab": ab}, outputs)["huber"])
            gradients = tape.gradient(
                total,
                weights,
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )
            optimizer.apply(gradients, model.trainable_variables)
            return total

        self._function = tf.function(step).get_concrete_function(
            self._inputs, self._ab
        )
        self.graph = self._function.graph

    def __call__(self) -> float:
        """Does a step, and returns the loss before it."""
        return float(self._function(self._inputs, self._ab))


def full_steps(*, width: float, batch_size: int, finish: Callable) -> Steps:
    """Prepares the steps of `training.fit` for the full-picture network.

    Args:
        width: float.
        batch_size: int.
        finish: function of a batch to (inputs, targets); see `Task`.

    Returns:
        Steps.
    """
    keras.utils.set_random_seed(0)
    model = siggraph(width=width, initializer="he_normal")
    config = optimizer_lib.OptimizerConfig()
    optimizer = optimizer_lib.build_optimizer(config)
    optimizer.build(model.trainable_variables)
    unused = ("train_data", "validation_data", "metrics", "observe")
    task = Task(
        losses=objective.objective(objective.ObjectiveConfig()),
        batch_size=batch_size,
        save_model=None,
        finish=finish,
        **dict.fromkeys(unused),
    )
    return Steps(
        *(model, optimizer, MovingAverage(model, config.ema_momentum)),
        *(task, FitConfig(), tf.distribute.get_strategy()),
    )


def fusion_step(
    networks: Mapping[str, keras.Model], inputs: Mapping, ab, *, rate: float
) -> TrainingStep:
    """Prepares a training step of the fusion stage.

    Args:
        networks: mapping of "instance" and "fusion" to keras.Model. They are
            frozen as `trainers.train_fusion` freezes them.
        inputs: mapping, as for `fusion.instance_colorizer`.
        ab: float32 tensor [B, S, S, 2].
        rate: float, learning rate.

    Returns:
        TrainingStep.
    """
    networks["instance"].trainable = False
    fusion_lib.freeze_trunk(networks["fusion"])
    model = fusion_lib.instance_colorizer(
        instance=networks["instance"], fusion=networks["fusion"]
    )
    return TrainingStep(model, inputs, ab, rate=rate)


def matmul(side: int) -> Callable:
    """Prepares a product of two square float32 matrices.

    Args:
        side: int.

    Returns:
        Function without arguments.
    """
    a, b = tf.random.normal([side, side]), tf.random.normal([side, side])
    return lambda: tf.matmul(a, b).numpy()


def picture_inputs(batch: int, image_size: int) -> dict[str, tf.Tensor]:
    """Makes the inputs of a network of whole pictures, without hints.

    Args:
        batch: int, B.
        image_size: int, S, pixels.

    Returns:
        dict of "L", "hints" and "mask", random L.
    """
    rng = np.random.default_rng(0)
    L = rng.uniform(0, 100, [batch, image_size, image_size, 1])
    return siggraph_blocks.without_hints(tf.constant(L, tf.float32))


def load_full_step(
    *, batch: int, image_size: int, width: float
) -> TrainingStep:
    """Loads what a step of the full stage needs, for `memory_of`.

    Args:
        batch: int.
        image_size: int.
        width: float.

    Returns:
        TrainingStep.
    """
    keras.utils.set_random_seed(0)
    model = siggraph(width=width, initializer="he_normal")
    inputs = picture_inputs(batch, image_size)
    return TrainingStep(model, inputs, random_colors(inputs), rate=1e-4)


def load_fusion_inference(
    *,
    boxes: int,
    image_size: int,
    width: float,
    box_scale: float,
    adaptive: bool,
    boxes_at_once: int | None = None,
) -> Callable:
    """Loads what inference needs, for `measuring.memory_of`.

    Args:
        boxes: int.
        image_size: int.
        width: float.
        box_scale: float.
        adaptive: bool, whether each box's crop has a size of its own.
        boxes_at_once: int or None, all.

    Returns:
        Function without arguments.
    """
    model = fusion_lib.instance_colorizer(**build(width=width))
    sizes = (image_size,)
    if adaptive:
        sizes = adaptive_crops.crop_sizes(image_size)
        model = adaptive_crops.with_groups(model, len(sizes))
    inputs = fusion_inputs(
        boxes, image_size=image_size, box_scale=box_scale, crop_sizes=sizes
    )
    run = inference(model, boxes_at_once=boxes_at_once)
    return functools.partial(run, inputs)


def load_fusion_step(
    *, boxes: int, image_size: int, width: float, box_scale: float
) -> Callable:
    """Loads what a step of the fusion stage needs, for `memory_of`.

    Args:
        boxes: int.
        image_size: int.
        width: float.
        box_scale: float.

    Returns:
        Function without arguments.
    """
    networks = build(width=width)
    inputs = fusion_inputs(
        boxes,
        image_size=image_size,
        box_scale=box_scale,
        crop_sizes=(image_size,),
    )
    return fusion_step(networks, inputs, random_colors(inputs), rate=1e-4)
