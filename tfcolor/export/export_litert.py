"""From a model to LiteRT files, with their figures."""

import os

from tfcolor.export import export_model
from tfcolor.export import litert
from tfcolor.export import litert_figures
from tfcolor.export import model_card
from tfcolor.export import saved_model
from tfcolor.export.colorizer_export import NOTE
from tfcolor.inference import checks
from tfcolor.inference import colorization_model
from tfcolor.models import architecture

CARD = "model_card.md"


def export_litert(
    model: str | None,
    path: str,
    *,
    image_size: int | None = None,
    style: str | float | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Writes a LiteRT file of each kind, and a card with their figures.

    Args:
        model: str, see `tfcolor.Colorizer`; None for the shipped one.
        path: str. The folder to make.
        image_size: int or None. Side in pixels of the square that the files
            take; None for the model's own.
        style: str, float or None; see `tfcolor.Colorizer`.
        overwrite: bool. Whether an older export is replaced.

    Returns:
        list of str, the figures as rows of a Markdown table with its head.

    Raises:
        FileNotFoundError: there is no such model file.
        ValueError: the model is not known, takes boxes, the size is none
            that it takes, or the folder exists.
    """
    with saved_model.replaced_at_end(path, overwrite=overwrite) as folder:
        checks.check_size("image_size", image_size)
        network, info = colorization_model.open_model(model, style=style)
        colorization_model.check(network)
        size = image_size or info.image_size
        checks.check_image_size(size, architecture.takes(network))
        stem = export_model.file_stem(model, style)
        files = {
            f"{stem}_{kind}.tflite": litert.convert(
                network, image_size=size, kind=kind
            )
            for kind in litert.KINDS
        }
        figures = litert_figures.measure(
            network, files, image_size=size, upsampling=info.upsampling
        )
        table = [*litert_figures.TABLE_HEAD, *(f.row() for f in figures)]
        options = {"image_size": size}
        described = model_card.versions(
            *(info, export_model.name_of(model)),
            options | export_model.style_option(model, style),
        )
        os.makedirs(folder)
        for file_name, content in files.items():
            with open(os.path.join(folder, file_name), "wb") as file:
                file.write(content)
        with open(os.path.join(folder, CARD), "w") as file:
            file.write(model_card.litert_card(described, NOTE, table))
        return table
