"""Measuring every method on every true picture, into one long table.

A row of the table is one number: of a picture, by a method, by a metric.
Reports are made from it.
"""

import contextlib
import dataclasses
import functools
import itertools
from collections.abc import Callable
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tfcolor.data import files
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.evaluation import geometry as geometries
from tfcolor.evaluation import hue_shares
from tfcolor.evaluation import measure
from tfcolor.evaluation import packages
from tfcolor.evaluation.methods import Method
from tfcolor.evaluation.methods import TruePicture
from tfcolor.evaluation.methods import from_constant_ab
from tfcolor.inference.box_finder import Finder

if TYPE_CHECKING:
    import pandas

# What takes less memory here.
_TRY_LESS = "the geometry squash, or smaller pictures"
# Columns of the long table.
COLUMNS = ("picture", "method", "metric", "value")
# In the place of a method: the true pictures themselves. No method has it.
TRUE = ""
_HITS, _PIXELS = "_hits", "_pixels"


def numbers(picture: int, method: str, values: dict[str, float]) -> list[tuple]:
    """Makes the rows of one picture and method.

    Args:
        picture: int, its index.
        method: str, or `TRUE`.
        values: dict from the key of a metric to its value.

    Returns:
        list of (picture, method, metric, value): `COLUMNS`.
    """
    return [(picture, method, key, value) for key, value in values.items()]


def counted(counts: dict[str, tuple[int, int]]) -> dict[str, float]:
    """Makes two metrics of each share, its hits and its pixels.

    Args:
        counts: dict, as `hue_shares.count` returns it.

    Returns:
        dict from the name of a metric to its value.
    """
    return {
        f"{key}{end}": float(count)
        for key, pair in counts.items()
        for end, count in zip((_HITS, _PIXELS), pair, strict=True)
    }


def long_table(
    rows: list[tuple], more: tuple[str, ...] = ()
) -> "pandas.DataFrame":
    """Makes the table of rows, those of the first picture first.

    Args:
        rows: list of tuples, as of `numbers`, each with what `more` names at
            its end.
        more: tuple of str, columns after `COLUMNS`.

    Returns:
        DataFrame with `COLUMNS` and `more`; float64 values.
    """
    header = [*COLUMNS, *more]
    # Names as they are: those of files need not be UTF-8.
    table = packages.pandas.DataFrame(rows, columns=header, dtype=object)
    return table.astype({"picture": int, "value": float})


