"""A studio with small models, and photos for it."""

import contextlib
import io
import pathlib
import re
import signal
import subprocess
import sys
import urllib.parse

import numpy as np
from PIL import Image

from tests.inference import models
from tfcolor.boxes import box_folder
from tfcolor.boxes import picture_boxes

ROOT = pathlib.Path(__file__).parent.parent.parent
TOKEN = "a-token-of-tests"


def grey_jpeg(width=64, height=48, **options):
    """A ramp of greys, as the bytes of a JPEG."""
    ramp = np.linspace(40, 215, width, dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(np.tile(ramp, (height, 1))).save(
        data, "JPEG", quality=95, **options
    )
    return data.getvalue()


def with_exif(text="A. Nobody"):
    """Bytes of a JPEG that names its artist and lies on its side."""
    exif = Image.Exif()
    exif[0x013B], exif[0x0112] = text, 6
    return grey_jpeg(exif=exif.tobytes())


def model_folder(folder):
    """A folder with a model of one color and one that counts boxes."""
    folder.mkdir()
    models.save(models.plain_model(), folder / "plain.keras")
    models.save(models.counting_model(), folder / "boxed.keras")
    models.save(models.alone_model(), folder / "alone.keras")
    return folder


def box_file(path, boxes):
    """Writes the boxes of a photo of 320 x 200, as `tfcolor detect` does."""
    path.parent.mkdir(exist_ok=True)
    found = picture_boxes.make(np.asarray(boxes, np.float32))
    box_folder.write(str(path), found, height=200, width=320)


def pixels(data):
    """RGB of an encoded picture, int [H, W, 3]."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def name_header(name):
    return {"X-Name": urllib.parse.quote(name)}


@contextlib.contextmanager
def running(*arguments, temporary):
    """Runs `tfcolor studio`; yields its process and its address."""
    import os

    process = subprocess.Popen(
        [sys.executable, "-m", "tfcolor", "studio", "--no_browser", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ
        | {"TMPDIR": str(temporary), "TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=ROOT,
    )
    try:
        line = process.stdout.readline()
        yield process, re.search(r"http://\S+/", line)[0]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        process.stdout.close()
