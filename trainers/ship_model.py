"""Turns a trained model into one that ships with the package.

    python -m trainers.ship_model --name=siggraph_small --width=0.25
        --initial_weights=runs/full/model.keras

--width is that of `siggraph`, --variant and --decoder are those of
`efficientnet_unet`. Writes tfcolor/weights/shipped_models/NAME.json and
NAME.npz: the network's options and its weights, the kernels as float16: half a
.keras file. What ships blends regression and classes; see `blend`.
"""

import dataclasses

from absl import flags

from flags import efficientnet as efficientnet_flags
from flags import model as model_flags
from flags import run as run_flags
from flags import shipping as shipping_flags
from tfcolor.models import architecture
from tfcolor.models import blend
from tfcolor.weights import model_file
from tfcolor.weights import shipped
from tfcolor.weights import transfer
from trainers import initial_weights
from trainers import launch

flags.adopt_module_key_flags(shipping_flags)
flags.declare_key_flag("width")
flags.declare_key_flag("variant")
flags.declare_key_flag("decoder")
flags.declare_key_flag("initial_weights")
flags.mark_flags_as_required(["initial_weights", "name"])


def main(argv):
    """Builds the network of the flags, takes the weights, writes both."""
    source, info = model_file.load(run_flags.INITIAL_WEIGHTS.value)
    network = blend.network(source)
    if architecture.of(network).name == "efficientnet_unet":
        build = blend.efficientnet_unet_blend
        options = efficientnet_flags.options()
        options |= shipping_flags.surface_options()
        del options["frozen_blocks"]
    else:
        build = blend.siggraph_blend
        options = {"width": model_flags.options()["width"]}
    options |= shipping_flags.options()
    model = initial_weights.copied(
        network,
        build,
        options,
        lambda start, made: transfer.copy_weights(start, blend.network(made)),
        path=run_flags.INITIAL_WEIGHTS.value,
    )
    info = dataclasses.replace(
        info,
        architecture=build.__name__,
        upsampling=shipping_flags.UPSAMPLING.value,
        image_size=shipping_flags.NETWORK_SIZE.value or info.image_size,
        description=shipping_flags.DESCRIPTION.value,
    )
    shipped.write(
        model,
        info,
        name=shipping_flags.NAME.value,
        options=options,
        styles=shipping_flags.styles(),
    )
    print(f"written: {shipping_flags.NAME.value}")


if __name__ == "__main__":
    launch.run(main)
