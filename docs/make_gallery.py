"""Makes docs/gallery.md and its pictures, and the README's first picture.

    python -m docs.make_gallery [--samples=FOLDER] [--seed=0]

FOLDER holds photographs and manifest.csv with the columns file, license, author
and source; without it the pictures that ship with tfcolor are taken. A seed
chooses which are shown, so that nobody does; failures are those whose colors
are farthest from the true ones, of all photographs.
"""

import argparse
import csv
import pathlib
import random

import cv2
import numpy as np
import tqdm

from benchmarks import random_hints
from tfcolor import Colorizer
from tfcolor.data import sample_pictures
from tfcolor.inference import contact_sheet
from tfcolor.inference.colorizer import grey
from tfcolor.pictures import decode
from tfcolor.weights import shipped

DOCS = pathlib.Path(__file__).parent
_SHOWN, _HINTED, _FAILED, _README = 12, 3, 3, 8
_HINTS = 10
_HEIGHT = 240
_QUALITY = 85

# What is in a picture, where the name of its file does not say it.
_TITLES = {
    "ajanta_cave": "Ajanta caves, India",
    "canyonde_chelly": "Canyon de Chelly, USA",
    "chateaude_chambord": "Château de Chambord, France",
    "chateaude_chenonceau": "Château de Chenonceau, France",
    "chelsea": "Cat",
    "coffee": "Cup of coffee",
    "great_wallof_china": "Great Wall of China",
    "japan": "Drums at a summer festival, Japan",
    "machu_picchu": "Machu Picchu, Peru",
    "pika": "Pika, a small mammal of the mountains",
    "pontdu_gard": "Pont du Gard, France",
    "reef": "Coral reef",
    "statueof_liberty": "Statue of Liberty",
    "taj_mahal": "Taj Mahal, India",
}

_HEAD = """\
# Gallery

Made by `python -m docs.make_gallery{samples}`, with the default model
`{model}`. {photographs}

A seed chose the photographs of the first two parts; the failures are the worst
of all. Each row: the grey picture that the network saw, `--style=natural` (the
default), `--style=vivid`, the true colors.

"""
_GIVEN = """\
FOLDER holds {count} photographs, public domain
or CC0, and is not in the repository. The table at the end says where those that
are shown come from. Without `--samples` the program takes the pictures that
ship with tfcolor."""
_SHIPPED = """\
The photographs are the {count} that
ship with tfcolor, public domain or CC0."""
_HINT_HEAD = """\
## With hints

Ten colors, given at random places (circles) as the photograph has them there.
From left to right: the grey picture with its hints, without hints, with them,
the true colors.

"""
_FAILURE_HEAD = """\
## Failures

The {failed} of {count} photographs where `--style=natural` is farthest from the
true colors (root mean square of a and b).

"""
_CREDIT_HEAD = """\
## Whose photographs

| picture | license | author | source |
|---|---|---|---|
"""


