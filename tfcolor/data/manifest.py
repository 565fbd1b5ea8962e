"""What a folder of shards says about itself.

    records/
      manifest.json     settings, classes, counts, every shard's SHA-256
      00000.tfrecord    pictures
      00000.json        what is in that shard, picture by picture

A shard's own file is written after the shard, the manifest after all of them:
a folder without a manifest is not finished.
"""

import dataclasses
import hashlib
import json
import os

from tfcolor import atomic
from tfcolor.pictures import foreign_files

FILE = "manifest.json"
FORMATS = ("jpeg", "png")
_VERSION = 1


@dataclasses.dataclass(frozen=True)
class ShardSettings:
    """How pictures become shards.

    Attributes:
        size: int. Side in pixels of the squares that pictures are squashed
            to, as networks see them.
        format: str. "jpeg", or "png", which loses nothing and takes about
            four times the space.
        quality: int in 1..100, of JPEG; colors keep their full resolution.
        shard_size: int. Pictures a shard, at most.
    """

    size: int = 256
    format: str = "jpeg"
    quality: int = 95
    shard_size: int = 500

    def __post_init__(self):
        """Refuses settings that no shard can have."""
        if self.format not in FORMATS:
            raise ValueError(
                f"`format` must be one of {FORMATS}. "
                f"Received: format={self.format!r}"
            )
        if not 1 <= self.quality <= 100:
            raise ValueError(
                f"`quality` must be in 1..100. Received: quality={self.quality}"
            )
        for name in ("size", "shard_size"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"`{name}` must be at least 1. "
                    f"Received: {name}={getattr(self, name)}"
                )


@dataclasses.dataclass(frozen=True)
class Shard:
    """One shard and what is in it.

    Attributes:
        file: str, its name in the folder.
        made_from: str, a hash of all that it was made from.
        sha256: str, of the file.
        bytes: int, size of the file.
        boxes: int.
        names: list of str, the pictures in their order.
        labels: list of int, an index into the classes for each of them, or
            empty where there are no classes.
        color_ranges: list of float, CIELAB; see `epochs.color_range`.
        left_out: list of [picture, reason].
        notes: list of [picture, note]: what was ignored of pictures that are
            in it.
    """

    file: str
    made_from: str
    sha256: str
    bytes: int
    boxes: int
    names: list[str]
    labels: list[int]
    color_ranges: list[float]
    left_out: list[list[str]]
    notes: list[list[str]] = dataclasses.field(default_factory=list)

    def __post_init__(self):
        """Refuses what no shard can be."""
        if not isinstance(self.file, str) or not _is_name(self.file):
            raise ValueError(
                "`file` of a shard must be a name in the shards' own folder. "
                f"Received: file={self.file!r}"
            )
        count = len(self.names)
        right = (
            _are(self.names, str)
            and _are(self.labels, int)
            and len(self.labels) in (0, count)
            and _are(self.color_ranges, int | float)
            and len(self.color_ranges) == count
            and _are([self.boxes, self.bytes], int)
        )
        if not right:
            raise ValueError(
                "A shard must have one label, or none, and one range of "
                f"colors for each picture. Received: {count} names, "
                f"{self.file!r}"
            )


def _is_name(file: str) -> bool:
    """Tells whether a text names a file in a folder, and nothing elsewhere."""
    special = ("", os.curdir, os.pardir)
    return file not in special and not set(file) & set("/\\\0")


def _are(values, kind) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, kind) for value in values
    )


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A folder of shards.

    Attributes:
        settings: ShardSettings.
        classes: list of str; empty where pictures have none.
        has_boxes: bool.
        shards: list of Shard.
    """

    settings: ShardSettings
    classes: list[str]
    has_boxes: bool
    shards: list[Shard]

    def __len__(self):
        return sum(len(shard.names) for shard in self.shards)


def is_prepared(folder: str) -> bool:
    """Tells whether a folder holds shards with a manifest."""
    return os.path.isfile(os.path.join(folder, FILE))


def index_path(folder: str, file: str) -> str:
    """Returns the path of what is written about a shard."""
    return os.path.join(folder, os.path.splitext(file)[0] + ".json")


def file_sha256(path: str) -> str:
    """Returns the SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_shard(folder: str, shard: Shard) -> None:
    """Writes what is in a shard beside it.

    Args:
        folder: str.
        shard: Shard.
    """
    _write_json(index_path(folder, shard.file), dataclasses.asdict(shard))


