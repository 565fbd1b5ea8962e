"""Averages the weights of models that began from the same ones.

    python -m trainers.average_weights --output=runs/average/model.keras
        --models=runs/gpu/model.keras,runs/fine/model.keras

The mean is often better than each, or lies between what they are good at: here
the second model is the first, trained on for something else.

Reference:
    M. Wortsman et al., "Model soups: averaging weights of multiple fine-tuned
    models improves accuracy without increasing inference time", ICML 2022.
"""

import os

import numpy as np
from absl import flags

from tfcolor.data import files
from tfcolor.weights import model_file
from trainers import launch

MODELS = flags.DEFINE_list(
    "models", None, "The .keras files, with commas between them."
)
OUTPUT = flags.DEFINE_string("output", None, "The .keras file to be written.")
flags.mark_flags_as_required(["models", "output"])


def main(argv):
    """Reads the models, writes their mean under what the first one says."""
    del argv
    (model, info), *others = (model_file.load(path) for path in MODELS.value)
    weights = [model.get_weights()] + [m.get_weights() for m, _ in others]
    shapes = {tuple(array.shape for array in arrays) for arrays in weights}
    if len(shapes) > 1:
        raise ValueError(
            "--models must be of one network, with weights of the same "
            f"shapes. Received: --models={','.join(MODELS.value)}"
        )
    means = [np.mean(arrays, axis=0) for arrays in zip(*weights, strict=True)]
    model.set_weights(means)
    files.make_output_folder(os.path.dirname(OUTPUT.value) or ".")
    model_file.save(model, OUTPUT.value, info)
    print(f"written: {OUTPUT.value}")


if __name__ == "__main__":
    launch.run(main)
