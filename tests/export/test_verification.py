import numpy as np
import pytest
import tensorflow as tf

from tests.export import exported
from tests.inference import models
from tfcolor.export import colorizer_cases
from tfcolor.export import verification
from tfcolor.export import without_keras
from tfcolor.export.colorizer_signatures import ColorizerOptions
from tfcolor.export.served import Case
from tfcolor.export.warm_up import Request


def _cases(model):
    options = ColorizerOptions(image_size=exported.IMAGE_SIZE)
    return colorizer_cases.cases(model, options)


def _png(value, dtype=np.uint16):
    picture = np.full([3, 4, 3], value, dtype)
    picture[0, 0] = 0
    return np.array([tf.io.encode_png(picture).numpy()], object)


def test_channels_of_16_bits_may_be_rounded_otherwise():
    def difference(found):
        return without_keras._difference(found, _png(30_000))

    assert difference(_png(30_000)) is None
    assert difference(_png(30_002)) is None
    for other in (_png(30_003), _png(99, np.uint8), _png(30_000)[:, None]):
        assert difference(other)
    eight = without_keras._difference(_png(99, np.uint8), _png(98, np.uint8))
    assert eight == "1 of 1 differ"


@pytest.mark.slow
def test_a_good_export_passes_and_a_wrong_one_is_found_out():
    path = exported.saved_model()
    cases = _cases(models.lightness_model())
    wrong = [
        Case("other", cases[0].request, {"png_bytes": np.array([b""], object)}),
        Case("fails", cases[0].request, "some error"),
        Case("name", cases[0].request, {"rgb": np.zeros([1])}),
        Case(
            "nothing",
            Request("serving_default", cases[0].request.inputs),
            {"png_bytes": np.zeros([2], object)},
        ),
    ]
    with pytest.raises(verification.VerificationError) as error:
        verification.verify(path, [*cases, *wrong])
    # Each wrong one by both loaders, and nothing else.
    assert len(error.value.problems) == 2 * len(wrong)
    for text in ("other: png_bytes: 1 of 1 differ", "no error with", "outputs"):
        assert text in str(error.value)


@pytest.mark.slow
def test_a_folder_that_is_no_export_does_not_pass(tmp_path):
    with pytest.raises(verification.VerificationError, match="check failed"):
        verification.verify(str(tmp_path), [])


def test_a_check_that_does_not_end_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(verification, "_TIMEOUT_SECONDS", 0.01)
    with pytest.raises(verification.VerificationError, match="within 0.01 s"):
        verification.verify(str(tmp_path), [])


def test_pictures_are_of_odd_sizes_and_many_kinds():
    cases = _cases(models.plain_model())
    names = [case.name for case in cases]
    assert "JPEG 1 x 1" in names and "JPEG 7 x 200" in names
    failing = [case for case in cases if isinstance(case.expected, str)]
    assert len(failing) == 4
    boxed = _cases(models.counting_model())
    assert all(
        "boxes" in case.request.inputs
        for case in boxed
        if case.request.signature != "predict_ab"
    )
