"""Trains a ResNet colorizer that is conditional on the classes of boxes.

    python -m trainers.train_box_ensemble --images=coco/train --boxes=coco.json
        --validation_images=coco/val --flagfile=flags/presets/resnet_small.cfg
        --workdir=runs/boxes

The study of ensembles ends with the wish for finer classes from detected
objects: here COCO's 80 classes are marked where their boxes lie, beside the
features of the picture. --noknow_boxes trains the same network without them,
on the same pictures. `tfcolor evaluate --boxes` compares the two.

Pictures are read anew in every epoch. The run folder is that of train_full.
"""

import functools

from absl import flags

from flags import box_classes as box_class_flags
from flags import data as data_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import resnet as resnet_flags
from flags import run as run_flags
from tfcolor.data import box_class_pipelines
from tfcolor.detection import coco_classes
from tfcolor.models.ensemble import ensemble
from tfcolor.weights import model_file
from trainers import assembly
from trainers import launch
from trainers import resnet_assembly

for _group in (
    box_class_flags,
    objective_flags,
    optimizer_flags,
    resnet_flags,
    run_flags,
):
    flags.adopt_module_key_flags(_group)
# Those of other groups that play a part here.
for _name in (
    *("images", "validation_images", "validation_share", "data_dir"),
    "skip_corrupt",
    *("image_size", "batch_size", "seed", "flip", "min_color_range"),
    *("boxes", "max_boxes", "width"),
):
    flags.declare_key_flag(_name)
# Pictures are seen whole and read anew, with their boxes.
_UNUSED = ("cache", "load_size", "min_area", "aged_share")
flags.mark_flags_as_required(["images", "workdir"])


def main(argv):
    """Reads the flags, then: data, model, fit."""
    config = data_flags.config()
    resnet_assembly.check_objective()
    run, strategy = assembly.start_run(
        __name__, seed=config.seed, unused=_UNUSED
    )

    train, held_out = assembly.with_boxes(
        assembly.open_sources(run.log), box_class_pipelines.BoxClassSource
    )
    with strategy.scope():
        model = build()

    def seen(inputs, targets):
        return {name: inputs[name] for name in model.input}, targets

    info = model_file.ModelInfo("ensemble", config.image_size)
    assembly.fit_colorizer(
        model,
        train=train,
        held_out=held_out,
        view=box_class_pipelines.box_class_view(config).then(seen),
        save_model=functools.partial(model_file.save, info=info),
        run=run,
        strategy=strategy,
    )


def build():
    """Builds the network of the flags, with the weights to start from."""
    ids = tuple(coco_classes.NAMES)
    know = box_class_flags.KNOW_BOXES.value
    return resnet_assembly.start_from(
        functools.partial(
            ensemble,
            num_classes=len(ids),
            class_source="boxes" if know else "none",
            box_class_ids=ids if know else None,
        ),
        resnet_flags.options(),
    )


if __name__ == "__main__":
    launch.run(main)
