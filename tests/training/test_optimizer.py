import keras
import numpy as np
import pytest

from tfcolor.training import optimizer
from tfcolor.training.optimizer import OptimizerConfig


def _rates(config, *, epochs, steps_per_epoch=1, steps=None):
    return [
        optimizer.learning_rate(
            config, step, steps_per_epoch=steps_per_epoch, epochs=epochs
        )
        for step in steps or range(epochs * steps_per_epoch)
    ]


def test_the_released_rate_is_that_of_the_published_scripts():
    config = OptimizerConfig(learning_rate=1.0, decay_epochs=50)
    rates = _rates(config, epochs=150)
    # 1 - max(0, e + 1 - niter) / (niter_decay + 1), niter 100, decay 50.
    assert rates[0] == rates[98] == rates[99] == 1.0
    np.testing.assert_allclose(rates[100], 50 / 51)
    np.testing.assert_allclose(rates[125], 1 - 26 / 51)
    np.testing.assert_allclose(rates[149], 1 / 51)


def test_the_released_rate_stays_for_all_steps_of_an_epoch():
    config = OptimizerConfig(learning_rate=1.0, decay_epochs=2)
    rates = _rates(config, epochs=3, steps_per_epoch=4)
    np.testing.assert_allclose(rates, [1] * 4 + [2 / 3] * 4 + [1 / 3] * 4)


def test_a_run_shorter_than_its_decay_falls_over_the_last_third():
    config = OptimizerConfig(learning_rate=1.0, decay_epochs=50)
    rates = _rates(config, epochs=6)
    np.testing.assert_allclose(rates, [1] * 4 + [2 / 3, 1 / 3])
    assert _rates(config, epochs=1) == [1.0]
    note = optimizer.schedule_note(config, epochs=6)
    assert note.startswith("`epochs=6` is less than `decay_epochs=50`: ")
    assert not optimizer.schedule_note(config, epochs=50)
    # A run of nothing but the decay is one that was asked for.
    np.testing.assert_allclose(_rates(config, epochs=50)[0], 50 / 51)


def test_the_halving_rate_is_half_as_much_from_each_share_on():
    config = OptimizerConfig(
        learning_rate=8.0, schedule="halving", halve_at="0.5, 0.8"
    )
    rates = _rates(config, epochs=2, steps_per_epoch=5)
    assert rates == [8.0] * 5 + [4.0] * 3 + [2.0] * 2


@pytest.mark.parametrize("text", ["0.5,x", "1.5", "0"])
def test_shares_outside_the_run_are_refused(text):
    with pytest.raises(ValueError, match="below 1. Received: halve_at="):
        OptimizerConfig(halve_at=text)


def test_the_cosine_rate_goes_from_full_to_zero():
    config = OptimizerConfig(learning_rate=2.0, schedule="cosine")
    rates = _rates(config, epochs=5, steps_per_epoch=20)
    assert rates[0] == 2.0
    np.testing.assert_allclose(rates[50], 1.0)
    assert np.all(np.diff(rates) < 0)
    assert 0 < rates[-1] < 1e-3
    (beyond,) = _rates(config, epochs=5, steps=[999])
    assert beyond == 0


def test_the_constant_rate_is_constant():
    config = OptimizerConfig(learning_rate=0.3, schedule="constant")
    assert set(_rates(config, epochs=7)) == {0.3}


def test_warmup_climbs_linearly_and_then_leaves_the_schedule_alone():
    plain = OptimizerConfig(learning_rate=1.0, schedule="constant")
    warm = OptimizerConfig(
        learning_rate=1.0, schedule="constant", warmup_steps=4
    )
    np.testing.assert_allclose(
        _rates(warm, epochs=8), [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]
    )
    assert _rates(warm, epochs=8)[4:] == _rates(plain, epochs=8)[4:]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adam", keras.optimizers.Adam), ("adamw", keras.optimizers.AdamW)],
)
def test_optimizers_get_every_option(name, kind):
    config = OptimizerConfig(
        optimizer=name,
        learning_rate=0.25,
        beta_1=0.5,
        beta_2=0.75,
        weight_decay=0.125,
        clip_norm=2.0,
    )
    built = optimizer.build_optimizer(config)
    assert type(built) is kind
    assert float(built.learning_rate) == 0.25
    assert (built.beta_1, built.beta_2) == (0.5, 0.75)
    assert built.epsilon == 1e-8
    assert built.global_clipnorm == 2.0
    if name == "adamw":
        assert built.weight_decay == 0.125


def test_a_clip_norm_of_zero_is_no_limit():
    assert optimizer.build_optimizer(OptimizerConfig()).global_clipnorm is None


def test_float16_gets_a_loss_scale_whose_rate_can_be_set():
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    built = optimizer.build_optimizer(OptimizerConfig())
    built.learning_rate = 0.125
    assert isinstance(built, keras.optimizers.LossScaleOptimizer)
    assert float(built.inner_optimizer.learning_rate) == 0.125


@pytest.mark.parametrize(
    "option",
    [
        {"optimizer": "sgd"},
        {"schedule": "linear"},
        {"learning_rate": 0.0},
        {"ema_momentum": 1.0},
        {"ema_momentum": -0.1},
        {"slow_rate": 0.0},
        {"decay_epochs": -1},
    ],
)
def test_options_that_cannot_train_are_refused(option):
    ((name, value),) = option.items()
    with pytest.raises(ValueError, match=f"`{name}` must.*Received: {name}="):
        OptimizerConfig(**option)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_slow_layers_move_by_a_part_of_what_others_do(name):
    config = OptimizerConfig(
        optimizer=name, slow_layers="stem|block", slow_rate=0.25
    )
    built = optimizer.build_optimizer(config)
    built.learning_rate = 0.01
    names = ("stem", "block3_expand", "decoder_block")
    weights = [keras.layers.Dense(1, name=n, use_bias=False) for n in names]
    for layer in weights:
        layer.build((None, 2))
    variables = [layer.kernel for layer in weights]
    before = [v.numpy() for v in variables]
    built.apply([keras.ops.ones((2, 1))] * 3, variables)
    moved = [
        np.abs(v.numpy() - old).max()
        for v, old in zip(variables, before, strict=True)
    ]
    # Adam's first step is the rate itself.
    np.testing.assert_allclose(moved, [0.0025, 0.0025, 0.01], rtol=1e-3)
