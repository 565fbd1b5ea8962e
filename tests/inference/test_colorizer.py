import inspect

import keras
import numpy as np
import pytest

from tests.inference import models
from tests.weights import ddcolor_states
from tfcolor import Colorizer
from tfcolor.boxes import picture_boxes
from tfcolor.color import lab
from tfcolor.inference import defaults
from tfcolor.inference.colorizer import grey
from tfcolor.inference.hint_points import HintPoint
from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.models.fusion import fusion
from tfcolor.models.fusion import instance_colorizer
from tfcolor.models.instance import instance
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import ddcolor_keys
from tfcolor.weights import model_file


def _noise(*shape, dtype=np.uint8):
    high = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, high, shape, dtype)


def _lab(rgb):
    return lab.rgb_to_lab(rgb.astype(np.float32) / 255).numpy()


@pytest.fixture(scope="module")
def colorizer():
    return Colorizer(models.lightness_model(), image_size=16, batch_size=2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "shape", [(30, 40, 3), (30, 40, 1), (30, 40), (1, 1, 3), (7, 2000), (1, 9)]
)
def test_size_dtype_and_lightness_are_kept(colorizer, dtype, shape):
    rgb = _noise(*shape, dtype=dtype)
    colored = colorizer.colorize(rgb)
    assert colored.shape == (*shape[:2], 3)
    assert colored.dtype == dtype
    difference = grey(colored).astype(float) - grey(rgb)
    assert np.abs(difference).mean() < 0.003 * np.iinfo(dtype).max


def test_models_are_told_apart_by_their_weights():
    L = keras.Input((None, None, 1), name="L")
    model = keras.Model({"L": L}, {"ab": keras.layers.Conv2D(2, 1)(L)})

    def identity():
        return Colorizer(model, image_size=8).identity

    before = identity()
    assert before == identity()
    kernel, bias = model.get_weights()
    model.set_weights([kernel, bias + 1])
    assert before != identity()


def test_grey_and_equal_rgb_get_the_same_color(colorizer):
    picture = _noise(30, 40)
    rgb = np.repeat(picture[..., None], 3, axis=-1)
    difference = colorizer.colorize(picture).astype(int) - colorizer.colorize(
        rgb
    )
    assert np.abs(difference).max() <= 1


def test_a_batch_gives_what_each_picture_gives_alone(colorizer):
    pictures = [_noise(30, 40, 3), _noise(9, 50), _noise(1, 1), _noise(64, 8)]
    together = colorizer.colorize_batch(pictures)
    for picture, colored in zip(pictures, together, strict=True):
        np.testing.assert_array_equal(colorizer.colorize(picture), colored)
    assert colorizer.colorize_batch([]) == []


def test_predict_ab_is_the_networks_color_at_the_pictures_size(colorizer):
    picture = np.full((30, 40), 119, np.uint8)
    picture[:, 20:] = 200
    ab = colorizer.predict_ab(picture)
    assert ab.dtype == np.float32 and ab.shape == (30, 40, 2)
    L = _lab(np.repeat(picture[..., None], 3, -1))[..., 0]
    for column in (0, -1):
        expected = np.stack([L - 50, 50 - L], -1)[:, column]
        np.testing.assert_allclose(ab[:, column], expected, atol=1e-2)


def test_saturation_multiplies_the_color():
    picture = np.full((20, 20), 119, np.uint8)
    for saturation in (0.0, 0.5, 1.5):
        colorizer = Colorizer(
            models.plain_model((20, -10)), image_size=8, saturation=saturation
        )
        ab = _lab(colorizer.colorize(picture))[..., 1:]
        expected = np.float32([20, -10]) * saturation
        np.testing.assert_allclose(ab[0, 0], expected, atol=0.6)


def test_hints_reach_the_network_where_they_were_put():
    colorizer = Colorizer(models.plain_model((0, 0)), image_size=32)
    picture = np.full((64, 128), 119, np.uint8)
    hints = [HintPoint(96, 16, "#ff0000", radius=12)]
    plain, hinted = colorizer.colorize_batch(
        [picture, picture], hints=[None, hints]
    )
    assert np.array_equal(plain, grey(picture))
    assert hinted[16, 96, 0] > hinted[16, 96, 1] + 50
    assert np.array_equal(hinted[40:, :64], plain[40:, :64])


def test_functions_are_traced_once_for_all_sizes(monkeypatch):
    traces = []
    model = models.plain_model()
    call = model.call

    def counted(*args, **kwargs):
        traces.append(1)
        return call(*args, **kwargs)

    monkeypatch.setattr(model, "call", counted)
    colorizer = Colorizer(model, image_size=8, batch_size=2)
    for size in range(1, 6):
        colorizer.colorize_batch(
            [_noise(size, 5), _noise(5, size), _noise(3, 3)]
        )
    assert len(traces) == 1


