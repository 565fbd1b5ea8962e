import importlib.util
import re

import numpy as np
import pytest
from absl.testing import flagsaver

from benchmarks import adaptive_crops
from benchmarks import colorize_picture
from benchmarks import feature_rank
from benchmarks import full_network
from benchmarks import fusion_inference
from benchmarks import fusion_training_step
from benchmarks import input_pipeline
from benchmarks import lab_in_step
from benchmarks import network_sizes
from benchmarks import random_hints
from tests import drawn
from tests.inference import models

HAS_TORCH = importlib.util.find_spec("torch") is not None
TINY = {
    "width": "0.03125",
    "image_size": "32",
    "repeats": "1",
    "memory": "false",
}


def _rows(program, capsys, **options):
    """Runs a program; returns the cells of its tables, all in one list."""
    with flagsaver.as_parsed(**TINY | options):
        program.main([])
    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if line.startswith("| ")]
    assert len(lines) > 2, out
    return [line.strip("| ").split(" | ") for line in lines]


def _of(rows, *cells):
    """The row that begins with these cells."""
    return next(row for row in rows if row[: len(cells)] == list(cells))


def _is_number(cell):
    return re.fullmatch(r"[-+.0-9e]+%?", cell) and cell != "-"


@pytest.mark.long
def test_fusion_inference_prints_times_and_memory_of_all_sides(capsys):
    options = {"box_counts": "2", "boxes_at_once": "1", "memory": "true"}
    rows = _rows(fusion_inference, capsys, **options)
    sides = ("tfcolor", "tfcolor, boxes in turns", "tfcolor, adaptive crops")
    for side in sides:
        row = _of(rows, "2", side)
        assert _is_number(row[2])
        assert HAS_TORCH == bool(_is_number(row[3]))
        peak, loaded = (int(row[i].removesuffix(" MB")) for i in (4, 6))
        assert peak > loaded
    *_, in_turns, psnr = _of(rows[-1:], "2")
    assert float(in_turns) < 1e-4 and _is_number(psnr)
    assert any("PyTorch" in row[1:2] for row in rows) == HAS_TORCH


@pytest.mark.long
def test_the_fusion_step_prints_times_counts_and_losses(capsys):
    rows = _rows(fusion_training_step, capsys, box_count="2")
    step, counts = (row for row in rows if row[0] == "tfcolor")
    assert _is_number(step[1])
    # Blending layers, block 10 and output; no other gradients.
    assert counts[3] == "80" and counts[4] == counts[5]
    first, last = (float(loss) for loss in counts[6].split(", "))
    assert last < first


@pytest.mark.long
def test_the_full_network_prints_times_and_shares_of_the_peak(capsys):
    rows = _rows(full_network, capsys, training_size="32", training_batch="2")
    for what in ("inference", "training step"):
        row = _of(rows, what, "tfcolor")
        assert all(_is_number(cell) for cell in row[4:])
        assert row[6].endswith("%")


@pytest.mark.long
def test_adaptive_crops_prints_crops_times_and_psnr(capsys):
    rows = _rows(adaptive_crops, capsys, pictures="2")
    fixed = _of(rows, "crops of one size")
    adaptive = _of(rows, "adaptive crops")
    assert fixed[1] == adaptive[1] == "2"
    assert fixed[2] == "3 of 32"
    assert adaptive[2].startswith("3 of 32, 0 of 16")
    assert all(_is_number(cell) for cell in adaptive[3:])


def test_colorizing_a_picture_prints_its_time(tmp_path, capsys):
    model = models.save(models.plain_model(), tmp_path / "model.keras")
    rows = _rows(colorize_picture, capsys, side="40", model=str(model))
    assert rows[-1][0] == "40 x 40"
    assert all(_is_number(cell) for cell in rows[-1][1:])


@pytest.mark.slow
def test_the_input_pipeline_prints_pictures_a_second(capsys):
    options = {
        "picture_count": "12",
        "batch_size": "4",
        "loader_processes": "0",
    }
    rows = _rows(input_pipeline, capsys, long_side="96", **options)
    for name in ("folder", "shards", "--cache"):
        row = _of(rows, f"tfcolor, {name}")
        assert _is_number(row[1]) and _is_number(row[4])
        assert HAS_TORCH == bool(_is_number(row[3]))


@pytest.mark.slow
def test_colors_made_in_the_step_are_those_of_the_pipeline(capsys):
    options = {
        "lab_in_step_widths": "0.03125",
        "lab_in_step_size": "32",
        "lab_in_step_steps": "2",
        "lab_in_step_rest": "0",
        "batch_size": "2",
        "aged_share": "0.5",
    }
    rows = _rows(lab_in_step, capsys, **options)
    pipeline, step = (
        _of(rows, "0.03125", name) for name in ("tf.data", "the step")
    )
    assert all(_is_number(cell) for cell in pipeline[2:5] + step[2:])
    _, first, second = rows[-1]
    assert float(first) == pytest.approx(float(second), rel=1e-3)


def test_effective_rank_counts_directions():
    rng = np.random.default_rng(0)
    three = np.repeat(rng.normal(size=(9000, 3)), 4, axis=1)
    rank, first = feature_rank.effective_rank(three)
    assert rank == pytest.approx(3, abs=0.01)
    assert first == pytest.approx(1 / 3, abs=0.02)
    assert feature_rank.effective_rank(three[:, :4])[0] == pytest.approx(1)


def test_features_of_all_blocks_are_measured(capsys):
    rows = _rows(
        feature_rank, capsys, model="siggraph_small", picture_side="32"
    )
    assert [row[0] for row in rows[2:]] == [f"block{i}" for i in range(1, 8)]
    for _, features, rank, first, still in rows[2:]:
        assert 1 <= float(rank) <= int(features) and float(first) <= 1
        assert 0 <= int(still) < int(features)


@pytest.mark.slow
def test_true_hints_at_random_places_bring_a_picture_near_the_truth(
    tmp_path, capsys
):
    drawn.write(tmp_path / "a.png", drawn.colored(3, 48, 64))
    rows = _rows(
        random_hints, capsys, images=str(tmp_path), model="siggraph_small"
    )
    none, *others = (row for row in rows if row[0].isdigit())
    assert [row[0] for row in others] == ["1", "3", "10", "30"]
    assert float(none[2].split()[0]) == 0
    assert float(others[-1][2].split()[0]) > 3


@pytest.mark.slow
def test_network_sizes_print_time_and_quality_of_each(capsys, tmp_path):
    for i in range(2):
        drawn.write(tmp_path / f"{i}.png", drawn.colored(i, 40, 60))
    rows = _rows(
        network_sizes,
        capsys,
        images=str(tmp_path),
        colorizers="siggraph_small",
        network_sizes="32,64",
        side="48",
    )
    for size in ("32", "64"):
        row = _of(rows, "siggraph_small", size)
        assert all(_is_number(cell) for cell in row[2:5])
    first, second = (_of(rows, "siggraph_small", size) for size in ("32", "64"))
    assert first[3] != second[3]
