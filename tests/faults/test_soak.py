import pytest

from tests.export import exported
from tests.faults import soak
from tests.inference import models

SECONDS = 12


def _assert_sound(found):
    assert not found.errors
    assert found.good > 50 and found.bad > 20
    assert found.flat()


@pytest.mark.long
def test_good_and_bad_requests_of_eight_clients_leave_no_trace():
    _assert_sound(soak.export(exported.saved_model(), seconds=SECONDS))


@pytest.mark.long
def test_four_threads_may_share_a_colorizer():
    model = exported.model_file(models.lightness_model)
    _assert_sound(soak.colorizer(model, seconds=SECONDS))


def test_a_curve_that_rises_is_a_leak_and_its_warm_up_is_not():
    flat = soak.Curve([(i, min(100 + 50 * i, 200)) for i in range(25)])
    assert flat.growth() == 0
    leak = soak.Curve([(i, 100 + 4 * i) for i in range(25)])
    assert leak.growth() > leak.limit
    assert soak.Soak(curves={"resident": flat}).flat()
    assert not soak.Soak(curves={"resident": flat, "allocated": leak}).flat()
