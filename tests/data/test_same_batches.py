"""Batches of all data sets are those of earlier versions, for equal seeds.

Whole numbers are compared by a hash: labels, names, masks, boxes, and the bytes
that CIELAB was made of. What processors round differently is compared by sums.
"""

import hashlib

import numpy as np
import pytest
import tensorflow as tf

from tests import class_albums
from tfcolor.boxes import box_files
from tfcolor.color import lab
from tfcolor.data import box_class_pipelines
from tfcolor.data import box_pipelines
from tfcolor.data import class_colors
from tfcolor.data import epochs
from tfcolor.data import full_data_config
from tfcolor.data import labelled
from tfcolor.data import labelled_parts
from tfcolor.data import memory_source
from tfcolor.data import pipelines
from tfcolor.data import sources

_HASHED = ("mask", "boxes", "box_valid", "box_classes", "picture_size")


@pytest.fixture(scope="module")
def albums(made, tmp_path_factory):
    """Sources by name: pictures, shards, classes, and boxes of two kinds."""
    images, boxes = str(made / "images"), box_files.open_boxes(made / "boxes")
    folder = class_albums.write_parts(tmp_path_factory.mktemp("classes"))
    parts = labelled_parts.open_parts(folder, validation_share=0, test_share=0)

    def opened():
        return sources.open_source(images)

    def boxed(kind, source):
        return kind(source, boxes, max_boxes=3)

    numbers = list(range(len(opened())))
    numbered = labelled.LabelledSource(opened(), numbers)
    return {
        "pictures": opened(),
        "shards": sources.open_source(str(made / "records")),
        "memory": memory_source.into_memory(
            opened(), side=24, min_color_range=10, label="none"
        ),
        "boxed": boxed(box_pipelines.BoxedSource, opened()),
        "box_classes": boxed(box_class_pipelines.BoxClassSource, opened()),
        "classes": parts.train,
        "crops": memory_source.into_memory(
            boxed(box_pipelines.BoxedSource, numbered), side=24, crops=True
        ),
    }


def _config(load_size=24, **options):
    return full_data_config.FullDataConfig(
        **{"image_size": 16, "load_size": load_size, "batch_size": 4}
        | {"seed": 7, "flip": True, "hint_share": 0.7}
        | options
    )


def _finished_in_a_step(source, view, **options):
    """Makes colors of bytes as a step of the training does."""
    finish = tf.function(view.finished)
    for batch in epochs.drawn(source, view, **options):
        assert batch["rgb"].dtype == tf.uint8
        yield finish(batch)


def _full(make, source, **options):
    return make(source, pipelines.full_view(_config()), **options)


def _cut_and_aged(make, source, **options):
    config = _config(min_area=0.3, aged_share=0.8)
    return make(source, pipelines.full_view(config), **options)


def _instance(make, source, **options):
    view = box_pipelines.instance_view(_config())
    return make(source, view, **options)


def _fusion(make, source, **options):
    boxes = box_pipelines.BoxConfig(max_boxes=3, crop_size=8)
    view = box_pipelines.fusion_view(_config(None), boxes)
    return make(source, view, **options)


def _box_classes(make, source, **options):
    view = box_class_pipelines.box_class_view(_config(None))
    return make(source, view, **options)


def _labelled(make, source, **options):
    config = labelled.LabelConfig(
        random_crop_area=0.5, random_crop_share=0.5, inputs="L_ab"
    )
    view = labelled.labelled_view(_config(), config)
    return make(source, view, **options)


def _labelled_crops(make, source, **options):
    # Longer than a pass.
    return _labelled(make, source, steps=5, **options)


def _class_colors(make, source, **options):
    view = class_colors.class_color_view(
        _config(),
        class_input="shuffled",
        num_classes=3,
        label_pool=np.arange(3),
    )
    return make(source, view, **options)


