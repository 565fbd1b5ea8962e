import base64
import contextlib
import json
import socket
import ssl
import threading
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest

from tests import drawn
from tests.export import exported
from tests.inference import models
from tests.serving.model_server import ModelServer
from tfcolor import Colorizer
from tfcolor.pictures import decode
from tfcolor.serving.address import Address
from tfcolor.serving.failure import ServerError
from tfcolor.serving.grpc_client import GrpcClient
from tfcolor.serving.rest_client import RestClient

PNG = drawn.encode(drawn.colored(1, 33, 21))


def _client(server, protocol, **options):
    if protocol == "rest":
        return RestClient(Address(server.rest_url, **options))
    return GrpcClient(Address(server.grpc_url, **options))


both = pytest.mark.parametrize("protocol", ["rest", "grpc"])


@both
@pytest.mark.parametrize("version", [{}, {"version": 1}, {"label": "stable"}])
def test_a_picture_comes_back_as_python_colors_it(server, protocol, version):
    client = _client(server, protocol, **version)
    colorizer = Colorizer(
        models.lightness_model(), image_size=exported.IMAGE_SIZE
    )
    expected = colorizer.colorize(decode.decode_rgb(PNG))
    colored = decode.decode_picture(client.colorize(PNG)).pixels
    client.close()
    np.testing.assert_array_equal(colored, expected)


@pytest.mark.slow
@both
def test_boxes_reach_a_model_that_takes_them(protocol):
    boxes = np.float32([[2, 2, 20, 20], [0, 0, 0, 0]])
    path = exported.saved_model(models.counting_model)
    colorizer = Colorizer(
        models.counting_model(), image_size=exported.IMAGE_SIZE
    )
    expected = colorizer.colorize(decode.decode_rgb(PNG), boxes=boxes)
    with ModelServer(path) as server:
        client = _client(server, protocol)
        png = client.colorize(PNG, boxes=boxes)
        with pytest.raises(ServerError, match="inputs must be|instances"):
            client.colorize(PNG)
        client.close()
    np.testing.assert_array_equal(decode.decode_picture(png).pixels, expected)


@both
@pytest.mark.parametrize(
    ("picture", "rest", "grpc"),
    [
        (b"no picture", "status 400", "INVALID_ARGUMENT"),
        (b"", "status 400", "INVALID_ARGUMENT"),
        (PNG[:90], "status 400", "INVALID_ARGUMENT"),
        (PNG + b"\0" * 2**20, "status 429", "RESOURCE_EXHAUSTED"),
    ],
)
def test_bad_requests_get_proper_status_codes(
    server, protocol, picture, rest, grpc
):
    client = _client(server, protocol)
    with pytest.raises(ServerError) as error:
        client.colorize(picture)
    client.close()
    assert {"rest": rest, "grpc": grpc}[protocol] in str(error.value)
    if len(picture) < 2**20:
        assert "Picture 0 of the request" in str(error.value)
        assert not error.value.passing
    elif protocol == "grpc":
        assert not error.value.passing
    # The server goes on.
    client = _client(server, protocol)
    assert client.colorize(PNG)
    client.close()


@both
@pytest.mark.parametrize(
    "address", [{"model": "other"}, {"version": 7}, {"label": "canary"}]
)
def test_what_is_not_served_is_not_found(server, protocol, address):
    client = _client(server, protocol, **address)
    with pytest.raises(ServerError, match="404|NOT_FOUND") as error:
        client.colorize(PNG)
    client.close()
    assert not error.value.passing


@both
def test_a_server_that_is_not_there_may_be_there_later(protocol):
    # Port 9 is "discard", where nobody listens.
    url = {"rest": "http://127.0.0.1:9", "grpc": "grpc://127.0.0.1:9"}
    make = {"rest": RestClient, "grpc": GrpcClient}[protocol]
    client = make(Address(url[protocol]), timeout=5)
    with pytest.raises(ServerError, match="reached|UNAVAILABLE") as error:
        client.colorize(PNG)
    client.close()
    assert error.value.passing