def columns(table: "pandas.DataFrame") -> dict[str, dict[str, np.ndarray]]:
    """Takes a long table apart.

    Args:
        table: DataFrame, of `long_table`.

    Returns:
        dict from the name of a method, in the order of the table, to a dict
        from a metric to a float64 array with a value for each picture.
    """
    found = {}
    groups = table.groupby(["method", "metric"], sort=False)["value"]
    for (method, metric), values in groups:
        found.setdefault(method, {})[metric] = values.to_numpy(copy=True)
    return found


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The numbers of an evaluation; all columns in the order of `pictures`.

    Attributes:
        pictures: list of the N TruePicture that every method could do.
        sizes: list of N (width, height), in the geometry.
        geometry: str, for people.
        metrics: tuple of Metric, those measured.
        table: DataFrame, of `long_table`, of every picture, method and metric.
            The baselines come first. The true pictures have the colorfulness
            metrics. Shares of pixels are two metrics each, see `counted`;
            there are none inside boxes.
        fid: dict from the name of a method to its FID; empty if not asked,
            NaN for fewer than two pictures.
        failures: list of (path, reason) of the pictures left out.
        efficientnet: dict from the name of a method to its EfficientNet-Lite0
            distance; as `fid`.
        in_boxes: Comparison of the pixels inside boxes alone, over the
            pictures that have any; None if it was not asked.
        lossy: tuple of str, the methods that read JPEG files.
    """

    pictures: list[TruePicture]
    sizes: list[tuple[int, int]]
    geometry: str
    metrics: tuple[measure.Metric, ...]
    table: "pandas.DataFrame"
    fid: dict[str, float]
    failures: list[tuple[str, str]]
    efficientnet: dict[str, float] = dataclasses.field(default_factory=dict)
    in_boxes: "Comparison | None" = None
    lossy: tuple[str, ...] = ()

    @functools.cached_property
    def values(self) -> dict[str, dict[str, np.ndarray]]:
        """The columns of each method, by the key of a metric."""
        found = columns(self.table)
        if not found:
            # No picture: the columns are there, and empty.
            none = {m.key: np.zeros(0) for m in self.metrics}
            return {measure.GREY: none, measure.MEAN_AB: none}
        return {name: found[name] for name in found if name != TRUE}

    @functools.cached_property
    def truth(self) -> dict[str, np.ndarray]:
        """The columns of the true pictures, by the key of a metric."""
        none = {m.key: np.zeros(0) for m in measure.COLORFULNESS}
        return columns(self.table).get(TRUE, none)

    @functools.cached_property
    def files(self) -> np.ndarray:
        """Which file each picture is of: int array [N], from 0 in order.

        Crops of one photograph have the same number.
        """
        paths = dict.fromkeys(picture.path for picture in self.pictures)
        numbers = {path: number for number, path in enumerate(paths)}
        return np.array([numbers[p.path] for p in self.pictures], int)

    @property
    def has_crops(self) -> bool:
        """Whether the pictures are parts of files."""
        return any(picture.box is not None for picture in self.pictures)

    def counts(self, method: str) -> dict[str, np.ndarray]:
        """Returns the pixels of the shares of a method.

        Args:
            method: str, or `TRUE`.

        Returns:
            dict from the keys of `hue_shares.SHARES` to a float64 array
            [2, N]: hits, and pixels that count. Empty if none were counted.
        """
        own = self.truth if method == TRUE else self.values[method]
        return {
            share.key: np.stack(
                [own[share.key + _HITS], own[share.key + _PIXELS]]
            )
            for share in hue_shares.SHARES
            if share.key + _HITS in own
        }

    def methods(self) -> list[str]:
        """Returns the names that are not baselines, in order."""
        both = (measure.GREY, measure.MEAN_AB)
        return [name for name in self.values if name not in both]

    def gain(self, method: str) -> np.ndarray:
        """Returns PSNR minus that of grey, picture by picture, in dB."""
        return self.values[method]["psnr"] - self.values[measure.GREY]["psnr"]


@dataclasses.dataclass
class Record:
    """What is known of a picture; of a second pass alone, what that adds.

    Attributes:
        rows: list of rows of the long table.
        features: dict from the name of a method, None for the truth, to a dict
            from the name of a distance to an array.
        rows_in_boxes: list of rows of the pixels inside boxes; None if the
            picture has no box.
        size: (width, height), in the geometry.
        mean_ab: float array [2], CIELAB.
    """

    rows: list[tuple] = dataclasses.field(default_factory=list)
    features: dict = dataclasses.field(default_factory=dict)
    rows_in_boxes: list[tuple] | None = None
    size: tuple[int, int] | None = None
    mean_ab: np.ndarray | None = None

    def add(self, other: "Record") -> None:
        """Adds what a second pass has found."""
        self.rows += other.rows
        self.features |= other.features
        if self.rows_in_boxes is not None:
            self.rows_in_boxes += other.rows_in_boxes


class Run:
    """The state of one comparison while it is made.

    Its pictures can be measured elsewhere, and their records put here.
    """

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
        # Record by index of the true picture.
        self.records = {}

    def read(self, picture: TruePicture, say=None) -> np.ndarray:
        """Reads a picture, in the geometry."""
        return geometries.fit(picture.read(say), self.geometry, self.size)

    def measure(self, picture, rgb_true, name, rgb) -> list[tuple]:
        """The rows of a method."""
        values = measure.measure(rgb_true, rgb)
        if self.lpips is not None:
            values[measure.LPIPS.key] = self.lpips(rgb_true, rgb)
        values |= counted(hue_shares.count(rgb_true, rgb))
        return numbers(picture.index, name, values)

    def measure_true(self, picture, rgb) -> list[tuple]:
        """The rows of the true picture itself."""
        values = measure.colorfulness(rgb)
        values |= counted(hue_shares.count(rgb, rgb))
        return numbers(picture.index, TRUE, values)

    def features_of(self, rgb) -> dict[str, np.ndarray]:
        """The features of each distance."""
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
        rows = self.measure_true(picture, rgb)
        for name, shown in predicted.items():
            rows += self.measure(picture, rgb, name, shown)
        features = {
            name: self.features_of(shown)
            for name, shown in {None: rgb, **predicted}.items()
        }
        chosen, inside = self.inside(picture, rgb), None
        if chosen.any():
            values = measure.colorfulness(rgb[chosen][:, None])
            inside = numbers(picture.index, TRUE, values)
            for name, shown in predicted.items():
                values = measure.measure_pixels(rgb, shown, chosen)
                inside += numbers(picture.index, name, values)
        self.save_picture(picture, {**predicted, None: rgb})
        self.records[picture.index] = Record(
            rows,
            features,
            inside,
            size=(rgb.shape[1], rgb.shape[0]),
            mean_ab=measure.mean_ab(rgb),
        )

    def second_pass(self, picture, method) -> None:
        """The mean-ab baseline of a picture of the first pass."""
        rgb = self.read(picture)
        name, predicted = method.name, method.predict(picture, rgb)
        record = self.records[picture.index]
        found = Record(
            self.measure(picture, rgb, name, predicted),
            {name: self.features_of(predicted)},
        )
        if record.rows_in_boxes is not None:
            chosen = self.inside(picture, rgb)
            values = measure.measure_pixels(rgb, predicted, chosen)
            found.rows_in_boxes = numbers(picture.index, name, values)
        record.add(found)

    def each(self, pictures, step, method) -> Iterator[tuple]:
        """Applies a pass; yields each picture and its Outcome."""
        for picture in pictures:
            reason = None
            # Whatever is wrong with one picture, the others are still done.
            try:
                step(picture, method)
            except Exception as error:
                reason = files.one_line(error, path=False, try_less=_TRY_LESS)
            yield (
                picture,
                Outcome(picture.path, reason=reason, name=picture.name),
            )


def _distances(run: Run, done: list[TruePicture], names, key: str) -> dict:
    """Returns the distance of each method's pictures from the true ones."""
    if key not in run.extractors:
        return {}
    if len(done) < 2:
        return dict.fromkeys(names, float("nan"))

    def features(name):
        found = (run.records[p.index].features[name] for p in done)
        return np.stack([features[key] for features in found])

    distance = run.extractors[key].distance
    return {name: distance(features(None), features(name)) for name in names}


