import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.models import model_contract
from tests.weights import published_states
from tfcolor.models.eccv16 import eccv16
from tfcolor.weights import pytorch

WIDTH = 1 / 16
small = functools.partial(eccv16, width=WIDTH, initializer="he_normal")


def _shapes(height, width):
    return {
        "ab": (height, width, 2),
        "ab_logits": (height // 4, width // 4, 313),
    }


def _loss(outputs):
    # A plain sum of ab would not see the bins that all places share.
    targets = tf.linspace(-30.0, 30.0, tf.size(outputs["ab"]))
    targets = tf.reshape(targets, outputs["ab"].shape)
    return tf.reduce_sum(tf.square(outputs["ab"] - targets))


@pytest.mark.slow
def test_eccv16_keeps_the_model_contract(tmp_path):
    model_contract.check_model(
        small,
        folder=tmp_path,
        loss=_loss,
        output_shapes=_shapes,
        fixed=("bin_colors",),
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_eccv16_exports_to_an_equal_saved_model(tmp_path):
    model_contract.check_export(small, folder=tmp_path)


def test_eccv16_has_the_weights_of_the_published_file():
    model = eccv16()
    count = sum(np.prod(w.shape) for w in model.trainable_weights)
    assert count == 32_235_385
    # The published file has 123.0 MiB: float32, and some names.
    arrays = published_states.eccv16_shapes()
    size = 4 * sum(int(np.prod(shape)) for shape in arrays.values())
    assert abs(size / 2**20 - 123.0) < 0.06
    assert {w.path for w in model.weights} - {
        w.path for w in model.trainable_weights
    } > {"bin_colors/kernel"}


@pytest.mark.parametrize(
    "size, seed", [((64, 64), 7), ((40, 104), 7), ((136, 24), 8), ((8, 56), 9)]
)
def test_eccv16_equals_pytorchs_layers(size, seed):
    pytest.importorskip("torch")
    from tfcolor.weights import pytorch_check

    state = published_states.eccv16(seed, 1 / 4)
    model = eccv16(width=1 / 4)
    assert len(pytorch.load_state(model, state)) == 7
    L = np.random.default_rng(seed).uniform(0, 100, (2, *size, 1))
    L = L.astype(np.float32)
    outputs = model({"L": L})
    ab, logits = pytorch_check.eccv16(state, L)
    assert np.ptp(ab, axis=(1, 2)).min() > 0.5
    np.testing.assert_allclose(outputs["ab_logits"], logits, rtol=0, atol=1e-3)
    np.testing.assert_allclose(outputs["ab"], ab, rtol=0, atol=1e-3)


def test_every_array_of_a_checkpoint_is_accounted_for():
    model, state = small(), published_states.eccv16(3, WIDTH)
    before = model.get_weights()
    broken = dict(state)
    del broken["model_out.weight"], broken["model8.4.bias"]
    broken["model_out.bias"] = np.zeros(2, np.float32)
    broken["model8.3.weight"] = np.zeros(2, np.float32)
    with pytest.raises(ValueError, match="each exactly once") as error:
        pytorch.load_state(model, broken)
    lines = str(error.value).splitlines()[1:]
    assert [line.strip() for line in lines] == [
        "unexpected: model8.3.weight (2,)",
        "missing: model8.4.bias (16,)",
        "unexpected: model_out.bias (2,)",
        "missing: model_out.weight (2, 313, 1, 1)",
    ]
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    pytorch.load_state(model, state)
    np.testing.assert_array_equal(
        np.asarray(model.get_layer("bin_colors").kernel)[0, 0].T,
        state["model_out.weight"][..., 0, 0],
    )


def test_a_flat_distribution_gives_the_mean_of_the_bins():
    model = small()
    model.get_layer("ab_logits").set_weights(
        [np.zeros((1, 1, 16, 313)), np.zeros(313)]
    )
    ab = model({"L": tf.fill([1, 16, 24, 1], 40.0)})["ab"]
    mean = np.mean(model.get_layer("bin_colors").kernel, axis=(0, 1, 2)) * 110
    np.testing.assert_allclose(ab, np.broadcast_to(mean, ab.shape), atol=1e-4)
