"""The rules of the house that a program can check.

Each test reads all files and lists every offender, as path:line.
"""

import ast
import functools
import pathlib
import re

ROOT = pathlib.Path(__file__).parent.parent
_FOLDERS = ("tfcolor", "studies", "trainers", "flags", "benchmarks", "docs")
CODE = sorted(
    path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.py")
)
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60
VAGUE_NAMES = {"utils", "helpers", "common", "misc", "base", "manager", "core"}
# Keras documents what its layers override.
KERAS_METHODS = ("build", "call", "compute_output_shape", "get_config")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@functools.cache
def _tree(path):
    return ast.parse(path.read_text())


def _nodes(kind):
    """Yields (place, node) of every node of a kind in the code."""
    for path in CODE:
        for node in ast.walk(_tree(path)):
            if isinstance(node, kind):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def _files(is_wrong):
    """Lists the files of the code of which something is true."""
    return [str(p.relative_to(ROOT)) for p in CODE if is_wrong(p)]


def _public(body, prefix=""):
    """Public functions, classes and methods of a module or class body."""
    for node in body:
        is_class = isinstance(node, ast.ClassDef)
        if not is_class and not isinstance(node, _FUNCTIONS):
            continue
        if node.name.startswith("_"):
            continue
        yield prefix + node.name, node
        if is_class:
            yield from _public(node.body, f"{node.name}.")


def _code_lines(function) -> int:
    """Lines of a function without its docstring."""
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    docstring = first.end_lineno - first.lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - docstring


def test_files_have_at_most_600_lines():
    def is_long(path):
        return len(path.read_text().splitlines()) > MAX_FILE_LINES

    assert not _files(is_long)


def test_functions_have_at_most_60_lines():
    long = [
        f"{place} {node.name}"
        for place, node in _nodes(_FUNCTIONS)
        if _code_lines(node) > MAX_FUNCTION_LINES
    ]
    assert not long


def test_no_file_or_folder_has_a_vague_name():
    assert not _files(lambda path: {path.stem, path.parent.name} & VAGUE_NAMES)


def test_every_file_says_what_it_is():
    assert not _files(lambda path: not ast.get_docstring(_tree(path)))


def test_everything_public_is_documented():
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {name}"
        for path in CODE
        for name, node in _public(_tree(path).body)
        if name.split(".")[-1] not in KERAS_METHODS
        and not ast.get_docstring(node)
    ]
    assert not silent


def test_errors_are_raised_and_not_asserted():
    assert not [place for place, _ in _nodes(ast.Assert)]


def test_the_library_names_arguments_and_not_flags():
    # Programs turn them into flags; the page of the studio is one, and advice
    # to who trains is for trainers alone.
    programs = ("cli", "studio", "loop.py", "fit.py")
    flags = [
        f"{place} {node.value!r}"
        for place, node in _nodes(ast.Constant)
        if place.startswith("tfcolor")
        and not set(place.partition(":")[0].split("/")) & set(programs)
        and isinstance(node.value, str)
        # Docstrings may name them.
        and "\n" not in node.value
        and re.search("--(?!help)[a-z]", node.value)
    ]
    assert not flags


def test_extras_are_installed_with_the_versions_that_are_tested():
    # In messages, and in help texts, which are wrapped.
    wrong = [
        f"{place} {node.value!r}"
        for place, node in _nodes(ast.Constant)
        if isinstance(node.value, str)
        and re.search(r"pip\s+install\s+-e", node.value)
    ]
    assert not wrong


def test_keras_is_imported_as_keras():
    attributes = [
        place
        for place, node in _nodes(ast.Attribute)
        if ast.unparse(node) == "tf.keras"
    ]
    modules = [
        place
        for place, node in _nodes(ast.ImportFrom)
        if (node.module or "").startswith("tensorflow.keras")
        or any(alias.name == "*" for alias in node.names)
    ]
    assert not attributes + modules


def test_every_except_names_its_error():
    assert not [p for p, node in _nodes(ast.ExceptHandler) if not node.type]


def test_options_of_functions_have_no_shared_defaults():
    shared = [
        f"{place} {node.name}"
        for place, node in _nodes(_FUNCTIONS)
        for default in (*node.args.defaults, *node.args.kw_defaults)
        if isinstance(default, ast.List | ast.Dict | ast.Set)
    ]
    assert not shared


def test_no_work_is_left_for_later():
    # Spelled apart, so that this file does not find itself.
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    assert not _files(
        lambda path: any(mark in path.read_text() for mark in marks)
    )
