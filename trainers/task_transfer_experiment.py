"""The old name of `studies.task_transfer`, with the same flags."""

import runpy

if __name__ == "__main__":
    runpy.run_module(
        "studies.task_transfer", run_name="__main__", alter_sys=True
    )
