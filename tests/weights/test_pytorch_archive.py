import copy
import hashlib
import io
import pathlib
import pickle
import struct
import warnings
import zipfile

import numpy as np
import pytest

from tests.weights import pytorch_pickles as pickles
from tfcolor.weights import pytorch_archive
from tfcolor.weights import pytorch_files


def _refused(path, match):
    """That a file is refused by its name and a rule."""
    with pytest.raises(ValueError, match=match) as error:
        pytorch_files.read_state(str(path))
    assert str(path) in str(error.value)


def _layouts(torch):
    """State dicts with all that is in real ones."""
    torch.manual_seed(0)
    base = torch.randn(6, 8)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 5, 3), torch.nn.BatchNorm2d(5)
    )
    types = {
        name: (torch.randn(3, 2) * 50).to(getattr(torch, name))
        for name in (
            *("float64", "float32", "float16", "bfloat16", "int64", "int32"),
            *("int16", "int8", "uint8", "bool", "uint16", "uint32", "uint64"),
        )
        if not name.startswith("uint")
    } | {
        name: torch.arange(6).reshape(3, 2).to(getattr(torch, name))
        for name in ("uint8", "uint16", "uint32", "uint64")
    }
    views = {
        "whole": base,
        "part": base[1:4, 2:7:2],
        "turned": base.T,
        "one": base[2, 3],
        "again": base.reshape(-1)[8:24].reshape(4, 4),
        "spread": base[:1].expand(5, 8),
        "empty": torch.zeros(0, 3),
        "channels_last": torch.randn(2, 3, 4, 5).to(
            memory_format=torch.channels_last
        ),
        "trained": torch.nn.Parameter(torch.randn(2)),
    }
    return {
        "network": network.state_dict(),
        "types": types,
        "views": views,
        "wrapped": {"meta": {"epoch": 3, "time": "now"}, "state_dict": views},
        "params": {"params": network.state_dict()},
    }


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_what_pytorch_writes_is_read_as_pytorch_reads_it(tmp_path, protocol):
    torch = pytest.importorskip("torch")
    for name, saved in _layouts(torch).items():
        path = str(tmp_path / f"{name}.pth")
        torch.save(saved, path, pickle_protocol=protocol)
        expected = torch.load(path, weights_only=protocol == 2)
        expected = expected.get("state_dict", expected.get("params", expected))
        state = pytorch_files.read_state(path)
        assert list(state) == list(expected)
        for key, tensor in expected.items():
            if tensor.is_floating_point():
                tensor = tensor.float()
            theirs = tensor.detach().numpy()
            assert state[key].dtype == theirs.dtype, key
            np.testing.assert_array_equal(state[key], theirs, err_msg=key)


def test_tensors_stay_in_the_file_and_share_their_storage(tmp_path):
    path = pickles.archive(
        tmp_path / "a.pth",
        pickles.state(
            pickles.tensor(),
            pickles.tensor(offset=1, shape=(2, 2), strides=(1, 1)),
        ),
    )
    state = pytorch_files.read_state(path)
    np.testing.assert_array_equal(state["a"], [0, 1, 2, 3])
    np.testing.assert_array_equal(state["b"], [[1, 2], [2, 3]])
    assert np.shares_memory(state["a"], state["b"])
    state["a"][1] = 7
    assert state["b"][0, 0] == 7
    again = pytorch_files.read_state(path)
    np.testing.assert_array_equal(again["a"], [0, 1, 2, 3])


def test_what_is_forgotten_is_read_again(tmp_path):
    large = np.arange(10**6, dtype=np.float32).reshape(1000, 1000)
    path = pickles.save(tmp_path / "a.pth", {"a": large, "b": large + 1})
    state = pytorch_files.read_state(path)
    for part in (state["a"], state["a"].T, state["b"][3:900, ::2], large):
        expected = part.copy()
        pytorch_archive.forget(part)
        np.testing.assert_array_equal(part, expected)
    status = pathlib.Path("/proc/self/smaps")
    if status.exists():
        assert state["a"].sum() > 0
        before = _resident(status, path)
        pytorch_archive.forget(state["a"])
        assert before - _resident(status, path) > 3800


def _resident(status, path):
    """How many kB of a file are in memory."""
    _, _, after = status.read_text().partition(path)
    return int(after.partition("Rss:")[2].split()[0])


def test_code_is_never_run(tmp_path):
    mark = tmp_path / "mark"
    for function in ("posix\nsystem", "builtins\neval", "torch\nload"):
        name, _, _ = function.partition("\n")
        call = b"c%b\n" % function.encode() + pickles.text(f"touch {mark}")
        call += b"\x85R"
        path = pickles.archive(
            tmp_path / "a.pth", b"\x80\x02}" + pickles.text("a") + call + b"s."
        )
        _refused(path, f"tensors, numbers and texts alone, not {name}")
    hidden = pickle.dumps({"a": {1, 2}}, protocol=4)
    _refused(pickles.archive(tmp_path / "b.pth", hidden), "EMPTY_SET")
    assert not mark.exists()


