"""Measures how much colors of films flicker, and how true they are.

    python -m benchmarks.film_flicker [--clips='clips/*.mp4'] [--speed]

Without --clips the films are the sample pictures, panned, zoomed and shaken,
with two cuts and a dissolve: their motion is known exactly. Of clips it is
found by Farneback's flow, which tfcolor does not use. Flicker is the mean of
|ab(t) - ab(t-1) of the same place|, CIELAB units, where lightness agrees
within 2 units and the film does not cut; PSNR and colorfulness are of whole
frames at the film's size. Beside frame by frame stands a plain moving average
of 9 frames without motion. --speed times whole films beside the network alone.
"""

import glob
import os
import tempfile

import cv2
import numpy as np
from absl import app
from absl import flags

from benchmarks import measuring

_CLIPS = flags.DEFINE_string("clips", None, "Glob of films; default: made.")
_FRAMES = flags.DEFINE_integer("frames", 60, "Frames of a film, at most.")
_MODEL = flags.DEFINE_string("model", None, "Model; default: lite2_unet.")
_STRENGTHS = flags.DEFINE_list("smoothing", ["0.8", "0.9"], "Values to try.")
_KEYS = flags.DEFINE_list("key_frames", ["1", "2", "4"], "Intervals to try.")
_SPEED = flags.DEFINE_bool("speed", False, "Time whole films instead.")
_WRITE = flags.DEFINE_string(
    "write", None, "Only write the first film that is made to this path."
)
_SIZE = flags.DEFINE_string("size", "1920x1080", "Of the film of --speed.")

_HEIGHT, _WIDTH = 240, 320
_SAME_L = 2.0
_AVERAGED = 9
# Frames on which the made film cuts, and the dissolve begins and ends.
_CUTS, _DISSOLVE = (20, 40), (50, 58)


def made_film(paths, seed: int, frames: int):
    """Makes a film whose motion is known.

    Args:
        paths: list of str, of pictures, one for each scene.
        seed: int.
        frames: int.

    Yields:
        (uint8 [H, W, 3], float64 [2, 3] or None): a frame, and the affine map
        from its pixels to those of the frame before; None after a cut and
        within the dissolve.
    """
    rng = np.random.default_rng(seed)
    sources = [cv2.imread(path)[..., ::-1] for path in paths]
    before = None
    for t in range(frames):
        scene = sum(t >= cut for cut in _CUTS)
        rgb, place = _view(sources[scene], t, rng, scene)
        known = t and t not in _CUTS
        if _DISSOLVE[0] <= t < _DISSOLVE[1] and len(sources) > 3:
            other, _ = _view(sources[3], t, rng, scene)
            share = (t - _DISSOLVE[0] + 1) / (_DISSOLVE[1] - _DISSOLVE[0] + 1)
            rgb = cv2.addWeighted(rgb, 1 - share, other, share, 0)
            known = False
        elif t >= _DISSOLVE[1] and len(sources) > 3:
            rgb, place = _view(sources[3], t, rng, scene)
            known = t > _DISSOLVE[1]
        yield rgb, _between(place, before) if known else None
        before = place


