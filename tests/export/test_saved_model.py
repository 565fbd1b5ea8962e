import json
import os

import numpy as np
import pytest
import tensorflow as tf

from tests import drawn
from tests.export import exported
from tests.inference import models
from tfcolor import Colorizer
from tfcolor.export import export_litert
from tfcolor.export import export_model
from tfcolor.export import saved_model
from tfcolor.export import warm_up
from tfcolor.export import without_keras
from tfcolor.pictures import decode

PNG = drawn.encode(drawn.colored(1, 33, 21))
JPEG = drawn.encode(drawn.colored(2, 7, 50), "JPEG")


@pytest.fixture(scope="module")
def call():
    return without_keras.load_with_session(exported.saved_model())


@pytest.fixture(scope="module")
def colorizer():
    return Colorizer(models.lightness_model(), image_size=exported.IMAGE_SIZE)


@pytest.fixture(scope="module")
def call_with_boxes():
    return without_keras.load_with_session(
        exported.saved_model(models.counting_model)
    )


def _bytes(*encoded):
    return {"picture_bytes": np.array(encoded, object)}


def test_bytes_are_those_of_the_python_colorizer(call, colorizer):
    outputs = call("serving_default", _bytes(PNG, JPEG))
    assert list(outputs) == ["png_bytes"]
    for png, source in zip(outputs["png_bytes"], (PNG, JPEG), strict=True):
        expected = colorizer.colorize(decode.decode_rgb(source))
        assert png == tf.io.encode_png(expected).numpy()


def test_pixels_are_those_of_the_python_colorizer(call, colorizer):
    rgb = np.stack([drawn.colored(3, 9, 40), drawn.grey(4, 9, 40)])
    outputs = call("colorize_rgb", {"rgb": rgb})
    np.testing.assert_array_equal(
        outputs["rgb"], np.stack(colorizer.colorize_batch(rgb))
    )


