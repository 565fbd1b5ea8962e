"""A photo of the page: its file, a copy of screen size, and its results.

What is seen while working is made from the copy. The result that is
downloaded is made from the file by `colorize_album`, which is what `tfcolor
colorize` calls, and so has the same bytes.
"""

import dataclasses
import json
import os
import shutil
import tempfile

import cv2
import numpy as np
from PIL import Image

from tfcolor.boxes import box_folder
from tfcolor.boxes import box_naming
from tfcolor.boxes import picture_boxes
from tfcolor.color import lab
from tfcolor.data import files
from tfcolor.inference import album
from tfcolor.inference import box_finder
from tfcolor.inference import colorizer as colorizer_module
from tfcolor.inference import hint_points
from tfcolor.inference import loaded_picture
from tfcolor.inference.hint_points import HintPoint
from tfcolor.pictures import decode
from tfcolor.pictures import pillow_limit
from tfcolor.studio.colorizers import Loaded

# Long side in pixels of what a screen shows.
SCREEN = 1600
# Of what is shown while something is being changed, until it rests.
QUICK = 640
# Of what a person zooms into.
DETAIL = 8000
_QUALITY = 90


@dataclasses.dataclass(frozen=True)
class Edit:
    """What a person wants of a photo.

    Attributes:
        model: str, the name of a `colorizers.Choice`.
        saturation: float in 0..3.
        hints: tuple of HintPoint, in pixels of the upright photo.
        boxes: tuple of (top, left, bottom, right), pixels of the same.
    """

    model: str
    saturation: float = 1.0
    hints: tuple[HintPoint, ...] = ()
    boxes: tuple[tuple[float, float, float, float], ...] = ()


def parse_edit(content: dict, photo: "Photo") -> Edit:
    """Reads an edit as the page sends it.

    Args:
        content: what JSON held.
        photo: Photo that it is for.

    Returns:
        Edit.

    Raises:
        ValueError: it is not right.
    """
    if not isinstance(content, dict):
        raise ValueError("An edit must be a JSON object.")
    model = content.get("model")
    saturation = content.get("saturation", 1.0)
    if not isinstance(model, str):
        raise ValueError(f"`model` must be a name. Received: {model!r}")
    if not isinstance(saturation, int | float) or not 0 <= saturation <= 3:
        raise ValueError(
            f"`saturation` must be in 0..3. Received: {saturation!r}"
        )
    points = content.get("hints", [])
    if not isinstance(points, list) or len(points) > 1000:
        raise ValueError("`hints` must be a list of at most 1000 points.")
    known = {"x", "y", "color", "radius"}
    if not all(isinstance(p, dict) and set(p) <= known for p in points):
        raise ValueError(f"A point must have only {sorted(known)}.")
    try:
        hints = tuple(HintPoint(**point) for point in points)
    except TypeError as error:
        raise ValueError(f"A point needs x, y and color: {error}") from error
    hint_points.check_inside(hints, width=photo.width, height=photo.height)
    try:
        boxes = np.asarray(content.get("boxes", []), np.float32)
    except TypeError as error:
        raise ValueError(f"`boxes` must hold numbers: {error}") from error
    boxes = boxes.reshape(-1, 4)
    if not np.isfinite(boxes).all() or len(boxes) > 100:
        raise ValueError("`boxes` must be at most 100 rows of 4 numbers.")
    return Edit(
        model, float(saturation), hints, tuple(map(tuple, boxes.tolist()))
    )


