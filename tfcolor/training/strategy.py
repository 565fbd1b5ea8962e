"""Where a model is trained, and in which number format."""

import dataclasses
import json
import os

import keras
import tensorflow as tf

STRATEGIES = ("one", "mirrored", "multi_worker")
PRECISIONS = (
    "float32",
    "mixed_float16",
    "mixed_bfloat16",
    "onednn_bfloat16",
)
_CLUSTER = "TF_CONFIG"


@dataclasses.dataclass(frozen=True)
class Worker:
    """One of the processes of a job.

    Attributes:
        index: int from 0; 0 is the chief, who writes.
        count: int, of all.
    """

    index: int = 0
    count: int = 1

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the run folder."""
        return self.index == 0


def build_strategy(name: str) -> tf.distribute.Strategy:
    """Makes a distribution strategy; call it before anything is computed.

    Args:
        name: str. "one": the default device. "mirrored": all local GPUs (or
            logical CPU devices), a copy of the model on each. "multi_worker":
            the same over several processes, which the environment variable
            TF_CONFIG lists; waits for all of them.

    Returns:
        tf.distribute.Strategy.

    Raises:
        ValueError: `name` is not known, or TF_CONFIG does not list workers.
    """
    if name == "one":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU")
        devices = devices or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([d.name for d in devices])
    if name == "multi_worker":
        _check_cluster(os.environ.get(_CLUSTER))
        return tf.distribute.MultiWorkerMirroredStrategy()
    raise ValueError(
        f"`name` must be one of {STRATEGIES}. Received: name={name!r}"
    )


def _check_cluster(text: str | None) -> None:
    """Refuses what TensorFlow would silently take for one worker alone."""
    example = (
        '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, '
        '"task": {"type": "worker", "index": 0}}'
    )
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        addresses = cluster[task["type"]]
        found = addresses[int(task["index"])]
        known = {"chief", "worker"} >= set(cluster) and bool(found)
    except (TypeError, ValueError, KeyError, IndexError):
        known = False
    if not known:
        raise ValueError(
            f"`strategy=multi_worker` needs {_CLUSTER} such as {example}. "
            f"Received: {text!r}"
        )


def this_worker(strategy: tf.distribute.Strategy) -> Worker:
    """Tells which process of a job this is.

    Args:
        strategy: tf.distribute.Strategy.

    Returns:
        Worker.
    """
    resolver = strategy.cluster_resolver
    if resolver is None:
        return Worker()
    cluster = resolver.cluster_spec().as_dict()
    chiefs = len(cluster.get("chief", ()))
    index = int(resolver.task_id or 0)
    if resolver.task_type == "worker":
        index += chiefs
    return Worker(index, max(1, chiefs + len(cluster.get("worker", ()))))


def synchronize_batch_norm(model: keras.Model, synchronized: bool) -> None:
    """Makes batch normalizations see the global batch, or their replica's.

    Args:
        model: keras.Model.
        synchronized: bool.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            synchronize_batch_norm(layer, synchronized)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = synchronized


def set_precision(name: str) -> None:
    """Sets the number format of the models built from now on.

    Args:
        name: str. "float32"; "mixed_float16" and "mixed_bfloat16" are Keras'
            policies, for GPUs; "onednn_bfloat16" lets TensorFlow compute
            convolutions in bfloat16 on CPUs that have it (AVX512-BF16, AMX),
            all else and the weights staying float32.

    Raises:
        ValueError: `name` is not known.
    """
    if name not in PRECISIONS:
        raise ValueError(
            f"`name` must be one of {PRECISIONS}. Received: name={name!r}"
        )
    onednn = name == "onednn_bfloat16"
    tf.config.optimizer.set_experimental_options(
        {"auto_mixed_precision_onednn_bfloat16": onednn}
    )
    keras.mixed_precision.set_dtype_policy("float32" if onednn else name)
