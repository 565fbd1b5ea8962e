"""The models a person may choose, one of them in memory at a time."""

import copy
import dataclasses
import functools
import os

import keras
import numpy as np
import tensorflow as tf

from tfcolor.color import ab_bins
from tfcolor.color import gamut
from tfcolor.color import lab
from tfcolor.inference import colorization_model
from tfcolor.inference import defaults
from tfcolor.inference import litert_runtime
from tfcolor.inference import network_inputs
from tfcolor.inference.colorizer import Colorizer
from tfcolor.inference.hint_points import HintPoint
from tfcolor.models import architecture
from tfcolor.models import blend
from tfcolor.weights import published
from tfcolor.weights import shipped

# Colors that are offered for a place, and how far they are apart in CIELAB:
# nearer ones look alike.
_OFFERED, _APART = 9, 14.0


@dataclasses.dataclass(frozen=True)
class Choice:
    """A model that can be used without a network connection.

    Attributes:
        name: str, what the page sends.
        model: str, what `Colorizer` takes: a name or a path.
    """

    name: str
    model: str


def choices(first: str | None, folder: str | None) -> list[Choice]:
    """Lists the models of the page, the one to begin with first.

    Args:
        first: str or None. A model of the command line, a name or a path.
        folder: str or None. Its `.keras` files are listed.

    Returns:
        list of Choice: those that ship, in both styles where they have them,
        published ones in the cache, and files.

    Raises:
        OSError: `folder` cannot be read.
    """
    names = [shipped.DEFAULT, f"{shipped.DEFAULT}:{shipped.STYLES[-1]}"]
    names += [name for name in shipped.names() if name != shipped.DEFAULT]
    names += [n for n in published.names() if published.state_of(n) == "cached"]
    found = [Choice(name, name) for name in names]
    if folder is not None:
        found += [
            Choice(f"file: {name}", os.path.join(folder, name))
            for name in sorted(os.listdir(folder))
            if name.lower().endswith(".keras")
        ]
    if first is not None:
        same = [choice for choice in found if choice.model == first]
        chosen = same[0] if same else Choice(first, first)
        found = [chosen, *(c for c in found if c != chosen)]
    return found


class Loaded:
    """A model in memory, with its colorizer and its distribution of colors.

    Args:
        model: str, a name or a path.

    Attributes:
        colorizer: Colorizer, the one that `tfcolor colorize` would make for
            hints and boxes.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no colorization model.
    """

    def __init__(self, model: str):
        self._model = model
        network, info = colorization_model.load(model)
        self.colorizer = Colorizer(
            network, image_size=info.image_size, upsampling=info.upsampling
        )
        if self.colorizer.num_classes:
            raise ValueError(
                "A model of the studio must not be class-conditional. "
                f"Received: {model!r}"
            )
        self._logits = _logits_function(blend.network(network))
        # Makes its graph now, and not at the first click.
        dot = np.zeros((1, 1, 3), np.uint8)
        self.likely_colors(dot, (), x=0.0, y=0.0, lightness=50.0)

    @property
    def takes(self) -> dict[str, bool]:
        """What the model does something with, for the page."""
        return {
            "hints": self.colorizer.takes_hints,
            "boxes": self.colorizer.takes_boxes
            and not self.colorizer.takes_box_classes,
            "colors": self._logits is not None,
        }

    @functools.cached_property
    def _without_hints(self) -> Colorizer:
        """What the command colors by where there are no hints."""
        if litert_runtime.why_not(self._model) is not None:
            return self.colorizer
        return Colorizer(self._model, runtime=defaults.LITERT)

    def with_options(
        self,
        saturation: float,
        batch_size: int | None = None,
        *,
        hints: bool = True,
    ) -> Colorizer:
        """Returns a colorizer of the same network with other options.

        Args:
            saturation: float, 0 or above.
            batch_size: int or None, the same.
            hints: bool. Whether it is to take hints, if the model does.

        Returns:
            Colorizer.
        """
        other = copy.copy(self.colorizer if hints else self._without_hints)
        other.saturation = saturation
        other.batch_size = batch_size or other.batch_size
        return other

    def likely_colors(
        self,
        rgb: np.ndarray,
        points: tuple[HintPoint, ...],
        *,
        x: float,
        y: float,
        lightness: float,
    ) -> list[dict]:
        """Offers colors for a place, the likeliest first.

        They are bins of the network's own distribution there, as in
        ideepcolor (Zhang et al., SIGGRAPH 2017, section 3.2), with the hints
        given so far. Bins that sRGB does not hold at the place's lightness
        are left out, and of bins that look alike the likeliest stays.

        Args:
            rgb: uint8 array [H, W, 1 or 3].
            points: HintPoints in its pixels.
            x: float, column of the place in pixels.
            y: float, row.
            lightness: float, L of the place, 0..100.

        Returns:
            list of dicts of "color", `#rrggbb`, and "probability", float;
            empty for a model without a distribution.
        """
        if self._logits is None:
            return []
        rgb = np.repeat(rgb, 3, axis=-1) if rgb.shape[-1] == 1 else rgb
        inputs = network_inputs.batch_inputs(
            [rgb], [points], image_size=self.colorizer.image_size
        )
        logits = self._logits(inputs)[0]
        height, width = logits.shape[:2]
        row = min(int((y + 0.5) / rgb.shape[0] * height), height - 1)
        column = min(int((x + 0.5) / rgb.shape[1] * width), width - 1)
        share = tf.nn.softmax(logits[row, column]).numpy()
        return _offers(share, lightness)


def _logits_function(network: keras.Model):
    """Returns a function of inputs to ab_logits, or None without them."""
    if not isinstance(network.output, dict):
        return None
    if "ab_logits" not in network.output:
        return None
    if not architecture.takes(network).whole_pictures:
        return None
    names = tuple(network.input)
    run = tf.function(
        lambda inputs: network(inputs, training=False)["ab_logits"],
        autograph=False,
    )
    return lambda inputs: run({name: inputs[name] for name in names})


def _offers(share: np.ndarray, lightness: float) -> list[dict]:
    centers = np.asarray(ab_bins.centers(len(share)))
    L = np.full((len(share), 1), lightness, np.float32)
    inside = gamut.in_gamut(L, centers).numpy()[:, 0]
    taken = []
    for index in np.argsort(-share, kind="stable"):
        near = [
            other
            for other in taken
            if np.hypot(*(centers[index] - centers[other])) < _APART
        ]
        if inside[index] and not near:
            taken.append(index)
        if len(taken) == _OFFERED:
            break
    colors = lab.lab_to_rgb(
        np.concatenate([L[taken], centers[taken]], axis=-1)
    ).numpy()
    return [
        {"color": _hexadecimal(color), "probability": float(share[index])}
        for color, index in zip(colors, taken, strict=True)
    ]


def _hexadecimal(rgb: np.ndarray) -> str:
    values = np.clip(np.round(rgb * 255), 0, 255).astype(int)
    return "#" + "".join(f"{value:02x}" for value in values)