def main():
    """Chooses, colorizes, draws and writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    credits = _credits(args.samples)
    styles = {name: Colorizer(style=name) for name in shipped.STYLES}
    truths = {row["file"]: _read(row["path"]) for row in credits}
    natural = {
        name: styles["natural"].colorize(grey(rgb))
        for name, rgb in tqdm.tqdm(truths.items(), unit="picture")
    }
    order = sorted(truths)
    random.Random(args.seed).shuffle(order)
    errors = {name: _error(natural[name], truths[name]) for name in order}
    worst = sorted(order, key=errors.get, reverse=True)[:_FAILED]

    def row(name):
        rgb = truths[name]
        return [grey(rgb), natural[name], styles["vivid"].colorize(rgb), rgb]

    folder = DOCS / "images" / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jpg"):
        old.unlink()
    labels = ["grey", *shipped.STYLES, "true"]
    text = _head(args.samples, len(order))
    for name in order[:_SHOWN]:
        text += _strip(folder, name, row(name), labels)
    text += _HINT_HEAD
    hinted = order[_SHOWN : _SHOWN + _HINTED] or order[:_HINTED]
    for name in hinted:
        pictures = _hint_row(styles["natural"], truths[name], args.seed)
        labels_of_hints = ["hints", "without", "with hints", "true"]
        text += _strip(folder, name, pictures, labels_of_hints, prefix="hints_")
    text += _FAILURE_HEAD.format(failed=_FAILED, count=len(order))
    for name in worst:
        text += _strip(folder, name, row(name), labels, prefix="failure_")
    text += _CREDIT_HEAD + "".join(
        f"| {_title(r['file'])} | {_license(r)} | {r['author']} "
        f"| {r['source']} |\n"
        for r in credits
        if r["file"] in {*order[:_SHOWN], *hinted, *worst}
    )
    (DOCS / "gallery.md").write_text(text, encoding="utf-8")
    rows = [row(name) for name in order[:_README]]
    sheet = contact_sheet.contact_sheet(rows, labels, columns=2, height=150)
    _write(DOCS / "images" / "demo.jpg", sheet)


def _credits(samples: pathlib.Path | None) -> list[dict]:
    """Lists the photographs, each with its `path`."""
    if samples is None:
        paths = map(pathlib.Path, sample_pictures.paths())
        rows = sample_pictures.credits()
        return [r | {"path": p} for r, p in zip(rows, paths, strict=True)]
    with open(samples / "manifest.csv", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    return [row | {"path": samples / row["file"]} for row in rows]


def _read(path: pathlib.Path) -> np.ndarray:
    return decode.decode_rgb(path.read_bytes())


def _lab(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.float32(rgb) / 255, cv2.COLOR_RGB2LAB)


def _error(predicted: np.ndarray, true: np.ndarray) -> float:
    difference = (_lab(predicted) - _lab(true))[..., 1:]
    return float(np.sqrt((difference**2).mean()))


def _hint_row(colorizer: Colorizer, rgb: np.ndarray, seed: int) -> list:
    """Colors a picture with and without hints at random places."""
    hints = random_hints.true_hints(rgb, _HINTS, np.random.default_rng(seed))
    shown = grey(rgb).copy()
    for hint in hints:
        circle = (hint.x, hint.y), 3 * hint.radius
        cv2.circle(shown, *circle, tuple(bytes.fromhex(hint.color[1:])), -1)
        cv2.circle(shown, *circle, (255, 255, 255), 2)
    return [
        shown,
        colorizer.colorize(rgb),
        colorizer.colorize(rgb, hints=hints),
        rgb,
    ]


def _head(samples: pathlib.Path | None, count: int) -> str:
    """Returns the beginning of the page."""
    photographs = _GIVEN if samples else _SHIPPED
    return _HEAD.format(
        model=shipped.DEFAULT,
        samples=" --samples=FOLDER" if samples else "",
        photographs=photographs.format(count=count),
    )


def _title(name: str) -> str:
    """Returns what is in a picture."""
    stem = pathlib.Path(name).stem
    return _TITLES.get(stem) or stem.replace("_", " ").capitalize()


def _license(row: dict) -> str:
    """Returns a license, which manifests write large or small."""
    # Older folders spell it in the British way.
    found = row.get("license") or row["licence"]
    return found.replace("Public Domain", "Public domain")


def _strip(
    folder, name: str, pictures: list, labels: list[str], *, prefix: str = ""
) -> str:
    """Writes a row of pictures; returns the Markdown that shows it."""
    stem = prefix + pathlib.Path(name).stem
    sheet = contact_sheet.contact_sheet(
        [pictures], labels, columns=1, height=_HEIGHT
    )
    _write(folder / f"{stem}.jpg", sheet)
    title = _title(name)
    return f"{title}:\n\n![{title}](images/gallery/{stem}.jpg)\n\n"


def _write(path: pathlib.Path, rgb: np.ndarray) -> None:
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    if not cv2.imwrite(str(path), rgb[..., ::-1], options):
        raise OSError(f"{path} cannot be written.")


if __name__ == "__main__":
    main()
