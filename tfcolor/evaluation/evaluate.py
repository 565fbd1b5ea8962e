"""Evaluating: from pictures and models as people name them to a report.

What `tfcolor evaluate` does, for programs.
"""

import dataclasses
import functools
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

from tfcolor import keras_backend
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcomes
from tfcolor.detection import defaults as detection_defaults
from tfcolor.evaluation import compare
from tfcolor.evaluation import geometry as geometries
from tfcolor.evaluation import methods as methods_lib
from tfcolor.evaluation import packages
from tfcolor.evaluation import perceptual
from tfcolor.evaluation import report
from tfcolor.evaluation.color_scores import ClassCollector
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.methods import Method
from tfcolor.evaluation.methods import TruePicture
from tfcolor.inference import box_finder
from tfcolor.inference import defaults
from tfcolor.inference.colorizer import Colorizer
from tfcolor.pictures import pillow_limit
from tfcolor.weights import model_file
from tfcolor.weights import shipped


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What an evaluation has found.

    Attributes:
        comparison: Comparison; without pictures if none could be compared.
        markdown: str or None. The summary of the report; None if no picture
            could be compared, and no report was written.
    """

    comparison: Comparison
    markdown: str | None


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What a process measures with.

    Attributes:
        truth: list of TruePicture, in one order everywhere.
        methods: list of Method, without the baselines.
        collector: ClassCollector or None, which looks at the pictures too.
        options: dict, those of `compare.make_run` that do not depend on where
            the report is made.
    """

    truth: list[TruePicture]
    methods: list[Method]
    collector: ClassCollector | None
    options: dict

    def saving_to(self, folder: str) -> tuple[report.ReportPictures, dict]:
        """Says where small pictures go.

        Args:
            folder: str, that of the report.

        Returns:
            ReportPictures, and the options with what saves them.
        """
        names = [method.name for method in self.methods]
        pictures = report.ReportPictures(folder, names)

        def save(picture, rgb):
            pictures.save(picture, rgb)
            if self.collector is not None:
                self.collector.look(picture, rgb)

        return pictures, self.options | {"save_picture": save}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is compared, and how; can be pickled.

    Attributes:
        truth: sequence of str. Color pictures: folders, globs and files.
        output: str. Folder of the report.
        overwrite: bool. Whether an earlier report may be replaced.
        models: sequence of str, names of models or paths of their files. If
            there are none, and no predictions, the default model.
        predictions: sequence of str, folders of pictures colorized earlier
            under the relative names of the true ones.
        boxes: str or None. Boxes of the true pictures; see
            `box_finder.open_finder`.
        max_boxes: int. The boxes of highest score that a picture keeps.
        crops: bool. Compares what lies in boxes, each as a picture.
        by_class: bool. Whether the folders right below `truth` are classes, of
            which the report tells too.
        limit: int or None. Compares the first so many pictures only.
        geometry: str, one of `geometry.GEOMETRIES`.
        geometry_size: int, side of the square of the geometry in pixels.
        image_size: int or None. Size at which the networks see a picture;
            None is each model's own.
        saturation: float. Factor on the ab of every model.
        max_pixels: int. A picture of more is not decoded, but fails.
        lpips_weights: sequence of str, one or two paths; see
            `perceptual.load_lpips`.
        fid_weights: str or None, a path; see `perceptual.Fid`.
    """

    truth: Sequence[str]
    output: str
    overwrite: bool = False
    models: Sequence[str] = ()
    predictions: Sequence[str] = ()
    boxes: str | None = None
    max_boxes: int = detection_defaults.MAX_BOXES
    crops: bool = False
    by_class: bool = False
    limit: int | None = None
    geometry: str = geometries.GEOMETRIES[0]
    geometry_size: int = geometries.DEFAULT_SIZE
    image_size: int | None = None
    saturation: float = defaults.SATURATION
    max_pixels: int = pillow_limit.MAX_PIXELS
    lpips_weights: Sequence[str] = ()
    fid_weights: str | None = None

    @property
    def model_names(self) -> list[str]:
        """The models, with the default where nothing else is compared."""
        if not self.models and not self.predictions:
            return [shipped.DEFAULT]
        return list(self.models)

    def prepare(
        self,
        *,
        found: list[TruePicture] | None = None,
        say: Callable[[str], None] | None = None,
        note: Callable[[str, str], None] | None = None,
    ) -> Prepared:
        """Finds the pictures and loads the models.

        Args:
            found: list of TruePicture or None; see `evaluate`.
            say: function of a line of text, or None. Told what is left out.
            note: function of a path and a line of text, or None. Told what is
                ignored of a prediction's file, when it is read.

        Returns:
            Prepared.

        Raises:
            OSError, ValueError: see `evaluate`.
        """
        if self.geometry not in geometries.GEOMETRIES:
            raise ValueError(
                f"`geometry` must be one of {geometries.GEOMETRIES}. "
                f"Received: geometry={self.geometry!r}"
            )
        if self.geometry_size < 1:
            raise ValueError(
                "`geometry_size` must be at least 1. "
                f"Received: {self.geometry_size}"
            )
        report.check_folder(self.output, overwrite=self.overwrite)
        truth = found or methods_lib.list_truth(
            *self.truth,
            limit=self.limit,
            outside=self.output,
            say=say,
            max_pixels=self.max_pixels,
        )
        # Now, since it says what is wrong with the folders.
        collector = self._collector(truth)
        find_boxes = self._open_boxes(truth)
        if self.crops:
            truth, find_boxes = self._crops(truth, find_boxes), None
            collector = self._collector(truth)
        paths = self.lpips_weights
        lpips = perceptual.load_lpips(*paths) if paths else None
        fid = perceptual.Fid(self.fid_weights) if self.fid_weights else None
        if fid and len(truth) < 2:
            raise ValueError("FID needs at least 2 pictures. Received: 1")
        options = {
            "geometry": self.geometry,
            "size": self.geometry_size,
            "find_boxes": find_boxes,
            "lpips": lpips,
            "fid": fid,
            "efficientnet": perceptual.open_installed(),
        }
        methods = self._methods(truth, find_boxes, note)
        return Prepared(truth, methods, collector, options)

    def _collector(self, truth) -> ClassCollector | None:
        return ClassCollector(truth) if self.by_class else None

    def _open_boxes(self, truth):
        """Returns the function that finds a picture's boxes, or None."""
        if self.boxes is None:
            return None
        if self.geometry == "center_crop":
            raise ValueError(
                "`boxes` are those of whole pictures. "
                f"Received: geometry={self.geometry}"
            )
        return box_finder.open_finder(
            self.boxes,
            max_boxes=self.max_boxes,
            pictures=[picture.path for picture in truth],
        )

    def _crops(self, truth, find_boxes) -> list[TruePicture]:
        """Returns a picture for each box."""
        if find_boxes is None or self.predictions:
            raise ValueError(
                "`crops` needs `boxes`, and no `predictions`. Received: "
                f"boxes={self.boxes}, {len(self.predictions)} folders of "
                "predictions"
            )
        return methods_lib.crops(truth, find_boxes)

    def _methods(self, truth, find_boxes, note) -> list[Method]:
        """Loads the models and lists the predictions."""
        models = self.model_names
        names = methods_lib.unique_names(models + list(self.predictions))
        made = [
            self._from_model(*pair, find_boxes)
            for pair in zip(names, models, strict=False)
        ]
        for folder in self.predictions:
            made.append(
                methods_lib.from_folder(
                    names[len(made)],
                    folder,
                    truth,
                    geometry=self.geometry,
                    size=self.geometry_size,
                    say=note,
                )
            )
        return made

    def _from_model(self, name: str, model: str, find_boxes) -> Method:
        colorizer = Colorizer(
            model, image_size=self.image_size, saturation=self.saturation
        )
        return methods_lib.from_colorizer(
            name,
            colorizer,
            find_boxes=find_boxes,
            classes_of=self._classes_of(model, colorizer),
        )

    def _classes_of(self, model: str, colorizer: Colorizer):
        """Returns the function that gives a picture's classes, or None."""
        if not colorizer.num_classes:
            return None
        info = model_file.read_info(model)
        if not self.by_class or len(info.class_names) != colorizer.num_classes:
            raise ValueError(
                "A class-conditional model needs `by_class`, and the names of "
                f"its classes in its file. Received: models={model}, "
                f"{len(info.class_names)} names"
            )
        return functools.partial(
            methods_lib.given_classes,
            class_names=info.class_names,
            shuffled=info.inputs == model_file.SHUFFLED_CLASSES,
        )


