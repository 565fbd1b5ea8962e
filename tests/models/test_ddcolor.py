import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import golden as golden_files
from tests.models import model_contract
from tests.weights import ddcolor_states
from tfcolor.models.ddcolor import ddcolor
from tfcolor.weights import ddcolor_keys

NARROW = {"encoder": "tiny", "width": 1 / 32, "queries": 5, "decoder_blocks": 3}


def _shapes(height, width):
    return {"ab": (height, width, 2)}


def _loss(outputs):
    return tf.reduce_sum((outputs["ab"] - 30.0) ** 2)


def _build():
    """A narrow network whose residual blocks do something."""
    keras.utils.set_random_seed(1)
    model = ddcolor(**NARROW)
    for layer in model.layers:
        if layer.name.endswith("_scale"):
            layer.scale.assign(layer.scale * 0 + 0.5)
    return model


@pytest.fixture(scope="module")
def model():
    return _build()


@pytest.mark.long
def test_ddcolor_keeps_the_model_contract(tmp_path):
    model_contract.check_model(
        _build,
        folder=tmp_path,
        loss=_loss,
        sizes=((64, 32), (32, 96)),
        output_shapes=_shapes,
    )


@pytest.mark.parametrize(
    "encoder", ["tiny", pytest.param("large", marks=pytest.mark.slow)]
)
def test_ab_is_that_of_the_published_code(encoder):
    golden = golden_files.load(f"ddcolor_{encoder}_narrow")
    seed, size = int(golden["seed"]), golden["size"]
    model, _ = ddcolor_keys.build(ddcolor_states.state(encoder, seed))
    rng = np.random.default_rng(seed)
    L = rng.uniform(0, 100, (2, *size, 1)).astype(np.float32)
    assert golden["ab"].std() > 0.5
    found = model({"L": L})["ab"]
    np.testing.assert_allclose(found, golden["ab"], rtol=0, atol=1e-4)


def test_a_picture_of_another_size_has_other_places(model):
    # The same surroundings at other places: queries find other colors.
    L = np.random.default_rng(0).uniform(0, 100, (1, 32, 32, 1))
    small = model({"L": np.float32(L)})["ab"]
    tiled = model({"L": np.float32(np.tile(L, (1, 2, 2, 1)))})["ab"]
    assert np.abs(tiled[:, 8:24, 8:24] - small[:, 8:24, 8:24]).max() > 1e-3


@pytest.mark.parametrize(
    "options, said",
    [
        ({"encoder": "huge"}, "must be one of .*Received: encoder='huge'"),
        ({"width": 1 / 64}, "multiple of 8. Received: width="),
        ({"width": 0.0}, "above 0"),
        ({"queries": 0}, "Received: queries=0"),
        ({"decoder_blocks": 2}, "3 or above.*decoder_blocks=2"),
    ],
)
def test_options_out_of_range_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        ddcolor(**NARROW | options)


@pytest.mark.long
@pytest.mark.parametrize(
    "encoder, count", [("tiny", 55_019_248), ("large", 227_881_744)]
)
def test_it_has_as_many_weights_as_the_published_network(encoder, count):
    assert ddcolor(encoder=encoder).count_params() == count
