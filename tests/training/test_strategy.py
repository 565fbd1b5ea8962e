import json

import keras
import pytest
import tensorflow as tf

from tfcolor.training import strategy


@pytest.mark.parametrize("name", ["one", "mirrored"])
def test_strategies_of_one_process_can_be_built(name):
    built = strategy.build_strategy(name)
    assert isinstance(built, tf.distribute.Strategy)
    assert built.num_replicas_in_sync == 1
    assert strategy.this_worker(built) == strategy.Worker(0, 1)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "{}",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker",'
        ' "index": 1}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type":'
        ' "worker", "index": 0}}',
    ],
)
def test_several_workers_need_a_list_of_them(monkeypatch, text):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="needs TF_CONFIG such as"):
        strategy.build_strategy("multi_worker")


class _Strategy:
    """What `this_worker` asks of a strategy."""

    def __init__(self):
        self.cluster_resolver = (
            tf.distribute.cluster_resolver.TFConfigClusterResolver()
        )


@pytest.mark.parametrize(
    ("cluster", "kind", "index", "expected"),
    [
        ({"worker": ["a:1", "b:1"]}, "worker", 0, (0, 2)),
        ({"worker": ["a:1", "b:1"]}, "worker", 1, (1, 2)),
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "chief", 0, (0, 3)),
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "worker", 0, (1, 3)),
    ],
)
def test_the_first_worker_or_the_chief_is_the_one_who_writes(
    monkeypatch, cluster, kind, index, expected
):
    task = {"type": kind, "index": index}
    text = json.dumps({"cluster": cluster, "task": task})
    monkeypatch.setenv("TF_CONFIG", text)
    worker = strategy.this_worker(_Strategy())
    assert worker == strategy.Worker(*expected)
    assert worker.is_chief == (expected[0] == 0)


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
