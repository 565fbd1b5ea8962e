"""Files that `torch.save` wrote, read into NumPy without PyTorch.

Two layouts are in use. Since PyTorch 1.6 a file is a zip archive: a pickle
that says what there is, and one uncompressed entry for each storage, which is
used where it lies in the file. Tensors may share a storage and may be any view
of it. Before, a file was a few pickles and the storages one after the other,
without an index or checksums: such a file can be broken and look whole, so
that it is read only where the SHA-256 of the whole file is known. torch.hub
writes its beginning into a file's name (`resnet18-5c106cde.pth`), which counts.

Nothing that a file says is trusted: see `pytorch_pickle` for what it can ask
for; sizes, places and checksums are checked before they are used.
"""

import hashlib
import math
import mmap
import os
import pathlib
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

from tfcolor.weights import pytorch_pickle

# The first bytes of the old layout: protocol 2, and a number of 10 bytes.
_OLD_MAGIC = pytorch_pickle.OLD_MAGIC
_OLD_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_OLD_PROTOCOL = 1001
# Widely used old files whose names say nothing: the linear weights of LPIPS
# 0.1 (alex.pth).
_KNOWN = ("df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",)
# Eight or more digits of the SHA-256 at the end of a name, as torch.hub does.
_HUB_NAME = re.compile(r"-([0-9a-f]{8,64})\.[a-z]+$")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED = 1
# A tensor may have more elements than its storage (an expanded view), but
# not so many that a small file fills the memory.
_MAX_EXPANDED = 2**24
_CHUNK = 2**22

WAY_OUT = (
    "save it anew where PyTorch is installed: "
    "torch.save(torch.load(path, weights_only=True), path)"
)


class ArchiveFile:
    """An open file.

    Attributes:
        tree: object, what was saved: dicts, lists, tuples, str, numbers, and
            `pytorch_pickle.Tensor` where a tensor was.
    """

    def __init__(
        self,
        path: str,
        tree: object,
        storage: Callable[[pytorch_pickle.Storage], np.ndarray],
    ):
        """Keeps what `open_file` found; use that function."""
        self.tree = tree
        self._path = path
        self._storage = storage
        self._checked = {}

    def array(self, tensor: pytorch_pickle.Tensor) -> np.ndarray:
        """Returns a tensor's numbers, which stay in the file.

        Args:
            tensor: pytorch_pickle.Tensor, a part of `tree`.

        Returns:
            array of the tensor's shape and type; bfloat16 is that of
            ml_dtypes. What is written into it stays in memory.

        Raises:
            ValueError: the tensor does not lie inside its storage, or the
                storage is not as the file says.
        """
        storage, dtype, offset, shape, strides = tensor
        dtype = _dtype(self._path, storage, dtype)
        place = (storage.key, storage.dtype, storage.count)
        if place not in self._checked:
            self._checked[place] = self._storage(storage)
        data = self._checked[place].view(dtype)
        _check_view(self._path, len(data), offset, shape, strides)
        if 0 in shape:
            return np.empty(shape, dtype)
        return np.lib.stride_tricks.as_strided(
            data[offset:],
            shape,
            [stride * dtype.itemsize for stride in strides],
        )


def open_file(path: str, *, sha256: str | None = None) -> ArchiveFile:
    """Opens a file that `torch.save` wrote.

    Args:
        path: str.
        sha256: str or None. The file's SHA-256 where somebody has checked it
            already: a file of the old layout is read then.

    Returns:
        ArchiveFile.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is broken, wants code to be run, was written on a
            big-endian machine, or has the old layout and nothing vouches for
            it.
    """
    with open(path, "rb") as file:
        start = file.read(len(_OLD_START))
        if start == _OLD_START:
            _check_old(path, sha256)
            return _open_old(path, file)
        return _open_zip(path, file)


def forget(array: np.ndarray) -> None:
    """Frees the memory that a file's array takes until it is used again.

    The pages of a file that were read count as memory of the process. Who goes
    through a large file once, array by array, needs no more than one of them.

    Args:
        array: array, of `ArchiveFile.array` or a view of one, whose contents
            were not changed; nothing happens to any other.
    """
    owner = array
    while getattr(owner, "base", None) is not None:
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    if isinstance(owner, mmap.mmap):
        first = np.frombuffer(owner, np.uint8)
        (start, _), (low, high) = map(
            np.lib.array_utils.byte_bounds, (first, array)
        )
        _forget(owner, low - start, high - start)


