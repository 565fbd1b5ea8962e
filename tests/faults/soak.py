"""Hours in minutes: many requests, good and bad, and memory that must not grow.

    python -m tests.faults.soak [--minutes=10] [--model=NAME|PATH] [--only=...]

- `export`: eight clients, four by REST and four by gRPC, ask the in-repo model
  server for pictures of an exported model. A third of what they send is no
  picture, damaged, or too large.
- `colorizer`: four threads share one `Colorizer`; a third of what they give it
  is no picture.

A good request must get the answer that it got the first time, a bad one an
error that says so. The curves of memory are printed, resident and, where the C
library is glibc, allocated: what many threads gave back stays resident in its
arenas, so that resident memory creeps for long where nothing leaks. After the
warm-up, a quarter of the time, both must be flat. The status is 0 if all that
is so.
"""

import argparse
import ctypes
import dataclasses
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable

import numpy as np
import psutil

from tests import drawn

CLIENTS, THREADS = 8, 4
BAD_SHARE = 1 / 3
WARM_UP_SHARE = 0.25
# A leak of one small picture a request would be more within two minutes.
MAX_GROWTH_MIB = 40
# Of what is allocated, which knows no arenas.
MAX_ALLOCATED_GROWTH_MIB = 20
_SAMPLES = 24
_SIDES = ((40, 40), (64, 48), (100, 150), (256, 256), (31, 97), (480, 320))


