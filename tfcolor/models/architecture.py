"""What a model is: the builder that made it, and its options.

Builders are decorated with `remembered`, so that a model knows; a model file
carries the knowledge along (see `weights.model_file`). `of` reads it, and
`takes` says what a model must be given. Only for files written before models
knew themselves, and for models of other people, something is recognized from
layers: in `_recognize`, and nowhere else.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from collections.abc import Mapping

import keras

from tfcolor.models import box_inputs
from tfcolor.models.takes import SIZE_MULTIPLE
from tfcolor.models.takes import Takes

UNKNOWN = "unknown"

# Filters of the fourth block of a SIGGRAPH network at width 1: the widest,
# where rounding changes the width least.
_WIDEST = ("block4_conv1", 512)


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What a model is.

    Attributes:
        name: str. The builder: a function of `tfcolor.models`, for example
            "siggraph"; "unknown" for a model of somebody else.
        options: dict. Keyword arguments of the builder, defaults too. In
            place of a network stands its name.
        size_multiple: int. What the sides of a picture must be a multiple of.
        smallest_side: int. What they must be at least, pixels.
        networks: dict from the names of layers that are networks themselves
            to what those are.
    """

    name: str = UNKNOWN
    options: Mapping = dataclasses.field(default_factory=dict)
    size_multiple: int = SIZE_MULTIPLE
    smallest_side: int = SIZE_MULTIPLE
    networks: Mapping[str, "Architecture"] = dataclasses.field(
        default_factory=dict
    )


def remembered(
    build: Callable | None = None,
    *,
    size_multiple: int = SIZE_MULTIPLE,
    smallest_side: Callable[[keras.Model, Mapping], int] | None = None,
) -> Callable:
    """Decorates a builder: its models know their architecture.

    Args:
        build: function of keyword arguments to a keras.Model.
        size_multiple: int; see `Architecture`.
        smallest_side: function of model and options to int, or None for
            `size_multiple`.

    Returns:
        The builder, or a decorator where `build` is None.
    """
    if build is None:
        return functools.partial(
            remembered, size_multiple=size_multiple, smallest_side=smallest_side
        )
    signature = inspect.signature(build)

    @functools.wraps(build)
    def builder(**options) -> keras.Model:
        model = build(**options)
        bound = signature.bind(**options)
        bound.apply_defaults()
        known = {
            key: value.name if isinstance(value, keras.Model) else value
            for key, value in bound.arguments.items()
        }
        least = smallest_side(model, known) if smallest_side else size_multiple
        found = Architecture(
            name=build.__name__,
            options=known,
            size_multiple=size_multiple,
            smallest_side=least,
            networks={name: of(inner) for name, inner in _inside(model)},
        )
        return attach(model, found)

    return builder


def attach(model: keras.Model, found: Architecture) -> keras.Model:
    """Tells a model, and the networks inside it, what they are.

    Args:
        model: keras.Model. Changed in place.
        found: Architecture.

    Returns:
        `model`.
    """
    model.architecture = found
    for name, inner in _inside(model):
        if name in found.networks:
            attach(inner, found.networks[name])
    return model


def of(model: keras.Model) -> Architecture:
    """Returns what a model is.

    Args:
        model: keras.Model.

    Returns:
        Architecture.
    """
    return getattr(model, "architecture", None) or _recognize(model)


def takes(model: keras.Model) -> Takes:
    """Returns what a colorizer must or may be given.

    Args:
        model: keras.Model with named inputs.

    Returns:
        Takes.
    """
    found, inputs = of(model), model.input
    return Takes(
        hints={"hints", "mask"} <= set(inputs),
        boxes="crops" in inputs,
        box_classes="box_classes" in inputs,
        classes=inputs["classes"].shape[-1] if "classes" in inputs else 0,
        size_multiple=found.size_multiple,
        smallest_side=found.smallest_side,
    )


def to_json(found: Architecture) -> dict:
    """Returns an architecture as what JSON can hold."""
    return dataclasses.asdict(found)


def from_json(stored: Mapping) -> Architecture:
    """Reads what `to_json` returned.

    Args:
        stored: dict.

    Returns:
        Architecture.
    """
    options = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in stored["options"].items()
    }
    networks = {k: from_json(v) for k, v in stored["networks"].items()}
    return Architecture(**stored | {"options": options, "networks": networks})


def _inside(model: keras.Model) -> list[tuple[str, keras.Model]]:
    return [(x.name, x) for x in model.layers if isinstance(x, keras.Model)]


def _recognize(model: keras.Model) -> Architecture:
    """Tells from its layers what a model is that does not know it."""
    layers = {layer.name: layer for layer in getattr(model, "layers", ())}
    networks = {name: of(inner) for name, inner in _inside(model)}
    # By the names of classes: their modules may need a backend of their own.
    kinds = {type(layer).__name__: layer for layer in layers.values()}
    return (
        _of_networks(networks)
        or _of_classes(layers, kinds, networks)
        or _of_its_own_layers(layers, kinds)
        or _of_siggraph(model, layers, kinds)
    )


def _of_networks(networks: Mapping) -> Architecture | None:
    """Recognizes what is made of whole networks."""
    known = {found.name: name for name, found in networks.items()}
    if {"instance", "fusion"} <= networks.keys():
        others = networks.keys() - {"instance", "fusion"}
        options = {
            "instance": "instance",
            "fusion": "fusion",
            "full": next(iter(others), None),
        }
        return Architecture("instance_colorizer", options, networks=networks)
    for inner in ("siggraph", "efficientnet_unet"):
        if inner in known:
            multiple = networks[known[inner]].size_multiple
            return Architecture(
                f"{inner}_blend", {}, multiple, multiple, networks
            )
    return None


def _of_its_own_layers(layers: Mapping, kinds: Mapping) -> Architecture | None:
    """Recognizes the colorizer on EfficientNet, and AlexNet."""
    if "GreyFromL" in kinds:
        return Architecture("efficientnet_unet", {}, 32, 32)
    if {"conv5", "fc6", "fc7"} <= layers.keys():
        enlarge = layers["enlarged"].scale if "enlarged" in layers else 1
        # It needs this module itself.
        from tfcolor.models import alexnet

        least = alexnet.smallest_side(enlarge)
        return Architecture("alexnet", {"enlarge": enlarge}, 1, least)
    return None


def _of_classes(
    layers: Mapping, kinds: Mapping, networks: Mapping
) -> Architecture | None:
    """Recognizes the ensemble by where its classes come from."""
    if "BoxClassMap" in kinds:
        ids = tuple(kinds["BoxClassMap"].class_ids)
        options = {"class_source": "boxes", "box_class_ids": ids}
        return Architecture("ensemble", options)
    if "classifier" in networks:
        return Architecture(
            "ensemble",
            {"class_source": "classifier"},
            smallest_side=networks["classifier"].smallest_side,
            networks=networks,
        )
    if "with_classes" in layers:
        source = "given" if "classes" in layers else "constant"
        return Architecture("ensemble", {"class_source": source})
    return None


def _of_siggraph(model, layers: Mapping, kinds: Mapping) -> Architecture:
    """Recognizes the family of `siggraph`; others stay unknown."""
    if _WIDEST[0] not in layers:
        return Architecture()
    options = {"width": layers[_WIDEST[0]].filters / _WIDEST[1]}
    if "mask_centered" in layers:
        options["mask_center"] = -float(layers["mask_centered"].offset)
    if "InstanceFusion" not in kinds:
        return Architecture("siggraph", options)
    options["blending"] = kinds["InstanceFusion"].blending
    options["groups"] = box_inputs.count_groups(model.input)
    return Architecture("fusion", options)
