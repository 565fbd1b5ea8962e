import dataclasses
import glob
import os

import numpy as np
import pytest
import tensorflow as tf

from tests.training import run_files
from tests.training import tiny_run
from tests.training.tiny_run import TinyRun
from tfcolor import atomic
from tfcolor.losses import objective
from tfcolor.weights import model_file


@pytest.mark.slow
def test_fit_lowers_the_loss(tmp_path):
    TinyRun(epochs=2, steps=12).start(tmp_path)
    losses = run_files.column(tmp_path, "loss")
    assert len(losses) == 24
    assert np.mean(losses[-4:]) < 0.5 * np.mean(losses[:4])
    validation = run_files.column(tmp_path, "validation/loss")
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
    steps = [row["step"] for row in run_files.rows(whole) if row["loss"]]
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
        min(run_files.column(whole, "validation/loss")),
        rtol=1e-4,
    )


@pytest.mark.slow
def test_without_an_average_the_weights_themselves_are_saved(tmp_path):
    optimizer = dataclasses.replace(tiny_run.OPTIMIZER, ema_momentum=0.0)
    model = TinyRun(epochs=1, optimizer=optimizer).start(tmp_path)
    saved, _ = model_file.load(str(tmp_path / "model.keras"))
    for weight, value in zip(model.weights, saved.weights, strict=True):
        np.testing.assert_array_equal(weight, value)


def _spoilt_from(epoch):
    def data(number, count):
        good = tiny_run.batches(number, count)
        if number < epoch:
            return good
        return good.map(lambda x, y: (x, {"ab": y["ab"] * np.nan}))

    return data


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{}, {"log_steps": 100, "checkpoint_minutes": 0.0}],
    ids=["at a logged step", "before a checkpoint"],
)
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, options):
    with pytest.raises(FloatingPointError, match="not finite at step 4"):
        TinyRun(data=_spoilt_from(1), **options).start(tmp_path)
    # The last checkpoint is sound, as the message says.
    values = run_files.latest(tmp_path)
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


@pytest.mark.slow
def test_a_pass_that_is_shorter_than_an_epoch_begins_again(tmp_path):
    # As when pictures were dropped: one batch where three are wanted.
    run = TinyRun(epochs=1, data=lambda epoch, _: tiny_run.batches(epoch, 4))
    run.start(tmp_path)
    assert run_files.column(tmp_path, "step")[-1] == 3


def test_the_learning_rate_follows_the_schedule(whole):
    expected = 0.01 * (1 + np.cos(np.pi * np.arange(9) / 9)) / 2
    np.testing.assert_allclose(
        run_files.column(whole, "learning_rate"), expected, rtol=1e-5
    )


def _kept_step(workdir):
    path = tf.train.latest_checkpoint(workdir / "checkpoints/best")
    return int(path.rpartition("-")[2])


@pytest.mark.slow
@pytest.mark.parametrize("higher", [(), ("psnr",)])
def test_the_model_that_is_kept_may_be_the_best_by_a_metric(tmp_path, higher):
    run = TinyRun(
        epochs=2,
        steps=1,
        best_by="psnr",
        task_options={"higher_is_better": higher},
    )
    run.start(tmp_path)
    first, second = run_files.column(tmp_path, "validation/psnr")
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


@pytest.mark.slow
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
    first, second = run_files.column(tmp_path, "validation/loss")
    assert first < second
    assert _kept_step(tmp_path) == 16


def test_the_figure_to_be_best_by_must_be_one_that_is_measured(tmp_path):
    run = TinyRun(epochs=1, steps=1, best_by="accuracy")
    with pytest.raises(ValueError, match="one of .*'huber', .*'psnr'.*Recei"):
        run.start(tmp_path)
    # Before the first step.
    assert not (tmp_path / "metrics.csv").exists()


def test_a_folder_that_another_process_trains_in_is_refused(tmp_path):
    with atomic.held(str(tmp_path)):
        with pytest.raises(OSError, match="another process is writing it"):
            TinyRun(epochs=1).start(tmp_path)
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.slow
def test_the_passes_of_an_epoch_are_different_data(tmp_path):
    numbers = []
    TinyRun(steps=5, steps_per_pass=2, on_epoch=numbers.append).start(tmp_path)
    assert len(numbers) == len(set(numbers)) == 6
    assert numbers[0] == 0 and numbers[3] == 1 and min(numbers[1:3]) > 1000
    assert run_files.column(tmp_path, "step")[-1] == 10


@pytest.mark.slow
def test_a_batch_of_a_later_pass_is_named(tmp_path):
    asked = []

    def data(number, count):
        good = tiny_run.batches(number, count)
        if number < 1:
            return good
        return good.map(lambda x, y: (x, {"ab": y["ab"] * np.nan}))

    def name_batch(number, place):
        asked.append((number, place))
        return []

    options = {"name_batch": name_batch}
    run = TinyRun(steps=5, steps_per_pass=2, data=data, task_options=options)
    with pytest.raises(FloatingPointError, match="not finite at step 3 "):
        run.start(tmp_path)
    assert asked == [(1 << 32, 0)]


def test_training_steps_may_be_measured_too(tmp_path):
    def half(targets, outputs):
        error = outputs["ab"] - targets["ab"]
        return {"half": tf.ones_like(error[:, 0, 0, 0]) / 2}

    run = TinyRun(epochs=1, task_options={"train_metrics": half})
    run.start(tmp_path)
    np.testing.assert_allclose(run_files.column(tmp_path, "half"), [0.5] * 3)