@pytest.mark.slow
def test_the_real_network_works_and_its_size_comes_from_the_file(tmp_path):
    model = siggraph(width=1 / 16)
    path = models.save(model, tmp_path / "tiny.keras", image_size=24)
    colorizer = Colorizer(path)
    assert colorizer.image_size == 24
    picture = _noise(33, 21)
    same = Colorizer(model, image_size=24).colorize(picture)
    np.testing.assert_array_equal(colorizer.colorize(picture), same)


def test_defaults_are_those_the_command_names():
    signature = inspect.signature(Colorizer.__init__).parameters
    assert signature["batch_size"].default == defaults.BATCH_SIZE
    assert signature["saturation"].default == defaults.SATURATION
    assert signature["boxes_at_once"].default == defaults.BOXES_AT_ONCE


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(colorizer, rgb):
    with pytest.raises(ValueError, match="Received: rgb"):
        colorizer.colorize(rgb)
    with pytest.raises(ValueError, match="Received: rgb"):
        grey(rgb)


@pytest.mark.parametrize(
    "options",
    [
        {"image_size": 20},
        {"image_size": 0},
        {"image_size": 16.0},
        {"crop_size": 12},
        {"batch_size": 0},
        {"boxes_at_once": 0},
        {"boxes_at_once": 2.0},
        {"saturation": -1},
        {"saturation": float("nan")},
    ],
)
def test_numbers_out_of_range_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"`{name}` must .*Received: {name}="):
        Colorizer(models.plain_model(), **options)


def test_hints_must_fit_the_pictures(colorizer):
    with pytest.raises(ValueError, match="Received: 1 for 2 pictures"):
        colorizer.colorize_batch([_noise(4, 4)] * 2, hints=[None])
    with pytest.raises(ValueError, match="Received: x=9"):
        colorizer.colorize(_noise(4, 4), hints=[HintPoint(9, 1, "#ffffff")])


def test_boxes_of_each_picture_reach_the_network():
    colorizer = Colorizer(models.counting_model(), image_size=16, batch_size=2)
    assert colorizer.takes_boxes
    pictures = [np.full((30, 40), 119, np.uint8)] * 3
    boxes = [None, np.array([[0, 0, 5, 5], [3, 3, 20, 30]]), np.zeros((0, 4))]
    ab = [
        colorizer.predict_ab(picture, boxes=found)[0, 0]
        for picture, found in zip(pictures, boxes, strict=True)
    ]
    np.testing.assert_allclose(ab, [[0, 0], [20, 5.003], [0, 0]], atol=0.01)
    boxes[1] = picture_boxes.make(boxes[1])
    together = colorizer.colorize_batch(pictures, boxes=boxes)
    for picture, found, colored in zip(pictures, boxes, together, strict=True):
        alone = colorizer.colorize(picture, boxes=found)
        np.testing.assert_array_equal(alone, colored)
    np.testing.assert_array_equal(
        colorizer.predict_ab(pictures[1], boxes=boxes[1])[0, 0], ab[1]
    )


@pytest.mark.long
def test_a_batch_of_boxed_and_boxless_pictures_equals_each_alone():
    networks = {
        "instance": instance(width=1 / 32, initializer="he_normal"),
        "fusion": fusion(width=1 / 32, initializer="he_normal"),
        "full": siggraph(width=1 / 32, initializer="he_normal"),
    }
    colorizer = Colorizer(
        instance_colorizer(**networks), image_size=32, batch_size=4
    )
    full = Colorizer(networks["full"], image_size=32)
    picture = _noise(50, 70, 3)
    many = np.random.default_rng(1).integers(0, 50, (32, 2))
    many = np.concatenate([many, many + [3, 20]], axis=1)
    boxes = [
        None,
        np.array([[5, 10, 40, 60]]),
        many,
        np.array([[60, 0, 70, 9]]),
    ]
    together = colorizer.colorize_batch([picture] * 4, boxes=boxes)
    for found, colored in zip(boxes, together, strict=True):
        alone = colorizer.colorize(picture, boxes=found).astype(int)
        assert np.abs(alone - colored).max() <= 1
    # Without a box inside the picture it is the full network's result.
    for colored in (together[0], together[3]):
        assert np.abs(full.colorize(picture).astype(int) - colored).max() <= 1
    assert np.abs(together[1].astype(int) - together[0]).max() > 1


