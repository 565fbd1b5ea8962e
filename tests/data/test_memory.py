import errno

import cv2
import pytest
import tensorflow as tf

from tfcolor.data import memory

ON_GPU = (
    "OOM when allocating tensor with shape[8,1024,64] and type float on "
    "/job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc"
)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "Memory ran out. Try less"),
        (OSError(errno.ENOMEM, "Cannot allocate"), "Memory ran out. Try less"),
        (
            tf.errors.ResourceExhaustedError(None, None, ON_GPU),
            "GPU memory ran out for an array of 8 x 1024 x 64. Try less",
        ),
        (RuntimeError("CUDA out of memory."), "Memory ran out. Try less"),
        (cv2.error("Failed to allocate 9 bytes"), "Memory ran out. Try less"),
        (
            tf.errors.InternalError(None, None, "RESOURCE_EXHAUSTED: Out of"),
            "Memory ran out. Try less",
        ),
    ],
)
def test_memory_that_ran_out_is_said_with_what_to_try(error, said):
    assert memory.ran_out(error, "less") == said


@pytest.mark.parametrize(
    "error",
    [
        ValueError("Received: 'OOM.jpg'"),
        FileNotFoundError("no 'out of memory/a.png'"),
        tf.errors.InternalError(None, None, "another one"),
        KeyError("a"),
        tf.errors.ResourceExhaustedError(
            None, None, "runs/a; No space left on device"
        ),
    ],
)
def test_other_errors_are_left_alone(error):
    assert memory.ran_out(error, "less") is None
