import tracemalloc

import ml_dtypes
import numpy as np
import pytest

from tests.weights import ddcolor_states
from tests.weights import published_states
from tests.weights import pytorch_pickles as pickles
from tfcolor.weights import pytorch_files
from tfcolor.weights import pytorch_models
from tfcolor.weights import state_dicts

ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)


def test_numbers_with_a_point_become_float32_and_others_stay():
    state = state_dicts.StateDict(
        {
            "half": ROWS.astype(np.float16),
            "brain": ROWS.astype(ml_dtypes.bfloat16),
            "double": ROWS.astype(np.float64) * 1e300,
            "same": ROWS,
            "counter": np.int64(3),
        }
    )
    for name in ("half", "brain"):
        assert state[name].dtype == np.float32
        np.testing.assert_array_equal(state[name], ROWS)
    assert np.isinf(state["double"]).any()
    assert state["same"] is ROWS and state["counter"].dtype == np.int64
    assert len(state) == 5 and "half" in state and "none" not in state


def test_parts_have_other_names_and_are_still_converted_when_used():
    state = state_dicts.StateDict({"net.a": np.float16([1, 2]), "b": ROWS})
    part = state_dicts.renamed(state, {"a": "net.a"})
    again = state_dicts.renamed(part, {"c": "a"})
    assert list(again) == ["c"] and again["c"].dtype == np.float32
    assert state_dicts.shape_of(again, "c") == (2,)
    assert state_dicts.shape_of({"b": ROWS}, "b") == (3, 4)
    assert not state_dicts.renamed(state, {})
    with pytest.raises(KeyError):
        part["b"]


@pytest.mark.parametrize(
    "kind, state",
    [
        ("siggraph17", published_states.full(2, 1 / 16)),
        ("mmagic", published_states.mmagic(2, 1 / 16)),
        ("eccv16", published_states.eccv16(2, 1 / 16)),
        ("ddcolor", ddcolor_states.state("tiny", 2)),
    ],
)
def test_a_file_in_half_precision_is_the_same_model(tmp_path, kind, state):
    torch = pytest.importorskip("torch")
    half = {
        key: torch.from_numpy(np.array(value, np.float16))
        if value.dtype == np.float32
        else torch.from_numpy(np.array(value))
        for key, value in state.items()
    }
    torch.save(half, tmp_path / "half.pth")
    expected = {key: tensor.float().numpy() for key, tensor in half.items()}
    pickles.save(
        tmp_path / "whole.pth",
        {
            key: half[key].numpy() if key.endswith("tracked") else value
            for key, value in expected.items()
        },
    )
    models = [
        pytorch_models.load(str(tmp_path / name), kind=kind)[0]
        for name in ("half.pth", "whole.pth")
    ]
    for one, other in zip(*(m.get_weights() for m in models), strict=True):
        np.testing.assert_array_equal(one, other)


def test_views_of_half_precision_fill_no_memory(tmp_path):
    # 300 tensors of 64 MB as float32, all of them views of 8 bytes.
    tensors = [
        pickles.tensor(shape=(2**12, 2**12), strides=(0, 0), kind="HalfStorage")
        for _ in range(300)
    ]
    items = [
        pickles.text(f"model1.{i}.weight") + part
        for i, part in enumerate(tensors)
    ]
    path = pickles.archive(
        tmp_path / "net.pth",
        b"\x80\x02}(" + b"".join(items) + b"u.",
        storages={"0": np.zeros(4, np.float16).tobytes()},
    )
    tracemalloc.start()
    try:
        state = pytorch_files.read_state(path)
        assert len(state) == 300
        with pytest.raises(ValueError, match="4 axes and at most"):
            pytorch_models.load(path, kind="siggraph17")
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()
    assert state["model1.7.weight"].shape == (2**12, 2**12)
