"""Measuring every method on every true picture."""

import dataclasses
import functools
from collections.abc import Callable
from collections.abc import Iterable

import numpy as np

from tfcolor.data import outcome
from tfcolor.evaluation import baselines
from tfcolor.evaluation import geometry as geometries
from tfcolor.evaluation import hue_shares
from tfcolor.evaluation import measure
from tfcolor.evaluation.methods import Method
from tfcolor.evaluation.methods import from_constant_ab
from tfcolor.evaluation.truth import TruePicture
from tfcolor.inference.box_finder import Finder

# What takes less memory here.
_TRY_LESS = "--geometry=squash, or smaller pictures"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The numbers of an evaluation; all columns in the order of `pictures`.

    Attributes:
        pictures: list of the N TruePicture that every method could do.
        sizes: list of N (width, height), in the geometry.
        geometry: str, for people.
        metrics: tuple of Metric, those measured.
        values: dict from the name of a method to a dict from the key of a
            metric to a float64 array [N]. The baselines come first.
        truth: dict from the keys of the colourfulness metrics to a float64
            array [N]: those of the true pictures.
        fid: dict from the name of a method to its FID; empty if not asked,
            NaN for fewer than two pictures.
        failures: list of (path, reason) of the pictures left out.
        counts: dict from the name of a method, and from None for the truth
            itself, to a dict from the keys of `hue_shares.SHARES` to a float64
            array [2, N]: hits, and pixels that count. Empty inside boxes.
        efficientnet: dict from the name of a method to its EfficientNet-Lite0
            distance; as `fid`.
        in_boxes: Comparison of the pixels inside boxes alone, over the
            pictures that have any; None if it was not asked.
    """

    pictures: list[TruePicture]
    sizes: list[tuple[int, int]]
    geometry: str
    metrics: tuple[measure.Metric, ...]
    values: dict[str, dict[str, np.ndarray]]
    truth: dict[str, np.ndarray]
    fid: dict[str, float]
    failures: list[tuple[str, str]]
    counts: dict[str | None, dict[str, np.ndarray]] = dataclasses.field(
        default_factory=dict
    )
    efficientnet: dict[str, float] = dataclasses.field(default_factory=dict)
    in_boxes: "Comparison | None" = None

    def methods(self) -> list[str]:
        """Returns the names that are not baselines, in order."""
        both = (baselines.GREY, baselines.MEAN_AB)
        return [name for name in self.values if name not in both]

    def gain(self, method: str) -> np.ndarray:
        """Returns PSNR minus that of grey, picture by picture, in dB."""
        return self.values[method]["psnr"] - self.values[baselines.GREY]["psnr"]


class _Run:
    """The state of one comparison while it is made."""

    def __init__(
        self,
        *,
        geometry,
        size,
        lpips,
        extractors,
        save_picture,
        find_boxes,
        say,
    ):
        self.geometry, self.size = geometry, size
        self.lpips = lpips
        # By name: what finds the features of a picture, for a distance of
        # sets of pictures.
        self.extractors = extractors
        self.save_picture = save_picture
        self.find_boxes = find_boxes
        self.say = say
        self.failures = []
        # By index of the true picture.
        self.truth = {}
        self.sizes = {}
        self.mean_ab = {}
        # By index of the true picture, then by name of the method.
        self.values = {}
        self.counts = {}
        self.features = {}
        # The same for the pixels inside boxes, where a picture has any.
        self.truth_in_boxes = {}
        self.values_in_boxes = {}

    def read(self, picture: TruePicture, say=None) -> np.ndarray:
        return geometries.fit(picture.read(say), self.geometry, self.size)

    def measure(self, rgb_true, rgb_predicted) -> dict[str, float]:
        values = measure.measure(rgb_true, rgb_predicted)
        if self.lpips is not None:
            values[measure.LPIPS.key] = self.lpips(rgb_true, rgb_predicted)
        return values

    def features_of(self, rgb) -> dict[str, np.ndarray]:
        return {key: found(rgb) for key, found in self.extractors.items()}

    def inside(self, picture, rgb) -> np.ndarray:
        """Returns which pixels lie in a box: bool [H, W]."""
        chosen = np.zeros(rgb.shape[:2], bool)
        if self.find_boxes is not None:
            found = self.find_boxes(picture.path, rgb).boxes.astype(int)
            for top, left, bottom, right in found:
                chosen[top:bottom, left:right] = True
        return chosen

    def first_pass(self, picture, methods) -> None:
        """Everything that does not need the mean ab of all pictures."""
        say = self.say and functools.partial(self.say, picture.path)
        rgb = self.read(picture, say)
        predicted = {m.name: m.predict(picture, rgb) for m in methods}
        values = {n: self.measure(rgb, p) for n, p in predicted.items()}
        shown = {None: rgb, **predicted}
        counts = {n: hue_shares.count(rgb, p) for n, p in shown.items()}
        features = {n: self.features_of(p) for n, p in shown.items()}
        chosen = self.inside(picture, rgb)
        if chosen.any():
            self.values_in_boxes[picture.index] = {
                n: measure.measure_pixels(rgb, p, chosen)
                for n, p in predicted.items()
            }
            self.truth_in_boxes[picture.index] = measure.colorfulness(
                rgb[chosen][:, None]
            )
        self.save_picture(picture, {**predicted, None: rgb})
        self.counts[picture.index] = counts
        self.features[picture.index] = features
        self.truth[picture.index] = measure.colorfulness(rgb)
        self.sizes[picture.index] = rgb.shape[1], rgb.shape[0]
        self.mean_ab[picture.index] = baselines.mean_ab(rgb)
        self.values[picture.index] = values

    def second_pass(self, picture, method) -> None:
        """The mean-ab baseline of a picture of the first pass."""
        rgb = self.read(picture)
        predicted = method.predict(picture, rgb)
        values = self.measure(rgb, predicted)
        counts = hue_shares.count(rgb, predicted)
        self.counts[picture.index][method.name] = counts
        features = self.features_of(predicted)
        self.features[picture.index][method.name] = features
        if picture.index in self.values_in_boxes:
            chosen = self.inside(picture, rgb)
            self.values_in_boxes[picture.index][method.name] = (
                measure.measure_pixels(rgb, predicted, chosen)
            )
        self.values[picture.index][method.name] = values

    def each(self, pictures, step, method) -> list[TruePicture]:
        """Applies a pass; returns the pictures that went well."""
        done = []
        for picture in pictures:
            # Whatever is wrong with one picture, the others are still done.
            try:
                step(picture, method)
            except Exception as error:
                self.failures.append(
                    (picture.path, outcome.one_line(error, try_less=_TRY_LESS))
                )
            else:
                done.append(picture)
        return done


def _column(rows: Iterable[dict], key: str) -> np.ndarray:
    return np.array([row[key] for row in rows], np.float64)


def _distances(run: _Run, done: list[TruePicture], names, key: str) -> dict:
    """Returns the distance of each method's pictures from the true ones."""
    if key not in run.extractors:
        return {}
    if len(done) < 2:
        return dict.fromkeys(names, float("nan"))

    def features(name):
        return np.stack([run.features[p.index][name][key] for p in done])

    distance = run.extractors[key].distance
    return {name: distance(features(None), features(name)) for name in names}


