import numpy as np
import pytest
import tensorflow as tf

from tfcolor.color import ab_bins
from tfcolor.layers.joint_bilateral import JointBilateral
from tfcolor.models import blend
from tfcolor.models.blend import network
from tfcolor.models.blend import siggraph_blend
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file
from tfcolor.weights import transfer

_WIDTH = 1 / 16
_PLANES = (("L", 1), ("hints", 2), ("mask", 1))


@pytest.fixture(scope="module")
def inputs():
    L = np.random.default_rng(0).uniform(0, 100, (2, 16, 24, 1))
    zeros = np.zeros((2, 16, 24, 2))
    arrays = {"L": L, "hints": zeros, "mask": zeros[..., :1]}
    return {k: tf.constant(v, tf.float32) for k, v in arrays.items()}


@pytest.fixture(scope="module")
def plain():
    return siggraph(width=_WIDTH, initializer="he_normal")


def _blend(plain, **options):
    model = siggraph_blend(width=_WIDTH, **options)
    transfer.copy_weights(plain, network(model))
    return model


def test_without_class_share_it_is_the_plain_network(plain, inputs):
    blended = _blend(plain, class_share=0.0)
    np.testing.assert_allclose(
        blended(inputs)["ab"], plain(inputs)["ab"], atol=1e-4
    )


def test_the_blend_follows_its_formula(plain, inputs):
    blended = _blend(plain, class_share=0.25, temperature=0.5, saturation=1.2)
    outputs = plain(inputs)
    classes = ab_bins.decode_annealed_mean(
        outputs["ab_logits"], temperature=0.5
    )
    classes = tf.image.resize(classes, [16, 24])
    expected = 1.2 * (0.75 * outputs["ab"] + 0.25 * classes)
    np.testing.assert_allclose(blended(inputs)["ab"], expected, atol=1e-3)


def test_mirrored_is_the_mean_of_a_picture_and_its_mirror(plain, inputs):
    mirror = {key: x[:, :, ::-1] for key, x in inputs.items()}
    blended = _blend(plain)
    expected = (blended(inputs)["ab"] + blended(mirror)["ab"][:, :, ::-1]) / 2
    ab = _blend(plain, mirrored=True)(inputs)["ab"]
    np.testing.assert_allclose(ab, expected, atol=1e-4)
    assert np.abs(ab - blended(inputs)["ab"]).max() > 0.01


def test_colors_are_kept_to_surfaces_where_asked(plain, inputs):
    options = {"class_share": 0.5, "temperature": 0.5, "saturation": 1.0}
    options |= {"mirrored": False, "name": "blend"}
    as_it_is = blend.blend(plain, **options)(inputs)["ab"]
    ab = blend.blend(plain, **options, bilateral_radius=2)(inputs)["ab"]
    expected = JointBilateral(2)(as_it_is, inputs["L"])
    np.testing.assert_allclose(ab, expected, atol=1e-4)
    assert np.abs(ab - as_it_is).max() > 0.01


def test_a_plain_network_is_its_own_network(plain):
    assert network(plain) is plain


@pytest.mark.parametrize(
    "mirrored", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_it_works_in_a_graph_that_knows_no_sizes(plain, inputs, mirrored):
    blended = _blend(plain, mirrored=mirrored)
    planes = {k: tf.TensorSpec([None, None, None, n]) for k, n in _PLANES}
    run = tf.function(blended, input_signature=[planes])
    np.testing.assert_allclose(
        run(inputs)["ab"], blended(inputs)["ab"], atol=1e-4
    )


@pytest.mark.parametrize("mirrored", [False, True])
def test_it_is_saved_and_loaded(plain, inputs, mirrored, tmp_path):
    blended = _blend(plain, mirrored=mirrored)
    path = str(tmp_path / "model.keras")
    blended.save(path)
    loaded, _ = model_file.load(str(path))
    np.testing.assert_allclose(
        loaded(inputs)["ab"], blended(inputs)["ab"], atol=1e-4
    )


@pytest.mark.parametrize(
    "options", [{"class_share": 1.5}, {"temperature": 0}, {"saturation": -1}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="Received"):
        siggraph_blend(width=_WIDTH, **options)