def make_run(
    *,
    geometry: str = "original",
    size: int = geometries.DEFAULT_SIZE,
    lpips: Callable[[np.ndarray, np.ndarray], float] | None = None,
    fid=None,
    efficientnet=None,
    find_boxes: Finder | None = None,
    save_picture: Callable[[TruePicture, dict], None] = lambda *_: None,
    say: Callable[[str, str], None] | None = None,
) -> Run:
    """Makes the state of a comparison.

    Args:
        geometry: str, one of `geometry.GEOMETRIES`.
        size: int, side of the square of the geometry.
        lpips: `perceptual.Lpips` or None.
        fid: `perceptual.Fid` or None.
        efficientnet: `perceptual.EfficientNetDistance` or None.
        find_boxes: box_finder.Finder or None. Where to measure once more,
            inside boxes alone.
        save_picture: function called with each TruePicture that went well and
            a dict from the name of a method (None: the truth) to a uint8
            array [H, W, 3]. The mean-ab baseline is not among them.
        say: function of a path and a line of text, or None. Told what was
            left out or ignored of a true picture's file.

    Returns:
        Run.
    """
    extractors = {"fid": fid, "efficientnet": efficientnet}
    return Run(
        geometry=geometry,
        size=size,
        lpips=lpips,
        extractors={k: e for k, e in extractors.items() if e is not None},
        save_picture=save_picture,
        find_boxes=find_boxes,
        say=say,
    )


class Passes:
    """Goes over the pictures of a comparison, twice, one after the other.

    Args:
        methods: list of Method, without the baselines.
    """

    def __init__(self, methods):
        self._methods = methods

    def first(self, run: Run, truth: list) -> Iterator[tuple]:
        """Measures everything that does not need the mean ab of all.

        Args:
            run: Run, which knows it then.
            truth: list of TruePicture.

        Returns:
            Generator of each TruePicture and its Outcome, in any order.
        """
        grey = from_constant_ab(measure.GREY, np.zeros(2))
        return run.each(truth, run.first_pass, [grey, *self._methods])

    def second(self, run: Run, done: list, ab: np.ndarray) -> Iterator[tuple]:
        """Measures the mean-ab baseline.

        Args:
            run: Run.
            done: list of TruePicture, of `first`.
            ab: float array [2], CIELAB.

        Returns:
            As `first`.
        """
        painted = from_constant_ab(measure.MEAN_AB, ab)
        return run.each(done, run.second_pass, painted)


