import numpy as np
import pytest

from tests.weights import ddcolor_states
from tfcolor.models.ddcolor import ddcolor
from tfcolor.weights import ddcolor_keys

STATE = ddcolor_states.state("tiny", 3)
SHUFFLE = "decoder.layers.1.shuf.conv.0"


@pytest.fixture(scope="module")
def model():
    return ddcolor(encoder="tiny", width=1 / 16, queries=10, decoder_blocks=4)


def _problems(state, model):
    before = model.get_weights()
    with pytest.raises(ValueError, match="each exactly once") as error:
        ddcolor_keys.arrays(state, model)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    return [line.strip() for line in str(error.value).splitlines()[1:]]


@pytest.mark.parametrize("encoder", ["tiny", "large"])
def test_options_are_those_of_the_checkpoint(encoder):
    state = ddcolor_states.state(encoder, 0)
    options = ddcolor_states.NARROW[encoder]
    assert ddcolor_keys.options_of(state) == {
        "encoder": encoder,
        "width": options["width"],
        "queries": options["queries"],
        "decoder_blocks": options["blocks"],
    }


def test_every_array_is_used_or_ignored_by_name(model):
    ignored = ddcolor_keys.arrays(STATE, model)
    counters = [k for k in STATE if k.endswith("num_batches_tracked")]
    assert len(counters) == 9
    last = ["encoder.arch.norm.bias", "encoder.arch.norm.weight"]
    assert ignored == sorted([*counters, *last, "mean", "std"])
    used = sum(
        np.size(value)
        for key, value in STATE.items()
        if key not in ignored and not key.endswith(("weight_u", "weight_v"))
    )
    assert used == model.count_params()


def test_every_used_array_reaches_a_weight_of_its_own(model):
    ignored = set(ddcolor_keys.arrays(STATE, model))
    folded, _ = ddcolor_keys.fold(STATE)
    used = sorted(folded.keys() - ignored)
    numbered = {
        key: np.full_like(folded[key], number)
        for number, key in enumerate(used, 1)
    }
    ddcolor_keys.arrays(folded | numbered, model)
    found = [set(np.unique(weight)) for weight in model.get_weights()]
    assert {len(numbers) for numbers in found} == {1}
    assert set.union(*found) == set(range(1, len(used) + 1))


def test_spectral_norms_are_divided_out(model):
    ddcolor_keys.arrays(STATE, model)
    kernel = STATE[f"{SHUFFLE}.weight_orig"][:, :, 0, 0]
    u, v = (STATE[f"{SHUFFLE}.weight_{name}"] for name in "uv")
    expected = kernel / (u @ kernel @ v)
    found = np.asarray(model.get_layer("pixels1_shuffle").kernel)[0, 0]
    # Output c * 4 + place there is output place * 32 + c here.
    assert found.shape == (32, 128)
    np.testing.assert_allclose(found[:, 3 * 32 + 5], expected[5 * 4 + 3], 1e-5)
    np.testing.assert_allclose(found[:, 31], expected[31 * 4], 1e-5)


def test_folded_checkpoints_and_the_module_prefix_mean_the_same(model):
    ddcolor_keys.arrays(STATE, model)
    before = model.get_weights()
    folded, problems = ddcolor_keys.fold(STATE)
    assert not problems and len(folded) < len(STATE)
    for state in (folded, {f"module.{k}": v for k, v in STATE.items()}):
        model.set_weights([w + 1 for w in before])
        ddcolor_keys.arrays(state, model)
        for weight, old in zip(model.get_weights(), before, strict=True):
            np.testing.assert_allclose(weight, old, rtol=1e-6)


