"""Our networks against the published code, with the same weights."""

import numpy as np
import pytest

from tests.models import golden as golden_files
from tests.weights import published_states
from tfcolor.models.fusion import fusion
from tfcolor.models.fusion import instance_colorizer
from tfcolor.models.instance import instance
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import pytorch

# 1e-4 in network units, in which ab is divided by 110.
AB_TOLERANCE = 1e-4 * 110
NAMES = [
    pytest.param(golden_files.NARROW[0], 1 / 16, 1, 23, id="narrow 32 px"),
    pytest.param(
        *(golden_files.NARROW[1], 1 / 16, 1, 23),
        id="narrow 48 px",
        marks=pytest.mark.slow,
    ),
    pytest.param(
        "instance_aware_64px", 1.0, 4, 4, id="wide", marks=pytest.mark.slow
    ),
]


def _loaded(model, state):
    pytorch.load_state(model, state)
    return model


def _networks(seed, width):
    return {
        "full": _loaded(
            siggraph(width=width), published_states.full(seed, width)
        ),
        "instance": _loaded(
            instance(width=width), published_states.full(seed + 1, width)
        ),
        "fusion": _loaded(
            fusion(width=width, blending="faithful"),
            published_states.fusion(seed + 2, width),
        ),
    }


@pytest.mark.parametrize("name, width, step, bins", NAMES)
def test_the_networks_equal_the_published_code(name, width, step, bins):
    golden = golden_files.load(name)
    picture, crops = golden_files.inputs(golden)
    networks = _networks(int(golden["seed"]), width)

    outputs = networks["full"](picture)
    np.testing.assert_allclose(
        outputs["ab"][:, ::2, ::2], golden["full_ab"], rtol=0, atol=AB_TOLERANCE
    )
    np.testing.assert_allclose(
        outputs["ab_logits"][:, ::step, ::step, ::bins],
        golden["ab_logits"],
        rtol=0,
        atol=1e-4,
    )

    outputs = networks["instance"](golden_files.crop_inputs(crops))
    np.testing.assert_allclose(
        outputs["ab"][:, ::3, ::3],
        golden["instance_ab"],
        rtol=0,
        atol=AB_TOLERANCE,
    )

    whole = instance_colorizer(**networks)
    inputs = picture | golden_files.box_inputs(golden)
    outputs = whole(inputs | {"crops": crops[None, ...]})
    np.testing.assert_allclose(
        outputs["ab"], golden["fusion_ab"], rtol=0, atol=AB_TOLERANCE
    )