def compare(
    truth: list[TruePicture],
    methods: list[Method],
    *,
    passes: Passes | None = None,
    stop: Callable[[], bool] = outcome_lib.never,
    on_picture: Callable[[str, int, int], None] = lambda *_: None,
    **options,
) -> Outcomes:
    """Measures methods and the two baselines on true pictures.

    A picture that cannot be read, or that a method cannot do, is left out of
    all columns, so that all means are over the same pictures. The pictures are
    gone over twice, as one baseline needs the mean of all; a picture's outcome
    comes with the second pass, or as soon as it has failed.

    Args:
        truth: list of TruePicture.
        methods: list of Method with different names.
        passes: Passes or None. Who goes over the pictures, if others do.
        stop: function without arguments, asked after each picture of both
            passes. Once it returns True no other picture is begun.
        on_picture: function of the name of a pass, its pictures done and in
            all.
        **options: see `make_run`.

    Returns:
        Outcomes, one for each true picture. Its result is a Comparison, whose
        `pictures` is empty if none went well; None if it was stopped.
    """
    run = make_run(**options)
    passes = passes or Passes(methods)
    follow = functools.partial(_follow, on_picture=on_picture, stop=stop)
    return Outcomes(_run(run, truth, methods, passes, follow), len(truth))


def _follow(
    name: str, pictures: list, outcomes, is_last: bool, *, on_picture, stop
):
    """Yields the outcomes that are final; a pass's generator.

    Returns:
        The pictures that went well and (path, reason) of the others, in order;
        None if it was stopped.
    """
    found = {}
    on_picture(name, 0, len(pictures))
    with contextlib.closing(outcomes):
        for picture, outcome in outcomes:
            found[picture.index] = outcome
            on_picture(name, len(found), len(pictures))
            if is_last or outcome.reason:
                yield outcome
            if stop():
                return None
    failed = [(p.path, found[p.index].reason) for p in pictures]
    return (
        [p for p in pictures if not found[p.index].reason],
        [(path, reason) for path, reason in failed if reason],
    )


def _run(run: Run, truth: list, methods: list, passes: Passes, follow):
    """Yields the outcomes; returns the Comparison, or None if stopped."""
    pairs = passes.first(run, truth)
    ended = yield from follow("pictures", truth, pairs, False)
    if ended is None:
        return None
    done, failures = ended
    if done:
        ab = np.mean([run.records[p.index].mean_ab for p in done], axis=0)
        pairs = passes.second(run, done, ab)
        ended = yield from follow(measure.MEAN_AB, done, pairs, True)
        if ended is None:
            return None
        done, late = ended
        failures += late
    names = [measure.GREY, measure.MEAN_AB, *(m.name for m in methods)]
    in_boxes = None
    if run.find_boxes is not None:
        inside = [
            p for p in done if run.records[p.index].rows_in_boxes is not None
        ]
        in_boxes = _comparison(
            *(run, inside, names, measure.PIXEL_METRICS),
            [run.records[p.index].rows_in_boxes for p in inside],
        )
    rows = [run.records[p.index].rows for p in done]
    metrics = measure.METRICS + ((measure.LPIPS,) if run.lpips else ())
    return dataclasses.replace(
        _comparison(run, done, names, metrics, rows),
        fid=_distances(run, done, names, "fid"),
        efficientnet=_distances(run, done, names, "efficientnet"),
        failures=failures,
        in_boxes=in_boxes,
        lossy=tuple(method.name for method in methods if method.lossy),
    )


def _comparison(run, pictures, names, metrics, rows) -> Comparison:
    order = [TRUE, *names]
    return Comparison(
        pictures=pictures,
        sizes=[run.records[picture.index].size for picture in pictures],
        geometry=geometries.describe(run.geometry, run.size),
        metrics=metrics,
        table=long_table(
            sorted(
                itertools.chain.from_iterable(rows),
                # Stable: pictures and metrics stay in their order.
                key=lambda row: order.index(row[1]),
            )
        ),
        fid={},
        failures=[],
    )
