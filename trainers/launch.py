"""How every training program starts, and what its exit status says."""

import sys

from absl import app
from absl import logging


def run(main) -> None:
    """Runs a trainer's `main` under absl.

    Mistakes of the user end in one line and status 2, an interruption that
    left a checkpoint in status 130.

    Args:
        main: function of argv.
    """

    def guarded(argv):
        if len(argv) > 1:
            raise app.UsageError(f"unexpected arguments: {argv[1:]}")
        logging.set_verbosity(logging.WARNING)
        # Slow to import: --help should not wait for it.
        from tfcolor.training import fit

        try:
            main(argv)
        except fit.Interrupted as error:
            print(f"\ninterrupted: {error}", file=sys.stderr)
            sys.exit(130)
        except (ValueError, FileNotFoundError, FloatingPointError) as error:
            print(f"\nerror: {error}", file=sys.stderr)
            sys.exit(2)

    app.run(guarded)
