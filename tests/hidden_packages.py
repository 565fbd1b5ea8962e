"""Hides packages from a process, as where they are not installed.

    python -m tests.hidden_packages tensorflow,cv2 MODULE [ARGUMENT ...]

runs a module without them.
"""

import importlib.machinery
import runpy
import sys


def hide(names) -> None:
    """Lets no import find some packages from now on."""
    find = importlib.machinery.PathFinder.find_spec

    def find_others(name, *rest):
        return None if name.partition(".")[0] in names else find(name, *rest)

    importlib.machinery.PathFinder.find_spec = find_others


if __name__ == "__main__":
    hide(sys.argv.pop(1).split(","))
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