def _view(source, t, rng, kind):
    """A window that pans, zooms or shakes; with its place in the source."""
    height, width = source.shape[:2]
    fit = min(width / _WIDTH, height / _HEIGHT)
    zoom = fit * (0.7 + (0.004 * (t % 20) if kind == 1 else 0))
    x = (width - zoom * _WIDTH) / 2 + (1.5 * fit * (t % 20 - 10))
    y = (height - zoom * _HEIGHT) / 2
    if kind == 2:
        x, y = x + rng.normal(0, 1.5 * fit), y + rng.normal(0, 1.5 * fit)
    place = np.array([[zoom, 0, x], [0, zoom, y]])
    rgb = cv2.warpAffine(
        source,
        place,
        (_WIDTH, _HEIGHT),
        flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    return rgb, place


def _between(now, before):
    """The affine map from this frame's pixels to those of the one before."""
    full = [np.vstack([m, [0, 0, 1]]) for m in (now, before)]
    return (np.linalg.inv(full[1]) @ full[0])[:2]


def _places(shape, known, grey_before, grey_now):
    """Where each pixel was: float32 x and y."""
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    if known is not None:
        moved = known @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
        return [m.reshape(shape).astype(np.float32) for m in moved]
    flow = cv2.calcOpticalFlowFarneback(
        grey_now, grey_before, None, 0.5, 4, 21, 5, 7, 1.5, 0
    )
    return [x + flow[..., 0], y + flow[..., 1]]


class Film:
    """Frames, their lightness, and where each place was before.

    Attributes:
        truths: list of uint8 arrays [H, W, 3].
        greys: list of uint8 arrays [H, W].
        links: list of None or (x, y, mask): places in the frame before, and
            where the two are the same thing.
    """

    def __init__(self, frames, *, known: bool):
        self.truths, self.greys, self.links = [], [], []
        for rgb, place in frames:
            lightness = cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab)[..., 0]
            link = None
            if self.greys and (place is not None or not known):
                link = self._link(lightness, place)
            self.truths.append(rgb)
            self.greys.append(lightness)
            self.links.append(link)

    def _link(self, now, place):
        before = self.greys[-1]
        x, y = _places(now.shape, place, before, now)
        moved = cv2.remap(before, x, y, cv2.INTER_LINEAR)
        same = abs(moved.astype(np.float32) - now) < 2.55 * _SAME_L
        height, width = now.shape
        same &= (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
        # Where most does not fit the film has cut.
        return (x, y, same) if same.mean() > 0.3 else None


def _lab(rgb):
    from tfcolor.color import lab

    return lab.bytes_to_lab(rgb).numpy()


def measures(film: Film, colored) -> dict[str, float]:
    """Returns flicker, PSNR over grey and colorfulness of colored frames."""
    from tfcolor import metrics

    flickers, gains, colors, last = [], [], [], None
    for truth, link, rgb in zip(film.truths, film.links, colored, strict=True):
        ab = _lab(rgb)[..., 1:]
        if link is not None:
            x, y, same = link
            moved = cv2.remap(last, x, y, cv2.INTER_LINEAR)
            distance = np.sqrt(((ab - moved) ** 2).sum(-1))
            flickers.append(distance[same].mean())
        last = ab
        true, picture = truth / np.float32(255), rgb / np.float32(255)
        plain = _grey_rgb(truth) / np.float32(255)
        gains.append(
            float(metrics.psnr(true, picture) - metrics.psnr(true, plain))
        )
        colors.append(float(metrics.colorfulness_signed(picture)))
    return {
        "flicker": float(np.mean(flickers)),
        "PSNR over grey": float(np.mean(gains)),
        "colorfulness": float(np.mean(colors)),
    }


def _grey_rgb(rgb):
    from tfcolor.inference import colorizer

    return colorizer.grey(rgb)


def variants(film: Film, own, side: int):
    """Yields names and the small ab of each frame of every way to smooth."""
    from tfcolor.inference.film import motion

    yield "frame by frame", own
    half = _AVERAGED // 2
    padded = [own[0]] * half + own + [own[-1]] * half
    means = [np.mean(padded[i : i + _AVERAGED], 0) for i in range(len(own))]
    yield f"moving average of {_AVERAGED}", means
    finder = motion.Motion()
    squares = [motion.lightness_square(rgb, side) for rgb in film.truths]
    links = [None] + [
        finder.link(*pair) for pair in zip(squares, squares[1:], strict=False)
    ]
    for strength in map(float, _STRENGTHS.value):
        for key in map(int, _KEYS.value):
            smoother = motion.Smoother(strength)
            found = []
            for i, (ab, link) in enumerate(zip(own, links, strict=True)):
                seen = link is None or i % key == 0
                found += smoother.push(ab if seen else None, link, side)
            yield f"smoothing {strength}, key {key}", found + smoother.flush()


def _made_films():
    from tfcolor.data import sample_pictures

    paths = sample_pictures.paths()
    for number in range(len(paths) // 4):
        chosen = paths[4 * number : 4 * number + 4]
        frames = made_film(chosen, number, _FRAMES.value)
        yield f"made {number + 1}", Film(frames, known=True)


def _clips():
    from tfcolor.inference.film import video

    for path in sorted(glob.glob(_CLIPS.value)):
        frames = []
        for frame in video.Video(path).frames():
            if len(frames) == _FRAMES.value:
                break
            frames.append((frame.rgb(), None))
        yield os.path.basename(path), Film(frames, known=False)


def _rows(colorizer):
    films = _clips() if _CLIPS.value else _made_films()
    for name, film in films:
        greys = [_grey_rgb(rgb) for rgb in film.truths]
        own = colorizer.network_ab(greys)
        first = None
        for method, maps in variants(film, own, colorizer.image_size):
            colored = [
                colorizer.finish(rgb, ab)
                for rgb, ab in zip(greys, maps, strict=True)
            ]
            found = measures(film, colored)
            first = first or found["flicker"]
            yield [name, method, found["flicker"], found["flicker"] / first] + [
                found["PSNR over grey"],
                found["colorfulness"],
            ]


def _means(rows):
    methods = list(dict.fromkeys(row[1] for row in rows))
    for method in methods:
        own = np.array([row[2:] for row in rows if row[1] == method], float)
        yield ["mean", method, *own.mean(axis=0)]


def _time_films(colorizer) -> list:
    """Times a film from file to file, and the network alone, in turns."""
    from tfcolor.data import sample_pictures
    from tfcolor.inference.film import colorize
    from tfcolor.inference.film import video

    width, height = map(int, _SIZE.value.split("x"))
    source = cv2.imread(sample_pictures.paths()[0])[..., ::-1]
    source = cv2.resize(source, (width + 2 * _FRAMES.value, height))
    frames = [
        np.ascontiguousarray(source[:, 2 * i : 2 * i + width])
        for i in range(_FRAMES.value)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "film.mkv")
        write_film(path, frames, width, height)

        def whole():
            target = os.path.join(folder, "colored.mp4")
            colorize.colorize_film(
                colorizer, path, target, options=colorize.FilmOptions()
            )
            os.remove(target)

        def reading():
            for frame in video.Video(path).frames():
                frame.rgb()

        def alone():
            size = colorizer.batch_size
            for i in range(0, len(frames), size):
                colorizer.colorize_batch(frames[i : i + size])

        found = measuring.seconds_in_turns(
            {"network alone": alone, "whole film": whole, "reading": reading},
            repeats=2,
            warmup=1,
        )
    base = np.median(found["network alone"])
    return [
        [name, len(frames) / np.median(times), base / np.median(times)]
        for name, times in found.items()
    ]


def write_film(path: str, frames, width: int, height: int) -> None:
    """Writes uint8 frames [H, W, 3] as a film of 25 frames a second."""
    from fractions import Fraction

    import av

    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p"
        for number, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main(argv):
    """Runs the benchmark."""
    del argv
    from tfcolor import Colorizer

    if _WRITE.value:
        from tfcolor.data import sample_pictures

        paths = sample_pictures.paths()[:4]
        frames = [rgb for rgb, _ in made_film(paths, 0, _FRAMES.value)]
        write_film(_WRITE.value, frames, _WIDTH, _HEIGHT)
        return
    measuring.print_machine()
    colorizer = Colorizer(_MODEL.value)
    if _SPEED.value:
        measuring.print_table(
            ["what", "frames a second", "of the network's speed"],
            _time_films(colorizer),
        )
        return
    rows = list(_rows(colorizer))
    measuring.print_table(
        ["film", "method", "flicker", "ratio", "PSNR over grey", "color"],
        [*rows, *_means(rows)],
    )


if __name__ == "__main__":
    app.run(main)
