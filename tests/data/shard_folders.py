"""Folders of shards that tests make and read."""

from tfcolor.data import files
from tfcolor.data import shard_writer
from tfcolor.data import sources
from tfcolor.data.manifest import ShardSettings

SETTINGS = ShardSettings(size=24, format="png", shard_size=4)


def write(images, folder, settings=SETTINGS, boxes=None, **options):
    """Makes shards; returns the manifest."""
    found = files.list_named_pictures(str(images))
    jobs = shard_writer.plan(found, settings, boxes)
    return shard_writer.write_shards(
        jobs, str(folder), settings, boxes=boxes, **options
    ).finish()


def open_folder(folder, **options):
    """Opens a folder of shards or pictures."""
    return sources.open_source(str(folder), **options)


def examples(source, **options):
    """All examples of a source."""
    return list(source.examples(**options).as_numpy_iterator())


def names(source, **options):
    """The names of a source's pictures, in order."""
    return [e["name"].decode() for e in examples(source, **options)]