def evaluate(
    truth: Sequence[str],
    output: str,
    *,
    found: list[TruePicture] | None = None,
    make_passes: Callable | None = None,
    stop: Callable[[], bool] = outcome_lib.never,
    on_picture: Callable[[str, int, int], None] = lambda *_: None,
    say: Callable[[str], None] | None = None,
    note: Callable[[str, str], None] | None = None,
    **wanted,
) -> Outcomes:
    """Measures models or colorized pictures against true ones, into a report.

    What is wrong with pictures, models, options or the folder of the report
    raises an error before the first picture; a picture that cannot be compared
    is an outcome with a reason, and left out of all numbers. The work is done
    while the result is iterated. It goes over the pictures twice: an outcome
    comes with the second pass, or as soon as a picture has failed. The report
    appears when it is whole; of work that is stopped nothing is left.

    Args:
        truth: sequence of str. Color pictures: folders, globs and files.
        output: str. Folder of the report: new, empty, or of an earlier one.
        found: list of TruePicture or None: the true pictures, if others have
            found them; None is those that `truth` names.
        make_passes: function of Wanted, Prepared and the folder where the
            report is made to `compare.Passes`, if others go over the pictures.
        stop: function without arguments, asked after each picture of both
            passes. Once it returns True no other picture is begun.
        on_picture: function of the name of a pass, its pictures done and in
            all.
        say: function of a line of text, or None. Told what is left out.
        note: function of a path and a line of text, or None. Told what is
            ignored of a picture's file, be it true or a prediction.
        **wanted: what is compared, and how; see `Wanted`.

    Returns:
        Outcomes, one for each true picture or crop. Its result is an
        Evaluation; None if it was stopped.

    Raises:
        OSError: there are no such pictures, models, boxes or weights, or the
            folder may not be replaced. While this is iterated: the report
            cannot be written.
        ValueError: an option is out of range or does not go with another.
        ImportError: a package of the extra [evaluate] is not installed.

    Example:
        >>> work = evaluate(["photos"], "report", models=["lite2_unet"])
        >>> for outcome in work:
        ...     print(outcome.source, outcome.reason or "compared")
        >>> print(work.result.markdown)
    """
    keras_backend.require_tensorflow("An evaluation")
    packages.check()
    asked = Wanted(truth=truth, output=output, **wanted)
    prepared = asked.prepare(found=found, say=say, note=note)
    running = _run(
        asked,
        prepared,
        make_passes and functools.partial(make_passes, asked, prepared),
        stop=stop,
        on_picture=on_picture,
        say=note,
    )
    return Outcomes(running, len(prepared.truth))


class _NoReport(Exception):
    """The folder of the report is to go."""


def _run(
    wanted: Wanted, prepared: Prepared, make_passes, **options
) -> Iterator:
    """Yields the outcomes; returns the Evaluation, or None if stopped."""
    collector = prepared.collector
    try:
        with report.atomic_folder(
            wanted.output, overwrite=wanted.overwrite
        ) as folder:
            pictures, saving = prepared.saving_to(folder)
            comparison = yield from compare.compare(
                prepared.truth,
                prepared.methods,
                passes=make_passes and make_passes(folder),
                **saving,
                **options,
            )
            if comparison is None or not comparison.pictures:
                raise _NoReport
            scores = collector and collector.scores(comparison)
            markdown = report.write_report(
                comparison, pictures, folder, scores=scores
            )
    except _NoReport:
        return comparison and Evaluation(comparison, None)
    return Evaluation(comparison, markdown)
