"""Trains the grey AlexNet to classify pictures by their lightness.

    python -m trainers.train_alexnet --images=imagenet13
        --flagfile=flags/presets/alexnet_small.cfg --workdir=runs/alexnet

--images is a folder of class folders, as for train_classifier. It may start
from another AlexNet (--initial_weights), as train_alexnet or `tfcolor
import-weights --architecture=alexnet` writes it; with other classes, all layers
but the last one are taken.

The run folder is that of train_classifier, report/ included: top-1 and top-3,
confusion matrix, tables. `tfcolor classify` uses the model.
"""

import functools

from absl import flags

from flags import alexnet as alexnet_flags
from flags import data as data_flags
from flags import labelled as labelled_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from tfcolor.data import labelled
from tfcolor.data import lightness
from tfcolor.losses import label_objective
from tfcolor.models.alexnet import alexnet
from tfcolor.models.alexnet import check_size
from tfcolor.weights import model_file
from tfcolor.weights import transfer
from trainers import assembly
from trainers import initial_weights
from trainers import labelled_assembly
from trainers import launch

for _group in (alexnet_flags, optimizer_flags, run_flags):
    flags.adopt_module_key_flags(_group)
# Those of other groups that play a part here.
for _name in (
    *("images", "validation_images", "validation_share", "data_dir"),
    "skip_corrupt",
    *("image_size", "load_size", "batch_size", "seed", "flip", "cache"),
    *("test_images", "test_share", "pictures_per_class"),
    *("random_crop_area", "random_crop_share"),
    "width",
):
    flags.declare_key_flag(_name)
flags.mark_flags_as_required(["images", "workdir"])

_HEAD = "logits"


def main(argv):
    """Reads the flags, then: data, model, fit, report."""
    config, label_config = data_flags.config(), labelled_flags.config()
    check_size(config.image_size, enlarge=alexnet_flags.options()["enlarge"])
    run, strategy = assembly.start_run(__name__, seed=config.seed)

    parts = labelled_assembly.open_parts(run.log)
    seen = labelled_assembly.in_memory(parts) if config.cache else parts
    with strategy.scope():
        model = build_alexnet(len(parts.class_names), run.log)

    info = model_file.ModelInfo(
        "alexnet", config.image_size, class_names=parts.class_names
    )
    labelled_assembly.fit_classifier(
        model,
        parts=parts,
        seen=seen,
        view=lightness.lightness_only(
            labelled.labelled_view(config, label_config), "picture"
        ),
        losses=label_objective.label_objective(
            alexnet_flags.objective(), model
        ),
        info=info,
        run=run,
        strategy=strategy,
    )


def build_alexnet(num_classes: int, log):
    """Builds the network of the flags, with the weights to start from.

    Args:
        num_classes: int.
        log: logging.Logger.

    Returns:
        keras.Model.

    Raises:
        ValueError: the weights are those of another network.
    """
    build = functools.partial(alexnet, num_classes=num_classes)
    path, options = run_flags.INITIAL_WEIGHTS.value, alexnet_flags.options()
    if not path:
        return build(**options)
    start = assembly.load_model(path)
    logits = start.output.get(_HEAD)
    other = logits is not None and logits.shape[-1] != num_classes
    if other:
        log.info(
            "starting from a network of %d classes: the last layer is new",
            logits.shape[-1],
        )
    return initial_weights.copied(
        start,
        build,
        options,
        functools.partial(
            transfer.copy_weights, except_layers=[_HEAD] if other else []
        ),
        path=path,
    )


if __name__ == "__main__":
    launch.run(main)
