import os
import subprocess
import sys

import pytest

_PROGRAM = "import os, {}; print(os.environ['TF_FORCE_GPU_ALLOW_GROWTH'])"


@pytest.mark.parametrize(
    ("module", "before"),
    [
        ("tfcolor", None),
        ("tfcolor", "false"),
        ("tfcolor.cli.main", None),
        pytest.param("flags.data", None, marks=pytest.mark.slow),
    ],
)
def test_gpu_memory_grows_unless_somebody_wants_it_otherwise(module, before):
    name = "TF_FORCE_GPU_ALLOW_GROWTH"
    environment = {k: v for k, v in os.environ.items() if k != name}
    if before is not None:
        environment[name] = before
    finished = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(module)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert finished.stdout == f"{before or 'true'}\n"