def _forget(memory: mmap.mmap, start: int, end: int) -> None:
    # Whole pages alone: others may have something of their neighbors.
    start = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    end = end // mmap.PAGESIZE * mmap.PAGESIZE
    if end > start and hasattr(memory, "madvise"):
        memory.madvise(mmap.MADV_DONTNEED, start, end - start)


def refusal(path: str, rule: str) -> ValueError:
    """Returns the error that names a file and the rule it breaks.

    Args:
        path: str.
        rule: str, what goes on after "A PyTorch file must".

    Returns:
        ValueError, to be raised.
    """
    return ValueError(f"A PyTorch file must {rule}. Received: {path!r}")


def _dtype(path, storage, name) -> np.dtype:
    # Bytes may be seen as any type; numbers of a type as that one alone.
    known = isinstance(storage, pytorch_pickle.Storage) and isinstance(
        name, str
    )
    if not known or name not in pytorch_pickle.DTYPES:
        raise refusal(path, "have tensors of known types")
    if name != storage.dtype and storage.dtype != "uint8":
        raise refusal(path, "have tensors of their storage's type")
    dtype = pytorch_pickle.DTYPES[name]
    if storage.count % dtype.itemsize and storage.dtype == "uint8":
        raise refusal(path, "have storages of whole numbers")
    return dtype


def _check_view(path, length, offset, shape, strides) -> None:
    numbers = (shape, strides, (offset,))
    whole = all(
        isinstance(part, tuple | list)
        and all(type(n) is int and n >= 0 for n in part)
        for part in numbers
    )
    if not whole or len(shape) != len(strides) or len(shape) > 32:
        raise refusal(path, "say each tensor's shape and strides in numbers")
    count = math.prod(shape)
    last = sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    if count and offset + last >= length:
        raise refusal(path, "have tensors that lie inside their storages")
    if count > max(length, _MAX_EXPANDED) or max(shape, default=0) > 2**40:
        raise refusal(
            path, f"expand tensors to at most {_MAX_EXPANDED} elements"
        )


# --- the layout of today: a zip archive ---


def _open_zip(path, file) -> ArchiveFile:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except Exception as error:
        # On a broken file zipfile raises errors of many kinds.
        raise refusal(
            path, f"be a whole zip archive that torch.save wrote ({error})"
        ) from error
    entries = _entries(path, infos)
    folder = _folder(path, entries)
    memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)

    def content(name) -> np.ndarray:
        return _entry(path, memory, entries[name])

    if f"{folder}byteorder" in entries:
        order = content(f"{folder}byteorder").tobytes()
        if order != b"little":
            raise refusal(path, f"be little-endian, not {order[:10]!r}")
    index = entries[f"{folder}data.pkl"]
    _entry(path, memory, index)
    tree = _tree(path, file, _start(path, memory, index))

    def storage(wanted) -> np.ndarray:
        name = f"{folder}data/{wanted.key}"
        if name not in entries:
            raise refusal(path, f"have the storage {name!r} that it names")
        dtype = pytorch_pickle.DTYPES[wanted.dtype]
        if entries[name].file_size != wanted.count * dtype.itemsize:
            raise refusal(
                path,
                f"have storages as long as it says, {name!r} of "
                f"{wanted.count} {wanted.dtype}",
            )
        return content(name).view(dtype)

    return ArchiveFile(path, tree, storage)


def _entries(path, infos) -> dict[str, zipfile.ZipInfo]:
    entries = {}
    for info in infos:
        # `orig_filename` is as written: zipfile mends some odd names.
        name = info.orig_filename
        parts = pathlib.PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or "\\" in name:
            raise refusal(path, f"name its entries plainly, not {name!r}")
        if name in entries:
            raise refusal(path, f"have every entry once, {name!r} too")
        entries[name] = info
    # Else a small file could have bytes without end checked.
    if sum(info.compress_size for info in infos) > os.path.getsize(path):
        raise refusal(path, "hold its entries one after the other")
    return entries


def _folder(path, entries) -> str:
    """Returns the folder of all entries, with its "/"."""
    folders = [
        name.removesuffix("data.pkl")
        for name in entries
        if re.fullmatch(r"[^/]+/data\.pkl", name)
    ]
    if len(folders) != 1:
        raise refusal(path, "be what torch.save wrote, with one data.pkl")
    if f"{folders[0]}constants.pkl" in entries:
        raise refusal(
            path,
            "hold a state dict, not a TorchScript program: torch.save("
            "torch.jit.load(path).state_dict(), path) writes one",
        )
    return folders[0]


