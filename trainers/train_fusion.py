"""Trains the fusion network (Su et al., CVPR 2020, third stage).

    python -m trainers.train_fusion --images='photos/**/*.jpg'
        --flagfile=flags/presets/fusion_small.cfg --boxes=boxes
        --full_weights=runs/full/model.keras
        --instance_weights=runs/instance/model.keras --workdir=runs/fusion

--initial_weights=instcolorization begins with the published networks, all
three; add --blending=faithful for their way of blending. Any model of this
trainer can stand there too.

Only the 13 blending layers, the last convolution and the output learn; the
trunk and the instance network stay as they came, their batch normalizations
in evaluation mode. model.keras holds all three networks.
"""

import functools

from absl import flags

from flags import boxes as box_flags
from flags import data as data_flags
from flags import fusion as fusion_flags
from flags import model as model_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from tfcolor.data import box_pipelines
from tfcolor.models import architecture
from tfcolor.models import blend
from tfcolor.models import fusion as fusion_lib
from tfcolor.models import instance as instance_lib
from tfcolor.models import siggraph_blocks
from tfcolor.weights import model_file
from tfcolor.weights import transfer
from trainers import assembly
from trainers import initial_weights
from trainers import launch

for _group in (
    data_flags,
    box_flags,
    fusion_flags,
    objective_flags,
    optimizer_flags,
    run_flags,
):
    flags.adopt_module_key_flags(_group)
flags.declare_key_flag("width")
# Pictures are seen whole and at their own size, with their boxes.
_UNUSED = ("cache", "load_size", "min_area", "aged_share")
flags.mark_flags_as_required(["images", "workdir"])


def build_networks():
    """Builds the three networks: full and instance as they come, frozen."""
    initial = run_flags.INITIAL_WEIGHTS.value
    path = fusion_flags.FULL_WEIGHTS.value or initial
    instance_path = fusion_flags.INSTANCE_WEIGHTS.value or initial
    if not path or not instance_path:
        raise ValueError(
            "--full_weights and --instance_weights must be given, or "
            "--initial_weights, a model that has both. Received: "
            f"--full_weights={path} --instance_weights={instance_path}"
        )
    full = _part_of(assembly.load_model(path), "full")
    fusion = _build_fusion(full, path, initial)
    instance = blend.network(
        _part_of(assembly.load_model(instance_path), "instance")
    )
    _check_instance(instance, fusion, instance_path)
    instance = instance_lib.with_maps(instance)
    instance.trainable = False
    fusion_lib.freeze_trunk(fusion)
    return full, instance, fusion


def _part_of(model, kind: str):
    """Returns a network of an instance-aware model, or any other model."""
    return fusion_lib.networks_of(model).get(kind) or model


def _build_fusion(full, path: str, initial: str | None):
    """Builds the fusion network, from another one or from a trunk."""
    start, flag, except_layers = blend.network(full), "--full_weights", []
    if initial:
        start = _part_of(assembly.load_model(initial), "fusion")
        path, flag = initial, "--initial_weights"
    else:
        new = [f"{name}_fusion" for name in siggraph_blocks.MAPS]
        except_layers = ["ab_logits", *new]
    width = {"width": model_flags.options()["width"]}
    return initial_weights.copied(
        start,
        fusion_lib.fusion,
        width | fusion_flags.options() | initial_weights.seen_mask(start),
        functools.partial(transfer.copy_weights, except_layers=except_layers),
        path=path,
        flag=flag,
    )


def _check_instance(instance, fusion, path: str) -> None:
    """Refuses an instance network whose maps the fusion cannot blend."""
    trunk = [x.name for x in fusion.layers if x.name.startswith("block")]
    trunk = [name for name in trunk if fusion.get_layer(name).weights]
    new = {f"{name}_fusion" for name in siggraph_blocks.MAPS}
    try:
        transfer.check_layers(instance, fusion, [*(set(trunk) - new)])
    except transfer.Mismatch as error:
        now = model_flags.options()["width"]
        width = architecture.of(instance).options.get("width")
        kind = f"{instance.name!r}" + (f" of --width={width}" if width else "")
        raise ValueError(
            "--instance_weights must be a model of train_instance of the width "
            f"of --full_weights, --width={now}. Received: "
            f"{path!r}, {kind}"
        ) from error


def main(argv):
    """Reads the flags, then: data, models, fit."""
    config = data_flags.config()
    run, strategy = assembly.start_run(
        __name__, seed=config.seed, unused=_UNUSED
    )

    train, held_out = assembly.open_boxed_sources(run.log)
    with strategy.scope():
        full, instance, fusion = build_networks()
        model = fusion_lib.instance_colorizer(instance=instance, fusion=fusion)

    info = model_file.ModelInfo("instance_colorizer", config.image_size)

    def save_model(model, path):
        # Trained without the full network, used with it.
        del model
        whole = fusion_lib.instance_colorizer(
            instance=instance, fusion=fusion, full=full
        )
        model_file.save(whole, path, info)

    assembly.fit_colorizer(
        model,
        train=train,
        held_out=held_out,
        view=box_pipelines.fusion_view(config, box_flags.config()),
        save_model=save_model,
        run=run,
        strategy=strategy,
    )


if __name__ == "__main__":
    launch.run(main)
