import errno
import hashlib
import io
import os
import threading
import types

import numpy as np
import pytest

from tfcolor.weights import download

CONTENT = np.random.default_rng(0).bytes(400_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def fetch(server, tmp_path):
    """Fetches the server's file and returns its bytes."""
    server.content = CONTENT

    def run(*, sha256=SHA256, size=None):
        path = tmp_path / "net.pth"
        digest = download.download(
            server.address, str(path), sha256=sha256, size=size, name="net"
        )
        assert digest == SHA256
        assert not (tmp_path / "net.pth.part").exists()
        return path.read_bytes()

    run.part = tmp_path / "net.pth.part"
    return run


def test_a_file_comes_with_a_progress_bar(fetch, capsys):
    assert fetch(size=len(CONTENT)) == CONTENT
    said = capsys.readouterr().err
    assert "net: 100%" in said and "391k/391k" in said


def test_a_broken_download_goes_on_where_it_ended(fetch, server):
    server.plan = [server.whole(until=150_000), server.whole(until=333_333)]
    assert fetch() == CONTENT
    starts = [int(r.split("=")[1].rstrip("-")) for r in server.ranges[1:]]
    # What was on its way when the connection broke may be lost.
    assert 80_000 < starts[0] <= 150_000 < starts[1] <= 333_333


def test_a_download_goes_on_in_another_run(fetch, server):
    server.plan = [server.whole(until=200_000)] + 4 * [server.status(503)]
    with pytest.raises(download.FetchError, match="HTTP 503.*bytes are kept"):
        fetch()
    kept = fetch.part.stat().st_size
    assert kept > 100_000
    assert fetch() == CONTENT
    assert server.ranges[-1] == f"bytes={kept}-"


def test_tries_end_when_nothing_comes(fetch, server):
    server.plan = 9 * [server.status(503)]
    with pytest.raises(download.FetchError, match="HTTP 503"):
        fetch()
    assert len(server.ranges) == 4


def test_without_a_network_nobody_waits(fetch, server, monkeypatch):
    monkeypatch.setattr(download, "_WAIT", 60.0)
    server.stop()
    server.stop = lambda: None
    with pytest.raises(download.FetchError, match="Connection refused"):
        fetch()


def test_a_slow_server_is_waited_for(fetch, server):
    # Each part within the time limit, all of them not.
    server.plan = [server.whole(pause=0.1)]
    assert fetch() == CONTENT
    assert len(server.ranges) == 1


def test_a_silent_server_is_asked_again(fetch, server):
    server.plan = [server.silence(1.2)]
    assert fetch() == CONTENT
    assert server.ranges == [None, "bytes=65536-"]


def test_servers_without_parts_send_all_again(fetch, server):
    fetch.part.write_bytes(b"x" * 1000)
    server.plan = [server.whole(parts=False)]
    assert fetch() == CONTENT


def test_a_part_that_is_whole_already_is_taken(fetch, server):
    fetch.part.write_bytes(CONTENT)
    assert fetch() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT)}-"]


def test_a_part_of_something_longer_is_given_up(fetch, server):
    fetch.part.write_bytes(b"x" * 500_000)
    assert fetch() == CONTENT
    assert server.ranges == ["bytes=500000-", None]


def test_another_file_is_refused_and_deleted(fetch, server):
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(ValueError, match=f"SHA-256 is {SHA256}.*was deleted"):
        fetch()
    assert not fetch.part.exists()
    fetch.part.write_bytes(b"x" * 1000)
    server.content = CONTENT
    with pytest.raises(ValueError, match="was deleted"):
        fetch()
    assert fetch() == CONTENT


def test_the_beginning_of_a_checksum_is_enough(fetch):
    assert fetch(sha256=SHA256[:8]) == CONTENT
    with pytest.raises(ValueError, match="SHA-256 begins with 00000000"):
        fetch(sha256="00000000")


def test_without_a_checksum_the_hosts_own_counts(fetch, server, capsys):
    server.headers = {"X-Linked-Etag": f'"{SHA256}"'}
    assert fetch(sha256="") == CONTENT
    server.headers = {"X-Linked-Etag": '"' + "0" * 64 + '"'}
    with pytest.raises(ValueError, match="SHA-256 is 0000"):
        fetch(sha256="")
    assert "nobody names a checksum" not in capsys.readouterr().err
    server.headers = {}
    assert fetch(sha256="") == CONTENT
    assert "net: nobody names a checksum" in capsys.readouterr().err


def test_redirects_are_followed_and_may_name_the_checksum(fetch, server):
    elsewhere = {"Location": server.address, "X-Linked-Etag": "0" * 64}
    server.plan = [server.status(302, **elsewhere)]
    assert fetch() == CONTENT
    server.plan = [server.status(302, **elsewhere)]
    with pytest.raises(ValueError, match="SHA-256 is 0000"):
        fetch(sha256="")


def test_a_redirect_from_https_to_http_is_refused():
    def step(url):
        return types.SimpleNamespace(url=url)

    response = step("https://c.org/net")
    response.history = [step("https://a.org/net"), step("http://b.org/net")]
    with pytest.raises(download.FetchError, match="http://b.org/net"):
        download._check_redirects("https://a.org/net", response)
    response.history = response.history[:1]
    download._check_redirects("https://a.org/net", response)


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_refusals_are_said_at_once(fetch, server, code):
    server.plan = 2 * [server.status(code)]
    with pytest.raises(download.FetchError, match=f"HTTP {code}"):
        fetch()
    assert len(server.ranges) == 1


def test_endless_redirects_end(fetch, server):
    server.plan = 40 * [server.status(302, Location=server.address)]
    with pytest.raises(download.FetchError, match="redirects"):
        fetch()


def test_a_file_of_another_length_is_refused_at_once(fetch, server):
    with pytest.raises(download.FetchError, match="400000 bytes, not 300000"):
        fetch(size=300_000)
    assert not fetch.part.exists()


def test_a_part_from_another_place_is_refused(fetch, server):
    fetch.part.write_bytes(CONTENT[:1000])
    wrong = {"Content-Range": "bytes 0-399999/400000"}
    server.plan = [server.status(206, **wrong)]
    with pytest.raises(download.FetchError, match="another part"):
        fetch()
    assert fetch() == CONTENT


def test_a_folder_is_had_by_one_at_a_time(tmp_path):
    order, waiting = [], threading.Event()

    def second():
        with download.alone(str(tmp_path), wait=waiting.set):
            order.append("second")

    with download.alone(str(tmp_path), wait=lambda: order.append("waited")):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(5)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_full_disk_is_said_with_the_file(fetch, server, monkeypatch):
    class Full(io.FileIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def open_full(path, mode="r", *args, **options):
        if "b" in mode and "a" in mode:
            return Full(path, "ab")
        return open(path, mode, *args, **options)

    monkeypatch.setattr(download, "open", open_full, raising=False)
    with pytest.raises(OSError, match="net.pth.part cannot be written: No sp"):
        fetch()
