"""Flags made of the options the library already has.

Names, defaults, types and help texts are read from a frozen dataclass or from
a builder's signature, and its docstring: they exist once.
"""

import dataclasses
import inspect
import re
import types
import typing

from absl import flags

FLAGS = flags.FLAGS


def _documented(docstring: str) -> dict[str, str]:
    """Reads the entries of a docstring's `Args:` or `Attributes:`."""
    section = re.search(
        r"^ *(?:Args|Attributes):\n(.*?)(?:\n\s*\n|\Z)",
        inspect.cleandoc(docstring),
        re.DOTALL | re.MULTILINE,
    )
    entries = re.findall(
        r"^    (\w+): (.*?)(?=^    \w+: |\Z)",
        section.group(1) + "\n",
        re.DOTALL | re.MULTILINE,
    )
    return {name: " ".join(text.split()) for name, text in entries}


def _options(owner) -> dict[str, tuple[type, object]]:
    """Returns {name: (type, default)} of a dataclass or a function."""
    hints = typing.get_type_hints(owner)
    if dataclasses.is_dataclass(owner):
        defaults = {f.name: f.default for f in dataclasses.fields(owner)}
    else:
        parameters = inspect.signature(owner).parameters.values()
        defaults = {p.name: p.default for p in parameters}
    return {name: (hints[name], value) for name, value in defaults.items()}


def _define(name, kind, default, text, choices):
    if isinstance(kind, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    if choices:
        flags.DEFINE_enum(name, default, list(choices), text)
    elif kind is bool:
        flags.DEFINE_bool(name, default, text)
    elif kind is int:
        flags.DEFINE_integer(name, default, text)
    elif kind is float:
        flags.DEFINE_float(name, default, text)
    else:
        flags.DEFINE_string(name, default, text)


def define(owner, *, only=None, choices=None):
    """Defines one flag for each option of a dataclass or a builder.

    Args:
        owner: frozen dataclass or function whose docstring describes each
            option under `Attributes:` or `Args:`.
        only: list of str or None. The options to define; None is all.
        choices: dict or None. Allowed values of string options, by name.

    Returns:
        A function without arguments that returns {name: parsed value}.
    """
    # The flags belong to the module that calls this one.
    flags.disclaim_key_flags()
    texts = _documented(owner.__doc__)
    options = _options(owner)
    names = list(only or options)
    for name in names:
        kind, default = options[name]
        _define(name, kind, default, texts[name], (choices or {}).get(name))
    return lambda: {name: getattr(FLAGS, name) for name in names}


def replay_lines(module) -> list[str]:
    """Writes the key flags of a program as lines of a flag file.

    Args:
        module: the program's module, whose flags have been parsed.

    Returns:
        list of str, `--name=value`; flags without a value are left out.
    """
    lines = []
    for flag in FLAGS.get_key_flags_for_module(module):
        if flag.value is not None:
            lines.extend(flag.serialize().splitlines())
    return sorted(lines)
