"""Commands with `--cluster` in a process of their own, to be killed.

    python -m tests.cluster.to_be_killed LOG COMMAND ARGUMENTS...

Each picture that `evaluate` measures adds a file to the folder LOG: its name
has the pass, the picture's index and the process. Of `colorize` it is each
picture that is begun, by its name; shards have four of them.
"""

import os
import sys
import time
import uuid

_LOG = "TFCOLOR_TEST_LOG"
# Long enough that a kill comes in between.
_SECONDS = 0.2
_SHARD_PICTURES = 4


def log_work() -> None:
    """Lets a process say what it does; runs when the process starts."""
    from tfcolor.evaluation import compare
    from tfcolor.inference import loaded_picture

    for name in ("first_pass", "second_pass"):
        setattr(compare.Run, name, _measuring(getattr(compare.Run, name)))
    loaded_picture.load = _loading(loaded_picture.load)


def _measuring(step):
    def logged(run, picture, method):
        result = step(run, picture, method)
        _note(step.__name__, picture.index)
        time.sleep(_SECONDS)
        return result

    return logged


def _loading(load):
    def logged(source, **options):
        _note("load", os.path.splitext(os.path.basename(source))[0])
        time.sleep(_SECONDS)
        return load(source, **options)

    return logged


def _note(what, which) -> None:
    name = f"{what}-{which}-{os.getpid()}-{uuid.uuid4().hex}"
    open(os.path.join(os.environ[_LOG], name), "x").close()


def main(log: str, *arguments: str) -> int:
    import ray

    from tfcolor.cli import main as command
    from tfcolor.cluster import sinks

    sinks.SHARD_PICTURES = _SHARD_PICTURES
    os.environ[_LOG] = log
    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=100 * 2**20,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={
            "env_vars": {_LOG: log},
            "worker_process_setup_hook": log_work,
        },
    )
    return command.run([*arguments, "--cluster"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
