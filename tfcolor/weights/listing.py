"""All models that have a name, with what a person chooses by."""

import os
import urllib.parse
from typing import NamedTuple

from tfcolor.weights import published
from tfcolor.weights import shipped_files

# Of the models that ship: network and figures, from their cards in
# docs/models: gain over grey in PSNR and share of right hues on 140
# photographs that no colorizer was trained on.
_SHIPPED = {
    "lite2_unet": (
        "EfficientNet-Lite2 and U-net, takes hints (the default)",
        "+1.85 dB, right hue 0.55 (tfcolor, 140 photos)",
    ),
    "lite0_unet": (
        "EfficientNet-Lite0 and U-net, takes hints",
        "+1.25 dB, right hue 0.42 (tfcolor, 140 photos)",
    ),
    "siggraph_small": (
        "SIGGRAPH'17 at a quarter of its width, takes hints",
        "+1.00 dB, right hue 0.36 (tfcolor, 140 photos)",
    ),
}


class Row(NamedTuple):
    """A model for a table, all in text.

    Attributes:
        name: str, for `--model`.
        size: str, of the file that is fetched or ships.
        license: str, of the weights.
        cached: str, whether it can be used without a network.
        network: str.
        figures: str, "-" where nobody measured.
        source: str, where it comes from.
    """

    name: str
    size: str
    license: str
    cached: str
    network: str
    figures: str
    source: str


def list_models() -> list[str]:
    """Returns the names of all models: those that ship and the published ones.

    Returns:
        list of str, for `Colorizer`, `load_model` and `--model`.
    """
    return [row.name for row in rows()]


def rows() -> list[Row]:
    """Returns the models that ship, then the published ones."""
    return [_shipped(name) for name in _SHIPPED] + [
        _published(entry) for entry in published.CATALOG.values()
    ]


def _shipped(name: str) -> Row:
    network, figures = _SHIPPED[name]
    size = os.path.getsize(shipped_files.weights_file(name))
    return Row(
        name=name,
        size=f"{size / 1e6:.0f} MB",
        license="Apache-2.0",
        cached="ships",
        network=network,
        figures=figures,
        source="tfcolor",
    )


def _published(entry: published.Published) -> Row:
    address = urllib.parse.urlsplit(entry.address)
    folder = os.path.dirname(address.path.partition("/resolve/")[0] + "/")
    return Row(
        name=entry.name,
        size=entry.megabytes,
        license=entry.license,
        cached=published.state_of(entry.name),
        network=entry.network,
        figures=entry.figures or "-",
        source=f"{address.netloc}{folder.rstrip('/')}",
    )
