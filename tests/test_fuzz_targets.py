"""The targets of the fuzzer, on what they begin with and near it."""

import numpy as np
import pytest

from fuzz import targets

# The others load PyTorch or make an export first.
QUICK = ("decode", "boxes", "coco", "hints")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", QUICK)
def test_no_seed_of_a_target_and_nothing_near_it_is_a_finding(name):
    target = targets.TARGETS[name]
    one, seeds = target.prepare(), target.seeds()
    rng = np.random.default_rng(0)
    for seed in seeds:
        one(seed)
    for number in range(300):
        changed = bytearray(seeds[number % len(seeds)])
        for place in rng.integers(0, max(len(changed), 1), 3):
            if changed:
                changed[place] = rng.integers(256)
        one(bytes(changed[: rng.integers(len(changed) + 1) or None]))


@pytest.mark.parametrize("name", ["coco", "hints"])
def test_edited_annotations_are_no_finding(name):
    one = targets.TARGETS[name].prepare()
    rng = np.random.default_rng(0)
    for _ in range(1000):
        one(b"\0" + rng.bytes(24))


def test_every_reader_is_a_target():
    assert {*QUICK, "pth", "model", "export"} == set(targets.TARGETS)
