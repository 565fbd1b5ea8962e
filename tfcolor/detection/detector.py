"""Finding boxes in pictures with an exported detector."""

import numpy as np
import tensorflow as tf

from tfcolor import keras_backend
from tfcolor.boxes import picture_boxes
from tfcolor.boxes.picture_boxes import PictureBoxes
from tfcolor.color import lab
from tfcolor.detection import defaults
from tfcolor.detection import signatures

# Of a pixel; float32 holds no more of a coordinate in a large picture.
_DECIMALS = 2
# An 8-bit L spreads 0..100 over 0..255, as OpenCV's 8-bit CIELAB does.
_LEVELS_PER_L = 255 / 100


class Detector:
    """A Mask R-CNN or any other detector, exported as a SavedModel.

    Args:
        path: str. The SavedModel; see `signatures` for the two conventions.
        score_threshold: float in 0..1. Boxes of at least this score are kept.
        max_boxes: int, at least 1. Of those, at most so many of highest score.
        detector_input: str. "L": the detector sees the lightness alone, so
            that a grey photo and its color original get equal boxes; "rgb":
            it sees the picture as it is.

    Attributes:
        convention: signatures.Convention.

    Raises:
        FileNotFoundError: there is no SavedModel.
        ValueError: it follows no known convention, or an option is wrong.
    """

    def __init__(
        self,
        path: str,
        *,
        score_threshold: float = defaults.SCORE_THRESHOLD,
        max_boxes: int = defaults.MAX_BOXES,
        detector_input: str = defaults.INPUT_L,
    ):
        check_options(score_threshold, max_boxes, detector_input)
        if detector_input == defaults.INPUT_L:
            keras_backend.require_tensorflow("A detector that sees lightness")
        self._loaded, self._signature = signatures.load_signature(path)
        self.convention = signatures.recognize(self._signature)
        self._score_threshold = score_threshold
        self._max_boxes = max_boxes
        self._input = detector_input

    def detect(self, rgb: np.ndarray) -> PictureBoxes:
        """Finds boxes in a picture.

        Args:
            rgb: uint8 array [H, W, 3].

        Returns:
            PictureBoxes, the best one first: whole pixels inside the picture,
            no box without area.
        """
        return self.detect_batch([rgb])[0]

    def detect_batch(self, pictures: list[np.ndarray]) -> list[PictureBoxes]:
        """Finds boxes in pictures of equal size, as many at once as it can.

        Args:
            pictures: list of uint8 arrays [H, W, 3], all of one size.

        Returns:
            list of PictureBoxes, as of `detect`.

        Raises:
            ValueError: the sizes differ.
        """
        shapes = {rgb.shape for rgb in pictures}
        if len(shapes) > 1:
            raise ValueError(
                f"`pictures` must have one size. Received: {sorted(shapes)}"
            )
        count = self.convention.batch_size or len(pictures)
        found = []
        for start in range(0, len(pictures), count):
            part = pictures[start : start + count]
            # A signature of fixed batch size gets the last picture again.
            filled = part + part[-1:] * (count - len(part))
            found += self._detect(filled)[: len(part)]
        return found

    def _detect(self, pictures: list[np.ndarray]) -> list[PictureBoxes]:
        seen = [self._prepare(rgb) for rgb in pictures]
        outputs = self._signature(
            **{self.convention.input_name: tf.stack(seen)}
        )
        outputs = {name: value.numpy() for name, value in outputs.items()}
        height, width = pictures[0].shape[:2]
        return [
            self._select(_picture_boxes(outputs, i, height, width), rgb.shape)
            for i, rgb in enumerate(pictures)
        ]

    def _prepare(self, rgb: np.ndarray) -> tf.Tensor:
        rgb = tf.convert_to_tensor(rgb, tf.uint8)
        if self._input == defaults.INPUT_L:
            rgb = stacked_L(rgb)
        # PNG, since it gives the detector the very pixels.
        return tf.io.encode_png(rgb) if self.convention.encoded else rgb

    def _select(self, found: PictureBoxes, shape) -> PictureBoxes:
        """Keeps the best boxes that have an area inside the picture."""
        found = found.take(found.scores >= self._score_threshold)
        return found.best(
            height=shape[0], width=shape[1], max_boxes=self._max_boxes
        )


@tf.function(
    input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)],
    autograph=False,
)
def stacked_L(rgb: tf.Tensor) -> tf.Tensor:
    """Makes a grey picture of a picture's lightness.

    A detector that looks at the colors of its picture would find other boxes
    in training than in a grey photo, so it is shown L alone.

    Args:
        rgb: uint8 tensor [H, W, 3].

    Returns:
        uint8 tensor [H, W, 3]: three times round(L * 255 / 100), which is
        close to the grey of that lightness, but not the same.

    Reference:
        Su, Chu and Huang, Instance-aware image colorization, CVPR 2020, and
        the detection step of the code released with it.
    """
    L = lab.rgb_to_L(tf.cast(rgb, tf.float32) / 255)
    level = tf.cast(tf.round(L * _LEVELS_PER_L), tf.uint8)
    return tf.repeat(level, 3, axis=-1)


def check_options(
    score_threshold: float, max_boxes: int, detector_input: str
) -> None:
    """Raises ValueError unless these are options of a Detector."""
    if not 0 <= score_threshold <= 1:
        raise ValueError(
            "`score_threshold` must be in 0..1. "
            f"Received: score_threshold={score_threshold}"
        )
    if max_boxes < 1:
        raise ValueError(
            f"`max_boxes` must be at least 1. Received: max_boxes={max_boxes}"
        )
    if detector_input not in defaults.INPUTS:
        raise ValueError(
            f"`detector_input` must be one of {', '.join(defaults.INPUTS)}. "
            f"Received: detector_input={detector_input!r}"
        )


def _picture_boxes(
    outputs: dict, i: int, height: int, width: int
) -> PictureBoxes:
    """Returns what was found in picture i, in pixels of that picture."""
    count = int(outputs["num_detections"].reshape(-1)[i])
    boxes = outputs["detection_boxes"][i, :count]
    if "image_info" in outputs:
        # Rows: size, size wanted, scale, offset after scaling; each y, x.
        _, _, scale, offset = outputs["image_info"][i]
        boxes = (boxes + np.tile(offset, 2)) / np.tile(scale, 2)
    else:
        boxes = boxes * np.array([height, width, height, width], np.float32)
    return picture_boxes.make(
        # 29.999998 is 30: coordinates are cut to whole pixels later on.
        np.round(boxes, _DECIMALS),
        outputs["detection_scores"][i, :count],
        outputs["detection_classes"][i, :count],
    )
