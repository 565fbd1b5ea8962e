import pytest

from tests.weights.file_server import FileServer
from tfcolor.weights import download


@pytest.fixture
def server(monkeypatch):
    """A FileServer that is stopped at the end; no try waits."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(download, "_WAIT", 0.0)
    monkeypatch.setattr(download, "_TIMEOUT", (2, 0.5))
    started = FileServer()
    yield started
    started.stop()