@pytest.mark.slow
def test_epochs_without_a_validation_are_not_saved(tmp_path):
    def stop(epoch):
        if epoch == 3:
            raise RuntimeError("as if the power went")

    run = TinyRun(epochs=4, steps=1, validation_epochs=2)
    with pytest.raises(RuntimeError):
        dataclasses.replace(run, on_epoch=stop).start(tmp_path)
    assert len(run_files.column(tmp_path, "validation/loss")) == 1
    assert run_files.latest(tmp_path)["step/.ATTRIBUTES/VARIABLE_VALUE"] == 2
    run.start(tmp_path)
    assert run_files.column(tmp_path, "step")[-1] == 4
    assert len(run_files.column(tmp_path, "validation/loss")) == 2


def _log(workdir):
    return (workdir / "train.log").read_text()


@pytest.mark.slow
def test_the_log_says_which_epoch_the_model_is_of(tmp_path):
    optimizer = dataclasses.replace(
        tiny_run.OPTIMIZER, schedule="constant", ema_momentum=0.0
    )
    TinyRun(epochs=3, steps=4, data=_wrong_from(1), optimizer=optimizer).start(
        tmp_path
    )
    first, second, third, last = _log(tmp_path).splitlines()
    assert "epoch 1: " in first and "; model.keras is of this epoch" in first
    for line in (second, third):
        assert "model.keras" not in line
    best = run_files.column(tmp_path, "validation/loss")[0]
    assert f" model.keras is of epoch 1: validation/huber {best:.4g}" in last


@pytest.mark.slow
@pytest.mark.parametrize("worse", [True, False])
def test_a_model_that_is_worse_than_grey_is_warned_of(tmp_path, worse):
    def data(number, count):
        good = tiny_run.batches(number, count)
        if not worse:
            return good
        return good.map(lambda x, y: (x, {"ab": -5 * y["ab"]}))

    optimizer = dataclasses.replace(tiny_run.OPTIMIZER, ema_momentum=0.0)
    options = {"floors": {"psnr": "grey_psnr"}, "higher_is_better": ("psnr",)}
    run = TinyRun(
        epochs=2, steps=40, data=data, optimizer=optimizer, task_options=options
    )
    run.start(tmp_path)
    line = _log(tmp_path).splitlines()[-1]
    assert ("model.keras is no better than nothing: psnr" in line) == worse
    assert ("grey_psnr" in line.partition("nothing")[2]) == worse


def test_a_loss_that_is_not_finite_names_step_and_pictures(tmp_path):
    asked = []

    def name_batch(epoch, place):
        asked.append((epoch, place))
        return [f"{epoch}-{i}.jpg" for i in range(20)]

    def data(number, count):
        good = tiny_run.batches(number, count)
        if number < 1:
            return good
        spoilt = good.map(lambda x, y: (x, {"ab": y["ab"] * np.nan}))
        return good.take(1).concatenate(spoilt)

    run = TinyRun(
        data=data, log_steps=100, task_options={"name_batch": name_batch}
    )
    with pytest.raises(FloatingPointError) as raised:
        run.start(tmp_path)
    said = str(raised.value)
    # Of the steps 4 to 6, the second one.
    assert said.startswith("The loss is not finite at step 5 (")
    assert asked == [(1, 1)]
    assert "for the pictures 1-0.jpg, 1-1.jpg" in said
    assert "1-15.jpg and 4 more, which train.log names" in said
    assert "1-19.jpg" in _log(tmp_path)
    assert "--learning_rate" in said and "--clip_norm" in said
    assert "last checkpoint, of step 3, is sound" in said


@pytest.mark.slow
def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    # The loss is as it should be, its gradient is not.
    def losses(targets, outputs):
        error = tf.reduce_mean(outputs["ab"] - targets["ab"], axis=[1, 2, 3])
        zero = tf.stop_gradient(error) - error
        return {"huber": tf.sqrt(zero)}

    whole = {"losses": objective.objective(objective.ObjectiveConfig())}
    options = {"losses": lambda *values: whole["losses"](*values)}
    run = TinyRun(task_options=options, steps=1)
    run.start(tmp_path / "good")
    whole["losses"] = losses
    with pytest.raises(FloatingPointError) as raised:
        dataclasses.replace(run, epochs=3).start(tmp_path / "good")
    said = str(raised.value)
    assert said.startswith("The weights are not finite after step 3")
    assert "last checkpoint, of step 2, is sound" in said
    for value in run_files.latest(tmp_path / "good").values():
        if value.dtype == np.float32:
            assert np.isfinite(value).all()


def test_a_validation_that_is_not_finite_stops_the_run(tmp_path, monkeypatch):
    whole_task = TinyRun._task

    def spoilt(self):
        task = whole_task(self)
        data = task.validation_data.map(
            lambda x, y: (x, {"ab": y["ab"] * np.nan})
        )
        return dataclasses.replace(task, validation_data=data)

    monkeypatch.setattr(TinyRun, "_task", spoilt)
    with pytest.raises(FloatingPointError, match="epoch 1 is not finite"):
        TinyRun().start(tmp_path)
    assert not (tmp_path / "model.keras").exists()


@pytest.mark.slow
def test_a_loss_that_grows_is_warned_of_once(tmp_path):
    optimizer = dataclasses.replace(
        tiny_run.OPTIMIZER, learning_rate=3.0, schedule="constant"
    )
    TinyRun(steps=12, optimizer=optimizer).start(tmp_path)
    assert _log(tmp_path).count("the training diverges; lower --lear") == 1
