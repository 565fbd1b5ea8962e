"""Jobs of several processes on this machine, over loopback."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]
# Long enough for a machine that does other things too.
_PATIENCE = 300


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for opened in sockets:
        opened.bind(("127.0.0.1", 0))
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def start(program: str, arguments: list[str], *, workers: int, logs):
    """Starts a job; returns its processes, the chief first.

    What process i says is in `logs`/worker<i>.log.
    """
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(workers)]
    processes = []
    for index in range(workers):
        config = {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": index},
        }
        with open(log_path(logs, index), "w") as log:
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", program, *arguments],
                    cwd=ROOT,
                    env=os.environ
                    | {
                        "TF_CONFIG": json.dumps(config),
                        "PYTHONPATH": str(ROOT),
                    },
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
    return processes


def log_path(logs, index: int) -> pathlib.Path:
    """Where process `index` of a job writes what it says."""
    return pathlib.Path(logs) / f"worker{index}.log"


def wait(processes) -> list[int]:
    """Waits for all processes; returns their exit statuses."""
    try:
        return [process.wait(_PATIENCE) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def wait_for(path, processes) -> None:
    """Waits until a file is there, or a process has ended."""
    for _ in range(_PATIENCE * 10):
        if pathlib.Path(path).exists():
            return
        if any(process.poll() is not None for process in processes):
            break
        time.sleep(0.1)
    raise AssertionError(f"{path} never came")
