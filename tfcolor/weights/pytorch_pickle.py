"""The pickles inside PyTorch's files, read without PyTorch and without trust.

A pickle is a program that names the functions it wants called. This reader
knows the few that a state dict needs, each as a harmless stand-in, and refuses
every file that names another one. Tensors come out as `Tensor`: where in which
storage they lie; the storages themselves lie outside of the pickle.

Reference:
    docs.python.org/3/library/pickle.html, "Restricting Globals";
    pytorch.org/docs/stable/notes/serialization.html.
"""

import collections
import io
import pickle
import pickletools
from typing import BinaryIO
from typing import NamedTuple

import ml_dtypes
import numpy as np

# PyTorch's name of a type of numbers to NumPy's.
DTYPES = {
    "float64": np.dtype(np.float64),
    "float32": np.dtype(np.float32),
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "int64": np.dtype(np.int64),
    "int32": np.dtype(np.int32),
    "int16": np.dtype(np.int16),
    "int8": np.dtype(np.int8),
    "uint64": np.dtype(np.uint64),
    "uint32": np.dtype(np.uint32),
    "uint16": np.dtype(np.uint16),
    "uint8": np.dtype(np.uint8),
    "bool": np.dtype(np.bool_),
}
_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
# Of all that `torch.save` writes with any pickle protocol from 2 on.
_OPCODES = frozenset(
    "PROTO FRAME STOP MARK POP POP_MARK NONE NEWTRUE NEWFALSE BININT BININT1 "
    "BININT2 LONG1 LONG4 BINFLOAT BINUNICODE SHORT_BINUNICODE BINUNICODE8 "
    "BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES EMPTY_TUPLE TUPLE "
    "TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST LIST APPEND APPENDS EMPTY_DICT DICT "
    "SETITEM SETITEMS BINGET LONG_BINGET BINPUT LONG_BINPUT MEMOIZE GLOBAL "
    "STACK_GLOBAL REDUCE BUILD BINPERSID".split()
)
# Operations that take things off the stack: how many, or None for all from the
# last mark on.
_TAKEN = {
    **dict.fromkeys(("POP", "APPEND", "BUILD", "BINPERSID", "TUPLE1"), 1),
    **dict.fromkeys(("SETITEM", "STACK_GLOBAL", "REDUCE", "TUPLE2"), 2),
    "TUPLE3": 3,
    **dict.fromkeys(("POP_MARK", "APPENDS", "SETITEMS"), None),
    **dict.fromkeys(("TUPLE", "LIST", "DICT"), None),
}
_KEPT = ("PROTO", "FRAME", "STOP", "BINPUT", "LONG_BINPUT", "MEMOIZE")
# Those that put nothing new onto it.
_SILENT = ("POP", "POP_MARK", "APPEND", "APPENDS", "SETITEM", "SETITEMS")
_SILENT += ("BUILD",)
# The number that files from before PyTorch 1.6 begin with.
OLD_MAGIC = 0x1950A86A20F9469CFC6C
# More than a state dict's pickle ever has.
_MAX_BYTES = 2**26
_MAX_NESTING = 50


class Storage(NamedTuple):
    """A run of bytes outside of the pickle.

    Attributes:
        key: str, its name in the file.
        dtype: str, a key of `DTYPES`; "uint8" for bytes of any type.
        count: int, how many numbers it has.
    """

    key: str
    dtype: str
    count: int


class Tensor(NamedTuple):
    """Where a tensor lies in its storage; the numbers are not checked.

    Attributes:
        storage: Storage.
        dtype: str, a key of `DTYPES`.
        offset: int, its first element's place.
        shape: tuple of int.
        strides: tuple of int, in elements.
    """

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def load(file: BinaryIO) -> object:
    """Reads one pickle.

    Args:
        file: binary file; afterwards it stands behind the pickle.

    Returns:
        What the pickle makes of dicts, lists, tuples, str, numbers and
        `Tensor`.

    Raises:
        ValueError: it is broken, too large, or wants what is not allowed. The
            message is the rule, to be put into a sentence that begins "A
            PyTorch file must".
    """
    start = file.tell()
    try:
        _check_opcodes(file, start)
        end = file.tell()
        file.seek(start)
        return _Unpickler(io.BytesIO(file.read(end - start))).load()
    except _Refused as error:
        raise ValueError(str(error)) from error
    except Exception as error:
        # A broken pickle can raise nearly anything.
        raise ValueError(
            f"have a pickle that can be read ({type(error).__name__}: {error})"
        ) from error


class _Refused(Exception):
    """What the message says is a rule."""


