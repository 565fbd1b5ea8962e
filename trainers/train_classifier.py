"""Trains a classifier on the trunk of a colorizer (task transfer).

    python -m trainers.train_classifier --images=fruits
        --flagfile=flags/presets/task_transfer_small.cfg
        --initial_weights=siggraph_small --workdir=runs/fruits

--images is a folder of class folders, whose names are the labels; or one with
train, val and test, each such a folder; or tfds:NAME/SPLIT. The trunk may come
from any colorizer of the family (--initial_weights), full or instance; without
one it starts anew. --crops=boxes --boxes=... learns from a random box of each
picture, as the instance colorizer does.

The run folder is that of train_full. At the end it also gets report/: curves,
confusion matrix ordered by color group (if --images has a
color_groups.json), tables, and with --colorizer test pictures in predicted
color. `tfcolor classify` uses the model.
"""

from absl import flags

from flags import boxes as box_flags
from flags import classifier as classifier_flags
from flags import data as data_flags
from flags import labelled as labelled_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from tfcolor.data import labelled
from tfcolor.losses import label_objective as label_losses
from tfcolor.weights import model_file
from trainers import assembly
from trainers import labelled_assembly
from trainers import launch

for _group in (
    box_flags,
    classifier_flags,
    labelled_flags,
    optimizer_flags,
    run_flags,
):
    flags.adopt_module_key_flags(_group)
# Those of `data` and `model` that a classifier knows.
for _name in (
    *("images", "validation_images", "validation_share", "data_dir"),
    "skip_corrupt",
    *("image_size", "load_size", "batch_size", "seed", "flip", "cache"),
    *("width", "initializer"),
):
    flags.declare_key_flag(_name)
flags.mark_flags_as_required(["images", "workdir"])


def main(argv):
    """Reads the flags, then: data, model, fit, report."""
    config, label_config = data_flags.config(), labelled_flags.config()
    run, strategy = assembly.start_run(__name__, seed=config.seed)

    parts = labelled_assembly.open_parts(run.log)
    seen = labelled_assembly.in_memory(parts) if config.cache else parts
    with strategy.scope():
        model = labelled_assembly.build_classifier(len(parts.class_names))

    info = model_file.ModelInfo(
        "task_transfer",
        config.image_size,
        class_names=parts.class_names,
        inputs=label_config.inputs,
    )
    labelled_assembly.fit_classifier(
        model,
        parts=parts,
        seen=seen,
        view=labelled.labelled_view(config, label_config),
        losses=label_losses.cross_entropy,
        info=info,
        run=run,
        strategy=strategy,
    )


if __name__ == "__main__":
    launch.run(main)
