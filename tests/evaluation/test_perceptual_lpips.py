import numpy as np
import pytest

from tfcolor.evaluation import perceptual


def random_weights(seed=0):
    """Seeded weights that keep the signal alive through five stages."""
    generator = np.random.default_rng(seed)
    weights = {}
    for name, shape in perceptual.weight_shapes().items():
        if name.startswith("lin"):
            weights[name] = generator.random(shape)
        else:
            fan_in = np.prod(shape[1:]) if len(shape) > 1 else 100
            weights[name] = generator.normal(0, np.sqrt(2 / fan_in), shape)
    return {name: w.astype(np.float32) for name, w in weights.items()}


def _picture(seed, height=39, width=45):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)


def _convolved(x, kernel, bias, stride, padding):
    """The definition of PyTorch's Conv2d, pixel by pixel: x is [C, H, W]."""
    x = np.pad(x, [(0, 0), (padding, padding), (padding, padding)])
    side = kernel.shape[-1]
    rows = range(0, x.shape[1] - side + 1, stride)
    columns = range(0, x.shape[2] - side + 1, stride)
    result = np.zeros((len(kernel), len(rows), len(columns)))
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            patch = x[:, top : top + side, left : left + side]
            result[:, i, j] = np.tensordot(kernel, patch, 3) + bias
    return result


def _pooled(x):
    """MaxPool2d(3, 2) of [C, H, W]."""
    rows = range(0, x.shape[1] - 2, 2)
    columns = range(0, x.shape[2] - 2, 2)
    return np.stack(
        [
            np.stack(
                [x[:, i : i + 3, j : j + 3].max(axis=(1, 2)) for j in columns],
                axis=-1,
            )
            for i in rows
        ],
        axis=-2,
    )


def _restated_features(rgb, weights):
    x = rgb.transpose(2, 0, 1) / 127.5 - 1
    shift = np.array([-0.030, -0.088, -0.188]).reshape(3, 1, 1)
    scale = np.array([0.458, 0.448, 0.450]).reshape(3, 1, 1)
    x = (x - shift) / scale
    for index, stride, padding in [
        (0, 4, 2),
        (3, 1, 2),
        (6, 1, 1),
        (8, 1, 1),
        (10, 1, 1),
    ]:
        if index in (3, 6):
            x = _pooled(x)
        x = _convolved(
            x,
            weights[f"features.{index}.weight"].astype(np.float64),
            weights[f"features.{index}.bias"],
            stride,
            padding,
        )
        x = np.maximum(x, 0)
        yield x / (np.sqrt((x**2).sum(axis=0, keepdims=True)) + 1e-10)


def _restated(rgb1, rgb2, weights):
    total = 0
    features = zip(
        _restated_features(rgb1, weights),
        _restated_features(rgb2, weights),
        strict=True,
    )
    for stage, (x, y) in enumerate(features):
        linear = weights[f"lin{stage}.model.1.weight"].reshape(-1, 1, 1)
        total += (linear * (x - y) ** 2).sum(axis=0).mean()
    return total


@pytest.mark.parametrize("size", [(39, 45), (31, 31)])
def test_lpips_matches_a_restatement_in_numpy(size):
    weights = random_weights()
    rgb1, rgb2 = _picture(1, *size), _picture(2, *size)
    value = perceptual.Lpips(weights)(rgb1, rgb2)
    assert value > 0.01
    assert value == pytest.approx(_restated(rgb1, rgb2, weights), rel=1e-4)


def test_lpips_is_zero_for_equal_pictures_and_symmetric():
    distance = perceptual.Lpips(random_weights())
    rgb1, rgb2 = _picture(1), _picture(2)
    assert distance(rgb1, rgb1) == 0
    assert distance(rgb1, rgb2) == pytest.approx(distance(rgb2, rgb1))


def test_a_picture_too_small_for_the_network_is_refused():
    rgb = _picture(1, 30, 64)
    with pytest.raises(ValueError, match="31 x 31.*64 x 30"):
        perceptual.Lpips(random_weights())(rgb, rgb)


def test_missing_and_misshapen_weights_are_named():
    weights = random_weights()
    linear = weights.pop("lin3.model.1.weight")
    with pytest.raises(ValueError, match="lin3.model.1.weight"):
        perceptual.Lpips(weights)
    weights["lin3.model.1.weight"] = linear[:, :10]
    with pytest.raises(ValueError, match=r"\(1, 256, 1, 1\).*\(1, 10, 1, 1\)"):
        perceptual.Lpips(weights)
