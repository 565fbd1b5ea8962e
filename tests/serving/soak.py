"""Many requests of several clients to one exported colorizer.

    python -m tests.serving.soak EXPORT [REQUESTS]

sends the sample pictures and prints figures.
"""

import os
import statistics
import sys
import threading
import time
from typing import NamedTuple

import psutil

from tests.serving.model_server import ModelServer
from tfcolor.data import sample_pictures
from tfcolor.serving.address import Address
from tfcolor.serving.grpc_client import GrpcClient
from tfcolor.serving.rest_client import RestClient

CLIENTS, REQUESTS = 8, 1000
# Before memory is looked at: every size has been seen by every thread.
WARM_UP_SHARE = 0.25


class Figures(NamedTuple):
    """What came out.

    Attributes:
        errors: list of Exception.
        served: int, requests that the server answered.
        seconds: float, of all requests together.
        latencies: list of float, seconds of each request.
        before, after: int, bytes of memory after the warm-up and at the end.
    """

    errors: list[Exception]
    served: int
    seconds: float
    latencies: list[float]
    before: int
    after: int


def run(path: str, sent: list[bytes], *, requests: int = REQUESTS) -> Figures:
    """Lets half of the clients ask by REST, the others by gRPC.

    Args:
        path: str, of the SavedModel.
        sent: encoded pictures, sent in turn.
        requests: int.

    Returns:
        Figures.
    """
    process = psutil.Process()
    errors, latencies, memory = [], [], []
    numbers, lock = iter(range(requests)), threading.Lock()
    seen = {int(requests * WARM_UP_SHARE), requests - 1}

    def ask(client):
        while True:
            with lock:
                number = next(numbers, None)
                if number in seen:
                    memory.append(process.memory_info().rss)
            if number is None:
                return
            started = time.perf_counter()
            try:
                png = client.colorize(sent[number % len(sent)])
                if not png.startswith(b"\x89PNG"):
                    raise ValueError(f"no PNG: {png[:20]}")
            except Exception as error:
                errors.append(error)
            latencies.append(time.perf_counter() - started)

    with ModelServer(path) as server:
        clients = [
            GrpcClient(Address(server.grpc_url))
            if i % 2
            else RestClient(Address(server.rest_url))
            for i in range(CLIENTS)
        ]
        threads = [threading.Thread(target=ask, args=(c,)) for c in clients]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - started
        for client in clients:
            client.close()
        served = server.served
    return Figures(errors, served, seconds, latencies, *memory)


def main(path: str, requests: str = str(REQUESTS)) -> None:
    """Prints the figures of an export with the sample pictures."""
    os.environ["no_proxy"] = "*"
    sent = []
    for picture in sample_pictures.paths():
        with open(picture, "rb") as file:
            sent.append(file.read())
    found = run(path, sent, requests=int(requests))
    cuts = statistics.quantiles(found.latencies, n=100)
    print(
        f"{found.served} requests of {CLIENTS} clients, "
        f"{len(found.errors)} errors, {found.seconds:.0f} s, "
        f"{found.served / found.seconds:.1f} a second; latency median "
        f"{cuts[49]:.2f} s, 99 % {cuts[98]:.2f} s; memory of server and "
        f"clients {found.before / 2**20:.0f} -> {found.after / 2**20:.0f} MiB"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
