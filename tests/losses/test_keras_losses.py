import keras
import numpy as np
import pytest

from tests.models import model_contract
from tfcolor import losses
from tfcolor.models.siggraph import siggraph


@pytest.mark.slow
def test_a_colorizer_is_compiled_and_fitted_the_keras_way():
    model = siggraph(width=1 / 32, initializer="he_normal")
    model.compile(
        keras.optimizers.Adam(1e-3),
        loss={
            "ab": losses.HuberLoss(delta=0.1),
            "ab_logits": losses.BinCrossEntropy(),
        },
        loss_weights={"ab": 10.0, "ab_logits": 0.2},
    )
    inputs = {
        k: v.numpy() for k, v in model_contract.random_inputs(16, 16).items()
    }
    ab = np.full((2, 16, 16, 2), (25.0, -15.0), np.float32)
    history = model.fit(
        inputs, {"ab": ab, "ab_logits": ab}, epochs=12, verbose=0
    ).history["loss"]
    assert history[-1] < 0.8 * history[0]


def test_losses_are_the_means_of_the_functions_and_come_back():
    rng = np.random.default_rng(0)
    true, ab = rng.uniform(-80, 80, (2, 3, 8, 8, 2)).astype(np.float32)
    logits = rng.normal(size=(3, 2, 2, 261)).astype(np.float32)
    weights = rng.uniform(0, 2, 529)
    for loss, predicted, function, options in (
        (losses.HuberLoss(delta=0.2), ab, losses.huber, {"delta": 0.2}),
        (
            losses.BinCrossEntropy(bin_weights=weights),
            logits,
            losses.bin_cross_entropy,
            {"bin_weights": weights.astype(np.float32)},
        ),
    ):
        expected = np.mean(function(true, predicted, **options))
        copy = keras.losses.deserialize(keras.losses.serialize(loss))
        for one in (loss, copy):
            np.testing.assert_allclose(
                one(true, predicted), expected, rtol=1e-5
            )
