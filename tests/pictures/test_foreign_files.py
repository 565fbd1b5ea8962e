import functools
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from tests import drawn
from tfcolor.boxes import box_files
from tfcolor.inference import hint_points
from tfcolor.pictures import foreign_files
from tfcolor.pictures import pillow_limit


class _Owned:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def _npz(entries: dict, compression=zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def _npy(array, shape=None, descr=None) -> bytes:
    """An array whose head may say something else."""
    file = io.BytesIO()
    head = np.lib.format.header_data_from_array_1_0(array)
    head["shape"] = head["shape"] if shape is None else shape
    head["descr"] = descr or head["descr"]
    np.lib.format.write_array_header_1_0(file, head)
    return file.getvalue() + array.tobytes()


def hostile_npz(folder) -> dict[str, bytes]:
    """Files of arrays that must be refused, by what is wrong."""
    bbox = np.array([[1, 2, 9, 8]], np.int64)
    good = _npz({"bbox.npy": _npy(bbox)})
    pickled = io.BytesIO()
    owned = np.array([_Owned(f"{folder}/owned")], object)
    np.save(pickled, owned, allow_pickle=True)
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 255
    return {
        "empty": b"",
        "text": b"bbox\n" * 99,
        "one array": _npy(bbox),
        "pickle": pickle.dumps({"bbox": [[1, 2, 9, 8]]}),
        "pickled array": _npz({"bbox.npy": pickled.getvalue()}),
        "pickled other": _npz(
            {"bbox.npy": _npy(bbox), "scores.npy": pickled.getvalue()}
        ),
        "no arrays": _npz({}),
        "other array": _npz({"boxes.npy": _npy(bbox)}),
        "not an array": _npz({"bbox.npy": b"words"}),
        "other file": _npz({"bbox.npy": _npy(bbox), "../../x.txt": b"words"}),
        "cut": good[: len(good) // 2],
        "cut end": good[:-5],
        "flipped": bytes(flipped),
        **_odd_arrays(),
    }


@functools.cache
def _odd_arrays() -> dict[str, bytes]:
    """Files whose arrays are none of boxes."""
    bbox = np.array([[1, 2, 9, 8]], np.int64)
    bad_head = _npy(bbox).replace(b"descr", b"desks")
    return {
        "huge shape": _npz({"bbox.npy": _npy(bbox, (10**9, 4))}),
        "overflowing shape": _npz({"bbox.npy": _npy(bbox, (2**62, 4))}),
        "negative shape": _npz({"bbox.npy": _npy(bbox, (-1, 4))}),
        "bomb": _npz({"bbox.npy": _npy(np.zeros([2**22, 4]))}),
        "long head": _npz(
            {"bbox.npy": b"\x93NUMPY\1\0\xff\xff" + b"(" * 65535}
        ),
        "no head": _npz({"bbox.npy": bad_head}),
        "version 9": _npz({"bbox.npy": b"\x93NUMPY\x09\0" + bytes(99)}),
        "texts": _npz({"bbox.npy": _npy(np.array([["a"] * 4]))}),
        "dates": _npz({"bbox.npy": _npy(np.zeros([1, 4], "M8[s]"))}),
        "complex": _npz({"bbox.npy": _npy(np.full([1, 4], 1j))}),
        "records": _npz({"bbox.npy": _npy(np.zeros([4], "i4,f4"))}),
        "infinite": _npz({"bbox.npy": _npy(np.full([1, 4], np.inf))}),
        "not a number": _npz({"bbox.npy": _npy(np.full([1, 4], np.nan))}),
        "too large": _npz({"bbox.npy": _npy(np.full([1, 4], 1e300))}),
        "five columns": _npz({"bbox.npy": _npy(np.ones([2, 5]))}),
        "a number": _npz({"bbox.npy": _npy(np.array(5))}),
        "classes": _npz(
            {
                "bbox.npy": _npy(bbox),
                "classes.npy": _npy(np.array([2**40])),
            }
        ),
        "no class": _npz(
            {
                "bbox.npy": _npy(bbox),
                "classes.npy": _npy(np.array([np.nan])),
            }
        ),
        "size": _npz(
            {
                "bbox.npy": _npy(bbox),
                "picture_size.npy": _npy(np.array([np.inf, 3])),
            }
        ),
        "text size": _npz(
            {
                "bbox.npy": _npy(bbox),
                "picture_size.npy": _npy(np.array(["a", "b"])),
            }
        ),
    }


NAMES = list(hostile_npz("unused"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", NAMES)
def test_hostile_boxes_are_one_sentence_that_names_the_file(tmp_path, name):
    (tmp_path / "a.npz").write_bytes(hostile_npz(tmp_path)[name])
    boxes = box_files.open_boxes(str(tmp_path))
    with pytest.raises(ValueError, match=r"a\.npz cannot be used: ") as error:
        boxes.load("a.jpg", height=20, width=30)
    assert len(str(error.value)) < 1000
    assert not (tmp_path / "owned").exists()


def test_a_head_that_promises_more_takes_no_memory(tmp_path):
    import tracemalloc

    (tmp_path / "a.npz").write_bytes(hostile_npz(tmp_path)["huge shape"])
    tracemalloc.start()
    with pytest.raises(ValueError, match="must be whole"):
        foreign_files.read_npz(tmp_path / "a.npz")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20


def test_whole_files_are_read_as_numpy_reads_them(tmp_path):
    arrays = {"a": np.eye(3), "b": np.array(7), "c": np.zeros([0, 4], "f2")}
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays)
        found = foreign_files.read_npz(tmp_path / "a.npz")
        assert list(found) == list(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype
    with pytest.raises(ValueError, match="at most 100 bytes together"):
        foreign_files.read_npz(tmp_path / "a.npz", max_bytes=100)


def test_another_thread_in_the_parser_does_no_harm(tmp_path, monkeypatch):
    # What Python's parser raises then, now and then.
    np.savez(tmp_path / "a.npz", a=np.eye(3))
    error = SystemError("AST constructor recursion depth mismatch")
    errors, load = [error], np.load

    def sometimes(file, **options):
        if errors:
            raise errors.pop()
        return load(file, **options)

    monkeypatch.setattr(np, "load", sometimes)
    found = foreign_files.read_npz(tmp_path / "a.npz")
    np.testing.assert_array_equal(found["a"], np.eye(3))
    errors[:] = [error] * 100
    with pytest.raises(ValueError, match="it is damaged .SystemError: AST"):
        foreign_files.read_npz(tmp_path / "a.npz")


_PICTURE = {"id": 1, "file_name": "a.jpg", "height": 20, "width": 30}
_BOX = {"image_id": 1, "bbox": [1, 2, 3, 4]}


def _coco(picture=None, box=None, **more) -> bytes:
    content = {
        "images": [_PICTURE | (picture or {})],
        "annotations": [_BOX | (box or {})],
    }
    return json.dumps(content | more).encode()


HOSTILE_JSON = {
    "empty": b"",
    "cut": _coco()[:-9],
    "binary": bytes(range(256)),
    "UTF-16": _coco().decode().encode("utf-16"),
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "long number": b"[" + b"9" * 10_000 + b"]",
    "a list": b"[]",
    "a number": b"1e999",
    "null": b"null",
}
HOSTILE_COCO = HOSTILE_JSON | {
    "no pictures": b'{"annotations": []}',
    "pictures of texts": _coco(images=["a"]),
    "pictures are a number": _coco(images=5),
    "infinite size": _coco({"height": float("inf")}),
    "size of no number": _coco({"height": float("nan")}),
    "size of a text": _coco({"height": "x"}),
    "no size": _coco({"height": 0}),
    "list as id": _coco({"id": [1]}),
    "no name": _coco({"file_name": None}),
    "unknown picture": _coco(box={"image_id": 2}),
    "short box": _coco(box={"bbox": [1, 2, 3]}),
    "box of texts": _coco(box={"bbox": ["a", "b", "c", "d"]}),
    "box of lists": _coco(box={"bbox": [[1], [2], [3], [4]]}),
    "endless box": _coco(box={"bbox": [1, 2, float("inf"), 4]}),
    "long box": _coco(box={"bbox": [1, 2, 10**400, 4]}),
    "no score": _coco(box={"score": float("nan")}),
    "score of a text": _coco(box={"score": "high"}),
    "huge class": _coco(box={"category_id": 10**30}),
    "class of a text": _coco(box={"category_id": "dog"}),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", HOSTILE_COCO)
def test_hostile_annotations_are_one_sentence(tmp_path, name):
    path = tmp_path / "boxes.json"
    path.write_bytes(HOSTILE_COCO[name])
    with pytest.raises(ValueError, match=r"COCO.*boxes\.json"):
        box_files.open_boxes(str(path))


def test_boxes_far_away_are_no_boxes_of_the_picture(tmp_path):
    path = tmp_path / "boxes.json"
    path.write_bytes(
        _coco({"height": 1, "width": 1}, {"bbox": [0, 1e30, 1e38, 1e38]})
    )
    boxes = box_files.open_boxes(str(path))
    found = boxes.load("a.jpg", height=400, width=300)
    assert not len(found.best(height=400, width=300, max_boxes=8))


_POINT = {"x": 1, "y": 2, "color": "#102030"}


def _points(**changes) -> bytes:
    return json.dumps({"points": [_POINT | changes]}).encode()


HOSTILE_HINTS = HOSTILE_JSON | {
    "points of texts": b'{"points": ["a"]}',
    "points are a text": b'{"points": "abc"}',
    "many points are a text": json.dumps({"points": "abc" * 10**6}).encode(),
    "other picture": b'{"../../etc/passwd": []}',
    "two forms": b'{"points": [], "a.jpg": []}',
    "no x": json.dumps({"points": [{"y": 1, "color": "#102030"}]}).encode(),
    "x of no number": _points(x=float("nan")),
    "endless x": _points(x=float("inf")),
    "long x": _points(x=10**400),
    "x of a text": _points(x="1"),
    "x is true": _points(x=True),
    "before the picture": _points(x=-1),
    "no radius": _points(radius=0),
    "long radius": _points(radius=10**400),
    "endless radius": _points(radius=float("inf")),
    "color of five": _points(color="#12345"),
    "color of more": _points(color="#102030\n"),
    "color of other digits": _points(color="#１02030"),
    "color of a list": _points(color=[1, 2, 3]),
    "more": _points(alpha=1),
}


@pytest.mark.parametrize("name", HOSTILE_HINTS)
def test_hostile_hints_are_one_sentence_that_names_the_file(tmp_path, name):
    path = tmp_path / "hints.json"
    path.write_bytes(HOSTILE_HINTS[name])
    with pytest.raises(ValueError, match=r"hints\.json: ") as error:
        hint_points.read_hints(str(path), ["a.jpg"])
    assert len(str(error.value)) < 1000


def test_a_pipe_is_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="must be a regular file"):
        pillow_limit.read_file(str(tmp_path / "pipe"))
    with pytest.raises((OSError, ValueError)):
        foreign_files.read_npz(tmp_path / "pipe")


def test_files_of_far_more_bytes_than_pixels_are_not_read(tmp_path):
    with open(tmp_path / "a.jpg", "xb") as file:
        file.truncate(2**30)
    with pytest.raises(ValueError, match=r"at most \d+ bytes .*1073741824"):
        pillow_limit.read_file(str(tmp_path / "a.jpg"), max_pixels=1000)
    path = drawn.write(str(tmp_path / "b.png"), drawn.grey(0))
    with open(path, "rb") as file:
        assert pillow_limit.read_file(path) == file.read()


def test_a_limit_must_be_one():
    for wrong in (0, -1, 2**30 + 1):
        with pytest.raises(ValueError, match=f"Received: max_pixels={wrong}"):
            pillow_limit.check_option(wrong)
    assert pillow_limit.check_option(2**30) == 2**30


def test_json_from_a_pipe_is_refused_at_once(tmp_path):
    path = str(tmp_path / "hints.json")
    os.mkfifo(path)
    with pytest.raises(ValueError, match="not a pipe or device"):
        foreign_files.read_json(path)
    with pytest.raises(ValueError, match="not a pipe or device"):
        foreign_files.read_json("/dev/zero")
