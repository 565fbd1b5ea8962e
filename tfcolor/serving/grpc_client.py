"""Colorizing by TensorFlow Serving's gRPC API (PredictionService).

Needs TensorFlow Serving's protocol, the extra [serving].
"""

import numpy as np

from tfcolor import extras
from tfcolor.serving import defaults
from tfcolor.serving import failure
from tfcolor.serving.address import Address
from tfcolor.serving.failure import ServerError

_SIGNATURE = "serving_default"
# Names of grpc.StatusCode. What took too long once would again, and keep a
# server busy that nobody waits for.
_PASSING = ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED")
_TOO_LATE = "DEADLINE_EXCEEDED"
# What gRPC says of a message that will never get through, and of a host that
# nobody knows.
_LASTING = ("larger than max", "Domain name not found")
# Pictures are larger than the 4 MB that gRPC allows by itself.
_CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
)


class GrpcClient:
    """Asks a server by gRPC. Several threads may use one client.

    Args:
        address: Address.
        timeout: float. Seconds that one request may take.

    Raises:
        ImportError: TensorFlow Serving's protocol is not installed.
    """

    def __init__(self, address: Address, *, timeout: float = defaults.TIMEOUT):
        import grpc

        try:
            from tensorflow_serving.apis import prediction_service_pb2_grpc
        except ImportError as error:
            raise ImportError(
                "gRPC needs TensorFlow Serving's protocol, "
                f"{extras.how_to_install('serving')}"
            ) from error
        self._address = address
        self._timeout = timeout
        self._channel = grpc.insecure_channel(
            address.host, options=_CHANNEL_OPTIONS
        )
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(
            self._channel
        )

    def colorize(
        self, picture: bytes, *, boxes: np.ndarray | None = None
    ) -> bytes:
        """Colorizes an encoded picture; see `RestClient.colorize`."""
        import grpc
        import tensorflow as tf

        inputs = {"picture_bytes": np.array([picture], object)}
        if boxes is not None:
            inputs["boxes"] = np.asarray(boxes, np.float32)[None]
        try:
            response = self._stub.Predict(
                self._request(inputs), timeout=self._timeout
            )
        except grpc.RpcError as error:
            code, details = error.code().name, error.details() or ""
            if code == _TOO_LATE:
                details = failure.no_answer(self._address.url, self._timeout)
            lasting = any(text in details for text in _LASTING)
            raise ServerError(
                f"{code}: {details}", passing=code in _PASSING and not lasting
            ) from error
        if "png_bytes" not in response.outputs:
            raise ServerError(
                f"{self._address.url} does not answer as a colorizer: outputs "
                f"{sorted(response.outputs)}",
                passing=False,
            )
        return tf.make_ndarray(response.outputs["png_bytes"])[0]

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def _request(self, inputs):
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.name = self._address.model
        request.model_spec.signature_name = _SIGNATURE
        if self._address.version is not None:
            request.model_spec.version.value = self._address.version
        if self._address.label is not None:
            request.model_spec.version_label = self._address.label
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        return request
