"""From a model to the folder that a server or a device is given."""

import inspect
import os
from typing import NamedTuple

import keras

from tfcolor import keras_backend
from tfcolor.export import classifier_export
from tfcolor.export import colorizer_export
from tfcolor.export import defaults
from tfcolor.export import model_card
from tfcolor.export import saved_model
from tfcolor.export import verification
from tfcolor.export import warm_up
from tfcolor.export.colorizer_signatures import ColorizerOptions
from tfcolor.export.served import Served
from tfcolor.inference import checks
from tfcolor.inference import class_network
from tfcolor.inference import colorization_model
from tfcolor.inference import defaults as inference_defaults
from tfcolor.weights import shipped
from tfcolor.weights.model_file import ModelInfo


class Exported(NamedTuple):
    """What there is to say of an export.

    Attributes:
        notes: list of str, what was checked and what a server will miss.
        table: list of str, the figures of LiteRT files as rows of a Markdown
            table with its head; empty for others.
    """

    notes: list[str]
    table: list[str]


def export(
    model: str | None,
    path: str,
    *,
    format: str = defaults.FORMATS[0],
    image_size: int | None = None,
    style: str | float | None = None,
    overwrite: bool = False,
    **around,
) -> Exported:
    """Exports a model in one of `defaults.FORMATS`.

    Args:
        model: str, see `tfcolor.Colorizer`; None for the shipped one.
        path: str. The folder to make.
        format: str, what to write: "saved_model", "litert" or "onnx"; see
            `export_saved_model`, `export_litert` and `export_onnx`.
        image_size: int or None. Side in pixels of the network's square; None
            for the model's own.
        style: str, float or None; see `tfcolor.Colorizer`.
        overwrite: bool. Whether an older export is replaced.
        **around: what else `export_saved_model` takes. Other formats are the
            network alone, and take the defaults alone.

    Returns:
        Exported.

    Raises:
        FileNotFoundError: there is no such model file.
        ImportError: a package that the format needs is not installed.
        ValueError: the format is not known or does not take an option; or as
            the function of the format.
        verification.VerificationError: a check found differences; nothing is
            left behind.
    """
    network = {"image_size": image_size, "style": style, "overwrite": overwrite}
    if format not in defaults.FORMATS:
        raise ValueError(
            f"`format` must be one of {defaults.FORMATS}. "
            f"Received: format={format!r}"
        )
    if format == "saved_model":
        notes = export_saved_model(model, path, **network, **around)
        return Exported(notes, [])
    _check_network_alone(format, around)
    # Both know this module, and need packages that the other ones do without.
    if format == "litert":
        from tfcolor.export import export_litert

        return Exported([], export_litert.export_litert(model, path, **network))
    from tfcolor.export import export_onnx

    difference = export_onnx.export_onnx(model, path, **network)
    return Exported([f"onnxruntime equals Keras within {difference:.1e}"], [])


def _check_network_alone(format: str, around: dict) -> None:
    """Refuses options of what lies around the network."""
    taken = inspect.signature(export_saved_model)
    # As Python says it of names that are no options.
    taken.bind(None, "", **around)
    given = [
        f"`{name}`"
        for name, value in around.items()
        if value != taken.parameters[name].default
    ]
    if given:
        raise ValueError(
            f"{', '.join(given)} must come with `format=saved_model` alone: "
            f"other files are the network alone. Received: format={format}"
        )


