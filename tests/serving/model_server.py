"""A test double of TensorFlow Serving: its two protocols over one SavedModel.

Serves `Predict` of the gRPC PredictionService and the row form of the REST
predict API on the loopback interface, with the model loaded as TensorFlow
Serving loads it and errors turned into the same status codes. It is for tests
of clients and exports, not a product.
"""

import base64
import binascii
import contextlib
import http.server
import json
import re
import threading
from concurrent import futures

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

# google.rpc.Code to HTTP, as TensorFlow Serving's HTTP server maps them.
_HTTP_STATUS = {3: 400, 4: 504, 5: 404, 8: 429, 9: 400, 12: 501, 14: 503}
_PATH = re.compile(
    r"/v1/models/(?P<model>[^/:]+)(/versions/(?P<version>\d+))?"
    r"(/labels/(?P<label>[^/:]+))?:predict"
)
_WORKERS = 4
_HTTP_REQUESTS = 16


class Refused(Exception):
    """A request that is answered by a status other than OK."""

    def __init__(self, code: grpc.StatusCode, message: str):
        super().__init__(message)
        self.code = code


class ModelServer:
    """Serves one model while its `with` block runs.

    Args:
        path: str, of the SavedModel.
        name: str, of the model; its version is 1, with the label `stable`.
        max_bytes: int. Of one request.

    Attributes:
        rest_url, grpc_url: str.
        unavailable: int. Requests that are still to be refused as UNAVAILABLE.
        served: int. Requests that were answered.
    """

    def __init__(self, path, *, name="colorizer", max_bytes=2**20):
        self.name = name
        self.max_bytes = max_bytes
        self.unavailable = 0
        self.served = 0
        self._lock = threading.Lock()
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            meta_graph = tf.compat.v1.saved_model.load(
                self._session, ["serve"], path
            )
        self._signatures = meta_graph.signature_def

    def __enter__(self):
        options = [
            ("grpc.max_receive_message_length", self.max_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ]
        self._pool = futures.ThreadPoolExecutor(_WORKERS)
        self._grpc = grpc.server(self._pool, options=options)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            _Servicer(self), self._grpc
        )
        port = self._grpc.add_insecure_port("127.0.0.1:0")
        self.grpc_url = f"grpc://127.0.0.1:{port}"
        self._grpc.start()
        handler = type("Handler", (_Handler,), {"server_of": self})
        self._http = _HttpServer(("127.0.0.1", 0), handler)
        self.rest_url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._grpc.stop(0).wait()
        self._pool.shutdown()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._session.close()

    def predict(self, name, version, label, signature, inputs):
        """Runs a signature; `inputs` is called with its SignatureDef."""
        with self._lock:
            self.served += 1
            if self.unavailable:
                self.unavailable -= 1
                raise Refused(grpc.StatusCode.UNAVAILABLE, "try again")
        known = version in (None, 1) and label in (None, "stable")
        if name != self.name or not known:
            raise Refused(
                grpc.StatusCode.NOT_FOUND,
                f"Servable not found for request: {name}",
            )
        found = self._signatures.get(signature or "serving_default")
        if found is None:
            raise Refused(
                grpc.StatusCode.INVALID_ARGUMENT,
                f'Serving signature name: "{signature}" not found',
            )
        arrays = inputs(found)
        if arrays.keys() != set(found.inputs):
            raise Refused(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"inputs must be {sorted(found.inputs)}, got {sorted(arrays)}",
            )
        try:
            return self._session.run(
                {k: v.name for k, v in found.outputs.items()},
                {found.inputs[k].name: v for k, v in arrays.items()},
            )
        except tf.errors.OpError as error:
            raise Refused(_code(error.error_code), error.message) from error
        except (ValueError, TypeError) as error:
            # A shape or type that the signature does not take.
            raise Refused(
                grpc.StatusCode.INVALID_ARGUMENT, str(error)
            ) from error


def _code(number: int) -> grpc.StatusCode:
    return next(code for code in grpc.StatusCode if code.value[0] == number)


class _Servicer(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, server):
        self._server = server

    def Predict(self, request, context):
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None

        def inputs(signature):
            del signature
            return {k: tf.make_ndarray(v) for k, v in request.inputs.items()}

        try:
            outputs = self._server.predict(
                spec.name,
                version,
                spec.version_label or None,
                spec.signature_name,
                inputs,
            )
        except Refused as error:
            context.abort(error.code, str(error))
        response = predict_pb2.PredictResponse()
        for name, array in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(array))
        return response


class _HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = _HTTP_REQUESTS


class _Handler(http.server.BaseHTTPRequestHandler):
    server_of: ModelServer
    timeout = 30

    def log_message(self, *args):
        pass

    def do_POST(self):
        try:
            self._answer(200, {"predictions": self._predict()})
        except Refused as error:
            status = _HTTP_STATUS.get(error.code.value[0], 500)
            self._answer(status, {"error": str(error)})

    def do_GET(self):
        self._answer(404, {"error": "Malformed request: GET"})

    def _answer(self, status, content):
        body = json.dumps(content).encode()
        self.close_connection = True
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def _predict(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > self.server_of.max_bytes:
            # Read and forgotten, so that the client gets to the answer.
            while length > 0:
                length -= len(self.rfile.read(min(length, 2**16))) or length
            raise Refused(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"request larger than max ({self.server_of.max_bytes} bytes)",
            )
        body = self.rfile.read(length)
        path = _PATH.fullmatch(self.path)
        if path is None:
            raise _invalid(f"Malformed request: POST {self.path}")
        try:
            request = json.loads(body)
            instances = request["instances"]
        except (ValueError, KeyError, TypeError) as error:
            raise _invalid(f"JSON Parse error: {error!r}") from error
        outputs = self.server_of.predict(
            path["model"],
            int(path["version"]) if path["version"] else None,
            path["label"],
            request.get("signature_name"),
            lambda signature: _columns(instances, signature),
        )
        return _rows(outputs)


def _invalid(message):
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, message)


def _columns(instances, signature) -> dict[str, np.ndarray]:
    """Turns the row form into an array for each input."""
    if not isinstance(instances, list) or not instances:
        raise _invalid("`instances` must be a list with at least one entry")
    (single, *more) = signature.inputs
    if not more:
        # The name may be left out where there is only one.
        instances = [
            row if isinstance(row, dict) and single in row else {single: row}
            for row in instances
        ]
    try:
        return {
            name: np.array(
                [_value(row[name]) for row in instances],
                tf.as_dtype(spec.dtype).as_numpy_dtype,
            )
            for name, spec in signature.inputs.items()
        }
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise _invalid(f"Failed to process instances: {error!r}") from error


def _value(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"], validate=True)
    return value


def _rows(outputs) -> list:
    rows = [
        dict(zip(outputs, row, strict=True))
        for row in zip(
            *(_json(name, array) for name, array in outputs.items()),
            strict=True,
        )
    ]
    return [next(iter(r.values())) for r in rows] if len(outputs) == 1 else rows


def _json(name, array) -> list:
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(x).decode()} for x in array]
    if array.dtype == object:
        # Other strings are text.
        array = np.char.decode(array.astype(bytes))
    return array.tolist()
