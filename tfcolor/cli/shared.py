"""Arguments and messages that sub-commands share."""

import argparse
import collections
import contextlib
import dataclasses
import sys
import warnings
from collections.abc import Callable
from typing import TypeVar

# None of them imports TensorFlow.
from tfcolor.data import files
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.detection import defaults as detection_defaults
from tfcolor.inference import defaults
from tfcolor.pictures import pillow_limit

_Result = TypeVar("_Result")
# What takes less memory.
_TRY_LESS = "a smaller `batch_size`, smaller pictures"
# The value of --boxes_at_once for no limit.
_ALL = "all"
# Lines about pictures of a cluster that are printed; all failures are in their
# table.
MOST_LINES = 20
# What a summary says of pictures that were not done now, in this order.
_FAILED, _NOTE = "failed", "note"
_EXTRAS = (outcome_lib.THERE_ALREADY, outcome_lib.IN_COLOR, _FAILED)


@dataclasses.dataclass(frozen=True)
class Command:
    """A sub-command, as its messages need it.

    Attributes:
        name: str.
        arguments: dict from what errors of the library call an argument to
            what people know it as: its flag, or the name of its place.
    """

    name: str
    arguments: dict[str, str]

    def in_flags(self, text: str) -> str:
        """Returns a text of the library in the words of the command."""
        return files.in_flags(text, self.arguments)


