"""Many pictures in one file: TFRecord and Parquet shards of results.

A million small files are slow to list and to copy. A shard holds the encoded
pictures of one chunk of the plan; its name tells which, so that a run goes on
where an earlier one was. Pictures that failed are in no shard: a hidden file
beside theirs names them, and the next run tries them again.
"""

import dataclasses
import hashlib
import io
import json
import os
import tempfile

from tfcolor import atomic
from tfcolor.cluster import storage
from tfcolor.cluster.engine import Results
from tfcolor.cluster.listing import Entry
from tfcolor.data import files

TFRECORD, PARQUET = "tfrecord", "parquet"
KINDS = (TFRECORD, PARQUET)
# Pictures a shard; fixed, as shards that are there must fit the plan.
SHARD_PICTURES = 64


@dataclasses.dataclass(frozen=True)
class Sink:
    """Where the pictures of chunks are packed.

    Attributes:
        kind: str, one of `KINDS`.
        output: str, folder or URL.
        overwrite: bool. Whether shards that are there are made anew.
    """

    kind: str
    output: str
    overwrite: bool = False

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(
                f"`sink` must be one of {KINDS}. Received: sink={self.kind!r}"
            )

    def path(self, entries: list[Entry]) -> str:
        """Returns the path of the shard of some entries."""
        digest = hashlib.sha256()
        for entry in entries:
            name = f"{entry.source}\0{entry.target}\0"
            digest.update(name.encode("utf-8", "surrogatepass"))
        name = f"{digest.hexdigest()[:16]}.{self.kind}"
        return storage.join(self.output, name)

    def left_to_do(self, entries: list[Entry]) -> list[Entry]:
        """Returns which of some entries are not in their shard yet.

        Args:
            entries: list of Entry.

        Returns:
            list of Entry: all of them without a shard, those that failed when
            it was made, or none.
        """
        path = self.path(entries)
        if self.overwrite or not storage.exists(path):
            return entries
        record = _record_path(path)
        if not storage.exists(record):
            return []
        failed = set(json.loads(storage.read(record)))
        return [entry for entry in entries if entry.source in failed]

    def pack(self, entries: list[Entry], results: Results) -> Results:
        """Writes the shard of a chunk, and the record of what failed.

        Args:
            entries: list of Entry.
            results: Results; payloads are bytes of picture files.

        Returns:
            Results whose outcomes name the shard.

        Raises:
            OSError: it cannot be written.
        """
        path = self.path(entries)
        by_source = dict(
            zip(
                (outcome.source for outcome in results.outcomes),
                results.payloads,
                strict=True,
            )
        )
        # In the order of the plan: the same pictures give the same bytes.
        pictures = [
            (entry, by_source[entry.source])
            for entry in entries
            if by_source.get(entry.source) is not None
        ]
        if not storage.is_url(path):
            # What processes that were lost have left behind.
            atomic.remove_leftovers([path])
        failed = [o.source for o in results.outcomes if o.reason]
        # Whenever this ends, a shard that lacks some has its record.
        if failed:
            storage.write(_record_path(path), json.dumps(failed).encode())
        if pictures:
            packed = _tfrecord if self.kind == TFRECORD else _parquet
            storage.write(path, packed(pictures))
        if not failed:
            storage.remove(_record_path(path))
        outcomes = [
            dataclasses.replace(outcome, written=(path,))
            if outcome.written
            else outcome
            for outcome in results.outcomes
        ]
        return Results(outcomes, [None] * len(outcomes))


def _record_path(shard: str) -> str:
    """Returns where the sources of a shard's failed pictures are."""
    # Hidden, so that who reads a folder of shards does not read it.
    folder, _, name = shard.rpartition("/")
    return storage.join(folder, f".{name}.failed.json")


def _tfrecord(pictures) -> bytes:
    from tfcolor.data import records

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "shard")
        named = [(entry.target, encoded) for entry, encoded in pictures]
        records.write_shard(path, named)
        return storage.read(path)


def _parquet(pictures) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table(
        {
            # Names of files need not be UTF-8, those of tables must.
            "name": [files.shown_name(entry.target) for entry, _ in pictures],
            "source": [files.shown_name(entry.source) for entry, _ in pictures],
            "encoded": pa.array([data for _, data in pictures], pa.binary()),
        }
    )
    stream = io.BytesIO()
    # Pictures are compressed already.
    parquet.write_table(table, stream, compression="none")
    return stream.getvalue()
