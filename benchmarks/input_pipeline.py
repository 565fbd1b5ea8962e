"""Times loading pictures for training, without a network.

    python -m benchmarks.input_pipeline

A pass over --picture_count pictures, in batches of --batch_size squares of
--image_size pixels with their CIELAB colors, shuffled, without hints as
InstColorization trains: PyTorch as its programs do it, with --loader_processes
processes, and tfcolor from the same folder, from shards that `tfcolor prepare`
makes of it, and from memory (--cache). Pictures are the samples, again and
again, or those of --images; --long_side resizes them first (the longer sides
of COCO's pictures are 640 pixels).

`a core` is pictures a second over the number of cores. `processor ms` is the
processor time of a picture in a pass of its own, PyTorch in one process with
one thread: what a busy machine does not change, without what it costs PyTorch
to hand pictures from process to process.
"""

import itertools
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

_PROCESSES = flags.DEFINE_integer(
    "loader_processes",
    None,
    "Processes that load pictures for PyTorch; default: one a core.",
    lower_bound=0,
)
options.declare("images", "image_size", "batch_size", "repeats")
options.declare("picture_count", "long_side")

_PICTURES = 384
_PYTORCH = "PyTorch"
_FOLDER, _SHARDS = "tfcolor, folder", "tfcolor, shards"
_MEMORY = "tfcolor, --cache"


def _prepare(paths: list[str], folder: str, size: int) -> None:
    from tfcolor.data import manifest
    from tfcolor.data import shard_writer

    settings = manifest.ShardSettings(size=size)
    named = [(path, os.path.basename(path)) for path in paths]
    jobs = shard_writer.plan(named, settings)
    shard_writer.write_shards(jobs, folder, settings).finish()


def _tfcolor(source, config):
    """Prepares passes over a source; returns one, to the last batch's ab."""
    from tfcolor.data import epochs
    from tfcolor.data import pipelines

    view, numbers = pipelines.full_view(config), itertools.count()

    def run():
        for _, targets in epochs.epoch(
            source, view, epoch=next(numbers), training=True
        ):
            ab = targets["ab"]
        return ab.numpy()

    return run


def _sides(paths: list[str], shards: str, config) -> dict:
    """Prepares a pass of each side.

    Args:
        paths: list of str, all in one folder.
        shards: str, a folder for the shards.
        config: FullDataConfig.

    Returns:
        dict of a side's name to a function without arguments.
    """
    from tfcolor.data import memory_source
    from tfcolor.data import sources

    folder = os.path.dirname(paths[0])
    _prepare(paths, shards, config.image_size)
    from_folder = sources.open_source(folder)
    in_memory = memory_source.into_memory(
        sources.open_source(folder),
        side=config.image_size,
        min_color_range=config.min_color_range,
    )
    sides = {
        _FOLDER: _tfcolor(from_folder, config),
        _SHARDS: _tfcolor(sources.open_source(shards), config),
        _MEMORY: _tfcolor(in_memory, config),
    }
    if measuring.has_torch():
        from benchmarks import pytorch_pictures

        processes = _PROCESSES.value
        sides[_PYTORCH] = pytorch_pictures.loader(
            paths,
            size=config.image_size,
            batch_size=config.batch_size,
            workers=os.cpu_count() if processes is None else processes,
            shuffle=True,
        )
    return sides


def _processor_ms(sides, paths, config) -> dict[str, float]:
    """Measures processor time a picture, milliseconds, of each side."""
    if _PYTORCH in sides:
        from benchmarks import pytorch_pictures

        alone = pytorch_pictures.loader(
            paths,
            size=config.image_size,
            batch_size=config.batch_size,
            workers=0,
            shuffle=True,
        )
        sides = sides | {_PYTORCH: alone}
    found = {}
    for name, run in sides.items():
        run()
        started = time.process_time()
        run()
        found[name] = (time.process_time() - started) / len(paths) * 1e3
    return found


def _difference(paths, config) -> float | None:
    """The largest difference of ab between PyTorch and tfcolor."""
    if not measuring.has_torch(say=False):
        return None
    from benchmarks import pytorch_pictures
    from tfcolor.data import epochs
    from tfcolor.data import pipelines
    from tfcolor.data import sources

    paths = paths[: config.batch_size]
    source = sources.FolderSource(paths, shrink_to=None, drop_log=None)
    view = pipelines.full_view(config)
    ((_, targets),) = epochs.epoch(source, view, epoch=0, training=False)
    ab = pytorch_pictures.loader(
        paths,
        size=config.image_size,
        batch_size=config.batch_size,
        workers=0,
        shuffle=False,
    )()
    return float(abs(ab - targets["ab"].numpy()).max())


def main(argv):
    """Runs the benchmark."""
    del argv
    import dataclasses

    config = dataclasses.replace(data_flags.config(), hint_probability=1.0)
    with tempfile.TemporaryDirectory() as folder:
        pictures, shards = (os.path.join(folder, n) for n in ("from", "to"))
        paths = picture_folder.write(
            pictures, options.PICTURE_COUNT.value or _PICTURES
        )
        sides = _sides(paths, shards, config)
        measuring.print_machine()
        seconds = measuring.seconds_in_turns(
            sides, repeats=options.REPEATS.value
        )
        difference = _difference(paths, config)
        processor = _processor_ms(sides, paths, config)
    rows = []
    for name, times in seconds.items():
        speed = len(paths) / statistics.median(times)
        slower = measuring.ratio_over(seconds, _PYTORCH, name)
        own = processor[name]
        less = processor[_PYTORCH] / own if _PYTORCH in processor else None
        rows.append(
            [name, speed, speed / os.cpu_count(), slower]
            + [own, None if name == _PYTORCH else less]
        )
    measuring.print_table(
        ["side", "pictures/s", "a core", "times PyTorch"]
        + ["processor ms", "times less"],
        rows,
    )
    measuring.print_table(["largest difference of ab"], [[difference]])


if __name__ == "__main__":
    app.run(main)