def test_boxes_are_refused_by_models_of_whole_pictures(colorizer):
    with pytest.raises(ValueError, match="`boxes` need a model"):
        colorizer.colorize(_noise(4, 4), boxes=np.array([[0, 0, 2, 2]]))


@pytest.mark.parametrize(
    "boxes", [[[1, 2, 3]], [1, 2, 3, 4], [[0, 0, 1, np.nan]]]
)
def test_boxes_of_another_shape_are_refused(boxes):
    colorizer = Colorizer(models.counting_model(), image_size=16)
    with pytest.raises(ValueError, match=r"Received: boxes\.shape="):
        colorizer.colorize(_noise(9, 9), boxes=np.array(boxes))


def test_models_of_lightness_alone_take_no_hints():
    colorizer = Colorizer(models.alone_model(), image_size=16)
    rgb = np.full((20, 30, 3), 128, np.uint8)
    ab = lab.rgb_to_lab(colorizer.colorize(rgb, hints=()) / 255)[..., 1:]
    np.testing.assert_allclose(ab[3, 4], [30, 0], atol=0.7)
    assert not colorizer.takes_hints and not colorizer.takes_boxes
    with pytest.raises(ValueError, match="`hints` need .*Received"):
        colorizer.colorize(rgb, hints=[HintPoint(1, 1, "#ff0000")])


def test_class_conditional_models_get_the_classes_of_each_picture():
    colorizer = Colorizer(
        models.class_conditional_model(), image_size=16, batch_size=2
    )
    assert colorizer.num_classes == 2
    rgb = np.full((9, 7, 3), 128, np.uint8)
    given = ([1, 0], [0, 1], [0.5, 0.5])
    for classes in given:
        ab = colorizer.predict_ab(rgb, classes=np.array(classes))
        np.testing.assert_allclose(ab[2, 3], 40 * np.array(classes))
    batch = colorizer.colorize_batch(
        [rgb] * 3, classes=[np.array(classes) for classes in given]
    )
    for found, classes in zip(batch, given, strict=True):
        alone = colorizer.colorize(rgb, classes=np.array(classes))
        np.testing.assert_array_equal(found, alone)


@pytest.mark.parametrize("classes", [None, np.zeros(3), np.zeros((1, 2))])
def test_classes_of_another_shape_are_refused(classes):
    colorizer = Colorizer(models.class_conditional_model(), image_size=16)
    with pytest.raises(ValueError, match="`classes` must be .*Received"):
        colorizer.colorize(np.zeros((4, 4), np.uint8), classes=classes)


def test_classes_are_refused_by_models_that_take_none(colorizer):
    with pytest.raises(ValueError, match="`classes` must be .*Received"):
        colorizer.colorize(np.zeros((4, 4), np.uint8), classes=np.zeros(2))


def test_guided_colors_differ_from_bilinear_ones_at_edges(colorizer):
    guided = Colorizer(models.plain_model(), upsampling="guided")
    assert colorizer.upsampling == "bilinear"
    rgb = _noise(60, 90, 3)
    for one, other in (
        (colorizer.colorize(rgb), guided.colorize(rgb)),
        (colorizer.predict_ab(rgb), guided.predict_ab(rgb)),
    ):
        assert one.shape == other.shape
        assert not np.array_equal(one, other)


def test_an_unknown_upsampling_is_refused():
    with pytest.raises(ValueError, match="Received: upsampling='sharp'"):
        Colorizer(models.plain_model(), upsampling="sharp")


def test_a_size_must_fit_the_network():
    with pytest.raises(ValueError, match="multiple of 32 above 0.*40"):
        Colorizer(efficientnet_unet(), image_size=40)


@pytest.mark.long
def test_ddcolor_is_used_as_its_file_says_and_takes_L_alone(tmp_path):
    path = str(tmp_path / "ddcolor.keras")
    network, _ = ddcolor_keys.build(ddcolor_states.state("tiny", 11))
    info = model_file.ModelInfo("ddcolor", 64, upsampling="guided")
    model_file.save(network, path, info)
    colorizer = Colorizer(path)
    assert (colorizer.image_size, colorizer.upsampling) == (64, "guided")
    rgb = _noise(70, 50)
    assert np.ptp(colorizer.colorize(rgb), axis=-1).max() > 0
    with pytest.raises(ValueError, match="a model of lightness alone"):
        colorizer.colorize(rgb, hints=[HintPoint(1, 1, "#ff0000")])
    with pytest.raises(ValueError, match="a model of whole pictures"):
        colorizer.colorize(rgb, boxes=np.float32([[0, 0, 9, 9]]))
    with pytest.raises(ValueError, match="multiple of 32"):
        Colorizer(path, image_size=40)
