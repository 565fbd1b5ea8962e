"""What an evaluation has measured, on disk until its report is whole.

Beside the report lies a hidden folder with a folder for each fingerprint of
evaluations that were begun there: of all that changes numbers. In it are the
list of the true pictures and a file for each pass and picture, which has what
its measuring gave and the stamp of the file that was measured. A command that
goes on takes from there what is of the same fingerprint and stamp; the rest is
measured again. Files are .npz without pickled objects, the text in them JSON.
"""

import dataclasses
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable

import cv2
import keras
import numpy as np
import PIL
import tensorflow as tf

import tfcolor
from tfcolor import atomic
from tfcolor.cluster import storage
from tfcolor.data import files
from tfcolor.data import manifest
from tfcolor.detection import signatures
from tfcolor.evaluation.compare import Record
from tfcolor.evaluation.evaluate import Wanted
from tfcolor.evaluation.methods import TruePicture
from tfcolor.inference import colorization_model
from tfcolor.pictures import foreign_files
from tfcolor.weights import efficientnet_files

_START = ".tfcolor-evaluation-"
_TRUTH = "truth.jsonl"
_ENDING = ".npz"
# Of the files here: those of another number are not read.
_FORMAT = 2
# What changes no number: where the report goes, and what the list of true
# pictures says better.
_NO_NUMBERS = ("truth", "limit", "output", "overwrite")
# Names of arrays of a file.
_TEXT, _MEAN_AB = "text", "mean_ab"
_SMALL, _FEATURES = "small{}", "features{}"


@dataclasses.dataclass(frozen=True)
class Measured:
    """What came of measuring a picture in one pass.

    Attributes:
        record: Record, or None if it failed.
        looked: what a `ClassCollector` took from it, or None.
        notes: tuple of (path, line), what was said.
        small: tuple of bytes, the files of `ReportPictures.read`.
        again: bool. Whether it was measured before, and only read now.
    """

    record: Record | None
    looked: dict | None = None
    notes: tuple[tuple[str, str], ...] = ()
    small: tuple[bytes, ...] = ()
    again: bool = False


class Parts:
    """The files of one fingerprint; can be pickled.

    Args:
        folder: str; all machines see it.
    """

    def __init__(self, folder: str):
        self._folder = folder

    def truth(self, max_pixels: int) -> list[TruePicture]:
        """Reads the true pictures.

        Args:
            max_pixels: int. A file of more is not decoded.

        Returns:
            list of TruePicture, as the command has it.

        Raises:
            OSError: it cannot be read.
        """
        with open(os.path.join(self._folder, _TRUTH), "rb") as file:
            pairs = [json.loads(line) for line in file]
        return [
            TruePicture(i, path, name, max_pixels=max_pixels)
            for i, (path, name) in enumerate(pairs)
        ]

    def load(
        self, index: int, stamp: list | None, ab: np.ndarray | None
    ) -> Measured | None:
        """Reads what measuring a picture gave before.

        Args:
            index: int, of the picture.
            stamp: list or None, that of `storage.stamp` now.
            ab: float array [2] or None, the mean ab that a second pass paints.

        Returns:
            Measured; None if it is not there, broken, of another stamp or
            another ab.
        """
        if stamp is None:
            return None
        try:
            arrays = foreign_files.read_npz(self._path(index, ab))
            text = json.loads(arrays[_TEXT].tobytes())
            if text["of"] == _of(stamp, ab):
                return _unpacked(index, text, arrays)
        except Exception:
            # Whatever is wrong with it, the picture is there to be measured.
            return None
        return None

    def save(
        self,
        index: int,
        stamp: list | None,
        ab: np.ndarray | None,
        measured: Measured,
    ) -> None:
        """Writes what measuring a picture gave, if it can be written.

        Args:
            index: int, of the picture.
            stamp: list or None, that of `storage.stamp` before it was read.
            ab: float array [2] or None, the mean ab that a second pass paints.
            measured: Measured.
        """
        if stamp is None:
            return
        data = _packed(measured, _of(stamp, ab))
        try:
            atomic.write_bytes(self._path(index, ab), data)
        except OSError:
            # The report does not need it, and a full disk says so itself.
            return

    def _path(self, index: int, ab: np.ndarray | None) -> str:
        number = 1 if ab is None else 2
        return os.path.join(self._folder, f"{index:07d}.pass{number}{_ENDING}")


def _of(stamp: list, ab: np.ndarray | None) -> list:
    """Returns what a file must be of to be taken, as JSON has it."""
    return [stamp, None if ab is None else [float(value) for value in ab]]


def _packed(measured: Measured, of: list) -> bytes:
    record = measured.record
    features = [
        (method, key, array)
        for method, found in record.features.items()
        for key, array in found.items()
    ]
    arrays = {_FEATURES.format(i): f[2] for i, f in enumerate(features)}
    if record.mean_ab is not None:
        arrays[_MEAN_AB] = record.mean_ab
    for i, data in enumerate(measured.small):
        arrays[_SMALL.format(i)] = np.frombuffer(data, np.uint8)
    looked = measured.looked and list(measured.looked.items())
    text = {
        "of": of,
        "size": record.size,
        "rows": _without_index(record.rows),
        "rows_in_boxes": _without_index(record.rows_in_boxes),
        "methods": list(record.features),
        "features": [feature[:2] for feature in features],
        "looked": looked,
        "notes": measured.notes,
        "small": len(measured.small),
    }
    encoded = json.dumps(text).encode()
    stream = io.BytesIO()
    np.savez(stream, **{_TEXT: np.frombuffer(encoded, np.uint8)}, **arrays)
    return stream.getvalue()


