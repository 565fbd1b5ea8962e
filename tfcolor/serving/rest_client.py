"""Colorizing by TensorFlow Serving's REST API.

Reference:
    https://www.tensorflow.org/tfx/serving/api_rest, "Predict API", row format.
"""

import base64
import binascii
import contextlib
import http.client
import json
import socket
import ssl
import urllib.error
import urllib.request

import numpy as np

from tfcolor.serving import defaults
from tfcolor.serving import failure
from tfcolor.serving.address import Address
from tfcolor.serving.failure import ServerError

# Too many requests; bad gateway and unavailable. What took too long once (504)
# would again, and keep a server busy that nobody waits for.
_PASSING = (429, 502, 503)
_MOST_CHARACTERS = 200


class RestClient:
    """Asks a server by REST. Several threads may use one client.

    Args:
        address: Address.
        timeout: float. Seconds that one request may take.
    """

    def __init__(self, address: Address, *, timeout: float = defaults.TIMEOUT):
        self._url = address.rest_url()
        self._timeout = timeout

    def colorize(
        self, picture: bytes, *, boxes: np.ndarray | None = None
    ) -> bytes:
        """Colorizes an encoded picture.

        Args:
            picture: bytes of a JPEG, PNG, WebP or BMP.
            boxes: float32 array [N, 4] or None, yxyx in pixels of the upright
                picture, for a model that takes them.

        Returns:
            bytes of a PNG.

        Raises:
            ServerError: the server cannot be reached, refuses, or answers
                something else.
        """
        instance = {
            "picture_bytes": {"b64": base64.b64encode(picture).decode()}
        }
        if boxes is not None:
            instance["boxes"] = np.asarray(boxes, np.float32).tolist()
        answer = self._post(json.dumps({"instances": [instance]}).encode())
        try:
            (prediction,) = json.loads(answer)["predictions"]
            # A single output comes without its name.
            prediction = prediction.get("png_bytes", prediction)
            return base64.b64decode(prediction["b64"], validate=True)
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            binascii.Error,
        ) as error:
            raise ServerError(
                f"{self._url} does not answer as a colorizer: "
                f"{answer[:_MOST_CHARACTERS]!r}",
                passing=False,
            ) from error

    def close(self) -> None:
        """Ends the client; there is nothing to end."""

    def _post(self, body: bytes) -> bytes:
        request = urllib.request.Request(
            self._url, body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(
                request, timeout=self._timeout
            ) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            raise ServerError(
                f"status {error.code}: {_message(error)}",
                passing=error.code in _PASSING,
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._without_answer(error) from error

    def _without_answer(self, error: Exception) -> ServerError:
        """Returns the error of a request that had no whole answer."""
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return ServerError(
                failure.no_answer(self._url, self._timeout), passing=False
            )
        if isinstance(reason, http.client.HTTPException):
            return ServerError(
                f"{self._url} does not answer as a server does, or in part: "
                f"{reason!r:.{_MOST_CHARACTERS}}",
                passing=not isinstance(reason, http.client.InvalidURL),
            )
        # A certificate that is refused; a name that nobody knows, unless the
        # one who is asked for it is not there.
        lasting = isinstance(reason, ssl.SSLCertVerificationError) or (
            isinstance(reason, socket.gaierror)
            and reason.errno != socket.EAI_AGAIN
        )
        return ServerError(
            f"{self._url} cannot be reached: {reason}", passing=not lasting
        )


def _message(error: urllib.error.HTTPError) -> str:
    """Returns what the server says, or what the status means."""
    content = b""
    with error, contextlib.suppress(OSError, http.client.HTTPException):
        content = error.read()
    try:
        return str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)
