"""Times where colors are best made: in the data pipeline or in the step.

    python -m benchmarks.lab_in_step [--lab_in_step_widths=0.25,1]

Pictures become squares of bytes, and batches of these CIELAB with hints, by
`View.finish` of the full-picture network: in `tf.data`, which hands float32 to
the step; or at the beginning of the step itself, as training does it, which
then gets bytes. The squares, the weights at the beginning and all else of a
training step are the same; the losses at the end say so.

A turn is --lab_in_step_steps steps of --batch_size pictures of a data set
without end. Before each turn the program waits --lab_in_step_rest seconds, in
which both sides have read ahead what they can: no side works in the other's
turn, and a turn ends with as much read ahead as it began with, unless reading
is slower than the steps. Pictures are the samples, or those of --images, and
are in memory. --aged_share and --hint_share give `finish` more or less to do.
"""

import dataclasses
import os
import statistics
import tempfile
import time

from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options
from benchmarks import picture_folder
from flags import data as data_flags
from tfcolor.data.source import Source

_WIDTHS = flags.DEFINE_list(
    "lab_in_step_widths", ["0.25", "1"], "Widths of the network."
)
_SIZE = flags.DEFINE_integer(
    "lab_in_step_size", 128, "Side of the squares, pixels.", lower_bound=8
)
_STEPS = flags.DEFINE_integer(
    "lab_in_step_steps", 10, "Training steps of a turn.", lower_bound=1
)
_REST = flags.DEFINE_float(
    "lab_in_step_rest", 1.0, "Seconds before each turn.", lower_bound=0.0
)
options.declare("images", "batch_size", "repeats", "aged_share", "hint_share")

_PICTURES = 64
_PIPELINE, _STEP = "tf.data", "the step"
_RATE = 1e-4


class _Endless(Source):
    """The pictures of another source, again and again."""

    def __init__(self, source):
        self.drop_log = source.drop_log
        self._source = source

    def __len__(self):
        return len(self._source)

    def examples(self, **options):
        """Returns a pass that does not end; see `source`."""
        return self._source.examples(**options).repeat()


def _source(config) -> Source:
    """Reads squares of pictures."""
    from tfcolor.data import memory_source
    from tfcolor.data import sources

    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.join(folder, "pictures")
        picture_folder.write(folder, _PICTURES)
        return _Endless(
            memory_source.into_memory(
                sources.open_source(folder), side=config.load_side
            )
        )


class _Turn:
    """Training steps on the batches of a source, with weights of their own.

    Args:
        source: Source.
        view: View.
        width: float, of the network.
        in_step: bool. `view.finish` is part of the step.

    Attributes:
        loss: float, of the last step.
    """

    def __init__(self, source, view, *, width: float, in_step: bool):
        import tensorflow as tf

        from benchmarks import tfcolor_runs
        from tfcolor.data import epochs

        options = {"epoch": 0, "training": True}
        if in_step:
            drawn = epochs.drawn(source, view, **options)
            batches = drawn.prefetch(tf.data.AUTOTUNE)
        else:
            batches = epochs.epoch(source, view, **options)
        self._steps = tfcolor_runs.full_steps(
            width=width,
            batch_size=view.config.batch_size,
            finish=view.finished if in_step else lambda batch: batch,
        )
        self._iterator = self._steps.distribute(lambda context: batches)
        self.loss = None

    def __call__(self) -> float:
        """Returns the seconds of a step."""
        time.sleep(_REST.value)
        started = time.perf_counter()
        for _ in range(_STEPS.value):
            losses = self._steps.run(self._iterator, [_RATE])
        self.loss = float(losses["loss"][0])
        return (time.perf_counter() - started) / _STEPS.value


def _rows(width: str, seconds: dict) -> list[list]:
    ratios = [
        step / pipeline
        for step, pipeline in zip(
            seconds[_STEP], seconds[_PIPELINE], strict=True
        )
    ]
    return [
        [width, _PIPELINE, *_spread(seconds[_PIPELINE]), *[None] * 3],
        [width, _STEP, *_spread(seconds[_STEP]), *_spread(ratios)],
    ]


def _spread(values) -> list[float]:
    return [statistics.median(values), min(values), max(values)]


def main(argv):
    """Runs the benchmark."""
    del argv
    from tfcolor.data import pipelines

    config = dataclasses.replace(
        data_flags.config(),
        image_size=_SIZE.value,
        load_size=None,
        min_color_range=0.0,
    )
    source, view = _source(config), pipelines.full_view(config)
    measuring.print_machine()
    rows, losses = [], []
    for width in _WIDTHS.value:
        sides = {
            name: _Turn(source, view, width=float(width), in_step=in_step)
            for name, in_step in ((_PIPELINE, False), (_STEP, True))
        }
        rows += _rows(
            width,
            measuring.in_turns(sides, repeats=options.REPEATS.value, warmup=2),
        )
        losses.append([width, *(f"{s.loss:.6f}" for s in sides.values())])
    measuring.print_table(
        ["width", "colors are made in", "s a step", "lowest", "highest"]
        + [f"over {_PIPELINE}", "lowest", "highest"],
        rows,
    )
    measuring.print_table(["width", "last loss", "in the step"], losses)


if __name__ == "__main__":
    app.run(main)