@contextlib.contextmanager
def _answering(answer):
    """A server that answers one request with some bytes, or None: never."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            connection, _ = listening.accept()
            with connection:
                connection.recv(2**16)
                if answer is not None:
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                # Until the client has gone; gRPC takes 20 s to.
                connection.settimeout(2)
                with contextlib.suppress(TimeoutError):
                    while connection.recv(2**16):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


@both
def test_what_takes_too_long_is_not_tried_again(protocol):
    make = {"rest": RestClient, "grpc": GrpcClient}[protocol]
    scheme = {"rest": "http", "grpc": "grpc"}[protocol]
    with _answering(None) as host:
        client = make(Address(f"{scheme}://{host}"), timeout=0.5)
        with pytest.raises(ServerError, match="within 0.5 s .`time") as error:
            client.colorize(PNG)
        client.close()
    assert not error.value.passing


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "IncompleteRead"),
        (b"SSH-2.0-OpenSSH\r\n", "BadStatusLine"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 99\r\n\r\n{", "503: Busy"),
    ],
)
def test_half_an_answer_and_another_one_are_errors_of_the_server(
    answer, message
):
    with _answering(answer) as host:
        client = RestClient(Address(f"http://{host}"), timeout=5)
        with pytest.raises(ServerError, match=message) as error:
            client.colorize(PNG)
        assert host in str(error.value) or "503" in message
    assert error.value.passing


@pytest.mark.parametrize(
    ("reason", "passing"),
    [
        (ssl.SSLCertVerificationError("self-signed"), False),
        (socket.gaierror(socket.EAI_NONAME, "not known"), False),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), True),
        (ConnectionRefusedError("refused"), True),
    ],
)
def test_unknown_hosts_and_refused_certificates_stay_so(
    reason, passing, monkeypatch
):
    def urlopen(*args, **options):
        raise urllib.error.URLError(reason)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    with pytest.raises(ServerError, match="cannot be reached") as error:
        RestClient(Address("https://a.example")).colorize(PNG)
    assert error.value.passing == passing


@pytest.mark.parametrize(
    ("code", "details", "passing"),
    [
        ("UNAVAILABLE", "address lookup failed: Domain name not found", False),
        ("UNAVAILABLE", "connection refused", True),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", False),
    ],
)
def test_lasting_failures_of_grpc_are_known(
    code, details, passing, monkeypatch
):
    class Failure(grpc.RpcError):
        def code(self):
            return grpc.StatusCode[code]

        def details(self):
            return details

    class Stub:
        def Predict(self, *args, **options):
            raise Failure

    client = GrpcClient(Address("grpc://a.example:1"))
    monkeypatch.setattr(client, "_stub", Stub())
    with pytest.raises(ServerError, match=code) as error:
        client.colorize(PNG)
    client.close()
    assert error.value.passing == passing


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"inputs": 1}',
        b'{"instances": []}',
        b'{"instances": [{"b64": "?"}]}',
        b'{"instances": [{"other": 1}]}',
        b'{"instances": [1], "signature_name": "none"}',
        b'{"instances": [[1, 2]], "signature_name": "colorize_rgb"}',
    ],
)
def test_malformed_rest_requests_are_refused(server, body):
    url = Address(server.rest_url).rest_url()
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(urllib.request.Request(url, body))
    with error.value:
        assert error.value.code == 400
        assert json.loads(error.value.read())["error"]


def test_a_name_can_be_left_out_where_there_is_one_input(server):
    body = {"instances": [{"b64": base64.b64encode(PNG).decode()}]}
    request = urllib.request.Request(
        Address(server.rest_url).rest_url(), json.dumps(body).encode()
    )
    with urllib.request.urlopen(request) as response:
        (prediction,) = json.loads(response.read())["predictions"]
    assert base64.b64decode(prediction["b64"]).startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_classifier_answers_by_rest_and_is_no_colorizer():
    body = {"instances": [{"b64": base64.b64encode(PNG).decode()}]}
    with ModelServer(exported.saved_classifier()) as running:
        url = Address(running.rest_url).rest_url()
        request = urllib.request.Request(url, json.dumps(body).encode())
        with urllib.request.urlopen(request) as response:
            (prediction,) = json.loads(response.read())["predictions"]
        assert sorted(prediction["classes"]) == sorted(exported.CLASS_NAMES)
        assert sum(prediction["scores"]) == pytest.approx(1, abs=1e-5)
        for protocol in ("rest", "grpc"):
            client = _client(running, protocol)
            with pytest.raises(ServerError, match="answer as a colorizer"):
                client.colorize(PNG)
            client.close()


def test_what_is_no_colorizer_is_noticed(monkeypatch):
    client = RestClient(Address("http://127.0.0.1:1"))
    for answer in (b"<html>", b'{"predictions": [1]}', b'{"predictions": []}'):
        monkeypatch.setattr(client, "_post", lambda body, a=answer: a)
        with pytest.raises(ServerError, match="does not answer as a colorizer"):
            client.colorize(PNG)


@pytest.mark.parametrize(
    "url",
    [
        *("localhost:8501", "ftp://a:1", "http://", "grpc://a:1/b"),
        *("http://a?b=1", "http://a:abc", "grpc://a:70000", "http://[::1"),
    ],
)
def test_other_urls_are_refused(url):
    with pytest.raises(ValueError, match="Received: url="):
        Address(url)


def test_letters_of_a_url_may_be_large():
    address = Address("GRPC://Localhost:8500")
    assert address.is_grpc and address.host == "Localhost:8500"
    assert not Address("HTTP://localhost:8501").is_grpc


def test_a_version_and_a_label_cannot_both_be_asked_for():
    with pytest.raises(ValueError, match="not both"):
        Address("http://a:1", version=1, label="canary")


def test_rest_urls_have_the_form_of_the_api():
    make = Address("https://a.example/serving/", "b c", label="canary")
    assert make.rest_url() == (
        "https://a.example/serving/v1/models/b%20c/labels/canary:predict"
    )
