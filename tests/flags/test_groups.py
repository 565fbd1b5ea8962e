import dataclasses
import inspect

import pytest
from absl import flags as absl_flags
from absl.testing import flagsaver

from flags import alexnet as alexnet_flags
from flags import classifier as classifier_flags
from flags import data as data_flags
from flags import ensemble as ensemble_flags
from flags import labelled as labelled_flags
from flags import model as model_flags
from flags import objective as objective_flags
from flags import optimizer as optimizer_flags
from flags import run as run_flags
from tfcolor.data.full_data_config import FullDataConfig
from tfcolor.data.labelled import LabelConfig
from tfcolor.losses.label_objective import LabelObjectiveConfig
from tfcolor.losses.objective import ObjectiveConfig
from tfcolor.models.alexnet import alexnet
from tfcolor.models.ensemble import ensemble
from tfcolor.models.siggraph import siggraph
from tfcolor.models.task_transfer import task_transfer
from tfcolor.training.fit import FitConfig
from tfcolor.training.optimizer import OptimizerConfig

FLAGS = absl_flags.FLAGS
CONFIGS = {
    data_flags: FullDataConfig,
    labelled_flags: LabelConfig,
    objective_flags: ObjectiveConfig,
    optimizer_flags: OptimizerConfig,
    run_flags: FitConfig,
}
_configs = pytest.mark.parametrize(
    ("group", "config"), CONFIGS.items(), ids=lambda x: x.__name__
)
# Other values than the defaults, one a type.
OTHER = {int: ("24", 24), float: ("0.625", 0.625), bool: ("true", True)}


@_configs
def test_flags_have_the_defaults_of_the_library(group, config):
    assert group.config() == config()
    for field in dataclasses.fields(config):
        assert FLAGS[field.name].default == field.default


@_configs
def test_flags_are_described_in_the_words_of_the_library(group, config):
    documented = " ".join(inspect.getdoc(config).split())
    for field in dataclasses.fields(config):
        # absl puts the choices in front: <adam|adamw>:
        text = FLAGS[field.name].help.rpartition(">: ")[2]
        assert len(text) > 10 and text in documented


@_configs
def test_flags_belong_to_their_group(group, config):
    own = {f.name for f in FLAGS.get_flags_for_module(group.__name__)}
    assert {field.name for field in dataclasses.fields(config)} <= own


@_configs
def test_flags_reach_the_config(group, config):
    for field in dataclasses.fields(config):
        kind = type(field.default)
        if field.default is None:
            kind = int
        if kind not in OTHER:
            continue
        text, value = OTHER[kind]
        more = {}
        if field.name == "load_size":
            more = {"image_size": "8"}
        with flagsaver.as_parsed(**{field.name: text}, **more):
            assert getattr(group.config(), field.name) == value


def test_model_flags_are_the_options_of_the_builder():
    parameters = inspect.signature(siggraph).parameters
    options = model_flags.options()
    assert set(options) == {"width", "gradient_stop", "initializer"}
    for name, value in options.items():
        assert value == parameters[name].default
        assert FLAGS[name].help


def test_classifier_flags_are_the_options_of_the_builder():
    parameters = inspect.signature(task_transfer).parameters
    options = classifier_flags.options()
    assert set(options) == {
        *("head", "freeze", "legacy_bn_order", "width", "initializer"),
    }
    for name, value in options.items():
        assert value == parameters[name].default
        assert FLAGS[name].help


def test_flags_of_the_ensemble_and_its_classifier_are_the_librarys():
    assert alexnet_flags.objective() == LabelObjectiveConfig()
    for builder, options in (
        (alexnet, alexnet_flags.options()),
        (ensemble, ensemble_flags.options()),
    ):
        parameters = inspect.signature(builder).parameters
        for name, value in options.items():
            assert value == parameters[name].default
            assert FLAGS[name].help


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gradient_stop", "block8"),
        ("initializer", "zeros"),
        ("optimizer", "sgd"),
        ("schedule", "linear"),
        ("strategy", "tpu"),
        ("precision", "float8"),
        ("head", "max"),
        ("freeze", "half"),
        ("inputs", "ab"),
        ("crops", "middle"),
        ("width", "wide"),
        ("validation_share", "2"),
    ],
)
def test_flags_refuse_values_that_are_not_allowed(name, value):
    with pytest.raises(absl_flags.IllegalFlagValueError, match=name):
        with flagsaver.as_parsed(**{name: value}):
            raise RuntimeError("the flag took the value")


def test_no_two_fields_want_the_same_flag():
    names = [f.name for c in CONFIGS.values() for f in dataclasses.fields(c)]
    assert len(names) == len(set(names))
