"""Requests that a server runs on a new version before it takes others.

The first request of a kind makes TensorFlow optimize its graph, which takes
seconds. TensorFlow Serving runs those that lie beside a model first.
"""

import importlib.util
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# As TensorFlow Serving looks for it in `assets.extra`.
FILE = "tf_serving_warmup_requests"


class Request(NamedTuple):
    """A request to an exported model.

    Attributes:
        signature: str.
        inputs: dict of arrays by name; strings as object arrays of bytes.
    """

    signature: str
    inputs: dict[str, np.ndarray]


def is_available() -> bool:
    """Tells whether TensorFlow Serving's protocol is installed."""
    return importlib.util.find_spec("tensorflow_serving") is not None


def write(path: str, requests: Sequence[Request]) -> None:
    """Writes requests as TensorFlow Serving reads them.

    Args:
        path: str. A TFRecord file.
        requests: Requests, at most 1000.

    Raises:
        ImportError: TensorFlow Serving's protocol is not installed.
    """
    from tensorflow_serving.apis import prediction_log_pb2

    with tf.io.TFRecordWriter(path) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictionLog()
            predict = log.predict_log.request
            predict.model_spec.signature_name = request.signature
            for name, array in request.inputs.items():
                predict.inputs[name].CopyFrom(tf.make_tensor_proto(array))
            writer.write(log.SerializeToString())


def read(path: str) -> list[Request]:
    """Reads what `write` wrote.

    Args:
        path: str.

    Returns:
        list of Request.

    Raises:
        ImportError: TensorFlow Serving's protocol is not installed.
    """
    from tensorflow_serving.apis import prediction_log_pb2

    requests = []
    for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        predict = log.predict_log.request
        inputs = {k: tf.make_ndarray(v) for k, v in predict.inputs.items()}
        requests.append(Request(predict.model_spec.signature_name, inputs))
    return requests
