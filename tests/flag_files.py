"""Setting flags from flag files, without a command line."""

from absl import flags
from absl.testing import flagsaver


def parsed(path, **more):
    """Sets the flags of a flag file, and more of them, for a `with` block."""
    values = {}
    for line in flags.FLAGS.read_flags_from_files([f"--flagfile={path}"]):
        name, is_given, value = line.removeprefix("--").partition("=")
        if not is_given:
            value = str(name in flags.FLAGS).lower()
            name = name if name in flags.FLAGS else name.removeprefix("no")
        if name not in flags.FLAGS:
            raise ValueError(f"There is no flag --{name}, in {path}.")
        values[name] = value
    return flagsaver.as_parsed(**values | more)
