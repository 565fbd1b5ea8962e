"""Times what a person waits for in the studio, with the shipped model.

    python -m benchmarks.studio

A photo of --long_side pixels (4500) is given to a studio that runs in this
process, without a browser; each row is a request of the page from its sending
to its last byte, so the browser's decoding of a JPEG is not in it. Wishes are
different each time: nothing is remembered between them but what the studio
remembers for a person too, the network's colors where strength alone changes.
"""

import io
import statistics
import tempfile
import time

import numpy as np
from absl import app
from PIL import Image

from benchmarks import measuring
from benchmarks import options

options.declare("long_side", "repeats")

_MODEL = "lite2_unet"


def _photo(long_side: int) -> bytes:
    """A grey photo of noise over a ramp, as JPEG."""
    height, width = long_side * 2 // 3, long_side
    ramp = np.linspace(30, 225, width)[None] * np.ones((height, 1))
    noise = np.random.default_rng(0).normal(0, 12, (height, width))
    data = io.BytesIO()
    grey = np.clip(ramp + noise, 0, 255).astype(np.uint8)
    Image.fromarray(grey).save(data, "JPEG", quality=92)
    return data.getvalue()


def _wishes(photo, width, height):
    """Returns what is asked for, by name: (path, body of a number)."""

    def edit(**other):
        return {"edit": {"model": _MODEL, **other}}

    def hint(number):
        x, y = number * 97 % width, number * 61 % height
        return {"x": x, "y": y, "color": "#3b7dd8"}

    return {
        "strength, while it changes": (
            f"{photo}/render",
            lambda n: edit(saturation=1 + n / 100) | {"quick": True},
        ),
        "strength, at rest": (
            f"{photo}/render",
            lambda n: edit(saturation=1 + n / 100),
        ),
        "a hint, while it changes": (
            f"{photo}/render",
            lambda n: edit(hints=[hint(n)]) | {"quick": True},
        ),
        "a hint, at rest": (
            f"{photo}/render",
            lambda n: edit(hints=[hint(n)]),
        ),
        "colors offered for a place": (
            f"{photo}/colors",
            lambda n: edit() | {"x": n * 97 % width, "y": n * 61 % height},
        ),
        "the result at full size": (
            f"{photo}/result",
            lambda n: edit(saturation=1 + n / 100),
        ),
    }


def main(_):
    """Prints the table."""
    from starlette.testclient import TestClient

    from tfcolor.studio import app as app_lib

    long_side, repeats = options.LONG_SIDE.value or 4500, options.REPEATS.value
    with tempfile.TemporaryDirectory() as folder:
        studio = app_lib.Studio(folder, max_pixels=200_000_000)
        with TestClient(app_lib.make_app(studio)) as client:
            added = client.post(
                "/api/photos",
                content=_photo(long_side),
                headers={"X-Name": "photo.jpg"},
            ).json()
            photo = f"/api/photos/{added['id']}"
            rows = []
            for name, (path, body) in _wishes(
                photo, added["width"], added["height"]
            ).items():
                seconds = []
                for number in range(repeats + 2):
                    begun = time.perf_counter()
                    answer = client.post(path, json=body(number))
                    seconds.append(time.perf_counter() - begun)
                    answer.raise_for_status()
                kept = [1000 * s for s in seconds[2:]]
                rows.append(
                    (name, statistics.median(kept), min(kept), max(kept))
                )
        studio.close()
    size = f"{added['width']} x {added['height']}"
    measuring.print_machine()
    measuring.print_table([f"ms, {size}", "median", "least", "most"], rows)


if __name__ == "__main__":
    app.run(main)