def test_a_pickle_cannot_change_the_reader(tmp_path):
    build = b"ccollections\nOrderedDict\n(N}" + pickles.text("x") + b"K\x01stb"
    function = b"ctorch._utils\n_rebuild_tensor_v2\n}" + pickles.text("x")
    function += b"K\x01sb0"
    for change in (build, function):
        pickled = pickles.state(pickles.tensor()).removesuffix(b".")
        path = pickles.archive(tmp_path / "a.pth", change + pickled + b".")
        try:
            pytorch_files.read_state(path)
        except ValueError:
            pass
    good = pickles.archive(
        tmp_path / "good.pth", pickles.state(pickles.tensor())
    )
    assert pytorch_files.read_state(good)["a"].shape == (4,)


@pytest.mark.parametrize(
    "tensor, rule",
    [
        ({"count": 5}, "storages as long as it says"),
        ({"count": 2**60}, "storages as long as it says"),
        ({"key": "1"}, "have the storage 'net/data/1'"),
        ({"key": "../../etc/passwd"}, "have the storage"),
        ({"kind": "LongStorage"}, "storages as long as it says"),
        ({"kind": "ComplexFloatStorage"}, "not torch.ComplexFloatStorage"),
        ({"offset": 1}, "lie inside their storages"),
        ({"offset": -1}, "in numbers"),
        ({"shape": (5,)}, "lie inside their storages"),
        ({"shape": (-4,)}, "in numbers"),
        ({"shape": (2, 2), "strides": (3, 1)}, "lie inside their storages"),
        ({"shape": (4,), "strides": (-1,)}, "in numbers"),
        ({"shape": (4, 1)}, "in numbers"),
        ({"shape": (2**62, 2), "strides": (0, 1)}, "expand tensors to at most"),
        ({"shape": (2**2000,)}, "numbers of at most 64 bits"),
        ({"shape": (0, 2**62), "strides": (1, 1)}, "expand tensors to at most"),
        ({"shape": (1,) * 40, "strides": (1,) * 40}, "in numbers"),
    ],
)
def test_sizes_and_places_that_cannot_be_are_refused(tmp_path, tensor, rule):
    pickled = pickles.state(pickles.tensor(**tensor))
    _refused(pickles.archive(tmp_path / "a.pth", pickled), rule)


def test_a_table_of_billions_is_never_made(tmp_path):
    pickled = b"\x80\x02}r" + struct.pack("<I", 2**31) + b"."
    _refused(pickles.archive(tmp_path / "a.pth", pickled), "counts its objects")


def test_numbers_that_would_fill_a_dict_for_hours_are_refused(tmp_path):
    # Python's hash of each is 0.
    alike = b"".join(
        pickles.number(i * (2**61 - 1)) + b"N" for i in range(1, 200_000)
    )
    path = pickles.archive(tmp_path / "a.pth", b"\x80\x02}(" + alike + b"u.")
    _refused(path, "at most 64 bits")


def test_a_long_name_is_not_repeated_in_full(tmp_path):
    name = pickles.text("long" * 10**6)
    path = pickles.archive(tmp_path / "a.pth", b"\x80\x02}(%bNu." % name)
    with pytest.raises(ValueError, match="nothing else.*longlong") as error:
        pytorch_files.read_state(path)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("again", [b"\x85", b"q\x00h\x00\x86", b"K\x01\x86"])
def test_nesting_that_would_end_the_process_is_refused(tmp_path, again):
    key = b")" + again * 200_000
    pickled = b"\x80\x02}" + key + b"K\x01s."
    _refused(pickles.archive(tmp_path / "a.pth", pickled), "nest tuples")
    storage = b"(" + pickles.text("storage") + key + b"tQ."
    path = pickles.archive(tmp_path / "b.pth", b"\x80\x02" + storage)
    _refused(path, "nest tuples")
    # Lists may lie as deep as they like: nothing goes through them.
    deep = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    _refused(pickles.archive(tmp_path / "c.pth", deep), "must hold a state")


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b"\x80\x02",
        b"\x80\x02}" + b"X\xff\xff\xff\x7fa.",
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        b"hello",
        pickle.dumps(3),
        pickle.dumps([1, 2]),
        pickle.dumps({"a": 1}),
        pickle.dumps({}),
    ],
)
def test_pickles_that_hold_no_state_dict_are_refused(tmp_path, pickled):
    path = pickles.archive(tmp_path / "a.pth", pickled)
    _refused(path, "pickle|must hold")


def test_archives_of_odd_entries_are_refused(tmp_path):
    good = pickles.state(pickles.tensor())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for more, rule in (
            (("../out", b""), "name its entries plainly"),
            (("/etc/out", b""), "name its entries plainly"),
            (("net\\out", b""), "name its entries plainly"),
            (("net/data/0", b"\0" * 16), "have every entry once"),
            (("other/data.pkl", good), "with one data.pkl"),
            (("net/constants.pkl", b""), "not a TorchScript program"),
        ):
            path = pickles.archive(tmp_path / "a.pth", good, more=[more])
            _refused(path, rule)
    _refused(
        pickles.archive(tmp_path / "b.pth", good, order=b"big"),
        "be little-endian",
    )
    with zipfile.ZipFile(tmp_path / "c.pth", "w") as file:
        file.writestr("a.txt", "hello")
    _refused(tmp_path / "c.pth", "with one data.pkl")


