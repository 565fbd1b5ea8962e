"""How every training program starts, and what its exit status says."""

import contextlib
import json
import os
import sys
import time
import traceback

from absl import app
from absl import flags
from absl import logging

from tfcolor.data import files
from tfcolor.data import memory

# What stands before a reason, on the screen and in train.log.
ERROR = "error: "
# EX_TEMPFAIL of sysexits.h: try again.
_TRY_AGAIN = 75
# As `training.run_folder` has it, which is slow to import.
_LOG = "train.log"
_WORKDIR = "workdir"


def run(main) -> None:
    """Runs a trainer's `main` under absl.

    Mistakes of the user, files that cannot be written and memory that runs out
    end in one line and status 2, an interruption that left a checkpoint in
    status 130, the loss of another worker in status 75. The reason is in
    train.log too, where there is a run folder, and there the traceback of any
    other error.

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
        from tfcolor.training import workers
        from tfcolor.training.loop import Interrupted

        try:
            main(argv)
        except Interrupted as error:
            text = in_flags(f"interrupted: {error}")
            note(_run_folder(), text)
            print(f"\n{text}", file=sys.stderr)
            sys.exit(130)
        except workers.WorkerLost as error:
            _say(error)
            # Not sys.exit: TensorFlow would wait for the others.
            os._exit(_TRY_AGAIN)
        except (ValueError, OSError, FloatingPointError) as error:
            _say(error)
            sys.exit(2)
        except (MemoryError, tf.errors.OpError) as error:
            known = memory.ran_out(error, _TRY_LESS)
            known = known or shard_source.damage_in(error) or _full(error)
            if known is None:
                note_error(_run_folder(), traceback.format_exc())
                raise
            _say(known)
            sys.exit(2)
        except Exception:
            note_error(_run_folder(), traceback.format_exc())
            raise

    app.run(guarded, flags_parser=parse)


_TRY_LESS = (
    "a smaller --batch_size or --image_size, --accumulate_steps=2 or more; on "
    "a GPU also --precision=mixed_bfloat16"
)


def in_flags(text: str, **others: str) -> str:
    """Says a text of the library in the flags of the running program.

    Args:
        text: str, with arguments as errors name them, `batch_size`.
        **others: flags by the arguments that the library calls otherwise.

    Returns:
        str, with --batch_size where there is such a flag.
    """
    known = {name: f"--{name}" for name in flags.FLAGS}
    return files.in_flags(text, known | others)


def note(folder: str | None, text: str) -> None:
    """Adds a line to the log of a run that has a folder.

    Args:
        folder: str, or None.
        text: str.
    """
    if folder is None or not os.path.isdir(folder):
        return
    line = f"{time.strftime('%H:%M:%S')} {text}\n".encode(errors="replace")
    # The disk may be full: the reason is on the screen too.
    with (
        contextlib.suppress(OSError),
        open(os.path.join(folder, _LOG), "ab") as log,
    ):
        log.write(line)


def note_error(folder: str | None, reason: str) -> None:
    """Adds why a run ended to its log, if it has a folder.

    Args:
        folder: str, or None.
        reason: str: a line, or a traceback, whose last line comes first.
    """
    last = reason.strip().splitlines()[-1:]
    more = f"\n{reason.rstrip()}" if "\n" in reason.strip() else ""
    note(folder, f"{ERROR}{''.join(last)}{more}")


def _full(error: Exception) -> str | None:
    """Finds a full disk in what TensorFlow makes of the error."""
    text = " ".join(str(error).split())
    return text if memory.FULL_DISK in text else None


def _say(reason) -> None:
    reason = in_flags(str(reason))
    note(_run_folder(), f"{ERROR}{reason}")
    print(f"\n{ERROR}{reason}", file=sys.stderr, flush=True)


def _run_folder() -> str | None:
    """Returns --workdir where there is one and this process writes there."""
    folder = None
    if _WORKDIR in flags.FLAGS and flags.FLAGS.is_parsed():
        folder = flags.FLAGS[_WORKDIR].value
    return folder if _is_first_worker() else None


def _is_first_worker() -> bool:
    try:
        task = json.loads(os.environ.get("TF_CONFIG", ""))["task"]
        return task["type"] == "chief" or int(task["index"]) == 0
    except (ValueError, KeyError, TypeError):
        return True


def parse(argv: list[str]) -> list[str]:
    """Parses flags as absl does; what is wrong with them is in the log too.

    Args:
        argv: list of str.

    Returns:
        list of str, what is no flag.
    """
    try:
        return flags.FLAGS(argv)
    except (UnicodeDecodeError, RecursionError) as error:
        print(f"error: a flag file must be text ({error})", file=sys.stderr)
        sys.exit(2)
    except flags.Error as error:
        start = f"--{_WORKDIR}="
        named = [a.removeprefix(start) for a in argv if a.startswith(start)]
        folder = named[-1] if named and _is_first_worker() else None
        note_error(folder, " ".join(str(error).split()))
        # Says it, and ends.
        return app.parse_flags_with_usage(argv)
