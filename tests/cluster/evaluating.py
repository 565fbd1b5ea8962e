"""`tfcolor evaluate --cluster` in a process of its own, to be killed.

    python -m tests.cluster.evaluating LOG ARGUMENTS...

Each picture that is measured adds a file to the folder LOG: its name has the
pass, the picture's index and the process.
"""

import os
import sys
import time
import uuid

_LOG = "TFCOLOR_TEST_LOG"
# Long enough that a kill comes in between.
_SECONDS = 0.2


def log_measured() -> None:
    """Lets a process say what it measures; runs when the process starts."""
    from tfcolor.evaluation import compare

    for name in ("first_pass", "second_pass"):
        setattr(compare.Run, name, _logged(getattr(compare.Run, name)))


def _logged(step):
    def logged(run, picture, method):
        result = step(run, picture, method)
        name = f"{step.__name__}-{picture.index}-{os.getpid()}"
        name = f"{name}-{uuid.uuid4().hex}"
        open(os.path.join(os.environ[_LOG], name), "x").close()
        time.sleep(_SECONDS)
        return result

    return logged


def main(log: str, *arguments: str) -> int:
    import ray

    from tfcolor.cli import main as command

    os.environ[_LOG] = log
    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=100 * 2**20,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={
            "env_vars": {_LOG: log},
            "worker_process_setup_hook": log_measured,
        },
    )
    return command.run(["evaluate", *arguments, "--cluster"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
