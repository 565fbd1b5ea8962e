"""What is fuzzed, by name, and the program that does it.

    make fuzz MINUTES=30
    python -m fuzz.targets decode --minutes=30

Every target is given bytes and must give an answer or one of the errors that
its reader names; anything else, a hang of 20 seconds or 2 GB of memory is a
finding, which libFuzzer keeps in fuzz_output/TARGET. What follows `--` goes to
libFuzzer, such as a file of a finding, to repeat it.
"""

import argparse
import atexit
import copy
import dataclasses
import io
import json
import os
import shutil
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable

# What readers say of a file that they refuse.
_REFUSALS = (OSError, ValueError)
_TIMEOUT, _MEMORY, _LENGTH = 20, 2048, 2**16
_OUTPUT = "fuzz_output"


@dataclasses.dataclass(frozen=True)
class Target:
    """Something that is fuzzed.

    Attributes:
        instrumented: tuple of str. Packages whose code libFuzzer looks at;
            none where all the work is done in C++.
        prepare: function that imports what is needed and returns a function
            of bytes.
        seeds: function that returns a list of bytes to begin with.
    """

    instrumented: tuple[str, ...]
    prepare: Callable[[], Callable[[bytes], None]]
    seeds: Callable[[], list[bytes]]


def _folder() -> str:
    """Makes a folder in memory, if there is such a place, for one file."""
    place = "/dev/shm" if os.path.isdir("/dev/shm") else None
    folder = tempfile.mkdtemp(prefix="tfcolor-fuzz-", dir=place)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _of_file(name: str, read: Callable[[str], None]) -> Callable:
    """Makes a function of bytes of one that reads a file."""
    folder = _folder()
    path = os.path.join(folder, name)

    def one(data: bytes) -> None:
        with open(path, "wb") as file:
            file.write(data)
        try:
            read(path)
        except _REFUSALS:
            return

    return one


# What a person would not write where a number or a name belongs.
_VALUES = (
    *(0, 1, -1, 2.5, 1e308, float("nan"), float("inf"), 10**400, True),
    *(None, "", "a.jpg", "b.jpg", "#3b7dd8", [], {}, [1, 2, 3, 4]),
)


def _edited(document, data: bytes) -> bytes:
    """Makes JSON of a document in which bytes choose what is replaced.

    libFuzzer sees nothing of how C code reads JSON, and would hardly ever get
    past its commas.
    """
    left = iter(data)

    def take(count: int) -> int:
        return next(left, 0) % count

    document = json.loads(json.dumps(document))
    for _ in range(1 + take(4)):
        node = document
        while node:
            is_object = isinstance(node, dict)
            keys = list(node) if is_object else range(len(node))
            key = keys[take(len(keys))]
            if isinstance(node[key], list | dict) and take(4):
                node = node[key]
                continue
            if is_object and not take(8):
                del node[key]
            else:
                node[key] = copy.copy(_VALUES[take(len(_VALUES))])
            break
    return json.dumps(document).encode()


