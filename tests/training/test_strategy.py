import keras
import pytest
import tensorflow as tf

from tfcolor.training import strategy


@pytest.mark.parametrize("name", strategy.STRATEGIES)
def test_every_listed_strategy_can_be_built(name):
    built = strategy.build_strategy(name)
    assert isinstance(built, tf.distribute.Strategy)
    assert built.num_replicas_in_sync == 1


def test_unknown_strategies_are_refused():
    with pytest.raises(ValueError, match="Received: name='tpu'"):
        strategy.build_strategy("tpu")


@pytest.mark.parametrize("name", strategy.PRECISIONS)
def test_every_listed_precision_can_be_set(name):
    strategy.set_precision(name)
    options = tf.config.optimizer.get_experimental_options()
    policy = keras.mixed_precision.dtype_policy().name
    strategy.set_precision("float32")
    onednn = name == "onednn_bfloat16"
    assert policy == ("float32" if onednn else name)
    assert options["auto_mixed_precision_onednn_bfloat16"] is onednn


def test_unknown_precisions_are_refused():
    with pytest.raises(ValueError, match="Received: name='float8'"):
        strategy.set_precision("float8")
