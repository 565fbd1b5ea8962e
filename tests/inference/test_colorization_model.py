import zipfile

import keras
import pytest

from tests.inference import models
from tfcolor.inference import colorization_model


def test_a_model_is_returned_as_it_is():
    model = models.plain_model()
    loaded, info = colorization_model.load(model)
    assert loaded is model
    assert info.image_size == 256


def test_a_file_gives_model_and_size(tmp_path):
    path = models.save(models.plain_model(), tmp_path / "a.keras", 40)
    model, info = colorization_model.load(tmp_path / "a.keras")
    assert info.image_size == 40
    assert colorization_model.load(path)[1] == info
    assert set(model.input) == {"L", "hints", "mask"}


def test_missing_files_and_unknown_names_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.keras"):
        colorization_model.load(str(tmp_path / "none.keras"))
    with pytest.raises(ValueError, match="Received: 'no_such_model'"):
        colorization_model.load("no_such_model")


def test_files_that_are_no_models_are_errors(tmp_path):
    path = tmp_path / "a.keras"
    path.write_text("hello")
    with pytest.raises(ValueError, match=r"a\.keras"):
        colorization_model.load(str(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match=r"a\.keras"):
        colorization_model.load(str(path))


def test_models_for_something_else_are_refused():
    x = keras.Input((4,), name="L")
    for model in (keras.Model(x, x), keras.Model({"L": x}, {"ab": x})):
        with pytest.raises(ValueError, match="Received: a model named"):
            colorization_model.load(model)


def test_lightness_alone_and_classes_are_inputs_too():
    alone = models.alone_model()
    conditional = models.class_conditional_model()
    assert colorization_model.load(alone)[0] is alone
    assert colorization_model.load(conditional)[0] is conditional


def test_styles_are_for_shipped_models(tmp_path):
    path = models.save(models.plain_model(), tmp_path / "a.keras", 40)
    for model in (path, models.plain_model()):
        with pytest.raises(ValueError, match="ships with tfcolor. Received"):
            colorization_model.load(model, style="vivid")


def test_a_name_may_carry_its_style():
    with pytest.raises(ValueError, match="has styles. Received: style='vivid'"):
        colorization_model.load("siggraph_small:vivid")
    with pytest.raises(ValueError, match="style must be given once"):
        colorization_model.load("siggraph_small:vivid", style="natural")


@pytest.mark.parametrize("style", ["eccv16", "mine.pth"])
def test_published_models_have_no_styles(style):
    with pytest.raises(ValueError, match="ships with tfcolor. Received"):
        colorization_model.load(style, style="vivid")


def test_unknown_names_are_told_the_known_ones():
    with pytest.raises(ValueError, match="lite2_unet.*'ddcolor'.*'ddcolour'"):
        colorization_model.load("ddcolour")


def test_models_are_named_after_their_files():
    for model, name in (
        (None, "lite2_unet"),
        ("ddcolor", "ddcolor"),
        ("runs/a/model.keras", "model"),
        ("weights/net.v2.pth", "net.v2"),
        ("net.safetensors", "net"),
        ("results/photos.old", "photos.old"),
    ):
        assert colorization_model.name_of(model) == name
