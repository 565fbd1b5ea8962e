"""Who runs a colorizer's network: LiteRT or TensorFlow.

TensorFlow runs any model with any prompt, and takes seconds to import. LiteRT
is there at once, and runs some models, without prompts.
"""

import dataclasses
import functools
import threading
from collections.abc import Callable
from typing import NoReturn

from tfcolor.inference import defaults
from tfcolor.inference import litert_runtime
from tfcolor.models.takes import Takes


class Runtimes:
    """What colors the batches of a colorizer.

    Args:
        usual: `LiteRTRuntime` or `TensorFlowRuntime`, of batches without hints.
        takes: Takes, of all batches; None for those of `usual`.
        make_for_hints: function without arguments to the runtime of batches
            with hints, called when they come first; None for the usual one.

    Attributes:
        usual: see above.
        takes: see above.
    """

    def __init__(
        self,
        usual,
        *,
        takes: Takes | None = None,
        make_for_hints: Callable | None = None,
    ):
        self.usual, self.takes = usual, takes or usual.takes
        self._make_for_hints = make_for_hints
        self._lock = threading.Lock()

    def of(self, hints):
        """Returns the runtime of a batch.

        Args:
            hints: sequence with None or HintPoints for each picture.

        Raises:
            ValueError: there are hints, and only LiteRT was asked for.
        """
        if self._make_for_hints is None or not any(hints):
            return self.usual
        with self._lock:
            return self._for_hints

    @functools.cached_property
    def _for_hints(self):
        return self._make_for_hints()


def choose(
    wanted: str, *, model, image_size, style, crop_size, boxes_at_once
) -> Runtimes:
    """Makes the runtime that was asked for, or that can do it.

    Args:
        wanted: str, one of `defaults.RUNTIMES`.
        model: see `Colorizer`, as are the others.
        image_size: int or None.
        style: str, float or None.
        crop_size: int, "adaptive" or None.
        boxes_at_once: int or None.

    Returns:
        Runtimes.

    Raises:
        FileNotFoundError: there is no such model file.
        ValueError: see `Colorizer`; or LiteRT was asked for, and cannot.
    """

    def tensorflow():
        # It takes seconds, of which LiteRT is to be free.
        from tfcolor.inference import tensorflow_runtime

        return tensorflow_runtime.TensorFlowRuntime(
            model,
            image_size=image_size,
            style=style,
            crop_size=crop_size,
            boxes_at_once=boxes_at_once,
        )

    if wanted == defaults.TENSORFLOW:
        return Runtimes(tensorflow())
    reason = litert_runtime.why_not(
        model, image_size=image_size, crop_size=crop_size
    )
    if reason is not None:
        if wanted == defaults.LITERT:
            _refuse(reason)
        return Runtimes(tensorflow())
    litert = litert_runtime.LiteRTRuntime(model, style=style)
    if wanted == defaults.LITERT:
        return Runtimes(litert, make_for_hints=lambda: _refuse("hints"))
    # All models that LiteRT runs take hints from TensorFlow.
    takes = dataclasses.replace(litert.takes, hints=True)
    return Runtimes(litert, takes=takes, make_for_hints=tensorflow)


def _refuse(reason: str) -> NoReturn:
    raise ValueError(
        "`runtime` must be 'tensorflow' or 'auto' for what LiteRT does not do. "
        f"Received: runtime='litert' with {reason}"
    )
