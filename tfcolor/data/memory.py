"""What to say when memory runs out, on a processor or a GPU."""

import errno
import re

# How TensorFlow, XLA and cuDNN say it; the kind of error differs.
_SIGNS = (
    r"\bOOM\b",
    "RESOURCE_EXHAUSTED",
    "[Oo]ut of memory",
    "[Ff]ailed to allocate",
    "CUDA_ERROR_OUT_OF_MEMORY",
)
# TensorFlow's error of that name is about disks too.
FULL_DISK = "No space left on device"
_EXHAUSTED = "ResourceExhaustedError"
_SHAPE = r"shape\[([0-9,]+)\]"
_DEVICE = r"device:(GPU|CPU)|/(gpu|cpu):"


def ran_out(error: BaseException, try_this: str) -> str | None:
    """Says in one line that memory ran out, if that is what an error says.

    Args:
        error: BaseException: MemoryError, or one of TensorFlow or OpenCV.
        try_this: str, what takes less memory.

    Returns:
        str, or None if the error is another one.
    """
    text = str(error)
    named = type(error).__name__ == _EXHAUSTED or isinstance(error, MemoryError)
    if isinstance(error, OSError):
        named = error.errno == errno.ENOMEM
    elif not named and not isinstance(error, ValueError):
        # Other messages may hold such words in the name of a file.
        named = any(re.search(sign, text) for sign in _SIGNS)
    if not named or FULL_DISK in text:
        return None
    # That of a GPU, unless the message names another device.
    device = re.search(_DEVICE, text)
    place = (device[1] or device[2]).upper() if device else ""
    where = {"GPU": "GPU memory", "CPU": "Memory"}.get(place, "Memory")
    shape = re.search(_SHAPE, text)
    wanted = f" for an array of {shape[1].replace(',', ' x ')}" if shape else ""
    return f"{where} ran out{wanted}. Try {try_this}"