def test_entries_that_lie_over_each_other_are_refused(tmp_path):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("net/data.pkl", pickles.state(pickles.tensor()))
        file.writestr("net/data/0", bytes(10**6))
        for i in range(1, 50):
            again = copy.copy(file.getinfo("net/data/0"))
            again.filename = again.orig_filename = f"net/data/{i}"
            file.filelist.append(again)
    _refused(path, "hold its entries one after the other|Overlapped entries")


def test_compressed_archives_are_refused_with_the_way_out(tmp_path):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("net/data.pkl", pickles.state(pickles.tensor()))
        file.writestr("net/data/0", b"\0" * 10**7)
    _refused(path, "not be compressed.*torch.save")


def test_no_cut_file_is_read(tmp_path):
    whole = pickles.archive(
        tmp_path / "whole.pth", pickles.state(pickles.tensor())
    )
    with open(whole, "rb") as file:
        content = file.read()
    path = tmp_path / "cut.pth"
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        _refused(path, "whole zip archive")


def test_no_changed_bit_of_the_weights_or_the_pickle_is_read(tmp_path):
    whole = pickles.archive(
        tmp_path / "whole.pth", pickles.state(pickles.tensor())
    )
    with open(whole, "rb") as file:
        content = file.read()
    weights = content.index(pickles.FLOATS.tobytes())
    pickled = content.index(b"_rebuild")
    path = tmp_path / "changed.pth"
    for place in (weights, weights + 15, pickled):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        _refused(path, "be whole: the checksum of 'net/data")


def test_entries_that_point_out_of_the_file_are_refused(tmp_path):
    whole = pickles.archive(
        tmp_path / "whole.pth", pickles.state(pickles.tensor())
    )
    with open(whole, "rb") as file:
        content = file.read()
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(b"net/data/0"))
    for place, value in ((42, 2**31), (42, 3), (20, 2**31), (24, 2**31)):
        changed = bytearray(content)
        struct.pack_into("<I", changed, entry + place, value)
        (tmp_path / "a.pth").write_bytes(changed)
        _refused(tmp_path / "a.pth", "A PyTorch file must")


def _old(torch, path, saved):
    buffer = io.BytesIO()
    torch.save(saved, buffer, _use_new_zipfile_serialization=False)
    path.write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def test_old_files_are_refused_unless_their_name_vouches_for_them(tmp_path):
    torch = pytest.importorskip("torch")
    base = torch.randn(4, 5)
    saved = {"a": base, "b": base.T[1:], "c": torch.arange(3).half()}
    path = tmp_path / "latest_net_G.pth"
    digest = _old(torch, path, saved)
    _refused(path, "be a zip archive.*torch.save")
    for name, sha256 in ((f"net-{digest[:8]}.pth", None), ("net.pth", digest)):
        renamed = path.rename(tmp_path / name)
        state = pytorch_files.read_state(str(renamed), sha256=sha256)
        for key, tensor in saved.items():
            np.testing.assert_array_equal(state[key], tensor.float().numpy())
        renamed.rename(path)
    _refused(path.rename(tmp_path / "net-00000000.pth"), "be a zip archive")


def test_old_files_are_checked_like_new_ones(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "net.pth"
    _old(torch, path, {"a": torch.arange(7.0)})
    content = path.read_bytes()

    def refused(changed, match):
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=match):
            pytorch_files.read_state(str(path), sha256="checked")

    for length in range(14, len(content), 11):
        refused(content[:length], "A PyTorch file must")
    refused(content.replace(b"FloatStorage", b"LongStorage "), "not torch.Lon")
    count = content.rindex(struct.pack("<q", 7))
    larger = content[:count] + struct.pack("<q", 2**60) + content[count + 8 :]
    refused(larger, "storages as long as it says")
    system = b"little_endianq\x02\x88"
    if system in content:
        refused(content.replace(system, b"little_endianq\x02\x89"), "little-en")


def test_other_files_are_named(tmp_path):
    for content in (b"", b"hello", b"\x80\x02}."):
        (tmp_path / "a.pth").write_bytes(content)
        _refused(tmp_path / "a.pth", "be a whole zip archive")
    with pytest.raises(FileNotFoundError, match="none.pth"):
        pytorch_files.read_state(str(tmp_path / "none.pth"))
    with pytest.raises(FileNotFoundError):
        pytorch_archive.open_file(str(tmp_path / "none.pth"))


def test_an_archive_on_several_disks_is_refused(tmp_path):
    path = tmp_path / "a.pth"
    pickles.save(path, {"a": np.zeros(2, np.float32)})
    data = path.read_bytes()
    end = data.rindex(b"PK\x05\x06")
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 2)
    path.write_bytes(data[:end] + locator + data[end:])
    _refused(path, "whole zip archive.*multiple disks")