def read_shard(folder: str, file: str) -> Shard | None:
    """Reads what is in a shard.

    Args:
        folder: str.
        file: str, of the shard.

    Returns:
        Shard, or None where nothing whole is written about it.
    """
    try:
        shard = Shard(**foreign_files.read_json(index_path(folder, file)))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return shard if shard.file == file else None


def write(folder: str, manifest: Manifest) -> None:
    """Writes the manifest of shards that are all there.

    Args:
        folder: str.
        manifest: Manifest.
    """
    shards = [
        {
            "file": shard.file,
            "pictures": len(shard.names),
            "boxes": shard.boxes,
            "left_out": len(shard.left_out),
            "bytes": shard.bytes,
            "sha256": shard.sha256,
            "index_sha256": file_sha256(index_path(folder, shard.file)),
        }
        for shard in manifest.shards
    ]
    counted = ("pictures", "boxes", "left_out", "bytes")
    _write_json(
        os.path.join(folder, FILE),
        {
            "version": _VERSION,
            "settings": dataclasses.asdict(manifest.settings),
            "classes": manifest.classes,
            "has_boxes": manifest.has_boxes,
            "totals": {n: sum(s[n] for s in shards) for n in counted},
            "shards": shards,
        },
    )


def read(folder: str) -> Manifest:
    """Reads a manifest and what is in its shards; the shards stay closed.

    Args:
        folder: str.

    Returns:
        Manifest.

    Raises:
        FileNotFoundError: there is no manifest.
        ValueError: it is of another version, or what it names is not what was
            written.
    """
    path = os.path.join(folder, FILE)
    try:
        values = foreign_files.read_json(path)
        version = values["version"]
    except (ValueError, LookupError, TypeError) as error:
        raise _refused(path, error) from error
    if version != _VERSION:
        raise ValueError(
            f"A manifest must be of version {_VERSION}. "
            f"Received: {path!r} of version {version}"
        )
    try:
        settings = ShardSettings(**values["settings"])
        classes, has_boxes = values["classes"], values["has_boxes"]
        entries = [
            (entry["file"], entry["index_sha256"]) for entry in values["shards"]
        ]
        if not all(isinstance(name, str) for name in classes):
            raise ValueError("`classes` must be texts")
        if not all(
            isinstance(file, str) and _is_name(file) for file, _ in entries
        ):
            raise ValueError("a shard's file must lie beside the manifest")
    except (ValueError, LookupError, TypeError) as error:
        raise _refused(path, error) from error
    shards = [_read_checked(folder, *entry) for entry in entries]
    if any(
        not isinstance(label, int) or not 0 <= label < len(classes)
        for shard in shards
        for label in shard.labels
    ):
        raise _refused(path, "a label is that of no class")
    return Manifest(settings, classes, has_boxes, shards)


def _refused(path: str, reason) -> ValueError:
    what = f"{reason} is missing" if isinstance(reason, KeyError) else reason
    return ValueError(
        "A manifest must be one that `tfcolor prepare` wrote. "
        f"Received: {path!r} ({what})"
    )


def _read_checked(folder: str, file: str, index_sha256: str) -> Shard:
    path = index_path(folder, file)
    shard = read_shard(folder, file)
    if shard is None or file_sha256(path) != index_sha256:
        absent = "" if os.path.exists(path) else ", which is absent"
        raise ValueError(
            "What is written about a shard must be what the manifest has a "
            "checksum of; `tfcolor prepare` writes it anew. Received: "
            f"{path!r}{absent}"
        )
    return shard


def _write_json(path: str, value) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        # File names that are not UTF-8: JSON can escape them.
        data = json.dumps(value, indent=1).encode()
    atomic.write_bytes(path, data + b"\n")
