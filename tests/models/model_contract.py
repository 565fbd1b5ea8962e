"""What every model of tfcolor keeps to; tests of models call `check_model`."""

import keras
import numpy as np
import tensorflow as tf

from tfcolor.weights import model_file


def random_inputs(height, width, *, batch=2, seed=0):
    """A colorizer's inputs: random L, a few hints."""
    rng = np.random.default_rng(seed)
    mask = rng.random([batch, height, width, 1]) < 0.05
    arrays = {
        "L": rng.uniform(0, 100, [batch, height, width, 1]),
        "hints": mask * rng.uniform(-90, 90, [batch, height, width, 2]),
        "mask": mask,
    }
    return {k: tf.constant(v, tf.float32) for k, v in arrays.items()}


def constant_inputs(height, width, L):
    """A colorizer's inputs: one lightness, no hints."""
    shape = [1, height, width]
    return {
        "L": tf.fill([*shape, 1], float(L)),
        "hints": tf.zeros([*shape, 2]),
        "mask": tf.zeros([*shape, 1]),
    }


def for_model(model, inputs):
    """Those of a colorizer's inputs that a model takes, and its classes."""
    if "classes" in model.input:
        batch, count = len(inputs["L"]), model.input["classes"].shape[-1]
        classes = tf.one_hot(tf.range(batch) % count, count)
        inputs = inputs | {"classes": classes}
    return {name: inputs[name] for name in model.input}


def colorizer_shapes(height, width):
    """A colorizer's outputs, without the batch axis."""
    return {
        "ab": (height, width, 2),
        "ab_logits": (height // 4, width // 4, 529),
    }


def check_model(
    build,
    *,
    folder,
    loss,
    sizes=((32, 32), (16, 40)),
    output_shapes=colorizer_shapes,
    fixed=(),
):
    """Checks the contract on freshly built models.

    Args:
        build: function without arguments that builds a small model.
        folder: pathlib.Path for files.
        loss: function of the outputs to a scalar on which every trainable
            weight has an influence.
        sizes: pairs of height and width.
        output_shapes: function of height and width to {output: shape}.
        fixed: names of layers that training does not change.
    """
    model = build()
    _check_outputs(model, sizes, output_shapes)
    _check_flat_pictures(model, sizes[0])
    _check_batch_equals_one_by_one(model, sizes[0])
    _check_config_round_trip(model, sizes[0])
    _check_keras_file(model, sizes[0], folder)
    _check_every_weight_learns(model, sizes[0], loss, fixed)
    _check_mixed_precision(build, sizes[0])


def check_export(build, *, folder, sizes=((32, 32), (16, 40))):
    """Checks that a SavedModel gives what the Keras model gives."""
    model = build()
    model.export(folder / "saved", format="tf_saved_model", verbose=False)
    loaded = tf.saved_model.load(folder / "saved")
    for size in sizes:
        inputs = for_model(model, random_inputs(*size))
        assert_outputs_equal(loaded.serve(inputs), model(inputs), 1e-5)


def assert_outputs_equal(first, second, tolerance):
    """Compares two dicts of outputs, relative to their largest value."""
    assert set(first) == set(second)
    for name, value in second.items():
        scale = max(1.0, float(tf.reduce_max(tf.abs(value))))
        np.testing.assert_allclose(
            first[name], value, atol=tolerance * scale, err_msg=name
        )


def _check_outputs(model, sizes, output_shapes):
    for height, width in sizes:
        inputs = random_inputs(height, width, batch=3)
        outputs = model(for_model(model, inputs))
        expected = output_shapes(height, width)
        assert {k: v.shape[1:] for k, v in outputs.items()} == expected
        for value in outputs.values():
            assert value.dtype == tf.float32
            assert value.shape[0] == 3


def _check_flat_pictures(model, size):
    for L in (0, 50, 100):
        inputs = for_model(model, constant_inputs(*size, L))
        for value in model(inputs).values():
            assert np.isfinite(value).all(), f"L={L}"


def _check_batch_equals_one_by_one(model, size):
    inputs = for_model(model, random_inputs(*size, batch=3))
    together = model(inputs)
    for i in range(3):
        alone = model({k: v[i : i + 1] for k, v in inputs.items()})
        row = {k: v[i : i + 1] for k, v in together.items()}
        assert_outputs_equal(alone, row, 1e-5)


def _check_config_round_trip(model, size):
    copy = keras.models.model_from_json(model.to_json())
    assert copy.name == model.name
    assert [w.path for w in copy.weights] == [w.path for w in model.weights]
    copy.set_weights(model.get_weights())
    inputs = for_model(model, random_inputs(*size))
    assert_outputs_equal(copy(inputs), model(inputs), 1e-6)


def _check_keras_file(model, size, folder):
    path = folder / "model.keras"
    model.save(path)
    inputs = for_model(model, random_inputs(*size))
    # Nothing in it is what model files must not have.
    loaded, _ = model_file.load(str(path))
    assert_outputs_equal(loaded(inputs), model(inputs), 1e-6)


def _check_every_weight_learns(model, size, loss, fixed):
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.build(model.trainable_variables)
    before = model.get_weights()
    with tf.GradientTape() as tape:
        inputs = for_model(model, random_inputs(*size))
        value = loss(model(inputs, training=True))
    gradients = tape.gradient(
        value, [v.value for v in model.trainable_variables]
    )
    optimizer.apply(gradients)
    still = [
        weight.path.split("/")[0]
        for weight, old in zip(model.weights, before, strict=True)
        if np.array_equal(weight, old)
    ]
    assert still == list(fixed)


def _check_mixed_precision(build, size):
    for policy in ("mixed_float16", "mixed_bfloat16"):
        keras.mixed_precision.set_dtype_policy(policy)
        try:
            model = build()
        finally:
            keras.mixed_precision.set_dtype_policy("float32")
        assert {w.dtype for w in model.trainable_weights} == {"float32"}
        inputs = for_model(model, random_inputs(*size))
        for value in model(inputs).values():
            assert value.dtype == tf.float32
            assert np.isfinite(value).all()