def test_what_is_missing_unexpected_or_misshapen_is_named(model):
    gamma = "encoder.arch.stages.2.8.gamma"
    state = dict(STATE)
    del state[gamma], state[f"{SHUFFLE}.weight_u"], state["std"]
    state["decoder.more"] = np.zeros(3, np.float32)
    state["refine_net.0.0.bias"] = np.zeros(3, np.float32)
    state["encoder.arch.norm2.bias"] = np.full(24, np.nan, np.float32)
    problems = _problems(state, model)
    for said in (
        f"missing: {gamma} (24,)",
        f"missing: {SHUFFLE}.weight_u",
        "missing: std (1, 3, 1, 1)",
        "unexpected: decoder.more (3,)",
        "shape of refine_net.0.0.bias: (3,), not (2,)",
        "not finite: encoder.arch.norm2.bias",
    ):
        assert said in problems


def test_a_broken_spectral_norm_is_named(model):
    key = f"{SHUFFLE}.weight_orig"
    problems = _problems(STATE | {key: STATE[key] * 0}, model)
    assert problems == [f"norm of {key}: 0.0"]
    v = f"{SHUFFLE}.weight_v"
    problems = _problems(STATE | {v: STATE[v][:-1]}, model)
    assert (
        f"shapes of {SHUFFLE}: kernel (128, 32, 1, 1), u (128,), v (31,)"
        in (problems)
    )


def test_other_statistics_than_imagenets_are_refused(model):
    problems = _problems(STATE | {"mean": STATE["mean"] * 0 + 0.5}, model)
    assert problems == ["not ImageNet's: mean [0.5, 0.5, 0.5]"]


def test_a_key_that_is_there_twice_is_refused(model):
    key = "refine_net.0.0.bias"
    problems = _problems(STATE | {f"module.{key}": STATE[key]}, model)
    assert problems == [f"there twice: {key}"]


@pytest.mark.parametrize("width", [1 / 16, 1 / 8])
def test_weights_of_another_network_are_refused(width):
    other = ddcolor(encoder="tiny", width=width, queries=10, decoder_blocks=3)
    assert _problems(STATE, other)


def test_other_state_dicts_are_refused():
    with pytest.raises(ValueError, match="must hold 'encoder.arch"):
        ddcolor_keys.options_of({"model1.0.weight": np.zeros((64, 4, 3, 3))})
    small = {k: v for k, v in STATE.items() if "stages.2.8" not in k}
    with pytest.raises(ValueError, match="9 or 27 blocks. Received: 8"):
        ddcolor_keys.build(small)
    key = "encoder.arch.downsample_layers.0.0.weight"
    huge = STATE | {key: np.broadcast_to(np.float32(0), (9000, 3, 4, 4))}
    with pytest.raises(ValueError, match="at most 384 filters.*9000"):
        ddcolor_keys.build(huge)


def _encoder():
    start = "encoder.arch."
    return {
        key.removeprefix(start): array
        for key, array in STATE.items()
        if key.startswith((f"{start}downsample", f"{start}stages"))
    }


def test_an_encoder_is_loaded_alone(model):
    encoder = _encoder() | {"head.weight": np.zeros(3), "norm.bias": np.ones(2)}
    ddcolor_keys.encoder_arrays(encoder, model)
    for name, key, axes in (
        ("stage2_block8_depthwise", "stages.2.8.dwconv.weight", (2, 3, 0, 1)),
        ("stage1_conv", "downsample_layers.1.1.weight", (2, 3, 1, 0)),
        ("stage3_block0_expand", "stages.3.0.pwconv1.weight", (1, 0)),
    ):
        np.testing.assert_array_equal(
            model.get_layer(name).get_weights()[0],
            encoder[key].transpose(axes),
        )


def test_all_problems_of_an_encoder_are_listed(model):
    encoder = _encoder() | {"more.weight": np.zeros(3)}
    del encoder["stages.2.8.gamma"]
    with pytest.raises(ValueError) as error:
        ddcolor_keys.encoder_arrays(encoder, model)
    assert str(error.value) == (
        "The weights must be those of ConvNeXt, of the size of the encoder. "
        "Received: 2 problems\n"
        "  unexpected: encoder.arch.more.weight (3,)\n"
        "  missing: encoder.arch.stages.2.8.gamma (24,)"
    )
