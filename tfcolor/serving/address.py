"""Where a served model is: host, model and version."""

import dataclasses
import urllib.parse

from tfcolor.serving import defaults

_REST, _GRPC = ("http", "https"), "grpc"


@dataclasses.dataclass(frozen=True)
class Address:
    """A model of a server.

    Attributes:
        url: str, `http://HOST:PORT`, `https://HOST:PORT`, perhaps with a path
            before `/v1`, or `grpc://HOST:PORT`; in any case of letters.
        model: str, its name in the server's configuration.
        version: int or None. None for the latest, or that of `label`.
        label: str or None, for example "stable" or "canary".

    Raises:
        ValueError: `url` has another form, or both version and label came.
    """

    url: str
    model: str = defaults.MODEL
    version: int | None = None
    label: str | None = None

    def __post_init__(self):
        if not self._is_known():
            raise ValueError(
                "`url` must be http://HOST:PORT, https://HOST:PORT or "
                f"grpc://HOST:PORT. Received: url={self.url!r}"
            )
        if self.version is not None and self.label is not None:
            raise ValueError(
                "A version or a label can be asked for, not both. Received: "
                f"version={self.version}, label={self.label!r}"
            )

    def _is_known(self) -> bool:
        try:
            parts = urllib.parse.urlsplit(self.url)
            # Raises ValueError unless it is a number.
            _ = parts.port
        except ValueError:
            return False
        if parts.scheme == _GRPC and parts.path.strip("/"):
            return False
        known = parts.scheme in (*_REST, _GRPC) and parts.hostname
        return bool(known) and not parts.query

    @property
    def is_grpc(self) -> bool:
        """Whether the server is asked by gRPC instead of REST."""
        return urllib.parse.urlsplit(self.url).scheme == _GRPC

    @property
    def host(self) -> str:
        """`HOST:PORT`."""
        return urllib.parse.urlsplit(self.url).netloc

    def rest_url(self) -> str:
        """Returns where predictions are asked for by REST."""
        path = f"/v1/models/{urllib.parse.quote(self.model, safe='')}"
        if self.version is not None:
            path += f"/versions/{self.version}"
        if self.label is not None:
            path += f"/labels/{urllib.parse.quote(self.label, safe='')}"
        return f"{self.url.rstrip('/')}{path}:predict"
