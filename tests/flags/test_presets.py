import pathlib

import pytest

from flags import alexnet as alexnet_flags
from flags import boxes as box_flags
from flags import classifier as classifier_flags
from flags import data as data_flags
from flags import ddcolor as ddcolor_flags
from flags import efficientnet as efficientnet_flags
from flags import ensemble as ensemble_flags
from flags import fusion as fusion_flags
from flags import labelled as labelled_flags
from flags import model as model_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from flags import teacher as teacher_flags
from tests import flag_files
from tfcolor.training import optimizer

PRESETS = sorted(
    (pathlib.Path(__file__).parents[2] / "flags/presets").glob("*.cfg")
)


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_presets_give_valid_configs(path):
    with flag_files.parsed(path):
        data_flags.config()
        box_flags.config()
        labelled_flags.config()
        classifier_flags.options()
        alexnet_flags.objective()
        ddcolor_flags.objective()
        if path.stem.startswith("ddcolor"):
            assert ddcolor_flags.options()["encoder"] in ("tiny", "large")
        ensemble_flags.options()
        fusion_flags.options()
        objective_flags.config()
        optimizer_flags.config()
        run_flags.config()
        assert efficientnet_flags.options()["frozen_blocks"] >= 0
        assert model_flags.options()["width"] > 0
        assert 0 <= teacher_flags.TEACHER_SHARE.value <= 1


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_presets_begin_with_what_they_are_for(path):
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_presets_name_no_pictures_and_no_folder(path):
    for flag in ("--images", "--workdir", "--validation_images"):
        assert flag not in path.read_text().replace("# ", "")


def test_the_published_runs_and_a_small_one_are_there():
    assert {"siggraph_released", "siggraph_paper", "siggraph_small"} <= {
        path.stem for path in PRESETS
    }


def test_the_released_preset_is_what_the_scripts_ran():
    (path,) = [p for p in PRESETS if p.stem == "siggraph_released"]
    with flag_files.parsed(path):
        data, rate = data_flags.config(), optimizer_flags.config()
        loss, run = objective_flags.config(), run_flags.config()
        assert model_flags.options()["width"] == 1
    assert (data.image_size, data.batch_size, data.flip) == (256, 16, False)
    assert (run.epochs, rate.decay_epochs) == (150, 50)
    assert (rate.optimizer, rate.learning_rate) == ("adam", 5e-4)
    assert (rate.beta_1, rate.beta_2, rate.epsilon) == (0.9, 0.999, 1e-8)
    assert rate.schedule == "released"
    assert (loss.huber_weight, loss.huber_delta) == (10, 1 / 110)
    assert loss.squared_weight == loss.class_weight == 0


def test_the_preset_of_ddcolor_is_what_its_authors_ran():
    (path,) = [p for p in PRESETS if p.stem == "ddcolor_paper"]
    with flag_files.parsed(path):
        data, rate = data_flags.config(), optimizer_flags.config()
        loss, run = ddcolor_flags.objective(), run_flags.config()
        network = ddcolor_flags.options()
    assert network == {
        "encoder": "large",
        "width": 1.0,
        "queries": 100,
        "decoder_blocks": 9,
    }
    assert (data.image_size, data.batch_size, data.flip) == (256, 16, True)
    assert run.epochs * run.steps_per_epoch == 400_000
    assert (rate.optimizer, rate.learning_rate) == ("adamw", 1e-4)
    assert (rate.beta_1, rate.beta_2, rate.weight_decay) == (0.9, 0.99, 0.01)
    steps = [80_000, 120_000, 360_000]
    factors = [
        optimizer.learning_rate(
            rate, step, steps_per_epoch=run.steps_per_epoch, epochs=run.epochs
        )
        / rate.learning_rate
        for i in steps
        for step in (i - 1, i)
    ]
    assert factors == [1, 1 / 2, 1 / 2, 1 / 4, 1 / 128, 1 / 256]
    assert (loss.absolute_weight, loss.colorfulness_weight) == (0.1, 0.5)
    assert (loss.perceptual_weight, loss.adversarial_weight) == (5, 1)
    assert loss.enhancement == 1.2


def test_the_preset_of_the_task_transfer_study_is_what_its_code_ran():
    (path,) = [p for p in PRESETS if p.stem == "task_transfer_study"]
    with flag_files.parsed(path):
        data, rate = data_flags.config(), optimizer_flags.config()
        run, network = run_flags.config(), classifier_flags.options()
        assert labelled_flags.config().inputs == "L"
    assert (data.image_size, data.batch_size, data.flip) == (256, 25, False)
    assert (run.epochs, rate.schedule) == (100, "constant")
    assert (rate.optimizer, rate.learning_rate) == ("adam", 1e-4)
    assert network == {
        "width": 1.0,
        "initializer": "normal",
        "head": "flatten",
        "freeze": "legacy",
        "legacy_bn_order": True,
    }


def test_the_presets_of_the_study_of_ensembles_are_what_it_chose():
    paths = {path.stem: path for path in PRESETS}
    with flag_files.parsed(paths["alexnet_study"]):
        rate, objective = optimizer_flags.config(), alexnet_flags.objective()
        assert data_flags.config().batch_size == 512
        assert (rate.optimizer, rate.learning_rate) == ("adam", 5e-5)
        assert (objective.l2, objective.targets) == (0.00025, "soft")
    with flag_files.parsed(paths["ensemble_study"]):
        options = ensemble_flags.options()
        loss = objective_flags.config()
        assert data_flags.config().image_size == 128
        assert ensemble_flags.class_input() == "none"
    assert options == {
        "class_source": "classifier",
        "features": "probabilities",
        "train_classifier": False,
        "classifier_area": 1.0,
        "form": "faithful",
        "global_features": False,
        "width": 1.0,
    }
    assert (loss.huber_weight, loss.squared_weight) == (0, 1)
