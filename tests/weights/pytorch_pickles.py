"""Files in the layout of `torch.save`, byte by byte, good and hostile."""

import zipfile

import numpy as np

FLOATS = np.arange(4, dtype=np.float32)


def number(value):
    """A pickle's whole number of any size."""
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def text(value):
    """A pickle's text."""
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def numbers(values):
    """A pickle's tuple of whole numbers."""
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(
    *,
    count=4,
    offset=0,
    shape=(4,),
    strides=(1,),
    key="0",
    kind="FloatStorage",
    function="torch._utils\n_rebuild_tensor_v2",
):
    """A pickled tensor."""
    storage = b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"\n"
    storage += text(key) + text("cpu") + number(count) + b"tQ"
    return (
        b"c%b\n(" % function.encode()
        + storage
        + number(offset)
        + numbers(shape)
        + numbers(strides)
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )


def state(*tensors):
    """A pickled dict of tensors "a", "b" and so on."""
    items = [text(chr(97 + i)) + part for i, part in enumerate(tensors)]
    return b"\x80\x02}(" + b"".join(items) + b"u."


def save(path, arrays):
    """Writes float32 and int64 arrays as `torch.save` writes a state dict."""
    kinds = {
        np.dtype("float32"): "FloatStorage",
        np.dtype("int64"): "LongStorage",
    }
    items, storages = [], {}
    for key, array in arrays.items():
        array = np.asarray(array)
        strides = [stride // array.itemsize for stride in array.strides]
        place = str(len(storages))
        storages[place] = array.tobytes()
        items.append(
            text(key)
            + tensor(
                count=array.size,
                shape=array.shape,
                strides=strides,
                key=place,
                kind=kinds[array.dtype],
            )
        )
    pickled = b"\x80\x02}(" + b"".join(items) + b"u."
    return archive(path, pickled, storages=storages)


def archive(path, pickled, *, storages=None, more=(), order=b"little"):
    """Writes a zip archive; `more` are further (name, bytes)."""
    storages = {"0": FLOATS.tobytes()} if storages is None else storages
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("net/data.pkl", pickled)
        file.writestr("net/byteorder", order)
        for key, content in storages.items():
            file.writestr(f"net/data/{key}", content)
        for name, content in more:
            file.writestr(name, content)
    return str(path)