def export_saved_model(
    model: str | None,
    path: str,
    *,
    image_size: int | None = None,
    saturation: float = inference_defaults.SATURATION,
    style: str | float | None = None,
    upsampling: str | None = None,
    crop_size: int | None = None,
    boxes_at_once: int | None = inference_defaults.BOXES_AT_ONCE,
    max_pixels: int = defaults.MAX_PIXELS,
    overwrite: bool = False,
    verify: bool = False,
) -> list[str]:
    """Exports a model for TensorFlow Serving.

    Args:
        model: str, see `tfcolor.Colorizer`; None for the shipped one.
        path: str. The folder to make; TensorFlow Serving wants a number as
            its name.
        image_size: int or None. Side in pixels of the network's square; None
            for the model's own.
        saturation: float, 0 or above.
        style: str, float or None; see `tfcolor.Colorizer`.
        upsampling: str or None; see `tfcolor.Colorizer`.
        crop_size: int or None. Side of the squares of boxes; None for
            `image_size`.
        boxes_at_once: int or None. Boxes of a picture that go through the
            networks at once; None for all.
        max_pixels: int. Of the pictures of a request together.
        overwrite: bool. Whether an older export is replaced.
        verify: bool. Whether the export is loaded and compared with Python
            before it gets its name.

    Returns:
        list of str, lines about what was checked and what a server will miss.

    Raises:
        FileNotFoundError: there is no such model file.
        ValueError: the model is not known, a number is out of range, or the
            folder exists.
        verification.VerificationError: the check found differences; nothing
            is left behind.
    """
    keras_backend.require_tensorflow("A SavedModel")
    with saved_model.replaced_at_end(path, overwrite=overwrite) as folder:
        checks.check_size("image_size", image_size)
        checks.check_size("crop_size", crop_size)
        checks.check_boxes_at_once(boxes_at_once)
        checks.check_saturation(saturation)
        _check_max_pixels(max_pixels)
        checks.check_upsampling(upsampling)
        network, info = colorization_model.open_model(model, style=style)
        options = ColorizerOptions(
            image_size=image_size or info.image_size,
            saturation=saturation,
            upsampling=upsampling or info.upsampling,
            crop_size=crop_size,
            boxes_at_once=boxes_at_once,
            max_pixels=max_pixels,
        )
        served = _served(network, info, options)
        described = model_card.versions(
            *(info, name_of(model)), served.options | style_option(model, style)
        )
        saved_model.write(
            folder,
            network,
            served.signatures,
            assets=_assets(described, served),
            warm_up_requests=served.warm_up if warm_up.is_available() else (),
        )
        if verify:
            verification.verify(folder, served.cases())
    return _notes(path, verify)


def _served(
    network: keras.Model, info: ModelInfo, options: ColorizerOptions
) -> Served:
    """Makes a model ready for export, a classifier as it was trained."""
    if info.architecture not in class_network.ARCHITECTURES:
        return colorizer_export.served(network, info, options)
    _check_as_trained(options, info)
    return classifier_export.served(
        network, info, max_pixels=options.max_pixels
    )


def _assets(described: dict, served: Served) -> dict[str, str]:
    """Returns the texts that lie beside a model, by their names."""
    assets = {
        "tfcolor.json": saved_model.description(described),
        "model_card.md": model_card.saved_model_card(described, served),
    }
    if served.labels:
        assets[classifier_export.LABELS] = classifier_export.labels_text(
            served.labels
        )
    return assets


def _notes(path: str, verified: bool) -> list[str]:
    """Returns what was checked, and what a server will miss."""
    notes = ["equal to Python's answers"] if verified else []
    if not warm_up.is_available():
        notes.append("no warm-up requests: they need the extra [serving]")
    if not os.path.basename(os.path.normpath(path)).isdigit():
        notes.append("TensorFlow Serving wants a number as the last folder")
    return notes


def name_of(model: str | None) -> str:
    """Returns what a model is called, without its style; see `Colorizer`."""
    return colorization_model.name_of(colorization_model.named_style(model)[0])


def style_option(
    model: str | None, style: str | float | None
) -> dict[str, str]:
    """Returns the style of a model among the options of its export.

    Args:
        model: str or None; see `Colorizer`.
        style: str, float or None, one that `model` has, if it has none itself.

    Returns:
        dict of "style" to its name or number; empty where none was asked for.
    """
    if style is None:
        _, style = colorization_model.named_style(model)
    if style is None:
        return {}
    return {"style": style if style in shipped.STYLES else f"{float(style):g}"}


def file_stem(model: str | None, style: str | float | None) -> str:
    """Returns the first part of the names of files, as `lite0_unet_vivid`.

    Args:
        model: str or None; see `Colorizer`.
        style: str, float or None; see `style_option`.

    Returns:
        str.
    """
    return "_".join([name_of(model), *style_option(model, style).values()])


def _check_as_trained(options: ColorizerOptions, info: ModelInfo) -> None:
    """Refuses options of colorizers for a classifier."""
    as_trained = ColorizerOptions(info.image_size, upsampling=info.upsampling)
    names = ("crop_size", "boxes_at_once", "saturation", "upsampling")
    other = [
        f"{name}={getattr(options, name)}"
        for name in (*names, "image_size")
        if getattr(options, name) != getattr(as_trained, name)
    ]
    if other:
        raise ValueError(
            "A classifier is exported as it was trained, without `crop_size`, "
            "`boxes_at_once`, `saturation` and `upsampling`, and with "
            f"`image_size={info.image_size}`. Received: {', '.join(other)}"
        )


def _check_max_pixels(max_pixels: int) -> None:
    if max_pixels < 1:
        raise ValueError(
            "`max_pixels` must be 1 or above. "
            f"Received: max_pixels={max_pixels}"
        )