def _bytes_of(L, ab):
    """The sRGB bytes that CIELAB was made of."""
    rgb = lab.lab_to_rgb(np.concatenate([L, ab], axis=-1)).numpy() * 255
    assert np.abs(rgb - rgb.round()).max() < 0.05
    return rgb.round().astype(np.uint8)


def _whole_numbers(inputs, targets, aged) -> dict[str, np.ndarray]:
    found = {key: inputs[key] for key in _HASHED if key in inputs}
    if "classes" in inputs:
        found["classes"] = inputs["classes"].argmax(-1)
    if "label" in targets:
        found["label"] = targets["label"]
    if "name" in targets:
        names = [name.rpartition(b"/")[2] for name in targets["name"]]
        found["name"] = np.array(b" ".join(names))
    if not aged:
        ab = targets["ab"] if "ab" in targets else inputs["hints"]
        found["rgb"] = _bytes_of(inputs["L"], ab)
    return found


def _sum(found) -> float:
    """A sum that depends on the places of its terms."""
    return sum(
        float(np.mean(values * np.cos(np.arange(values.size))))
        for values in (
            np.float64(found[key]).ravel()
            for key in ("L", "hints", "crops", "ab")
            if key in found
        )
    )


def fingerprint(batches, *, aged=False) -> tuple[int, str, float]:
    """Returns the number of batches, a hash and a sum of what is in them."""
    digest, total, count = hashlib.sha256(), 0.0, 0
    for batch in batches:
        inputs, targets = tf.nest.map_structure(lambda x: x.numpy(), batch)
        for key, values in _whole_numbers(inputs, targets, aged).items():
            digest.update(f"{key} {values.shape} {values.dtype}".encode())
            digest.update(values.tobytes())
        total += _sum(inputs) + _sum(targets)
        count += 1
    return count, digest.hexdigest()[:12], total


@pytest.mark.parametrize(
    ("data", "source", "training", "validation"),
    [
        (
            _full,
            "pictures",
            (2, "dc3013b158d2", -0.0301),
            (3, "43784aa5e1b8", -0.15113),
        ),
        (
            _full,
            "memory",
            (2, "a72477dcfe1a", -0.04285),
            (3, "43784aa5e1b8", -0.15113),
        ),
        (
            _full,
            "shards",
            (2, "100443afdc4a", 0.04852),
            (3, "1c60cf39efc1", -0.13034),
        ),
        (
            _cut_and_aged,
            "pictures",
            (2, "e687d3a635e5", -0.07725),
            (3, "43784aa5e1b8", -0.15113),
        ),
        (
            _instance,
            "boxed",
            (2, "8d1bf85e8ca6", -0.07434),
            (3, "47d9b699b877", -0.13619),
        ),
        (
            _fusion,
            "boxed",
            (2, "354710cb1dac", 0.06448),
            (3, "29b8fef4e129", 0.32412),
        ),
        (
            _box_classes,
            "box_classes",
            (2, "cda088199d70", -0.10865),
            (3, "ad35175dce68", -0.12831),
        ),
        (
            _labelled,
            "classes",
            (4, "48ee9899162d", -0.31121),
            (5, "424b19a69d3f", 0.06333),
        ),
        (
            _labelled_crops,
            "crops",
            (5, "6a64ed1a0c3e", 0.26269),
            (3, "4ee2210ba0ee", 0.04543),
        ),
        (
            _class_colors,
            "classes",
            (4, "c3a278721e8e", -0.64185),
            (5, "41a457d7c15a", 0.8381),
        ),
    ],
)
def test_batches_are_those_of_earlier_versions(
    albums, data, source, training, validation
):
    for is_training, expected in ((True, training), (False, validation)):
        options = {"epoch": 3, "training": is_training, "names": is_training}
        aged = is_training and data is _cut_and_aged
        for make in (epochs.epoch, _finished_in_a_step):
            batches = data(make, albums[source], **options)
            count, digest, total = fingerprint(batches, aged=aged)
            assert (count, digest) == expected[:2]
            assert total == pytest.approx(expected[2], rel=1e-4, abs=1e-4)
