import keras
import numpy as np
import pytest

from tests.training import run_files
from tests.training import tiny_run
from tests.training.tiny_run import TinyRun
from tfcolor.training.task import FitConfig
from tfcolor.weights import model_file


@pytest.mark.long
def test_two_devices_learn_what_one_learns(tmp_path):
    finished = run_files.program(tmp_path / "two", "mirrored")
    assert finished.returncode == 0, finished.stderr
    TinyRun(optimizer=tiny_run.CLIPPED).start(tmp_path / "one")
    parts = TinyRun(optimizer=tiny_run.CLIPPED, normalized=False)
    parts.start(tmp_path / "one_in_parts")
    for kind in ("", "_in_parts"):
        for name in ("loss", "validation/loss", "validation/psnr"):
            np.testing.assert_allclose(
                run_files.column(tmp_path / f"two{kind}", name),
                run_files.column(tmp_path / f"one{kind}", name),
                rtol=1e-4,
            )
    # The first one on two devices was interrupted after step 4.
    assert len(run_files.column(tmp_path / "two", "loss")) == 6
    assert "at step 4 of 6" in (tmp_path / "two/train.log").read_text()
    # What is saved is for one device.
    for name in ("one", "two"):
        model, _ = model_file.load(str(tmp_path / name / "model.keras"))
        assert model.get_layer("bn").synchronized is False
    losses = run_files.column(tmp_path / "two_float16", "loss")
    assert losses[-1] < losses[0]


def _run_with(tmp_path, name, **options):
    """The last checkpoint and {step: loss} of a run of two epochs."""
    TinyRun(normalized=False, optimizer=tiny_run.CLIPPED, **options).start(
        tmp_path / name
    )
    losses = {
        int(row["step"]): float(row["loss"])
        for row in run_files.rows(tmp_path / name)
        if row["loss"]
    }
    return run_files.latest(tmp_path / name), losses


def test_inputs_and_targets_may_be_made_in_the_step(tmp_path):
    values, losses = _run_with(tmp_path, "plain")
    other_values, others = _run_with(
        tmp_path,
        "other",
        data=tiny_run.drawn,
        task_options=tiny_run.finishing(),
    )
    assert others == losses
    for name, value in values.items():
        np.testing.assert_array_equal(other_values[name], value, name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"accumulate_steps": 4},
        {"steps_per_execution": 2},
        {"jit_compile": True},
        {"accumulate_steps": 2, "steps_per_execution": 3, "jit_compile": True},
    ],
    ids=lambda options: ", ".join(options),
)
def test_steps_computed_in_another_way_are_the_same_steps(tmp_path, options):
    values, losses = _run_with(tmp_path, "plain")
    other_values, others = _run_with(tmp_path, "other", config_options=options)
    before = 0
    for step, loss in others.items():
        # A row is the mean over the steps since the last one.
        mean = np.mean([losses[i] for i in range(before + 1, step + 1)])
        np.testing.assert_allclose(loss, mean, rtol=1e-4)
        before = step
    assert before == max(losses)
    for name, value in values.items():
        np.testing.assert_allclose(
            other_values[name], value, rtol=1e-4, atol=1e-5, err_msg=name
        )


def test_batches_must_have_parts_of_one_size(tmp_path):
    run = TinyRun(config_options={"accumulate_steps": 3})
    with pytest.raises(ValueError, match="batch_size=4, 1 replicas, acc"):
        run.start(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *("epochs", "steps_per_epoch", "log_steps", "validation_epochs"),
        *("accumulate_steps", "steps_per_execution"),
    ],
)
def test_counts_below_one_are_refused(name):
    said = f"`{name}` must be at least 1. Received: {name}=0"
    with pytest.raises(ValueError, match=said):
        FitConfig(**{name: 0})


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains(tmp_path, policy):
    keras.mixed_precision.set_dtype_policy(policy)
    TinyRun(epochs=2, steps=6).start(tmp_path)
    losses = run_files.column(tmp_path, "loss")
    assert losses[-1] < losses[0]