class Photo:
    """A photo that was given to the page.

    Only the worker's thread calls what computes.

    Args:
        folder: str, a folder of its own in the temporary one, with its file.
        name: str, as the person's machine names it; never used as a path.
        max_pixels: int. A photo of more is refused.

    Attributes:
        width: int, pixels of the upright photo.
        height: int.
        notes: tuple of str, what there is to say of it.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large or of a kind that is not supported.
    """

    def __init__(self, folder: str, name: str, *, max_pixels: int):
        self.folder, self.name = folder, name
        self.source = source_path(folder, name)
        self._max_pixels = max_pixels
        self._screen = os.path.join(folder, "screen.png")
        data = pillow_limit.read_file(self.source, max_pixels=max_pixels)
        picture = decode.decode_picture(data, max_pixels=max_pixels)
        self.height, self.width = picture.pixels.shape[:2]
        self.notes = picture.notes
        self._write_screen(picture)
        self._shown = self._quick = None
        # The network's colors of the last wish: strength alone needs no more.
        self._last = (None, None)

    def _write_screen(self, picture) -> None:
        pixels = decode.to_8_bit(picture.pixels)
        if picture.alpha is not None:
            alpha = decode.to_8_bit(picture.alpha)
            pixels = np.concatenate([pixels, alpha], axis=-1)
        factor = min(1.0, SCREEN / max(self.width, self.height))
        size = [max(1, round(s * factor)) for s in (self.width, self.height)]
        if factor < 1:
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        pixels = pixels.reshape(size[1], size[0], -1)
        if pixels.shape[-1] in (1, 2):
            grey = np.repeat(pixels[..., :1], 3, axis=-1)
            pixels = np.concatenate([grey, pixels[..., 1:]], axis=-1)
        Image.fromarray(pixels).save(self._screen, compress_level=1)

    def screen(self) -> loaded_picture.Loaded:
        """Returns the copy of screen size, read when it is needed."""
        if self._shown is None:
            self._shown = loaded_picture.load(
                self._screen, hints=(), find_boxes=None, skip_color=False
            )
        return self._shown

    def quick(self) -> loaded_picture.Loaded:
        """Returns a smaller copy, for what must follow at once."""
        screen = self.screen()
        height, width = screen.picture.pixels.shape[:2]
        factor = QUICK / max(height, width)
        if factor >= 1:
            return screen
        if self._quick is None:
            self._quick = _smaller(screen, factor)
        return self._quick

    def forget(self) -> None:
        """Frees memory; what is needed again is read from the copy."""
        self._shown = self._quick = None
        self._last = (None, None)

    def remove(self) -> None:
        """Deletes all files of the photo."""
        self.forget()
        shutil.rmtree(self.folder, ignore_errors=True)

    def grey(self) -> bytes:
        """Returns the photo in grey at screen size, a JPEG."""
        return _jpeg(colorizer_module.grey(self.screen().picture.pixels))

    def render(
        self, loaded: Loaded, edit: Edit, *, quick: bool = False
    ) -> bytes:
        """Colors the copy of screen size.

        Args:
            loaded: colorizers.Loaded, the model of `edit`.
            edit: Edit.
            quick: bool. Makes a smaller picture of the same colors.

        Returns:
            bytes of a JPEG.
        """
        shown = self._edited(self.screen(), edit)
        ab = self._network_ab(loaded, shown, edit)
        if quick:
            shown = self._edited(self.quick(), edit)
        colorizer = loaded.with_options(edit.saturation)
        return _jpeg(shown.whole(colorizer.finish(shown.pixels, ab)))

    def _edited(self, loaded: loaded_picture.Loaded, edit: Edit):
        """Returns the copy with hints and boxes in its own pixels."""
        height, width = loaded.picture.pixels.shape[:2]
        across, down = width / self.width, height / self.height
        hints = tuple(
            dataclasses.replace(
                point,
                x=min(point.x * across, width - 0.01),
                y=min(point.y * down, height - 0.01),
                radius=point.radius and point.radius * min(across, down),
            )
            for point in edit.hints
        )
        boxes = np.asarray(edit.boxes, np.float32).reshape(-1, 4)
        inner = loaded.inner
        if inner is not None and not all(
            inner.left <= p.x < inner.right and inner.top <= p.y < inner.bottom
            for p in hints
        ):
            inner = None
        return dataclasses.replace(
            loaded,
            hints=hints,
            inner=inner,
            found=picture_boxes.make(boxes * np.array([down, across] * 2))
            if len(boxes)
            else picture_boxes.none(),
        )

    def _network_ab(self, loaded: Loaded, shown, edit: Edit) -> np.ndarray:
        key = dataclasses.replace(edit, saturation=1.0)
        if self._last[0] != key:
            seen = shown.seen
            ab = loaded.colorizer.network_ab(
                [shown.pixels if seen is None else seen],
                hints=[shown.points],
                boxes=[shown.boxes.boxes] if edit.boxes else None,
            )[0]
            self._last = (key, ab)
        return self._last[1]

    def colors(self, loaded: Loaded, edit: Edit, x: float, y: float) -> dict:
        """Offers colors for a place.

        Args:
            loaded: colorizers.Loaded.
            edit: Edit, whose hints count.
            x: float, column in pixels of the photo.
            y: float, row.

        Returns:
            dict of "lightness", float, L of the place, and "colors"; see
            `Loaded.likely_colors`.

        Raises:
            ValueError: the place is out of the photo.
        """
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise ValueError(
                "A place must lie in its photo, which is "
                f"{self.width} x {self.height} pixels. Received: x={x}, y={y}"
            )
        shown = self._edited(self.screen(), edit)
        pixels = shown.picture.pixels
        across = x * pixels.shape[1] / self.width
        down = y * pixels.shape[0] / self.height
        pixel = pixels[int(down), int(across)].astype(np.float32) / 255
        lightness = float(lab.rgb_to_lab(np.broadcast_to(pixel, 3)).numpy()[0])
        found = loaded.likely_colors(
            pixels, shown.hints, x=across, y=down, lightness=lightness
        )
        return {"lightness": lightness, "colors": found}

    def find_boxes(self, find: box_finder.Finder) -> list[list[float]]:
        """Finds where things are.

        Args:
            find: `box_finder.Finder`; it is told the photo's name as path.

        Returns:
            list of [top, left, bottom, right], pixels of the upright photo,
            best first.

        Raises:
            OSError: the photo cannot be read any more.
            ValueError: the boxes do not fit the photo.
        """
        data = pillow_limit.read_file(self.source, max_pixels=self._max_pixels)
        picture = decode.decode_picture(data, max_pixels=self._max_pixels)
        return find(self.name, picture.pixels).boxes.tolist()

    def detail(self, loaded: Loaded, edit: Edit) -> bytes:
        """Returns the result at full size for the screen, a JPEG."""
        path, folder = self.result(loaded, edit)
        try:
            with open(path, "rb") as file:
                rgb = decode.decode_rgb(
                    file.read(), max_pixels=self._max_pixels
                )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        factor = DETAIL / max(rgb.shape)
        if factor < 1:
            size = [max(1, round(s * factor)) for s in rgb.shape[1::-1]]
            rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        return _jpeg(rgb)

    def result(self, loaded: Loaded, edit: Edit) -> tuple[str, str]:
        """Makes the file that `tfcolor colorize` makes.

        Args:
            loaded: colorizers.Loaded, the model of `edit`.
            edit: Edit.

        Returns:
            Its path, and the folder to be deleted after it was sent.

        Raises:
            OSError: it could not be made; the message is the reason.
        """
        folder = tempfile.mkdtemp(prefix="result-", dir=self.folder)
        wanted = {}
        if edit.hints:
            wanted["hints"] = os.path.join(folder, "hints.json")
            points = [_point(hint) for hint in edit.hints]
            with open(wanted["hints"], "w", encoding="utf-8") as file:
                json.dump({"points": points}, file)
        if edit.boxes:
            wanted["boxes"] = os.path.join(folder, "boxes")
            os.mkdir(wanted["boxes"])
            box_folder.write(
                os.path.join(
                    wanted["boxes"],
                    box_naming.file_name(os.path.basename(self.source)),
                ),
                picture_boxes.make(np.asarray(edit.boxes, np.float32)),
                height=self.height,
                width=self.width,
            )
        (outcome,) = album.colorize_album(
            [self.source],
            os.path.join(folder, "out") + os.sep,
            make_colorizer=lambda: loaded.with_options(
                edit.saturation, hints=bool(edit.hints)
            ),
            max_pixels=self._max_pixels,
            **wanted,
        )
        if outcome.reason:
            shutil.rmtree(folder, ignore_errors=True)
            raise OSError(outcome.reason)
        return outcome.written[0], folder


