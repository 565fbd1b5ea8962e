"""Runs a trainer on two devices of this machine's CPU.

python -m tests.trainers.two_devices TRAINER --strategy=mirrored FLAGS
"""

import runpy
import sys

import tensorflow as tf

from tfcolor.training import strategy as strategy_lib


def main():
    """Makes two devices of one, then becomes the trainer."""
    (cpu,) = tf.config.list_physical_devices("CPU")
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, halves)
    build = strategy_lib.build_strategy

    def build_for_two(name):
        built = build(name)
        if built.num_replicas_in_sync != 2:
            sys.exit("two replicas were expected")
        return built

    strategy_lib.build_strategy = build_for_two
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
