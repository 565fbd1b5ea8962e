"""Settings and values of tests that try many examples."""

import hypothesis
import numpy as np
from hypothesis import strategies
from hypothesis.extra import numpy as arrays


def tried(count: int):
    """Tries so many examples, the same ones every time."""
    return hypothesis.settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        # Without the search for a simpler example, which takes minutes.
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=[
            hypothesis.HealthCheck.function_scoped_fixture,
            hypothesis.HealthCheck.too_slow,
        ],
    )


def colors(low: float, high: float, channels: int = 3):
    """Arrays [16, channels] of float32."""
    numbers = strategies.floats(low, high, width=32)
    return arrays.arrays(np.float32, (16, channels), elements=numbers)


def pictures(*, most: int = 12):
    """Pictures of bytes, [H, W, 3]."""
    sides = strategies.integers(1, most)
    shapes = strategies.tuples(sides, sides, strategies.just(3))
    return arrays.arrays(np.uint8, shapes)


def boxes(*, most: int = 6, far: float = 60):
    """Boxes [M, 4], yxyx, inside and outside of a picture of 20 x 30."""
    numbers = strategies.floats(-far, far, width=32)
    counts = strategies.integers(0, most)
    shapes = strategies.tuples(counts, strategies.just(4))
    return arrays.arrays(np.float32, shapes, elements=numbers)
