"""Small and read-only disks, where mounting is allowed."""

import contextlib
import subprocess

import pytest


def _mount(*arguments) -> bool:
    try:
        finished = subprocess.run(
            ["mount", *map(str, arguments)], check=False, capture_output=True
        )
    except FileNotFoundError:
        return False
    return finished.returncode == 0


@contextlib.contextmanager
def small(folder, size: str):
    """Puts an empty disk of a size such as "100k" at a folder."""
    folder.mkdir(exist_ok=True)
    options = f"size={size},nr_inodes=200"
    if not _mount("-t", "tmpfs", "-o", options, "tmpfs", folder):
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def change(folder, options: str) -> None:
    """Changes such a disk, to "ro" or to "size=10m"."""
    assert _mount("-o", f"remount,{options}", folder)
