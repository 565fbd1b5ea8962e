"""The rules of the house that a program can check."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
CODE = sorted(
    path
    for folder in ("tfcolor", "trainers", "flags", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)
MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 60
VAGUE_NAMES = {"utils", "helpers", "common", "misc", "base", "manager", "core"}
_files = pytest.mark.parametrize(
    "path", CODE, ids=lambda path: str(path.relative_to(ROOT))
)
# Keras documents what its layers override.
KERAS_METHODS = ("build", "call", "compute_output_shape", "get_config")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _nodes(path):
    return list(ast.walk(ast.parse(path.read_text())))


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


@_files
def test_files_are_short_and_say_what_they_are(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_FILE_LINES
    assert ast.get_docstring(ast.parse(text))
    assert path.stem not in VAGUE_NAMES
    assert path.parent.name not in VAGUE_NAMES


@_files
def test_functions_are_short(path):
    for node in _nodes(path):
        if not isinstance(node, _FUNCTIONS):
            continue
        first = node.body[0]
        documented = ast.get_docstring(node, clean=False) is not None
        docstring = first.end_lineno - first.lineno + 1 if documented else 0
        lines = node.end_lineno - node.lineno + 1 - docstring
        assert lines <= MAX_FUNCTION_LINES, node.name


@_files
def test_everything_public_is_documented(path):
    for name, node in _public(ast.parse(path.read_text()).body):
        if name.split(".")[-1] in KERAS_METHODS:
            continue
        assert ast.get_docstring(node), name


@_files
def test_code_keeps_to_what_the_house_excludes(path):
    for node in _nodes(path):
        assert not isinstance(node, ast.Assert), "raise an error instead"
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) != "tf.keras", "use `import keras`"
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("tensorflow.keras")
            assert all(alias.name != "*" for alias in node.names)
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, "name the error"


@_files
def test_options_of_functions_have_no_shared_defaults(path):
    for node in _nodes(path):
        if isinstance(node, _FUNCTIONS):
            for default in (*node.args.defaults, *node.args.kw_defaults):
                assert not isinstance(default, ast.List | ast.Dict | ast.Set)


@_files
def test_no_work_is_left_for_later(path):
    text = path.read_text()
    # Spelled apart, so that this file does not find itself.
    for mark in ("TO" + "DO", "FIX" + "ME", "XX" + "X"):
        assert mark not in text