def add_command(
    subparsers,
    name: str,
    *,
    help: str,
    description: str,
    epilog: str | None = None,
) -> argparse.ArgumentParser:
    """Adds a sub-command, whose texts are printed line by line as they are.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returned.
        name: str.
        help: str. Its line in `tfcolor --help`.
        description: str. What stands before the arguments in its own help.
        epilog: str or None. What stands behind them.

    Returns:
        argparse.ArgumentParser of the sub-command.
    """
    return subparsers.add_parser(
        name,
        help=help,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def complete(
    parser: argparse.ArgumentParser, **others: str
) -> argparse.ArgumentParser:
    """Ends a sub-command that has all its arguments.

    What is parsed gets `command`, the Command: errors of the library name
    arguments, and people are told the flags of the same names.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
        **others: flags by the arguments that the library calls otherwise.

    Returns:
        argparse.ArgumentParser, `parser`.
    """
    # What gives no value is --help.
    arguments = {
        action.dest: (*action.option_strings, action.metavar)[0]
        for action in parser._actions
        if action.default != argparse.SUPPRESS
    }
    known = {name: said for name, said in arguments.items() if said}
    command = Command(parser.prog.split()[-1], known | others)
    parser.set_defaults(command=command)
    return parser


def add_input(parser: argparse.ArgumentParser) -> None:
    """Adds the argument `input`: pictures, folders and globs.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
    """
    parser.add_argument(
        "input",
        nargs="+",
        metavar="INPUT",
        help="a picture, a folder (searched recursively, hidden files left "
        "out) or a glob",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Adds --output and --overwrite, of commands that write pictures.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
    """
    parser.add_argument(
        "--output",
        required=True,
        metavar="PATH",
        help="a file (for one picture), or a folder: an existing one, or "
        "with a '/' at its end",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace results that exist (default: skip their pictures)",
    )


def add_colorizer(parser: argparse.ArgumentParser) -> None:
    """Adds the network and what it does: --model, its size, --saturation.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
    """
    parser.add_argument(
        "--model",
        metavar="NAME|PATH",
        help="a model that ships with tfcolor, NAME or NAME:STYLE; a "
        "published one, which is fetched at its first use (`tfcolor models` "
        "lists both); or a .keras, .pth or .safetensors file (default: "
        f"{defaults.MODEL})",
    )
    parser.add_argument(
        "--image_size",
        type=int,
        metavar="PIXELS",
        help="side of the square the network sees, a multiple of 8, for some "
        "models, such as lite2_unet, of 32 (default: the model's own)",
    )
    parser.add_argument(
        "--saturation",
        type=float,
        default=defaults.SATURATION,
        metavar="FACTOR",
        help="factor on the color (default: %(default)s)",
    )
    parser.add_argument(
        "--style",
        metavar="natural|vivid|0..1",
        help="how lively a shipped model's colors are, or a number from 0 "
        "(natural) to 1 (vivid) (default: natural)",
    )
    parser.add_argument(
        "--upsampling",
        choices=defaults.UPSAMPLINGS,
        help="how colors are enlarged to the picture's size: guided follows "
        "the picture's edges, bilinear does not (default: the model's own)",
    )


def add_batch_size(parser: argparse.ArgumentParser) -> None:
    """Adds --batch_size.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
    """
    parser.add_argument(
        "--batch_size",
        type=int,
        default=defaults.BATCH_SIZE,
        metavar="N",
        help="pictures in the network at once (default: %(default)s)",
    )


def add_max_pixels(parser: argparse.ArgumentParser) -> None:
    """Adds --max_pixels.

    Args:
        parser: argparse.ArgumentParser of a sub-command, or a group of it.
    """
    parser.add_argument(
        "--max_pixels",
        type=int,
        default=pillow_limit.MAX_PIXELS,
        metavar="N",
        help="a picture whose header gives more pixels is not decoded "
        "(default: %(default)s)",
    )


def add_max_boxes(parser: argparse.ArgumentParser) -> None:
    """Adds --max_boxes.

    Args:
        parser: argparse.ArgumentParser of a sub-command, or a group of it.
    """
    parser.add_argument(
        "--max_boxes",
        type=int,
        default=detection_defaults.MAX_BOXES,
        metavar="N",
        help="keep at most so many boxes of a picture, of highest score "
        "(default: %(default)s)",
    )


def add_boxes_at_once(parser: argparse.ArgumentParser) -> None:
    """Adds --boxes_at_once.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
    """
    parser.add_argument(
        "--boxes_at_once",
        type=_boxes_at_once,
        default=defaults.BOXES_AT_ONCE,
        metavar="N|all",
        help="boxes of a picture that are in the networks at once; fewer take "
        "less memory (default: %(default)s)",
    )


def _boxes_at_once(text: str) -> int | None:
    return None if text == _ALL else int(text)


def say_error(
    command: Command,
    error: Exception,
    status: int,
    *,
    keep_lines: bool = False,
) -> int:
    """Prints why a sub-command ends.

    Args:
        command: Command.
        error: Exception.
        status: int.
        keep_lines: bool. Prints a list as it is, instead of on one line.

    Returns:
        int, `status`.
    """
    one_line = files.one_line(error, try_less=_TRY_LESS)
    said = command.in_flags(str(error) if keep_lines else one_line)
    print(f"tfcolor {command.name}: error: {said}", file=sys.stderr)
    return status


def run_single(
    command: Command,
    work: Callable[[], _Result],
    *,
    end: Callable[[_Result], None],
    failed: type[Exception] | tuple[()] = (),
    say_failed: Callable[[Exception], None] | None = None,
    keep_lines: bool = False,
) -> int:
    """Runs a command with one result, from its errors to its end.

    Args:
        command: Command.
        work: function without arguments that does all of it. Its errors are
            wrong usage, but for `failed`.
        end: function of what `work` returned, that prints what there is to
            say.
        failed: type of the error that says that the usage was right, or ().
        say_failed: function of such an error that prints it, or None: as all
            others.
        keep_lines: bool; see `say_error`.

    Returns:
        int, the exit status: 0, 1 for `failed`, 2 for wrong usage.
    """
    try:
        result = work()
    except failed as error:
        if say_failed is None:
            return say_error(command, error, 1)
        say_failed(error)
        return 1
    except (OSError, ValueError, ImportError) as error:
        return say_error(command, error, 2, keep_lines=keep_lines)
    end(result)
    return 0


def say_left_out(line: str) -> None:
    """Prints what an input holds and is not used.

    Args:
        line: str.
    """
    print(f"note: {files.shown_name(line)}", file=sys.stderr)


def say_notes(command: Command, notes) -> None:
    """Prints what was left out or ignored of pictures that are done.

    Args:
        command: Command.
        notes: iterable of (source, note), str.
    """
    for source, note in notes:
        say(command, _NOTE, source, note)


def say_failures(command: Command, failures, most: int | None = None) -> None:
    """Prints pictures that failed.

    Args:
        command: Command.
        failures: list of (source, reason), str.
        most: int or None. How many are printed at most; None is all of them.
    """
    for source, reason in failures[:most]:
        say(command, _FAILED, source, reason)
    if most is not None and len(failures) > most:
        print(f"{_FAILED}: {len(failures) - most} more", file=sys.stderr)


def say(command: Command, what: str, source: str, text: str) -> None:
    """Prints one line, whatever a file's name or its texts hold.

    Args:
        command: Command.
        what: str.
        source: str, the file.
        text: str.
    """
    text = command.in_flags(text)
    shown = files.shown_name(source), files.shown_name(text)
    print(f"{what}: {': '.join(shown)}", file=sys.stderr)


class Tally:
    """What a command over many pictures has to say at its end.

    Args:
        command: Command.
        most_lines: int or None. How many notes and how many failures are kept
            at most; None is all of them.

    Attributes:
        notes: list of (source, note), str.
        failures: list of (source, reason), str.
        seen, done: int. Pictures and films, and those that were done now.
        boxes, without_boxes: int. Boxes found in these, and how many of them
            have none.
        result: what the work made of all of them; see `Outcomes`.
        is_whole: bool. Whether the work came to its end, or an error ended it.
    """

    def __init__(self, command: Command, most_lines: int | None = None):
        self._command = command
        self._most_lines = most_lines
        self._counts = collections.Counter()
        self.notes, self.failures = [], []
        self.seen, self.done, self._films = 0, 0, 0
        self.boxes, self.without_boxes = 0, 0
        self.result, self.is_whole = None, False

    def add(self, outcome: Outcome) -> None:
        """Counts what came of a picture."""
        self.seen += 1
        if outcome.reason:
            self._keep(self.failures, _FAILED, outcome.source, outcome.reason)
        elif outcome.skipped:
            self._counts[outcome.skipped] += 1
        else:
            self.done += 1
            self._films += files.is_film(outcome.source)
            self.boxes += outcome.boxes
            self.without_boxes += not outcome.boxes
        for note in outcome.notes:
            self._keep(self.notes, _NOTE, outcome.source, note)

    def _keep(self, lines: list, what: str, *line: str) -> None:
        self._counts[what] += 1
        if self._most_lines is None or len(lines) < self._most_lines:
            lines.append(line)

    def extras(self) -> list[str]:
        """Returns what is to be said of those that were not done now."""
        counts = self._counts
        return [f"{counts[key]} {key}" for key in _EXTRAS if counts[key]]

    def summary(self, verb: str, output: str) -> str:
        """Returns the last line of a command."""
        pictures = self.done - self._films
        parts = [counted(self._films, "film")] if self._films else []
        if pictures or not self._films:
            parts.insert(0, counted(pictures, "picture"))
        text = f"{verb} {' and '.join(parts)} into {output}"
        return with_extras(text, self.extras())

    def say(self, last_line: str | None) -> None:
        """Prints the end of a command: notes, failures and its last line.

        Args:
            last_line: str or None; printed if the work came to its end.
        """
        for what, lines in ((_NOTE, self.notes), (_FAILED, self.failures)):
            for source, text in lines:
                say(self._command, what, source, text)
            if (more := self._counts[what] - len(lines)) > 0:
                print(f"{what}: {more} more", file=sys.stderr)
        if self.is_whole and last_line is not None:
            print(last_line)


class Bars:
    """Progress bars of things that are done one after the other.

    A context manager, which closes the last bar.

    Args:
        unit: str, what is counted.
        leave: bool. Whether bars stay when they are full.
        label: function of the name of a thing to what its bar says.
    """

    def __init__(
        self, unit: str, *, leave: bool, label: Callable[[str], str] = str
    ):
        self._unit, self._leave, self._label = unit, leave, label
        self._what, self._bar = None, None

    def __call__(self, what: str, done: int, total: int) -> None:
        """Takes how much is done of a thing, and of how much (0: unknown)."""
        import tqdm

        if what != self._what:
            self.close()
            self._what = what
            self._bar = tqdm.tqdm(
                total=total or None,
                # What earlier runs have done says nothing about the speed.
                initial=max(done - 1, 0),
                unit=self._unit,
                desc=self._label(what),
                leave=self._leave,
                file=sys.stderr,
            )
        self._bar.update(done - self._bar.n)
        if done >= total > 0:
            self._bar.close()

    def close(self) -> None:
        """Ends the last bar."""
        if self._bar is not None:
            self._bar.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def run_outcomes(
    command: Command,
    begin: Callable[[], Outcomes],
    *,
    end: Callable[[Tally], None],
    show: Callable[[Outcome], str] | None = None,
    bars: contextlib.AbstractContextManager | None = None,
    on_cluster: bool = False,
) -> int:
    """Runs a command over many pictures, from its errors to its end.

    Args:
        command: Command.
        begin: function without arguments that begins the work. Its errors are
            wrong usage.
        end: function of a Tally that prints what there is to say at the end;
            mostly `Tally.say`.
        show: function of an Outcome to a line to be printed when its picture
            is done, or None.
        bars: Bars, of a work that tells them what it does; a context manager
            that does nothing for no bar; None is one bar of the outcomes.
        on_cluster: bool. Of any number of pictures `MOST_LINES` lines are kept.
            Models are opened no earlier than by the first picture: errors
            until there is an outcome are wrong usage, later ones are not.

    Returns:
        int, the exit status: 0, 1 if a picture failed, 2 for wrong usage.
    """
    # Pillow warns about odd metadata, which are left out then.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        outcomes = begin()
    except (OSError, ValueError, ImportError) as error:
        return say_error(command, error, 2)
    import tqdm

    tally = Tally(command, MOST_LINES if on_cluster else None)
    ended_by, status = None, 0
    # `begin` cannot fetch the first one: its wait would belong to no bar, and
    # the speed would leave it out.
    late = (ValueError,) if on_cluster else ()
    progress = tqdm.tqdm(
        total=len(outcomes),
        unit="picture",
        disable=bars is not None or len(outcomes) == 1,
        # Those of a cluster come many at once.
        smoothing=0 if on_cluster else 0.3,
        file=sys.stderr,
    )
    try:
        # Closed when interrupted too: what is being written is finished.
        with bars or progress, contextlib.closing(outcomes):
            for outcome in outcomes:
                tally.add(outcome)
                if outcome.skipped:
                    progress.total -= 1
                else:
                    progress.update()
                if show is not None and not outcome.reason:
                    progress.write(show(outcome), file=sys.stdout)
        tally.result, tally.is_whole = outcomes.result, True
    except (OSError, ImportError, *late) as error:
        ended_by = error
        not_begun = on_cluster and not tally.seen
        status = 2 if not_begun or isinstance(error, ImportError) else 1
    end(tally)
    if ended_by is not None:
        return say_error(command, ended_by, status)
    return 1 if tally.failures else 0


def counted(count: int, what: str) -> str:
    """Returns a number of things, for example "2 pictures"."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def with_extras(text: str, extras: list[str]) -> str:
    """Returns a text with what else there is to say, in brackets."""
    return f"{text} ({', '.join(extras)})" if extras else text
