import csv
import dataclasses
import glob
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training import tiny_run
from tests.training.tiny_run import TinyRun
from tests.training.tiny_run import interrupt_in
from tfcolor.training import fit
from tfcolor.weights import model_file


def _rows(workdir):
    with open(workdir / "metrics.csv", newline="") as f:
        return list(csv.DictReader(f))


def _column(workdir, name):
    return [float(row[name]) for row in _rows(workdir) if row[name]]


def _latest(workdir):
    """Every value of the latest checkpoint, by name."""
    path = tf.train.latest_checkpoint(workdir / "checkpoints/latest")
    reader = tf.train.load_checkpoint(path)
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if "OBJECT_GRAPH" not in name
    }


def _assert_same_run(first, second):
    """Weights, optimizer, average, step, figures and saved model are equal."""
    values, others = _latest(first), _latest(second)
    assert values.keys() == others.keys()
    assert any("average" in name for name in values)
    for name, value in values.items():
        if "save_counter" not in name:
            np.testing.assert_allclose(
                others[name], value, rtol=1e-5, atol=1e-6, err_msg=name
            )
    for name in ("step", "loss", "validation/loss", "learning_rate"):
        np.testing.assert_allclose(
            _column(second, name), _column(first, name), rtol=1e-4
        )
    models = [
        model_file.load(str(folder / "model.keras"))[0].get_weights()
        for folder in (first, second)
    ]
    for one, other in zip(*models, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def _program(workdir, kind):
    return subprocess.run(
        [sys.executable, "-m", "tests.training.tiny_run", workdir, kind],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run of three epochs that nobody interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    TinyRun(epochs=3).start(folder)
    return folder


def test_fit_lowers_the_loss(tmp_path):
    TinyRun(epochs=2, steps=12).start(tmp_path)
    losses = _column(tmp_path, "loss")
    assert len(losses) == 24
    assert np.mean(losses[-4:]) < 0.5 * np.mean(losses[:4])
    validation = _column(tmp_path, "validation/loss")
    assert len(validation) == 2 and validation[1] < validation[0]


def test_fit_leaves_the_files_of_a_run(whole):
    assert sorted(os.listdir(whole)) == [
        "checkpoints",
        "curves.png",
        "metrics.csv",
        "model.keras",
        "tensorboard",
        "train.log",
    ]
    assert "epoch 3: validation/" in (whole / "train.log").read_text()
    steps = [row["step"] for row in _rows(whole) if row["loss"]]
    assert steps == [str(i) for i in range(1, 10)]


def test_fit_writes_scalars_and_pictures_for_tensorboard(whole):
    (path,) = glob.glob(str(whole / "tensorboard/*"))
    tags = set()
    for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
        event = tf.compat.v1.Event.FromString(record)
        tags |= {value.tag for value in event.summary.value}
    assert tags == {
        *("loss", "huber", "learning_rate", "images_per_second"),
        *("validation/loss", "validation/huber", "validation/psnr"),
        *("validation/grey_psnr", "validation/colorfulness"),
        *("validation/true_colorfulness", "grey | predicted | true"),
    }


def test_the_saved_model_is_the_average_of_the_best_validation(whole):
    model, info = model_file.load(str(whole / "model.keras"))
    assert info.architecture == "tiny"
    losses, count = [], 0
    for inputs, targets in tiny_run.batches(1000, 6):
        task = TinyRun()._task()
        losses.append(task.losses(targets, model(inputs))["huber"])
        count += len(losses[-1])
    assert count == 6
    np.testing.assert_allclose(
        np.concatenate(losses).mean(),
        min(_column(whole, "validation/loss")),
        rtol=1e-4,
    )


def test_without_an_average_the_weights_themselves_are_saved(tmp_path):
    optimizer = dataclasses.replace(tiny_run.OPTIMIZER, ema_momentum=0.0)
    model = TinyRun(epochs=1, optimizer=optimizer).start(tmp_path)
    saved, _ = model_file.load(str(tmp_path / "model.keras"))
    for weight, value in zip(model.weights, saved.weights, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    tmp_path, whole, number
):
    run = TinyRun(epochs=3, on_epoch=interrupt_in(1, signals=[number]))
    with pytest.raises(fit.Interrupted, match="at step 4; saved"):
        run.start(tmp_path)
    assert len(_column(tmp_path, "loss")) == 4
    TinyRun(epochs=3).start(tmp_path)
    assert "going on at step 4 of 9" in (tmp_path / "train.log").read_text()
    _assert_same_run(whole, tmp_path)


def test_an_interruption_at_the_end_of_an_epoch_validates_first(tmp_path):
    run = TinyRun(epochs=2, steps=1, on_epoch=interrupt_in(0))
    with pytest.raises(fit.Interrupted, match="at step 1; saved"):
        run.start(tmp_path)
    assert len(_column(tmp_path, "validation/loss")) == 1
    assert (tmp_path / "model.keras").exists()


def test_an_interruption_in_the_last_step_lets_the_run_end(tmp_path):
    TinyRun(epochs=1, steps=1, on_epoch=interrupt_in(0)).start(tmp_path)
    assert len(_column(tmp_path, "validation/loss")) == 1


def test_a_second_signal_stops_at_once_and_handlers_come_back(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    on_epoch = interrupt_in(0, signals=[signal.SIGINT] * 2)
    with pytest.raises(KeyboardInterrupt):
        TinyRun(on_epoch=on_epoch).start(tmp_path)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path, whole):
    killed = _program(tmp_path, "kill")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    # Killed in the validation after step 6: the steps since 3 are lost.
    assert _latest(tmp_path)["step/.ATTRIBUTES/VARIABLE_VALUE"] == 3
    TinyRun(epochs=3).start(tmp_path)
    _assert_same_run(whole, tmp_path)


@pytest.mark.slow
def test_two_devices_learn_what_one_learns(tmp_path):
    finished = _program(tmp_path / "two", "mirrored")
    assert finished.returncode == 0, finished.stderr
    TinyRun(optimizer=tiny_run.CLIPPED).start(tmp_path / "one")
    parts = TinyRun(optimizer=tiny_run.CLIPPED, normalized=False)
    parts.start(tmp_path / "one_in_parts")
    for kind in ("", "_in_parts"):
        for name in ("loss", "validation/loss", "validation/psnr"):
            np.testing.assert_allclose(
                _column(tmp_path / f"two{kind}", name),
                _column(tmp_path / f"one{kind}", name),
                rtol=1e-4,
            )
    # The first one on two devices was interrupted after step 4.
    assert len(_column(tmp_path / "two", "loss")) == 6
    assert "at step 4 of 6" in (tmp_path / "two/train.log").read_text()
    # What is saved is for one device.
    for name in ("one", "two"):
        model, _ = model_file.load(str(tmp_path / name / "model.keras"))
        assert model.get_layer("bn").synchronized is False
    losses = _column(tmp_path / "two_float16", "loss")
    assert losses[-1] < losses[0]


def test_a_finished_run_started_again_changes_nothing(tmp_path):
    run = TinyRun(epochs=1)
    run.start(tmp_path)
    before = _latest(tmp_path)
    model = run.start(tmp_path)
    assert _latest(tmp_path).keys() == before.keys()
    kernel = model.get_layer("first").kernel
    stored = [v for v in before.values() if v.shape == kernel.shape]
    assert any(np.array_equal(kernel, value) for value in stored)


def test_more_epochs_make_a_finished_run_go_on(tmp_path):
    TinyRun(epochs=1).start(tmp_path)
    TinyRun(epochs=2).start(tmp_path)
    assert _column(tmp_path, "step")[-1] == 6


@pytest.mark.parametrize("options", [{"filters": 5}, {"normalized": False}])
def test_another_network_in_the_same_folder_is_refused(tmp_path, options):
    TinyRun(epochs=1).start(tmp_path)
    with pytest.raises(ValueError, match="its network must not change"):
        TinyRun(epochs=2, **options).start(tmp_path)


def _spoilt_from(epoch):
    def data(number, count):
        good = tiny_run.batches(number, count)
        if number < epoch:
            return good
        return good.map(lambda x, y: (x, {"ab": y["ab"] * np.nan}))

    return data


@pytest.mark.parametrize(
    "options",
    [{}, {"log_steps": 100, "checkpoint_minutes": 0.0}],
    ids=["at a logged step", "before a checkpoint"],
)
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, options):
    with pytest.raises(FloatingPointError, match="not finite at step 4"):
        TinyRun(data=_spoilt_from(1), **options).start(tmp_path)
    # The last checkpoint is sound, as the message says.
    values = _latest(tmp_path)
    assert values["step/.ATTRIBUTES/VARIABLE_VALUE"] == 3
    for value in values.values():
        if value.dtype == np.float32:
            assert np.isfinite(value).all()


def test_training_data_without_a_batch_is_refused(tmp_path):
    run = TinyRun(data=lambda epoch, count: tiny_run.batches(0, 4).skip(1))
    with pytest.raises(ValueError, match="training data must fill a batch"):
        run.start(tmp_path)


def test_validation_data_without_a_picture_is_refused(tmp_path, monkeypatch):
    whole_task = TinyRun._task

    def without_validation(self):
        task = whole_task(self)
        return dataclasses.replace(
            task, validation_data=task.validation_data.skip(9)
        )

    monkeypatch.setattr(TinyRun, "_task", without_validation)
    with pytest.raises(ValueError, match="validation data must have a pict"):
        TinyRun().start(tmp_path)


def test_a_pass_that_is_shorter_than_an_epoch_begins_again(tmp_path):
    # As when pictures were dropped: one batch where three are wanted.
    run = TinyRun(epochs=1, data=lambda epoch, _: tiny_run.batches(epoch, 4))
    run.start(tmp_path)
    assert _column(tmp_path, "step")[-1] == 3


def test_the_learning_rate_follows_the_schedule(whole):
    expected = 0.01 * (1 + np.cos(np.pi * np.arange(9) / 9)) / 2
    np.testing.assert_allclose(
        _column(whole, "learning_rate"), expected, rtol=1e-5
    )


def _run_with(tmp_path, name, **options):
    """The last checkpoint and {step: loss} of a run of two epochs."""
    TinyRun(normalized=False, optimizer=tiny_run.CLIPPED, **options).start(
        tmp_path / name
    )
    losses = {
        int(row["step"]): float(row["loss"])
        for row in _rows(tmp_path / name)
        if row["loss"]
    }
    return _latest(tmp_path / name), losses


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


@pytest.mark.parametrize("name", ["accumulate_steps", "steps_per_execution"])
def test_counts_below_one_are_refused(name):
    with pytest.raises(ValueError, match=f"`{name}` must be at least 1"):
        fit.FitConfig(**{name: 0})


def test_signals_are_heard_between_executions(tmp_path):
    run = TinyRun(
        steps=4,
        on_epoch=interrupt_in(0),
        config_options={"steps_per_execution": 3},
    )
    with pytest.raises(fit.Interrupted, match="at step 3; saved"):
        run.start(tmp_path)
    dataclasses.replace(run, on_epoch=tiny_run.nothing).start(tmp_path)
    assert [row["step"] for row in _rows(tmp_path) if row["loss"]] == [
        *("3", "4", "7", "8"),
    ]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains(tmp_path, policy):
    keras.mixed_precision.set_dtype_policy(policy)
    TinyRun(epochs=2, steps=6).start(tmp_path)
    losses = _column(tmp_path, "loss")
    assert losses[-1] < losses[0]


def _kept_step(workdir):
    path = tf.train.latest_checkpoint(workdir / "checkpoints/best")
    return int(path.rpartition("-")[2])


@pytest.mark.parametrize("higher", [(), ("psnr",)])
def test_the_model_that_is_kept_may_be_the_best_by_a_metric(tmp_path, higher):
    run = TinyRun(
        epochs=2,
        steps=1,
        best_by="psnr",
        task_options={"higher_is_better": higher},
    )
    run.start(tmp_path)
    first, second = _column(tmp_path, "validation/psnr")
    assert first != second
    assert _kept_step(tmp_path) == (
        2 if (second > first) == bool(higher) else 1
    )


def _wrong_from(epoch):
    def data(number, count):
        good = tiny_run.batches(number, count)
        if number < epoch:
            return good
        return good.map(lambda x, y: (x, {"ab": -5 * y["ab"]}))

    return data


def test_the_model_that_is_kept_may_be_the_last(tmp_path):
    # The second epoch teaches the opposite.
    optimizer = dataclasses.replace(
        tiny_run.OPTIMIZER, schedule="constant", ema_momentum=0.0
    )
    run = TinyRun(
        epochs=2,
        steps=8,
        best_by="last",
        data=_wrong_from(1),
        optimizer=optimizer,
    )
    run.start(tmp_path)
    first, second = _column(tmp_path, "validation/loss")
    assert first < second
    assert _kept_step(tmp_path) == 16


def test_the_figure_to_be_best_by_must_be_one_that_is_measured(tmp_path):
    with pytest.raises(ValueError, match="one of .*'huber', 'psnr'"):
        TinyRun(epochs=1, steps=1, best_by="accuracy").start(tmp_path)


def test_training_steps_may_be_measured_too(tmp_path):
    def half(targets, outputs):
        error = outputs["ab"] - targets["ab"]
        return {"half": tf.ones_like(error[:, 0, 0, 0]) / 2}

    run = TinyRun(epochs=1, task_options={"train_metrics": half})
    run.start(tmp_path)
    np.testing.assert_allclose(_column(tmp_path, "half"), [0.5] * 3)


def test_epochs_without_a_validation_are_not_saved(tmp_path):
    def stop(epoch):
        if epoch == 3:
            raise RuntimeError("as if the power went")

    run = TinyRun(epochs=4, steps=1, validation_epochs=2)
    with pytest.raises(RuntimeError):
        dataclasses.replace(run, on_epoch=stop).start(tmp_path)
    assert len(_column(tmp_path, "validation/loss")) == 1
    assert _latest(tmp_path)["step/.ATTRIBUTES/VARIABLE_VALUE"] == 2
    run.start(tmp_path)
    assert _column(tmp_path, "step")[-1] == 4
    assert len(_column(tmp_path, "validation/loss")) == 2
