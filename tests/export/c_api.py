"""Runs an exported model by TensorFlow's C API, without TensorFlow's Python.

A program of its own, started by `test_c_api`:

    python -I c_api.py MODEL INPUT OUTPUT < picture > colorized.png

INPUT and OUTPUT are names of the graph's operations, as NAME:INDEX. Ends with
status 3 and the error's code and message where TensorFlow refuses.

Reference:
    tensorflow/c/c_api.h, tensorflow/c/tf_tstring.h, tensorflow/c/tf_tensor.h.
"""

import ctypes
import importlib.util
import os
import sys

_STRING, _STRING_SIZE = 7, 24
_REFUSED = 3
_Pointer = ctypes.c_void_p


class _Output(ctypes.Structure):
    _fields_ = [("operation", _Pointer), ("index", ctypes.c_int)]


def _library():
    # Found, not imported.
    (folder,) = importlib.util.find_spec(
        "tensorflow"
    ).submodule_search_locations
    for name in ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2"):
        tf = ctypes.CDLL(os.path.join(folder, name), ctypes.RTLD_GLOBAL)
    for name in (
        *("TF_NewStatus", "TF_NewSessionOptions", "TF_NewGraph"),
        *("TF_LoadSessionFromSavedModel", "TF_GraphOperationByName"),
        *("TF_AllocateTensor", "TF_TensorData", "TF_StringGetDataPointer"),
    ):
        getattr(tf, name).restype = _Pointer
    tf.TF_Message.restype = ctypes.c_char_p
    tf.TF_StringGetSize.restype = ctypes.c_size_t
    return tf


def _check(tf, status):
    code = tf.TF_GetCode(status)
    if code:
        print(code, tf.TF_Message(status).decode(), file=sys.stderr)
        sys.exit(_REFUSED)


def _output(tf, graph, name):
    operation, _, index = name.rpartition(":")
    found = tf.TF_GraphOperationByName(_Pointer(graph), operation.encode())
    return _Output(found, int(index))


def run(path: str, input_name: str, output_name: str, data: bytes) -> bytes:
    """Feeds one string, and fetches one.

    Args:
        path: str, of the SavedModel.
        input_name: str, of a string tensor [B].
        output_name: str, of a string tensor [B].
        data: bytes.

    Returns:
        bytes.
    """
    tf = _library()
    status, graph = _Pointer(tf.TF_NewStatus()), tf.TF_NewGraph()
    tags = (ctypes.c_char_p * 1)(b"serve")
    session = tf.TF_LoadSessionFromSavedModel(
        *(_Pointer(tf.TF_NewSessionOptions()), None, path.encode()),
        *(tags, 1, _Pointer(graph), None, status),
    )
    _check(tf, status)
    tensor = tf.TF_AllocateTensor(
        _STRING, (ctypes.c_int64 * 1)(1), 1, ctypes.c_size_t(_STRING_SIZE)
    )
    place = _Pointer(tf.TF_TensorData(_Pointer(tensor)))
    tf.TF_StringInit(place)
    tf.TF_StringCopy(place, data, ctypes.c_size_t(len(data)))
    feeds = (_Output * 1)(_output(tf, graph, input_name))
    fetches = (_Output * 1)(_output(tf, graph, output_name))
    values, results = (_Pointer * 1)(tensor), (_Pointer * 1)()
    tf.TF_SessionRun(
        *(_Pointer(session), None, feeds, values, 1),
        *(fetches, results, 1, None, 0, None, status),
    )
    _check(tf, status)
    place = _Pointer(tf.TF_TensorData(_Pointer(results[0])))
    start = tf.TF_StringGetDataPointer(place)
    return ctypes.string_at(start, tf.TF_StringGetSize(place))


if __name__ == "__main__":
    found = run(*sys.argv[1:], sys.stdin.buffer.read())
    if "tensorflow" in sys.modules:
        sys.exit("tensorflow was imported")
    sys.stdout.buffer.write(found)