def _counts(run: _Run, done: list[TruePicture], names) -> dict:
    """Returns hits and pixels of all pictures: `Comparison.counts`."""
    keys = [share.key for share in hue_shares.SHARES]
    counts = {}
    for name in [None, *names]:
        rows = [run.counts[picture.index][name] for picture in done]
        columns = {key: _column(rows, key) for key in keys}
        counts[name] = {k: c.reshape(-1, 2).T for k, c in columns.items()}
    return counts


def compare(
    truth: list[TruePicture],
    methods: list[Method],
    *,
    geometry: str = "original",
    size: int = geometries.DEFAULT_SIZE,
    lpips: Callable[[np.ndarray, np.ndarray], float] | None = None,
    fid=None,
    efficientnet=None,
    find_boxes: Finder | None = None,
    save_picture: Callable[[TruePicture, dict], None] = lambda *_: None,
    say: Callable[[str, str], None] | None = None,
    progress: Callable[..., Iterable] = lambda pictures, **_: pictures,
) -> Comparison:
    """Measures methods and the two baselines on true pictures.

    A picture that cannot be read, or that a method cannot do, is left out of
    all columns, so that all means are over the same pictures.

    Args:
        truth: list of TruePicture.
        methods: list of Method with different names.
        geometry: str, one of `geometry.GEOMETRIES`.
        size: int, side of the square of the geometry.
        lpips: `lpips.Lpips` or None.
        fid: `fid.Fid` or None.
        efficientnet: `efficientnet_distance.EfficientNetDistance` or None.
        find_boxes: box_finder.Finder or None. Where to measure once more,
            inside boxes alone.
        save_picture: function called with each TruePicture that went well and
            a dict from the name of a method (None: the truth) to a uint8
            array [H, W, 3]. The mean-ab baseline is not among them.
        say: function of a path and a line of text, or None. Told what was
            left out or ignored of a true picture's file.
        progress: function that wraps a list with a progress bar, like `tqdm`;
            gets `desc=`.

    Returns:
        Comparison; its `pictures` is empty if none went well.
    """
    extractors = {"fid": fid, "efficientnet": efficientnet}
    run = _Run(
        geometry=geometry,
        size=size,
        lpips=lpips,
        extractors={k: e for k, e in extractors.items() if e is not None},
        save_picture=save_picture,
        find_boxes=find_boxes,
        say=say,
    )
    grey = from_constant_ab(baselines.GREY, np.zeros(2))
    done = run.each(
        progress(truth, desc="pictures"), run.first_pass, [grey, *methods]
    )
    if done:
        ab = np.mean([run.mean_ab[picture.index] for picture in done], axis=0)
        painted = from_constant_ab(baselines.MEAN_AB, ab)
        done = run.each(
            progress(done, desc=baselines.MEAN_AB), run.second_pass, painted
        )
    names = [baselines.GREY, baselines.MEAN_AB, *(m.name for m in methods)]
    comparison = _comparison(
        run,
        done,
        names,
        metrics=measure.METRICS + ((measure.LPIPS,) if lpips else ()),
        values=run.values,
        truth=run.truth,
    )
    in_boxes = None if find_boxes is None else _in_boxes(run, done, names)
    return dataclasses.replace(
        comparison,
        counts=_counts(run, done, names),
        **{key: _distances(run, done, names, key) for key in extractors},
        failures=run.failures,
        in_boxes=in_boxes,
    )


def _in_boxes(run: _Run, done: list[TruePicture], names) -> Comparison:
    return _comparison(
        run,
        [p for p in done if p.index in run.values_in_boxes],
        names,
        metrics=measure.PIXEL_METRICS,
        values=run.values_in_boxes,
        truth=run.truth_in_boxes,
    )


def _comparison(run, pictures, names, *, metrics, values, truth) -> Comparison:
    rows = {n: [values[p.index][n] for p in pictures] for n in names}
    true_rows = [truth[picture.index] for picture in pictures]
    return Comparison(
        pictures=pictures,
        sizes=[run.sizes[picture.index] for picture in pictures],
        geometry=geometries.describe(run.geometry, run.size),
        metrics=metrics,
        values={
            name: {m.key: _column(rows[name], m.key) for m in metrics}
            for name in names
        },
        truth={m.key: _column(true_rows, m.key) for m in measure.COLORFULNESS},
        fid={},
        failures=[],
    )
