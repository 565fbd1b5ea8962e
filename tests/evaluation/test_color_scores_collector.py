import numpy as np
import pytest

from tfcolor.evaluation import color_scores
from tfcolor.evaluation import methods
from tfcolor.evaluation.methods import TruePicture

NAMES = ("cat", "dog", "owl")


def _picture(name, index=0):
    return TruePicture(index, f"photos/{name}", name)


def test_the_class_is_the_folder_right_below():
    assert methods.class_of(_picture("dog/a/b.jpg")) == "dog"
    with pytest.raises(ValueError, match="class folder. Received: 'photos/b"):
        methods.class_of(_picture("b.jpg"))


def test_one_class_is_not_enough():
    with pytest.raises(ValueError, match="at least two .*'dog'"):
        color_scores.ClassCollector([_picture("dog/a.jpg")])


def test_models_get_the_class_or_that_of_another():
    given = methods.given_classes(_picture("dog/a.jpg"), NAMES, shuffled=False)
    np.testing.assert_array_equal(given, [0, 1, 0])
    drawn = [
        methods.given_classes(_picture(f"dog/{i}.jpg"), NAMES, shuffled=True)
        for i in range(300)
    ]
    assert np.sum(drawn, axis=0).min() > 70
    again = methods.given_classes(_picture("dog/7.jpg"), NAMES, shuffled=True)
    np.testing.assert_array_equal(drawn[7], again)


def test_classes_that_the_model_does_not_know_are_refused():
    with pytest.raises(ValueError, match="one of the model's.*'cow'"):
        methods.given_classes(_picture("cow/a.jpg"), NAMES, shuffled=True)