def _check_opcodes(file: BinaryIO, start: int) -> None:
    """Runs nothing; leaves the file behind the pickle."""
    size = file.seek(0, io.SEEK_END) - start
    file.seek(start)
    nesting = _Nesting()
    for opcode, argument, position in pickletools.genops(file):
        if opcode.name not in _OPCODES:
            raise _Refused(
                f"have a pickle without the operation {opcode.name}, which no "
                "state dict needs"
            )
        # The reader in C makes a table as long as the highest number.
        if opcode.name == "LONG_BINPUT" and argument > size:
            raise _Refused("have a pickle that counts its objects from 0")
        # Larger ones can be made to fill a dict in quadratic time.
        if _is_huge(opcode.name, argument):
            raise _Refused("have a pickle of numbers of at most 64 bits")
        if position is not None and position - start > _MAX_BYTES:
            raise _Refused(f"have a pickle of at most {_MAX_BYTES} bytes")
        if nesting.after(opcode.name, argument) > _MAX_NESTING:
            raise _Refused(f"nest tuples at most {_MAX_NESTING} deep")


def _is_huge(operation: str, argument) -> bool:
    numbers = operation in ("LONG1", "LONG4") and argument != OLD_MAGIC
    return numbers and argument.bit_length() > 64


class _Nesting:
    """How deep tuples lie in tuples, as a pickle's operations go.

    Python looks at every tuple inside one that is a dict's key, each time a
    little deeper in its own memory, which ends the process at some thousands.
    """

    def __init__(self):
        self._stack = []
        self._memory = {}

    def after(self, operation: str, argument) -> int:
        """Does what an operation does to depths.

        Args:
            operation: str, an opcode's name.
            argument: its argument.

        Returns:
            int, the depth of what lies on top.
        """
        stack = self._stack
        if operation == "MARK":
            stack.append(None)
        elif operation in ("BINGET", "LONG_BINGET"):
            stack.append(self._memory.get(argument, 0))
        elif operation in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            place = len(self._memory) if argument is None else argument
            self._memory[place] = stack[-1] or 0
        elif operation not in _KEPT:
            taken = self._take(operation)
            if operation.startswith("TUPLE") or operation == "REDUCE":
                stack.append(1 + max(taken, default=0))
            elif operation not in _SILENT:
                stack.append(0)
        return (stack[-1] or 0) if stack else 0

    def _take(self, operation: str) -> list[int]:
        count = _TAKEN.get(operation, 0)
        taken = []
        while self._stack and (count is None or len(taken) < count):
            depth = self._stack.pop()
            if count is None and depth is None:
                break
            taken.append(depth or 0)
        return taken


def _rebuild(storage, offset, shape, strides, *rest) -> Tensor:
    """Stands for `torch._utils._rebuild_tensor_v2` and the older one."""
    del rest  # Whether it has gradients, and functions that see them.
    return Tensor(storage, storage.dtype, offset, shape, strides)


def _rebuild_typed(storage, offset, shape, strides, _, hooks, dtype, *rest):
    """Stands for `_rebuild_tensor_v3`: the storage has bytes of any type."""
    del hooks, rest
    return Tensor(storage, dtype, offset, shape, strides)


def _rebuild_parameter(tensor, *rest):
    """Stands for `_rebuild_parameter`: a tensor that is trained."""
    del rest
    return tensor


def _allowed() -> dict[tuple[str, str], object]:
    """Makes the stand-ins: new ones each time, as a pickle can change them."""
    stand_ins = {
        ("torch._utils", "_rebuild_tensor"): lambda *a: _rebuild(*a),
        ("torch._utils", "_rebuild_tensor_v2"): lambda *a: _rebuild(*a),
        ("torch._utils", "_rebuild_tensor_v3"): lambda *a: _rebuild_typed(*a),
        ("torch._utils", "_rebuild_parameter"): (
            lambda *a: _rebuild_parameter(*a)
        ),
        ("torch", "Size"): lambda sides=(): tuple(sides),
        ("torch", "UntypedStorage"): "uint8",
        ("torch.storage", "UntypedStorage"): "uint8",
        ("collections", "OrderedDict"): collections.OrderedDict,
    }
    stand_ins |= {("torch", name): name for name in DTYPES}
    stand_ins |= {("torch", k): dtype for k, dtype in _STORAGES.items()}
    return stand_ins


class _Unpickler(pickle.Unpickler):
    """Knows the names of `_allowed` alone."""

    def __init__(self, file):
        # Text of Python 2 is that of the keys: plain.
        super().__init__(file, encoding="utf-8")
        self._known = _allowed()

    def find_class(self, module, name):
        try:
            return self._known[module, name]
        except KeyError:
            raise _Refused(
                f"hold tensors, numbers and texts alone, not {module}.{name}"
            ) from None

    def persistent_load(self, pid):
        kind, dtype, key, _, count, *view = pid
        if kind != "storage" or (view and view[0] is not None):
            raise _Refused("name storages as PyTorch 0.4 and later do")
        texts = isinstance(dtype, str) and isinstance(key, str)
        known = texts and dtype in DTYPES
        if not known or type(count) is not int or count < 0:
            raise _Refused("name storages of known types and lengths")
        return Storage(key, dtype, count)
