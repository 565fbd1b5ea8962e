"""Flags: the experiment on ensembles, beside those of `experiment`."""

from absl import flags

# Name of a variant to the flags of train_ensemble that make it.
VARIANTS = {
    "resnet": ("--class_source=none",),
    "ensemble": ("--class_source=classifier",),
    "oracle": ("--class_source=given", "--class_input=true"),
    "shuffled": ("--class_source=given", "--class_input=shuffled"),
    "same_parameters": ("--class_source=constant",),
    # Other features, and what the branch does when it may learn.
    "one_hot": ("--class_source=classifier", "--features=one_hot"),
    "logits": ("--class_source=classifier", "--features=logits"),
    "penultimate": ("--class_source=classifier", "--features=penultimate"),
    "trained_along": ("--class_source=classifier", "--train_classifier"),
    "untaught": ("--class_source=classifier", "--train_classifier"),
}
# The variant whose classifier has learned nothing before.
UNTAUGHT = "untaught"
# Variants that start from the classifier.
TAUGHT = (
    *("ensemble", "one_hot", "logits", "penultimate"),
    "trained_along",
)

VARIANT_NAMES = flags.DEFINE_list(
    "variants",
    ["resnet", "ensemble", "oracle", "shuffled", "same_parameters"],
    "What is compared with the first of them: " + ", ".join(VARIANTS) + ".",
)
ALEXNET_PRESET = flags.DEFINE_string(
    "alexnet_preset",
    "flags/presets/alexnet_small.cfg",
    "Flag file of the run that trains the classifier.",
)
ALEXNET_TRAIN_FLAGS = flags.DEFINE_multi_string(
    "alexnet_flag",
    [],
    "A flag that the run of the classifier gets after its preset; may be given "
    "more than once. --train_flag is for all other runs.",
)
ENSEMBLE_PRESET = flags.DEFINE_string(
    "ensemble_preset",
    "flags/presets/ensemble_small.cfg",
    "Flag file of all other runs.",
)
