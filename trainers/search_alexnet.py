"""The old name of `studies.alexnet_search`, with the same flags."""

import runpy

if __name__ == "__main__":
    runpy.run_module(
        "studies.alexnet_search", run_name="__main__", alter_sys=True
    )