def _smaller(loaded: loaded_picture.Loaded, factor: float):
    """Returns a smaller copy of a picture without hints and boxes."""
    height, width = loaded.picture.pixels.shape[:2]
    size = [max(1, round(side * factor)) for side in (width, height)]

    def resized(array):
        if array is None:
            return None
        small = cv2.resize(array, size, interpolation=cv2.INTER_AREA)
        return small.reshape(size[1], size[0], -1)

    picture = dataclasses.replace(
        loaded.picture,
        pixels=resized(loaded.picture.pixels),
        alpha=resized(loaded.picture.alpha),
    )
    inner = loaded.inner
    if inner is not None:
        inner = type(inner)(*(round(edge * factor) for edge in inner))
    return dataclasses.replace(loaded, picture=picture, inner=inner)


def source_path(folder: str, name: str) -> str:
    """Returns where a photo's file is kept; only its extension is the name's.

    Args:
        folder: str.
        name: str, as the person's machine names it.

    Returns:
        str.

    Raises:
        ValueError: the name is not that of a picture that can be read.
    """
    extension = os.path.splitext(name)[1].lower()
    if not files.is_picture(f"photo{extension}"):
        raise ValueError(
            "A photo must be a picture file (JPEG, PNG, WebP, TIFF and so "
            f"on). Received: {files.shown_name(name)!r}"
        )
    return os.path.join(folder, f"photo{extension}")


def _point(hint: HintPoint) -> dict:
    point = {"x": hint.x, "y": hint.y, "color": hint.color}
    return point | ({} if hint.radius is None else {"radius": hint.radius})


def _jpeg(rgb: np.ndarray) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    made, data = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options
    )
    if not made:
        raise OSError("The picture could not be encoded for the screen.")
    return data.tobytes()