def _start(path, memory, info) -> int:
    """Returns where an entry's bytes begin."""
    header = info.header_offset
    if not 0 <= header <= len(memory) - 30:
        raise refusal(path, f"hold its entry {info.filename!r}")
    mark, name, extra = _LOCAL_HEADER.unpack_from(memory, header)
    start = header + 30 + name + extra
    inside = start + info.file_size <= len(memory)
    if mark != b"PK\x03\x04" or not inside:
        raise refusal(path, f"hold its entry {info.filename!r} wholly")
    return start


def _entry(path, memory, info) -> np.ndarray:
    """Returns an entry's bytes, uint8, where they lie."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & _ENCRYPTED:
        raise refusal(
            path, f"not be compressed or encrypted: if it was, {WAY_OUT}"
        )
    if info.compress_size != info.file_size:
        raise refusal(path, f"store {info.filename!r} at one length")
    start, size = _start(path, memory, info), info.file_size
    end, checksum = start + size, 0
    for at in range(start, end, _CHUNK):
        checksum = zlib.crc32(memory[at : min(at + _CHUNK, end)], checksum)
    _forget(memory, start, end)
    if checksum != info.CRC:
        raise refusal(
            path, f"be whole: the checksum of {info.filename!r} is another"
        )
    return _bytes(memory, start, size)


def _bytes(memory, start: int, size: int) -> np.ndarray:
    if not size:
        return np.empty(0, np.uint8)
    return np.frombuffer(memory, np.uint8, size, start)


def _tree(path, file, start: int) -> object:
    file.seek(start)
    try:
        return pytorch_pickle.load(file)
    except ValueError as error:
        raise refusal(path, str(error)) from error


# --- the old layout: pickles, then storages ---


def _check_old(path: str, sha256: str | None) -> None:
    """Refuses an old file unless it is known to be whole."""
    if sha256 is not None:
        return
    name = _HUB_NAME.search(os.path.basename(path))
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    vouched = name is not None and digest.startswith(name.group(1))
    if not vouched and digest not in _KNOWN:
        raise refusal(
            path,
            "be a zip archive, as PyTorch 1.6 and later write: in the older "
            "layout a broken file can look whole, so it is read only if its "
            "name ends in the beginning of its SHA-256, as in "
            f"'net-{digest[:8]}.pth'; or {WAY_OUT}",
        )


def _open_old(path, file) -> ArchiveFile:
    def pickled():
        return _tree(path, file, file.tell())

    file.seek(0)
    magic, protocol, system = pickled(), pickled(), pickled()
    if magic != _OLD_MAGIC or protocol != _OLD_PROTOCOL:
        raise refusal(path, f"have the layout {_OLD_PROTOCOL}")
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise refusal(path, "be little-endian")
    tree, keys = pickled(), pickled()
    named = isinstance(keys, list) and all(isinstance(k, str) for k in keys)
    if not named or len(set(keys)) != len(keys):
        raise refusal(path, "list its storages once each")
    memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    storages = _old_storages(tree, {})
    starts, at = {}, file.tell()
    for key in keys:
        known = storages.get(key)
        if known is None or at + 8 > len(memory):
            raise refusal(path, "hold the storages that it lists")
        size = known.count * pytorch_pickle.DTYPES[known.dtype].itemsize
        (count,) = struct.unpack_from("<q", memory, at)
        if count != known.count or at + 8 + size > len(memory):
            raise refusal(path, "have storages as long as it says")
        starts[key] = at + 8
        at += 8 + size

    def storage(wanted) -> np.ndarray:
        if wanted.key not in starts or wanted != storages[wanted.key]:
            raise refusal(path, "hold the storages that it names")
        dtype = pytorch_pickle.DTYPES[wanted.dtype]
        size = wanted.count * dtype.itemsize
        return _bytes(memory, starts[wanted.key], size).view(dtype)

    return ArchiveFile(path, tree, storage)


def _old_storages(tree, found: dict, depth: int = 0) -> dict:
    """Collects the storages of all tensors, by their keys."""
    if isinstance(tree, pytorch_pickle.Tensor):
        if isinstance(tree.storage, pytorch_pickle.Storage):
            found.setdefault(tree.storage.key, tree.storage)
    elif isinstance(tree, dict | list | tuple) and depth < 20:
        parts = dict.values(tree) if isinstance(tree, dict) else tree
        for part in parts:
            _old_storages(part, found, depth + 1)
    return found
