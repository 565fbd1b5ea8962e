"""One object that colorizes pictures of any size."""

import functools
import os
from collections.abc import Sequence

import numpy as np

from tfcolor.boxes.picture_boxes import PictureBoxes
from tfcolor.color import array_lab
from tfcolor.inference import checks
from tfcolor.inference import defaults
from tfcolor.inference import runtimes
from tfcolor.inference.hint_points import HintPoint


class Colorizer:
    """Colorizes pictures with a network, keeping each one's own lightness.

    A picture is squashed to the network's square, the network finds its ab,
    and ab is resized to the picture and put beside its L. A model of
    `fusion.instance_colorizer` also colors what lies in boxes by itself.
    Several threads may share a Colorizer.

    Example:
        from tfcolor import Colorizer

        colorizer = Colorizer()
        rgb = colorizer.colorize(grey_or_rgb)

    Args:
        model: None for the weights that ship with tfcolor, str (the name of
            shipped or published weights, or the path of a `.keras`, `.pth`
            or `.safetensors` file) or keras.Model
            with the inputs `L`, `hints` and `mask`, perhaps those of boxes
            too, or `L` alone, or `L` and `classes`, and the output `ab`.
        image_size: int or None. Side of the network's square in pixels, a
            multiple of 8, for some models, such as lite2_unet, of 32; None
            means the size the model was trained at. More finds smaller things
            and overlooks bigger ones.
        batch_size: int. Pictures that go through the network at once.
        saturation: float, 0 or above. Factor on ab; colors that sRGB does
            not hold are brought into it afterwards.
        style: str, float or None. How lively the colors of a shipped model
            are: "natural", "vivid", or a number from 0 (natural) to 1
            (vivid). None is the model's default.
        upsampling: str or None. How ab comes to the size of a picture:
            "guided" by the picture's own edges, or "bilinear"; None is the
            model's default.
        crop_size: int, "adaptive" or None. Side of the square in pixels that
            each box is squashed to, a multiple of 8; None means `image_size`.
            "adaptive" makes small boxes smaller squares, which is quicker.
        boxes_at_once: int or None. With more boxes than that a picture's
            boxes go through the networks in turns, so that memory does not
            grow with their number; see `network`. None means all at once.
            Results are equal up to rounding.
        runtime: str. "tensorflow" runs any model. "litert" runs lite2_unet and
            lite0_unet at their own size, without hints, and is there in a
            fraction of the time: it imports no TensorFlow. "auto" takes LiteRT
            where it can, and TensorFlow where it must. Pictures are equal
            within one level of 8 bits.

    Attributes:
        image_size: int. Side of the network's square in pixels.
        batch_size: int.
        saturation: float.
        upsampling: str, "guided" or "bilinear".
        crop_sizes: tuple of int, the sides of those squares.
        takes_boxes: bool. Whether the model does something with boxes.
        takes_box_classes: bool. Whether it must know what lies in them.
        takes_hints: bool. Whether it does with hints.
        num_classes: int. Of a class-conditional model, which is a control of
            experiments; 0 for all others.

    Raises:
        FileNotFoundError: there is no such model file.
        ValueError: `model` is not a colorization model or not known, a number
            is out of range, or `crop_size` comes for a model without boxes.
    """

    def __init__(
        self,
        model: "keras.Model | str | os.PathLike | None" = None,  # noqa: F821
        *,
        image_size: int | None = None,
        batch_size: int = defaults.BATCH_SIZE,
        saturation: float = defaults.SATURATION,
        style: str | float | None = None,
        upsampling: str | None = None,
        crop_size: int | str | None = None,
        boxes_at_once: int | None = defaults.BOXES_AT_ONCE,
        runtime: str = defaults.TENSORFLOW,
    ):
        checks.check_size("image_size", image_size)
        if crop_size != defaults.ADAPTIVE:
            checks.check_size("crop_size", crop_size)
        checks.check_batch_size(batch_size)
        checks.check_boxes_at_once(boxes_at_once)
        checks.check_saturation(saturation)
        checks.check_upsampling(upsampling)
        checks.check_runtime(runtime)
        named = isinstance(model, str | os.PathLike | None)
        self._identity = _identity(model, style, named)
        # Its weights are looked at when they are asked for: it takes a while.
        self._weights = None if named else model
        self._runtimes = runtimes.choose(
            runtime,
            model=model,
            image_size=image_size,
            style=style,
            crop_size=crop_size,
            boxes_at_once=boxes_at_once,
        )
        usual, takes = self._runtimes.usual, self._runtimes.takes
        checks.check_crop_size(crop_size, takes)
        self.image_size = usual.image_size
        self.upsampling = upsampling or usual.upsampling
        self.crop_sizes = usual.crop_sizes
        self.batch_size = batch_size
        self.saturation = saturation
        self.takes_box_classes = takes.box_classes
        self.takes_boxes = takes.boxed
        self.takes_hints = takes.hints
        self.num_classes = takes.classes
        if usual.makes_graphs:
            # Now, since it takes longer than many a picture.
            classes = np.zeros(self.num_classes) if self.num_classes else None
            self.colorize(np.zeros((1, 1, 3), np.uint8), classes=classes)

    @functools.cached_property
    def identity(self) -> str:
        """Tells models apart: the file or name, or the weights; the style."""
        if self._weights is None:
            return self._identity
        from tfcolor.inference import tensorflow_runtime

        digest = tensorflow_runtime.weights_digest(self._weights)
        return f"{self._identity} {digest:08x}"

    def colorize(
        self,
        rgb: np.ndarray,
        *,
        hints: Sequence[HintPoint] | None = None,
        boxes: np.ndarray | PictureBoxes | None = None,
        classes: np.ndarray | None = None,
    ) -> np.ndarray:
        """Colorizes a picture.

        Args:
            rgb: uint8 or uint16 array [H, W, 3] (sRGB, of which only the
                lightness is used), [H, W, 1] or [H, W] (grey).
            hints: None or HintPoints, in pixels of this picture.
            boxes: None, array [M, 4], yxyx in pixels of this picture, or
                PictureBoxes: where things are, for a model that colors them
                by themselves. One that takes their classes needs PictureBoxes.
                Boxes that lie outside the picture are left out.
            classes: None or array [num_classes], how much the picture shows
                of each class, for a class-conditional model.

        Returns:
            array [H, W, 3] of the dtype of `rgb`, sRGB.

        Raises:
            ValueError: `rgb` has another dtype or shape, a hint lies out of
                the picture, `boxes` or `classes` has another shape, or the
                model takes none of them, or is class-conditional and gets none.
        """
        return self.colorize_batch(
            [rgb], hints=[hints], boxes=[boxes], classes=[classes]
        )[0]

    def colorize_batch(
        self,
        pictures: Sequence[np.ndarray],
        *,
        hints: Sequence[Sequence[HintPoint] | None] | None = None,
        boxes: Sequence[np.ndarray | PictureBoxes | None] | None = None,
        classes: Sequence[np.ndarray | None] | None = None,
        seen: Sequence[np.ndarray | None] | None = None,
    ) -> list[np.ndarray]:
        """Colorizes pictures, which may differ in size.

        Args:
            pictures: sequence of uint8 or uint16 arrays [H, W, 3], [H, W, 1]
                or [H, W], each as in `colorize`.
            hints: None or a sequence with None or HintPoints for each
                picture, in its pixels.
            boxes: None or a sequence with None or an array [M, 4] for each
                picture, yxyx in its pixels.
            classes: None or a sequence with None or an array [num_classes]
                for each picture.
            seen: None or a sequence with None or an array for each picture,
                of its size: what the network looks at instead, where not all
                of a picture shows. The lightness stays the picture's.

        Returns:
            list of arrays [H, W, 3], each of its picture's dtype and size.

        Raises:
            ValueError: as `colorize`, or the lengths differ.
        """
        hints = checks.one_each("hints", hints, len(pictures))
        runtime = self._runtimes.of(hints)
        pictures = [runtime.as_picture(rgb) for rgb in pictures]
        looked_at = [
            picture if instead is None else runtime.as_picture(instead)
            for picture, instead in zip(
                pictures,
                checks.one_each("seen", seen, len(pictures)),
                strict=True,
            )
        ]
        return [
            runtime.finish(picture, ab, self.saturation, self.upsampling)
            for picture, ab in zip(
                pictures,
                self._predict(runtime, looked_at, hints, boxes, classes),
                strict=True,
            )
        ]

    def predict_ab(
        self,
        rgb: np.ndarray,
        *,
        hints: Sequence[HintPoint] | None = None,
        boxes: np.ndarray | PictureBoxes | None = None,
        classes: np.ndarray | None = None,
    ) -> np.ndarray:
        """Returns the network's color alone, for every pixel of a picture.

        It is neither multiplied by `saturation` nor brought into sRGB.

        Args:
            rgb: uint8 or uint16 array [H, W, 3], [H, W, 1] or [H, W].
            hints: None or HintPoints, in pixels of this picture.
            boxes: None or array [M, 4]; see `colorize`.
            classes: None or array [num_classes]; see `colorize`.

        Returns:
            float32 array [H, W, 2], CIELAB.

        Raises:
            ValueError: as `colorize`.
        """
        runtime = self._runtimes.of([hints])
        picture = runtime.as_picture(rgb)
        prompts = [hints], [boxes], [classes]
        (ab,) = self._predict(runtime, [picture], *prompts)
        return runtime.full_ab(picture, ab, self.upsampling)

    def network_ab(
        self,
        pictures: Sequence[np.ndarray],
        *,
        hints: Sequence[Sequence[HintPoint] | None] | None = None,
        boxes: Sequence[np.ndarray | PictureBoxes | None] | None = None,
    ) -> list[np.ndarray]:
        """Returns the network's color at its own size.

        With `finish` it is `colorize_batch` in two steps, for who wants to do
        something in between.

        Args:
            pictures: sequence of arrays, each as in `colorize`.
            hints: None or a sequence with None or HintPoints for each.
            boxes: None or a sequence with None or boxes for each; see
                `colorize`.

        Returns:
            list of float32 arrays [image_size, image_size, 2], CIELAB, of the
            picture squashed to a square.

        Raises:
            ValueError: as `colorize`.
        """
        hints = checks.one_each("hints", hints, len(pictures))
        runtime = self._runtimes.of(hints)
        pictures = [runtime.as_picture(rgb) for rgb in pictures]
        found = self._predict(runtime, pictures, hints, boxes, None)
        return [np.asarray(ab) for ab in found]

    def finish(self, rgb: np.ndarray, ab: np.ndarray) -> np.ndarray:
        """Gives a picture the color of a small map.

        Args:
            rgb: array [H, W, 3], [H, W, 1] or [H, W], as in `colorize`.
            ab: float32 array [h, w, 2], CIELAB, of any size.

        Returns:
            array [H, W, 3] of the dtype of `rgb`, sRGB.
        """
        usual = self._runtimes.usual
        picture = usual.as_picture(rgb)
        return usual.finish(picture, ab, self.saturation, self.upsampling)

    def _predict(self, runtime, pictures, hints, boxes, classes):
        """Yields float32 [image_size, image_size, 2] for each picture."""
        boxes = checks.one_each("boxes", boxes, len(pictures))
        classes = checks.one_each("classes", classes, len(pictures))
        self._check_prompts(hints, boxes, classes)
        for start in range(0, len(pictures), self.batch_size):
            batch = slice(start, start + self.batch_size)
            yield from runtime.predict(
                pictures[batch], hints[batch], boxes[batch], classes[batch]
            )

    def _check_prompts(self, hints, boxes, classes) -> None:
        """Refuses what the model would not listen to."""
        if not self.takes_boxes and any(b is not None for b in boxes):
            raise ValueError(
                "`boxes` need a model that colors them by themselves, as of "
                "`fusion.instance_colorizer`. Received: boxes for a model of "
                "whole pictures"
            )
        if self.takes_box_classes and any(
            b is not None and not isinstance(b, PictureBoxes) for b in boxes
        ):
            raise ValueError(
                "`boxes` must be PictureBoxes, with classes, for a model that "
                "takes these. Received: boxes alone"
            )
        if not self.takes_hints and any(hints):
            raise ValueError(
                "`hints` need a model that takes them. Received: hints for a "
                "model of lightness alone"
            )
        shape = (self.num_classes,) if self.num_classes else None
        found = {None if c is None else np.shape(c) for c in classes}
        if found - {shape}:
            raise ValueError(
                "`classes` must be an array [num_classes] for each picture if "
                "the model is class-conditional, and None otherwise. "
                f"Received: {found} with num_classes={self.num_classes}"
            )


def _identity(model, style, named: bool) -> str:
    if not named:
        return f"{model.name} {model.count_params()} {style}"
    text = f"{'' if model is None else os.fspath(model)} {style}"
    if model is not None and os.path.isfile(model):
        found = os.stat(model)
        text += f" {found.st_size} {found.st_mtime_ns}"
    return text


def grey(rgb: np.ndarray) -> np.ndarray:
    """Returns what a colorizer keeps of a picture: its lightness, as RGB.

    Args:
        rgb: uint8 or uint16 array [H, W, 3], [H, W, 1] or [H, W].

    Returns:
        array [H, W, 3] of the same dtype, R = G = B.

    Raises:
        ValueError: `rgb` has another dtype or shape.
    """
    return array_lab.grey_values(checks.check_picture(rgb))
