import pytest

from tests.inference import models
from tfcolor import Colorizer


@pytest.fixture(scope="module")
def plain():
    model = models.plain_model((20.0, -15.0))
    return Colorizer(model, image_size=32, batch_size=4)
