"""What the head of the package promises for every function of color."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

from tfcolor.color import ab_bins
from tfcolor.color import difference
from tfcolor.color import gamut
from tfcolor.color import lab
from tfcolor.color import srgb

_rng = np.random.default_rng(0)


def _random(low, high, channels):
    values = _rng.uniform(low, high, [2, 4, 5, channels])
    return values.astype(np.float32)


RGB = _random(0, 1, 3)
L = _random(0, 100, 1)
AB = _random(-110, 110, 2)
LAB = np.concatenate([L, AB], -1)
BYTES = np.round(RGB * 255).astype(np.uint8)
LOGITS = _random(-5, 5, 529)

CASES = {
    ab_bins.centers: (),
    ab_bins.decode_annealed_mean: (LOGITS,),
    ab_bins.decode_argmax: (LOGITS,),
    ab_bins.decode_mean: (LOGITS,),
    ab_bins.encode: (AB,),
    difference.ciede2000: (LAB, LAB[::-1]),
    gamut.in_gamut: (L, AB),
    gamut.reduce_chroma: (L, AB),
    lab.bytes_to_lab: (BYTES,),
    lab.L_to_grey: (LAB[..., :1],),
    lab.grey_to_L: (RGB[..., :1],),
    lab.lab_to_linear_rgb: (LAB,),
    lab.lab_to_rgb: (LAB,),
    lab.rgb_to_L: (RGB,),
    lab.rgb_to_lab: (RGB,),
    srgb.bytes_to_linear: (BYTES,),
    srgb.linear_to_srgb: (RGB,),
    srgb.srgb_to_linear: (RGB,),
}
NOT_DIFFERENTIABLE = (
    ab_bins.centers,
    ab_bins.decode_argmax,
    ab_bins.encode,
    gamut.in_gamut,
    lab.bytes_to_lab,
    srgb.bytes_to_linear,
)
_cases = pytest.mark.parametrize(
    "function", CASES, ids=lambda function: function.__name__
)


def test_every_public_function_is_among_the_cases():
    public = {
        function
        for module in (ab_bins, difference, gamut, lab, srgb)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_")
    }
    # Some return two: `bytes_to_lab` is made of one; bins are numbers. What
    # takes planes is what `reduce_chroma` and `lab_to_rgb` are made of.
    others = {
        gamut.shown_share,
        lab.lab_planes_to_linear,
        lab.lab_planes_to_rgb,
        lab.bytes_to_L_and_ab,
        lab.batch_to_L_and_ab,
        ab_bins.among,
        # An array for NumPy, made outside of graphs.
        ab_bins.count,
    }
    assert public - others == set(CASES)


@_cases
def test_eager_graph_and_dataset_agree(function):
    arguments = CASES[function]
    eager = function(*arguments).numpy()
    # Sizes that are not known when the graph is made are allowed.
    sizes = [
        tf.TensorSpec([None, None, None, a.shape[-1]], a.dtype)
        for a in arguments
    ]
    graph = tf.function(function, input_signature=sizes)(*arguments).numpy()
    # `map` unpacks the batch axis: leading axes differ on purpose.
    dataset = tf.data.Dataset.from_tensor_slices((np.zeros([2]), *arguments))
    mapped = dataset.map(lambda _, *rows: function(*rows))
    mapped = np.stack(list(mapped.as_numpy_iterator()))
    if not arguments:
        mapped = mapped[0]
    assert eager.dtype in (np.float32, np.int32, np.bool_)
    np.testing.assert_allclose(graph, eager, atol=2e-4)
    np.testing.assert_allclose(mapped, eager, atol=2e-4)


@_cases
def test_one_color_alone_gives_the_same_as_in_a_picture(function):
    arguments = CASES[function]
    whole = function(*arguments).numpy()
    if arguments:
        whole = whole[1, 2, 3]
    alone = function(*(a[1, 2, 3] for a in arguments)).numpy()
    assert alone.shape == whole.shape
    np.testing.assert_allclose(alone, whole, atol=2e-4)


def _special_rgb():
    corners = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, -1).T
    greys = np.repeat(np.linspace(0, 1, 9)[:, None], 3, -1)
    # The kinks of the curves.
    kinks = np.array([[0.04045] * 3, [0.0031308] * 3, [0.008856] * 3])
    return np.concatenate([corners, greys, kinks]).astype(np.float32)


def _special_lab():
    outside = [[0, 90, -90], [100, 110, 110], [50, -110, 110], [0, 0, 0]]
    outside += [[8, -100, 100], [100, 0, 0], [50, 0, 0], [1, 0, 110]]
    channels = np.array(outside, np.float32)
    return np.concatenate([channels, lab.rgb_to_lab(_special_rgb())])


@pytest.mark.parametrize(
    "function",
    [f for f in CASES if f not in NOT_DIFFERENTIABLE],
    ids=lambda function: function.__name__,
)
def test_gradients_are_finite_at_black_white_greys_and_outside(function):
    rgb, channels = _special_rgb(), _special_lab()
    special = {
        difference.ciede2000: (channels, channels[::-1]),
        gamut.reduce_chroma: (channels[:, :1], channels[:, 1:]),
        lab.bytes_to_lab: (BYTES,),
        lab.grey_to_L: (rgb[:, :1],),
        lab.lab_to_linear_rgb: (channels,),
        lab.lab_to_rgb: (channels,),
    }
    logits = np.concatenate([np.zeros([1, 529]), 1e4 * np.eye(529)[:2]])
    fallback = (logits,) if function.__module__ == ab_bins.__name__ else (rgb,)
    arguments = [
        tf.constant(a, tf.float32) for a in special.get(function, fallback)
    ]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        result = function(*arguments)
    assert np.isfinite(result).all()
    for gradient in tape.gradient(result, arguments):
        assert gradient is None or np.isfinite(gradient).all()