def _rebuilt(entries: dict[str, bytes], data: bytes) -> bytes:
    """Makes a zip archive of which bytes choose what is changed inside.

    Changed as it lies there, an archive is hardly ever read: each entry has
    its checksum.
    """
    name = list(entries)[data[0] % len(entries)] if data else list(entries)[0]
    content = bytearray(entries[name])
    if name.endswith(".json"):
        content = _edited(json.loads(content), data[1:])
    else:
        for i in range(1, len(data) - 2, 3):
            place = int.from_bytes(data[i : i + 2]) % max(1, len(content))
            content[place : place + 1] = data[i + 2 : i + 3]
        if len(data) % 3 == 0:
            del content[len(content) // 2 :]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for entry, value in entries.items():
            archive.writestr(entry, content if entry == name else value)
    return file.getvalue()


def _of_archive(one: Callable, seeds: list[bytes]) -> Callable:
    """Gives a target bytes as they are, or those of a rebuilt seed."""
    archives = []
    for seed in seeds:
        if zipfile.is_zipfile(io.BytesIO(seed)):
            with zipfile.ZipFile(io.BytesIO(seed)) as archive:
                names = archive.namelist()
                archives.append({name: archive.read(name) for name in names})

    def either(data: bytes) -> None:
        if data[:1] == b"\0":
            number = data[1] % len(archives) if data[1:] else 0
            data = _rebuilt(archives[number], data[2:])
        one(data)

    return either


# What begins with a zero byte chooses a seed, an entry, places and values.
_CHOICES = [bytes([0, n, e, 0, 9, 7, 0, 40, 1]) for n in (0, 1) for e in (0, 1)]


def _of_json(one: Callable, seeds: list[bytes]) -> Callable:
    """Gives a target bytes as they are, or those of an edited seed."""
    documents = [json.loads(seed.decode("utf-8-sig")) for seed in seeds]

    def either(data: bytes) -> None:
        if data[:1] == b"\0":
            number = data[1] % len(documents) if data[1:] else 0
            data = _edited(documents[number], data[2:])
        one(data)

    return either


def _decode() -> Callable:
    from tfcolor.pictures import decode

    most = 2**20

    def one(data: bytes) -> None:
        try:
            picture = decode.decode_picture(data, max_pixels=most)
        except _REFUSALS:
            return
        height, width, channels = picture.pixels.shape
        good = channels in (1, 3) and 0 < height * width <= most
        good = good and picture.pixels.dtype.name in ("uint8", "uint16")
        if picture.alpha is not None:
            good = good and picture.alpha.shape == (height, width, 1)
        if not good:
            raise RuntimeError(f"not a picture: {picture.pixels.shape}")
        small = decode.decode_square(data, 8, max_pixels=most)
        if small.shape != (8, 8, 3):
            raise RuntimeError(f"not a square: {small.shape}")

    return one


def _picture_seeds() -> list[bytes]:
    from tests import hostile_corpus

    found = [k.data for k in hostile_corpus.kinds() if not callable(k.data)]
    return [data for data in found if len(data) < _LENGTH]


def _boxes() -> Callable:
    from tfcolor.boxes import box_folder

    def read(path: str) -> None:
        boxes = box_folder.BoxFolder(os.path.dirname(path))
        found = boxes.load("a.jpg", height=20, width=30)
        found.best(height=20, width=30, max_boxes=8)

    return _of_archive(_of_file("a.jpg.npz", read), _box_archives())


def _box_seeds() -> list[bytes]:
    return _box_archives() + _CHOICES


def _box_archives() -> list[bytes]:
    import numpy as np

    seeds = []
    for save in (np.savez, np.savez_compressed):
        for arrays in (
            {"bbox": np.array([[1, 2, 9, 8], [0, 0, 30, 20]])},
            {
                "bbox": np.array([[1.5, 2, 9, 8]], np.float32),
                "scores": np.array([0.5], np.float32),
                "classes": np.array([3]),
                "picture_size": np.array([40, 60]),
            },
        ):
            file = io.BytesIO()
            save(file, **arrays)
            seeds.append(file.getvalue())
    return seeds


def _coco() -> Callable:
    from tfcolor.boxes import coco_boxes

    def read(path: str) -> None:
        boxes = coco_boxes.CocoBoxes(path)
        found = boxes.load("a.jpg", height=20, width=30)
        found.best(height=20, width=30, max_boxes=8)

    return _of_json(_of_file("boxes.json", read), _coco_seeds()[:1])


def _coco_seeds() -> list[bytes]:
    picture = {"id": 1, "file_name": "a.jpg", "height": 40, "width": 60}
    box = {"image_id": 1, "bbox": [1, 2, 3.5, 4], "category_id": 18}
    content = {
        "images": [picture],
        "annotations": [box, box | {"iscrowd": 1, "score": 0.5}],
    }
    edits = [bytes([0, 0, n, 3, 1, 4, 1, 5, 9, 2, 6]) for n in range(4)]
    return [json.dumps(content).encode(), b"\xef\xbb\xbf{}", b"[]", *edits]


def _hints() -> Callable:
    from tfcolor.inference import hint_maps
    from tfcolor.inference import hint_points

    def read(path: str) -> None:
        for points in hint_points.read_hints(path, ["a.jpg"]).values():
            hint_maps.draw_hints(points, width=30, height=20, image_size=8)

    return _of_json(_of_file("hints.json", read), _hint_seeds())


def _hint_seeds() -> list[bytes]:
    point = {"x": 12, "y": 8.5, "color": "#3b7dd8", "radius": 6}
    return [
        json.dumps({"points": [point]}).encode(),
        json.dumps({"a.jpg": [point, point]}).encode(),
    ]


def _pth() -> Callable:
    from tfcolor.weights import pytorch_files

    one = _of_file("weights.pth", lambda p: pytorch_files.read_state(p))
    return _of_archive(one, _pth_files())


def _pth_seeds() -> list[bytes]:
    return _pth_files() + _CHOICES


def _pth_files() -> list[bytes]:
    import torch

    seeds = []
    state = {"a.weight": torch.ones(2, 3), "a.bias": torch.zeros(2).half()}
    for value in (state, {"state_dict": state}, [1], state["a.weight"]):
        for zipped in (True, False):
            file = io.BytesIO()
            torch.save(value, file, _use_new_zipfile_serialization=zipped)
            seeds.append(file.getvalue())
    return seeds


def _model() -> Callable:
    from tfcolor.weights import model_file

    one = _of_file("model.keras", lambda p: model_file.load(p))
    return _of_archive(one, _model_files())


def _model_seeds() -> list[bytes]:
    return _model_files() + _CHOICES


def _model_files() -> list[bytes]:
    from tests.inference import models

    path = models.save(
        models.alone_model(), os.path.join(_folder(), "seed.keras")
    )
    with open(path, "rb") as file:
        return [file.read()]


def _export() -> Callable:
    import tensorflow as tf

    from tests.export import exported

    signature = tf.saved_model.load(exported.saved_model()).signatures
    call = signature["serving_default"]

    def one(data: bytes) -> None:
        try:
            found = call(picture_bytes=tf.constant([data]))["png_bytes"]
        except tf.errors.InvalidArgumentError:
            return
        if tf.io.decode_png(found[0]).shape[-1] != 3:
            raise RuntimeError("not a picture")

    return one


def _export_seeds() -> list[bytes]:
    heads = (b"\xff\xd8", b"\x89PNG", b"RIFF", b"BM", b"GIF8")
    return [data for data in _picture_seeds() if data.startswith(heads)]


TARGETS = {
    "decode": Target(("tfcolor.data", "PIL"), _decode, _picture_seeds),
    "boxes": Target(("tfcolor.data", "zipfile"), _boxes, _box_seeds),
    "coco": Target(("tfcolor.data", "json"), _coco, _coco_seeds),
    "hints": Target(("tfcolor", "json"), _hints, _hint_seeds),
    "pth": Target(("tfcolor.weights",), _pth, _pth_seeds),
    "model": Target(("tfcolor.weights",), _model, _model_seeds),
    "export": Target((), _export, _export_seeds),
}


def _make_corpus(name: str) -> str:
    """Writes the seeds of a target, beside what earlier runs have found."""
    folder = os.path.join(_OUTPUT, name, "corpus")
    os.makedirs(folder, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds()):
        with open(os.path.join(folder, f"seed{number:03}"), "wb") as file:
            file.write(seed)
    return folder


def _arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument(
        "--seeds", action="store_true", help="only write what it begins with"
    )
    parser.add_argument("options", nargs="*", help="of libFuzzer, after --")
    return parser.parse_args()


def main() -> None:
    """Fuzzes the target that the command line names."""
    args = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    folder = os.path.join(_OUTPUT, args.target, "corpus")
    if args.seeds:
        _make_corpus(args.target)
        return
    if not os.path.isdir(folder):
        # A process of its own: what makes seeds is not to be looked at.
        import subprocess

        command = [sys.executable, "-m", "fuzz.targets", args.target]
        subprocess.run([*command, "--seeds"], check=True)
    import atheris

    # Large, and of no interest.
    import cv2  # noqa: F401
    import numpy  # noqa: F401

    target = TARGETS[args.target]
    if target.instrumented:
        with atheris.instrument_imports(include=list(target.instrumented)):
            one = target.prepare()
    else:
        # An empty list would mean all packages, which takes minutes.
        one = atheris.instrument_func(target.prepare())
    warnings.simplefilter("ignore")
    options = args.options or [
        folder,
        f"-max_total_time={round(60 * args.minutes)}",
        f"-timeout={_TIMEOUT}",
        f"-rss_limit_mb={_MEMORY}",
        f"-max_len={_LENGTH}",
        f"-artifact_prefix={os.path.join(_OUTPUT, args.target)}/",
    ]
    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
