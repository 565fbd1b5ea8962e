"""Predictions of classes, made up."""

import numpy as np

from tfcolor.evaluation.class_predictions import ClassPredictions

NAMES = ("apple", "lemon", "tomato", "banana")
GROUPS = {"apple": "red", "tomato": "red", "lemon": "yellow"}
GROUPS |= {"banana": "yellow"}


def make(pairs, class_names=NAMES):
    """Predictions from pairs of true and predicted class."""
    count = len(class_names)
    labels = np.array([class_names.index(true) for true, _ in pairs])
    best = np.array([class_names.index(best) for _, best in pairs])
    probabilities = np.full([len(pairs), count], 0.4 / (count - 1))
    probabilities[np.arange(len(pairs)), best] = 0.6
    names = [f"{i:03}.jpg" for i in range(len(pairs))]
    return ClassPredictions(names, labels, probabilities, class_names)


# 5 right; inside a group: 3, between groups: 1.
MIXED = make(
    [
        *(("apple", "apple"), ("apple", "tomato"), ("lemon", "lemon")),
        *(("lemon", "banana"), ("lemon", "lemon"), ("tomato", "apple")),
        *(("tomato", "lemon"), ("banana", "banana"), ("banana", "banana")),
    ]
)
