"""The old name of `studies.ensemble`, with the same flags."""

import runpy

if __name__ == "__main__":
    runpy.run_module("studies.ensemble", run_name="__main__", alter_sys=True)
