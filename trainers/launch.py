"""How every training program starts, and what its exit status says."""

import os
import sys

from absl import app
from absl import logging

# EX_TEMPFAIL of sysexits.h: try again.
_TRY_AGAIN = 75


def run(main) -> None:
    """Runs a trainer's `main` under absl.

    Mistakes of the user end in one line and status 2, an interruption that
    left a checkpoint in status 130, the loss of another worker in status 75.

    Args:
        main: function of argv.
    """

    def guarded(argv):
        if len(argv) > 1:
            raise app.UsageError(f"unexpected arguments: {argv[1:]}")
        logging.set_verbosity(logging.WARNING)
        # Slow to import: --help should not wait for it.
        import tensorflow as tf

        from tfcolor.data import shard_source
        from tfcolor.training import fit
        from tfcolor.training import lost_worker

        try:
            main(argv)
        except fit.Interrupted as error:
            print(f"\ninterrupted: {error}", file=sys.stderr)
            sys.exit(130)
        except lost_worker.WorkerLost as error:
            print(f"\nerror: {error}", file=sys.stderr, flush=True)
            # Not sys.exit: TensorFlow would wait for the others.
            os._exit(_TRY_AGAIN)
        except (ValueError, FileNotFoundError, FloatingPointError) as error:
            print(f"\nerror: {error}", file=sys.stderr)
            sys.exit(2)
        except tf.errors.OpError as error:
            damage = shard_source.damage_in(error)
            if damage is None:
                raise
            print(f"\nerror: {damage}", file=sys.stderr)
            sys.exit(2)

    app.run(guarded, flags_parser=parse)


def parse(argv: list[str]) -> list[str]:
    """Parses flags; a flag file that is no text ends in one line as well.

    Args:
        argv: list of str.

    Returns:
        list of str, what is no flag.
    """
    try:
        return app.parse_flags_with_usage(argv)
    except (UnicodeDecodeError, RecursionError) as error:
        print(f"error: a flag file must be text ({error})", file=sys.stderr)
        sys.exit(2)