def _without_index(rows: list | None) -> list | None:
    if rows is None:
        return None
    return [(method, key, float(value)) for _, method, key, value in rows]


def _with_index(index: int, rows: list | None) -> list | None:
    return None if rows is None else [(index, *row) for row in rows]


def _unpacked(index: int, text: dict, arrays: dict) -> Measured:
    features = {method: {} for method in text["methods"]}
    for i, (method, key) in enumerate(text["features"]):
        features[method][key] = arrays[_FEATURES.format(i)]
    record = Record(
        _with_index(index, text["rows"]),
        features,
        _with_index(index, text["rows_in_boxes"]),
        size=None if text["size"] is None else tuple(text["size"]),
        mean_ab=arrays.get(_MEAN_AB),
    )
    return Measured(
        record,
        looked=None if text["looked"] is None else dict(text["looked"]),
        notes=tuple(map(tuple, text["notes"])),
        small=tuple(
            arrays[_SMALL.format(i)].tobytes() for i in range(text["small"])
        ),
        again=True,
    )


class Place:
    """The hidden folder beside a report; a context manager that holds it.

    Args:
        output: str, the folder of the report.
        say: function of a line of text, or None. Told what is not used.
    """

    def __init__(self, output: str, say: Callable[[str], None] | None = None):
        folder, name = os.path.split(os.path.abspath(output))
        # Names can be too long for a beginning.
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
        self._folder = os.path.join(folder, f"{_START}{name}")
        self._say = say
        self._is_whole = False

    def __enter__(self):
        self._held = atomic.held(self._folder)
        self._held.__enter__()
        return self

    def __exit__(self, *exception):
        try:
            if self._is_whole or not self._has_parts():
                shutil.rmtree(self._folder, ignore_errors=True)
        finally:
            self._held.__exit__(*exception)

    def begin(self, fingerprint: str, truth: list[TruePicture]) -> Parts:
        """Makes the folder of an evaluation, or finds it.

        Args:
            fingerprint: str.
            truth: list of TruePicture.

        Returns:
            Parts.

        Raises:
            OSError: it cannot be made.
        """
        others = set(os.listdir(self._folder)) - {fingerprint}
        folder = os.path.join(self._folder, fingerprint)
        if others and not os.path.exists(folder) and self._say is not None:
            self._say(
                "an earlier run into this report had other options, models or "
                "pictures; nothing that it measured is used"
            )
        lines = [json.dumps([p.path, p.name]) + "\n" for p in truth]
        atomic.write_bytes(
            os.path.join(folder, _TRUTH), "".join(lines).encode()
        )
        return Parts(folder)

    def end(self) -> None:
        """Notes that the report is whole: nothing of it is needed."""
        self._is_whole = True

    def _has_parts(self) -> bool:
        return any(
            name.endswith(_ENDING)
            for _, _, names in os.walk(self._folder)
            for name in names
        )


def fingerprint(wanted: Wanted, truth: list[TruePicture], **others) -> str:
    """Tells evaluations apart by all that changes their numbers.

    That is every option, the contents of models, weights and a detector, the
    names, sizes and times of predictions and boxes, the versions of what
    computes, and the list of true pictures. Their own sizes and times are in
    the stamps.

    Args:
        wanted: Wanted, of models that were loaded before.
        truth: list of TruePicture.
        **others: what else changes numbers, for JSON.

    Returns:
        str, hexadecimal digits.

    Raises:
        OSError: a file cannot be read.
    """
    options = dataclasses.asdict(wanted)
    for name in _NO_NUMBERS:
        del options[name]
    features = efficientnet_files.find()
    options |= others | {
        "models": wanted.model_names,
        "model_files": [
            list(map(manifest.file_sha256, colorization_model.files_of(model)))
            for model in wanted.model_names
        ],
        "weights": [
            manifest.file_sha256(path)
            for path in (*wanted.lpips_weights, wanted.fid_weights, features)
            if path is not None
        ],
        "prediction_files": [
            _stamps(files.list_pictures(folder))
            for folder in wanted.predictions
        ],
        "box_files": wanted.boxes and _boxes(wanted.boxes),
        "format": _FORMAT,
        "versions": [
            module.__version__ for module in (tfcolor, tf, keras, np, cv2, PIL)
        ],
    }
    # Programs may give paths of other types.
    text = json.dumps(options, sort_keys=True, default=os.fspath)
    digest = hashlib.sha256(text.encode())
    for picture in truth:
        digest.update(json.dumps([picture.path, picture.name]).encode())
    return digest.hexdigest()[:32]


def _boxes(path: str) -> list:
    """Returns what tells boxes, or what finds them, from others."""
    if not os.path.isdir(path):
        return [manifest.file_sha256(path)]
    paths = sorted(
        os.path.join(root, name)
        for root, _, names in os.walk(path)
        for name in names
    )
    if signatures.find_saved_model(path) is None:
        return _stamps(paths)
    return [[path, manifest.file_sha256(path)] for path in paths]


def _stamps(paths: list[str]) -> list:
    """Returns the paths, sizes and times of files."""
    return [[path, storage.stamp(path)] for path in paths]
