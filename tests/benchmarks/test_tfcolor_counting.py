import keras
import pytest
import tensorflow as tf

from benchmarks import tfcolor_counting
from benchmarks import tfcolor_runs
from tfcolor.models.siggraph import siggraph


def _inputs(size):
    return {
        "L": tf.zeros([1, size, size, 1]),
        "hints": tf.zeros([1, size, size, 2]),
        "mask": tf.zeros([1, size, size, 1]),
    }


def test_flops_are_two_for_each_weight_at_each_place():
    x = keras.Input((None, None, 3), name="x")
    y = keras.layers.Conv2D(5, 3, strides=2, padding="same")(x)
    y = keras.layers.Conv2DTranspose(7, 4, strides=2, padding="same")(y)
    model = keras.Model({"x": x}, y)
    flops = tfcolor_counting.forward_flops(model, {"x": (2, 8, 16, 3)})
    smaller = 2 * 4 * 8
    assert flops == 2 * smaller * (9 * 3 * 5 + 16 * 5 * 7)


def test_flops_grow_with_the_area():
    model = siggraph(width=1 / 32)
    flops = [
        tfcolor_counting.forward_flops(
            model, {name: tuple(x.shape) for name, x in _inputs(size).items()}
        )
        for size in (32, 64)
    ]
    assert flops[1] == 4 * flops[0]


def test_convolutions_and_their_gradients_are_counted_where_needed():
    x = keras.Input((8, 8, 3))
    y = keras.layers.Conv2D(4, 3, name="frozen")(x)
    z = keras.layers.Conv2DTranspose(4, 4, name="learns")(y)
    unused = keras.layers.Conv2D(4, 3)(y)
    model = keras.Model(x, [keras.layers.Conv2D(4, 3)(z), unused])
    model.get_layer("frozen").trainable = False

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x)[0])
        weights = [v.value for v in model.trainable_variables]
        return tape.gradient(
            loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )

    graph = step.get_concrete_function(tf.zeros([1, 8, 8, 3])).graph
    # The loss itself is not returned, so its own convolution does not run.
    assert tfcolor_counting.convs(graph) == tfcolor_counting.Convs(2, 1, 2)


@pytest.mark.long
def test_a_fusion_step_computes_nothing_for_nothing():
    networks = tfcolor_runs.build(width=1 / 32)
    inputs = tfcolor_runs.fusion_inputs(
        3, image_size=32, box_scale=1.0, crop_sizes=(32,)
    )
    step = tfcolor_runs.fusion_step(
        networks, inputs, tfcolor_runs.random_colors(inputs), rate=1e-3
    )
    # A trunk has 19 convolutions down and 10 up; a blending layer has 6. The
    # instance network's own colors are not computed, nor is a full network.
    scores = 13 * 6
    count = tfcolor_counting.convs(step.graph)
    assert count.forward == 29 + 29 + scores + 1
    # The blending layers, the convolution of block 10 and the output.
    assert count.to_kernels == scores + 2
    # None for the instance network: less than the fusion network has.
    assert count.to_inputs < 29 + scores + 1
    losses = [step() for _ in range(4)]
    assert losses[-1] < losses[0]
