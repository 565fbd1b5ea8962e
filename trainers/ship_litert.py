"""Makes the LiteRT template of a model that ships with the package.

    python -m trainers.ship_litert --name=lite2_unet

Writes tfcolor/weights/shipped_models/NAME.litert.npz, with which `tfcolor
colorize` starts without TensorFlow; see `litert_template`. To be made anew
after `ship_model`. Takes a minute.
"""

from absl import flags

from flags import shipping as shipping_flags
from tfcolor.export import shipped_litert
from trainers import launch

flags.declare_key_flag("name")
flags.mark_flags_as_required(["name"])


def main(argv):
    """Converts the model of the flag, and writes what is not weights."""
    del argv
    name = shipping_flags.NAME.value
    size = shipped_litert.write(name)
    print(f"written: {name}, {size / 1000:.0f} kB")


if __name__ == "__main__":
    launch.run(main)
