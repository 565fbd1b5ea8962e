"""Makes docs/api.md from the docstrings of what tfcolor makes public.

python -m docs.make_api
"""

import importlib
import inspect
import pathlib
import pkgutil
import re

import tfcolor

PAGE = pathlib.Path(__file__).parent / "api.md"
_HEAD = """\
# API

Made by `python -m docs.make_api` from the docstrings. What is not here may
change without notice. For the command line: `tfcolor --help`; how the parts
work together: [how a picture travels](how_a_picture_travels.md).

"""
# What the functions of `tfcolor` take and return.
_RECORDS = (
    ("data.outcome", "Outcomes"),
    ("data.manifest", "ShardSettings"),
    ("evaluation.evaluate", "Wanted"),
    ("evaluation.evaluate", "Evaluation"),
    ("inference.album", "plan_album"),
    ("export.export_model", "export"),
    ("export.export_model", "Exported"),
    ("serving.album", "colorize_by_server"),
    ("serving.address", "Address"),
)
# Builders, in the order in which people meet them.
_BUILDERS = (
    ("siggraph", "siggraph"),
    ("efficientnet_unet", "efficientnet_unet"),
    ("eccv16", "eccv16"),
    ("ddcolor", "ddcolor"),
    ("instance", "instance"),
    ("fusion", "fusion"),
    ("fusion", "instance_colorizer"),
    ("task_transfer", "task_transfer"),
    ("alexnet", "alexnet"),
    ("resnet_colorizer", "resnet_colorizer"),
    ("ensemble", "ensemble"),
    ("blend", "siggraph_blend"),
    ("blend", "efficientnet_unet_blend"),
)
# What makes batches of pictures, in the order in which they travel.
_DATA = (
    ("sources", "open_source"),
    ("sources", "split_by_hash"),
    ("source", "Source"),
    ("sample_pictures", "paths"),
    ("full_data_config", "FullDataConfig"),
    ("memory_source", "into_memory"),
    ("epochs", "epoch"),
    ("pipelines", "full_view"),
    ("box_pipelines", "BoxConfig"),
    ("box_pipelines", "BoxedSource"),
    ("box_pipelines", "instance_view"),
    ("box_pipelines", "fusion_view"),
    ("labelled", "LabelConfig"),
    ("labelled", "LabelledSource"),
    ("labelled", "labelled_view"),
)


def text() -> str:
    """Returns the page."""
    parts = [_HEAD, "## tfcolor\n\n"]
    for name in tfcolor.__all__:
        if not name.startswith("__"):
            parts.append(_entry(f"tfcolor.{name}", getattr(tfcolor, name)))
    for module, name in _RECORDS:
        found = importlib.import_module(f"tfcolor.{module}")
        parts.append(_entry(f"tfcolor.{module}.{name}", getattr(found, name)))
    parts += _chosen("data", tfcolor.data.__doc__, _DATA)
    parts += _chosen("models", "Builders of `keras.Model`.", _BUILDERS)
    losses = importlib.import_module("tfcolor.losses")
    parts.append(f"## tfcolor.losses\n\n{inspect.getdoc(losses)}\n\n")
    for name in losses.__all__:
        parts.append(_entry(f"tfcolor.losses.{name}", getattr(losses, name)))
    parts += _room("metrics") + _room("color")
    return "".join(parts).rstrip() + "\n"


def _chosen(room: str, head: str, chosen) -> list[str]:
    """Documents some functions and classes of a package."""
    parts = [f"## tfcolor.{room}\n\n{head}\n\n"]
    for module, name in chosen:
        found = importlib.import_module(f"tfcolor.{room}.{module}")
        parts.append(
            _entry(f"tfcolor.{room}.{module}.{name}", getattr(found, name))
        )
    return parts


def _room(name: str) -> list[str]:
    """Documents every public function of a package of functions."""
    package = importlib.import_module(f"tfcolor.{name}")
    parts = [f"## tfcolor.{name}\n\n{inspect.getdoc(package)}\n\n"]
    modules = [package]
    for found in pkgutil.iter_modules(getattr(package, "__path__", ())):
        modules.append(importlib.import_module(f"tfcolor.{name}.{found.name}"))
    for module in modules:
        for key, value in vars(module).items():
            own = getattr(value, "__module__", None) == module.__name__
            if own and callable(value) and not key.startswith("_"):
                parts.append(_entry(f"{module.__name__}.{key}", value))
    return parts


def _entry(name: str, value) -> str:
    try:
        # Without the addresses of functions that are defaults.
        signature = re.sub(
            r"<function (\S+) at 0x[0-9a-f]+>",
            r"\1",
            str(inspect.signature(value)),
        )
    except (TypeError, ValueError):
        signature = ""
    doc = inspect.getdoc(value) or ""
    parts = [f"### {name}\n\n```\n{name.rpartition('.')[2]}{signature}\n\n"]
    parts.append(f"{doc}\n```\n\n")
    if inspect.isclass(value):
        for key, method in vars(value).items():
            if inspect.isfunction(method) and not key.startswith("_"):
                parts.append(
                    f"#### {name}.{key}\n\n```\n"
                    f"{key}{inspect.signature(method)}\n\n"
                    f"{inspect.getdoc(method)}\n```\n\n"
                )
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(text())
    print(f"written: {PAGE}")