class _MallocInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def _allocated_mib() -> float | None:
    """Returns what is allocated and not freed, MiB; None without glibc 2.33."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (OSError, AttributeError):
        return None
    mallinfo2.restype = _MallocInfo
    info = mallinfo2()
    return (info.uordblks + info.hblkhd) / 2**20


def _least_allocated_mib() -> float:
    """Returns the least of a second, without most of what is in work."""
    found = []
    for _ in range(20):
        found.append(_allocated_mib())
        time.sleep(0.05)
    return min(found)


@dataclasses.dataclass(frozen=True)
class Curve:
    """What memory did.

    Attributes:
        points: list of (seconds, MiB).
        limit: float, MiB that it may grow by after the warm-up.
    """

    points: list[tuple[float, float]]
    limit: float = MAX_GROWTH_MIB

    def growth(self) -> float:
        """MiB from after the warm-up to the end, medians of two fifths."""
        after = [
            memory
            for seconds, memory in self.points
            if seconds >= WARM_UP_SHARE * self.points[-1][0]
        ]
        part = max(1, 2 * len(after) // 5)
        first, last = after[:part], after[-part:]
        return statistics.median(last) - statistics.median(first)

    def report(self) -> str:
        """The points and the growth, as text."""
        points = ", ".join(f"{s:.0f} s {m:.0f}" for s, m in self.points)
        return (
            f"MiB at {points}; {self.growth():+.1f} after the warm-up, at most "
            f"{self.limit}"
        )


@dataclasses.dataclass
class Soak:
    """What came out.

    Attributes:
        good: int, requests that were answered rightly.
        bad: int, bad ones that were refused rightly.
        errors: list of str, all others.
        curves: dict of Curve: "resident", and where it is known "allocated".
    """

    good: int = 0
    bad: int = 0
    errors: list[str] = dataclasses.field(default_factory=list)
    curves: dict[str, Curve] = dataclasses.field(default_factory=dict)

    def flat(self) -> bool:
        """Tells whether no curve grew."""
        return all(c.growth() < c.limit for c in self.curves.values())

    def report(self, name: str) -> str:
        """Figures and the curves, as text."""
        return "\n".join(
            [
                f"{name}: {self.good} good requests, {self.bad} bad ones "
                f"refused, {len(self.errors)} errors",
                *(f"{key}: {c.report()}" for key, c in self.curves.items()),
            ]
        )


def soak(asks: list[Callable], *, seconds: float) -> Soak:
    """Asks in as many threads as there are functions.

    Args:
        asks: list of functions of a random.Random, each for a thread, that
            return whether the request was a good one and raise what is wrong.
        seconds: float.

    Returns:
        Soak.
    """
    found, lock = Soak(), threading.Lock()
    started = time.monotonic()

    def work(number, ask):
        rng = random.Random(number)
        while time.monotonic() - started < seconds:
            try:
                good = ask(rng)
            except Exception as error:
                with lock:
                    found.errors.append(f"{type(error).__name__}: {error}")
                continue
            with lock:
                found.good += good
                found.bad += not good

    threads = [
        threading.Thread(target=work, args=entry) for entry in enumerate(asks)
    ]
    for thread in threads:
        thread.start()
    resident, allocated = Curve([]), Curve([], MAX_ALLOCATED_GROWTH_MIB)
    found.curves["resident"] = resident
    if _allocated_mib() is not None:
        found.curves["allocated"] = allocated
    process = psutil.Process()
    for i in range(_SAMPLES + 1):
        due = started + seconds * i / _SAMPLES
        time.sleep(max(0, due - time.monotonic()))
        now = time.monotonic() - started
        resident.points.append((now, process.memory_info().rss / 2**20))
        if "allocated" in found.curves:
            allocated.points.append((now, _least_allocated_mib()))
    for thread in threads:
        thread.join()
    return found


def _good_pictures() -> list[np.ndarray]:
    return [
        drawn.colored(i, height, width)
        for i, (height, width) in enumerate(_SIDES)
    ]


def _bad_bytes() -> list[bytes]:
    png = drawn.encode(drawn.colored(0, 64, 64))
    jpeg = drawn.encode(drawn.colored(0, 64, 64), "JPEG")
    return [
        b"",
        b"no picture",
        png[:60],
        jpeg[: len(jpeg) // 3],
        # 60000 x 60000 by its head.
        png[:16] + b"\0\0\xea\x60" * 2 + png[24:],
        # More than the server takes.
        png + bytes(2**20),
    ]


def export(path: str, *, seconds: float) -> Soak:
    """Soaks an exported colorizer.

    Args:
        path: str, of the SavedModel.
        seconds: float.

    Returns:
        Soak.
    """
    from tests.serving.model_server import ModelServer
    from tfcolor.serving.address import Address
    from tfcolor.serving.failure import ServerError
    from tfcolor.serving.grpc_client import GrpcClient
    from tfcolor.serving.rest_client import RestClient

    good = [
        drawn.encode(rgb, kind)
        for rgb in _good_pictures()
        for kind in ("PNG", "JPEG")
    ]
    bad, answers = _bad_bytes(), {}

    def ask_for(client):
        def ask(rng):
            if rng.random() < BAD_SHARE:
                number = rng.randrange(len(bad))
                try:
                    client.colorize(bad[number])
                except ServerError as error:
                    # By REST "too large" and "too busy" are one status.
                    if error.passing and number != len(bad) - 1:
                        raise
                    return False
                raise AssertionError(f"bad request {number} was answered")
            number = rng.randrange(len(good))
            png = client.colorize(good[number])
            if answers.setdefault(number, png) != png:
                raise AssertionError(f"request {number} got another answer")
            return True

        return ask

    with ModelServer(path) as server:
        clients = [
            GrpcClient(Address(server.grpc_url))
            if i % 2
            else RestClient(Address(server.rest_url))
            for i in range(CLIENTS)
        ]
        try:
            return soak([ask_for(c) for c in clients], seconds=seconds)
        finally:
            for client in clients:
                client.close()


def colorizer(model: str | None, *, seconds: float) -> Soak:
    """Soaks a Colorizer that several threads share.

    Args:
        model: str or None, as of `Colorizer`.
        seconds: float.

    Returns:
        Soak.
    """
    from tfcolor import Colorizer

    shared = Colorizer(model)
    good = _good_pictures()
    answers = [shared.colorize(rgb) for rgb in good]
    bad = [
        np.zeros([8, 8], np.float64),
        np.zeros([8, 8, 4], np.uint8),
        np.zeros([0, 8, 3], np.uint8),
        "no picture",
    ]

    def ask(rng):
        if rng.random() < BAD_SHARE:
            number = rng.randrange(len(bad))
            try:
                shared.colorize(bad[number])
            except (ValueError, TypeError):
                return False
            raise AssertionError(f"bad picture {number} was colorized")
        number = rng.randrange(len(good))
        rgb = shared.colorize(good[number])
        if not np.array_equal(rgb, answers[number]):
            raise AssertionError(f"picture {number} got other colors")
        return True

    return soak([ask] * THREADS, seconds=seconds)


def main() -> int:
    """Prints the figures; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--model", default=None)
    parser.add_argument("--only", default="export,colorizer")
    args = parser.parse_args()
    os.environ["no_proxy"] = "*"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    good = True
    for name in args.only.split(","):
        if name == "colorizer":
            found = colorizer(args.model, seconds=60 * args.minutes)
        else:
            from tfcolor.export import export_model

            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "1")
                export_model.export_saved_model(args.model, path)
                found = export(path, seconds=60 * args.minutes)
        print(found.report(name), flush=True)
        for error in sorted(set(found.errors)):
            print(f"error: {error}", file=sys.stderr)
        good &= not found.errors and found.flat()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