def test_predict_ab_is_the_network_alone(call):
    L = np.linspace(0, 100, 2 * 8 * 24, dtype=np.float32).reshape(2, 8, 24, 1)
    ab = call("predict_ab", {"L": L})["ab"]
    np.testing.assert_allclose(
        ab, np.concatenate([L - 50, 50 - L], -1), atol=1e-4
    )


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("serving_default", _bytes(PNG, b"nothing"), "Picture 1 of the"),
        ("serving_default", _bytes(PNG[:60]), "Picture 0 of the"),
        ("serving_default", _bytes(), "at least one picture"),
        (
            "colorize_rgb",
            {"rgb": np.zeros([1, 0, 4, 3], np.uint8)},
            "must have pixels",
        ),
        (
            "colorize_rgb",
            {"rgb": np.zeros([0, 4, 4, 3], np.uint8)},
            "at least one picture",
        ),
        (
            "colorize_rgb",
            {"rgb": np.zeros([1, 1025, 1024, 3], np.uint8)},
            "pixels together",
        ),
        ("serving_default", _bytes(*[PNG] * 65), "at most 64 pictures"),
        (
            "colorize_rgb",
            {"rgb": np.zeros([65, 1, 1, 3], np.uint8)},
            "at most 64 pictures",
        ),
        ("predict_ab", {"L": np.zeros([65, 8, 8, 1], "f")}, "at most 64"),
        ("predict_ab", {"L": np.zeros([1, 8, 9, 1], "f")}, "multiples of 8"),
        ("predict_ab", {"L": np.zeros([0, 8, 8, 1], "f")}, "at least one"),
        ("predict_ab", {"L": np.zeros([1, 0, 8, 1], "f")}, "multiples of 8"),
    ],
)
def test_wrong_requests_are_invalid_arguments(call, signature, inputs, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call(signature, inputs)


def test_boxes_are_used_as_in_python(call_with_boxes):
    colorizer = Colorizer(
        models.counting_model(), image_size=exported.IMAGE_SIZE
    )
    picture = drawn.colored(5, 30, 44)
    boxes = np.float32(
        [
            [2.6, 3, 20, 30],
            [0, 0, 0, 0],
            [25, 40, 99, 99],
            [31, 0, 40, 9],
            [-5, -5, 4, 4],
        ]
    )
    for found in (boxes, boxes[1:2], boxes[:0]):
        outputs = call_with_boxes(
            "serving_default",
            _bytes(drawn.encode(picture)) | {"boxes": found[None]},
        )
        expected = colorizer.colorize(picture, boxes=found)
        png = outputs["png_bytes"][0]
        assert png == tf.io.encode_png(expected).numpy()
        outputs = call_with_boxes(
            "colorize_rgb", {"rgb": picture[None], "boxes": found[None]}
        )
        np.testing.assert_array_equal(outputs["rgb"][0], expected)


def test_predict_ab_of_a_model_with_boxes_needs_none(call_with_boxes):
    ab = call_with_boxes("predict_ab", {"L": np.zeros([1, 8, 8, 1], "f")})["ab"]
    np.testing.assert_array_equal(ab, np.zeros([1, 8, 8, 2]))


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        (np.full([1, 1, 4], np.nan, "f"), "finite"),
        (np.zeros([2, 1, 4], "f"), "for each picture"),
        (np.zeros([1, 101, 4], "f"), "at most 100 boxes"),
    ],
)
def test_wrong_boxes_are_invalid_arguments(call_with_boxes, boxes, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call_with_boxes("serving_default", _bytes(PNG) | {"boxes": boxes})


def test_warm_up_requests_are_answered(call):
    folder = os.path.join(exported.saved_model(), "assets.extra")
    requests = warm_up.read(os.path.join(folder, "tf_serving_warmup_requests"))
    assert [request.signature for request in requests] == [
        "serving_default",
        "colorize_rgb",
        "predict_ab",
    ]
    for request in requests:
        assert call(request.signature, request.inputs)


def test_what_was_exported_is_written_beside_it():
    folder = os.path.join(exported.saved_model(), "assets")
    with open(os.path.join(folder, "tfcolor.json")) as file:
        described = json.load(file)
    assert described["model"] == "lightness_model"
    assert described["options"]["image_size"] == exported.IMAGE_SIZE
    assert described["tensorflow"] == tf.__version__
    with open(os.path.join(folder, "model_card.md")) as file:
        card = file.read()
    assert "| `serving_default` | `picture_bytes` string [?] |" in card


def test_the_style_is_written_beside_it(tmp_path, monkeypatch):
    written = {}
    monkeypatch.setattr(
        saved_model,
        "write",
        lambda path, *_, assets, **__: os.mkdir(path) or written.update(assets),
    )
    path = str(tmp_path / "1")
    export_model.export_saved_model("lite0_unet", path, style="vivid")
    described = json.loads(written["tfcolor.json"])
    assert described["model"] == "lite0_unet"
    assert described["options"]["style"] == "vivid"
    assert ", style vivid" in written["model_card.md"]


def test_an_export_is_not_replaced_by_accident(tmp_path):
    (tmp_path / "1").mkdir()
    with pytest.raises(ValueError, match="must not exist"):
        export_model.export_saved_model(
            exported.model_file(models.plain_model), str(tmp_path / "1")
        )
    assert os.listdir(tmp_path) == ["1"]


@pytest.mark.parametrize(
    "options",
    [
        {"image_size": 12},
        {"crop_size": 3},
        {"saturation": -1.0},
        {"max_pixels": 0},
    ],
)
def test_numbers_out_of_range_are_refused(options, tmp_path):
    (name,) = options
    with pytest.raises(ValueError, match=f"Received: {name}="):
        export_model.export_saved_model(
            exported.model_file(models.plain_model),
            str(tmp_path / "1"),
            **options,
        )
    assert not os.listdir(tmp_path)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    path = str(tmp_path / "m" / "1")

    def write(text, *, fail=False):
        with saved_model.replaced_at_end(path, overwrite=True) as folder:
            os.mkdir(folder)
            with open(os.path.join(folder, "model_card.md"), "w") as file:
                file.write(text)
            if fail:
                raise KeyboardInterrupt

    def content():
        assert os.listdir(tmp_path / "m") == ["1"]
        return (tmp_path / "m" / "1" / "model_card.md").read_text()

    write("old")
    with pytest.raises(KeyboardInterrupt):
        write("broken", fail=True)
    assert content() == "old"
    write("new")
    assert content() == "new"


@pytest.mark.parametrize("inside", ["1/saved_model.pb", "holiday.jpg"])
def test_only_an_older_export_is_overwritten(tmp_path, inside):
    kept = tmp_path / "out" / inside
    kept.parent.mkdir(parents=True)
    kept.touch()
    for export in (
        export_model.export_saved_model,
        export_litert.export_litert,
    ):
        with pytest.raises(ValueError, match="older export.*Received: .*out"):
            export(None, str(tmp_path / "out"), overwrite=True)
    assert kept.exists() and os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("name", ["saved_model.pb", "model_card.md", None])
def test_older_exports_and_empty_folders_are_overwritten(tmp_path, name):
    path = tmp_path / "out"
    path.mkdir()
    if name:
        (path / name).touch()
    with saved_model.replaced_at_end(str(path), overwrite=True) as folder:
        os.mkdir(folder)
    assert not os.listdir(path)


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_appears_during_an_export_is_kept(tmp_path, overwrite):
    kept = tmp_path / "out" / "mine"
    with (
        pytest.raises(ValueError, match="The output must|A folder that is"),
        saved_model.replaced_at_end(
            str(tmp_path / "out"), overwrite=overwrite
        ) as folder,
    ):
        os.mkdir(folder)
        kept.mkdir(parents=True)
    assert kept.exists() and os.listdir(tmp_path) == ["out"]
