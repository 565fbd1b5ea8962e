import json
import sys

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from tests.weights import pytorch_pickles as pickles
from tfcolor.weights import pytorch_files


def test_all_kinds_of_files_hold_the_same_arrays(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    arrays = {"a": pickles.FLOATS}
    np.savez(tmp_path / "a.npz", **arrays)
    safetensors.numpy.save_file(arrays, tmp_path / "a.safetensors")
    for kind in ("pth", "pt", "bin", "ckpt"):
        pickled = pickles.state(pickles.tensor())
        pickles.archive(tmp_path / f"a.{kind}", pickled)
    for path in sorted(tmp_path.iterdir()):
        state = pytorch_files.read_state(str(path))
        assert list(state) == ["a"]
        np.testing.assert_array_equal(state["a"], pickles.FLOATS)


@pytest.mark.parametrize(
    "dtype", [np.float64, np.float16, ml_dtypes.bfloat16, np.int64, np.bool_]
)
def test_numbers_with_a_point_become_float32(tmp_path, dtype):
    array = np.array([[0, 1, 2]]).astype(dtype)
    path = str(tmp_path / "a.safetensors")
    safetensors.numpy.save_file({"a": array}, path)
    read = pytorch_files.read_state(path)["a"]
    kept = dtype in (np.int64, np.bool_)
    assert read.dtype == (dtype if kept else np.float32)
    np.testing.assert_array_equal(read, array.astype(read.dtype))


def test_broken_safetensors_files_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors.numpy.save_file({"a": pickles.FLOATS}, path)
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])

    def with_header(**change):
        text = json.dumps({"a": header["a"] | change}).encode()
        return len(text).to_bytes(8, "little") + text + content[8 + size :]

    assert with_header()[-16:] == content[-16:]
    for broken in (
        b"",
        content[:-1],
        content[:20],
        (2**62).to_bytes(8, "little") + content[8:],
        with_header(shape=[5]),
        with_header(data_offsets=[0, 2**40], shape=[2**38]),
        with_header(dtype="F8_E4M3", shape=[16]),
        with_header(dtype="nothing"),
    ):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="a.safetensors"):
            pytorch_files.read_state(str(path))


def test_a_file_without_tensors_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors.numpy.save_file({}, path)
    with pytest.raises(ValueError, match="at least one. Received.*a.safeten"):
        pytorch_files.read_state(str(path))
