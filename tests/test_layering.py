"""Imports run one way; see the layout in CONTRIBUTING.md."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
_MODELS = {"color", "layers", "models"}
_LIBRARY = {
    *_MODELS,
    *("pictures", "boxes", "data", "detection"),
    *("losses", "metrics", "training"),
}
# What each part of tfcolor may import, besides itself.
ALLOWED = {
    "color": set(),
    "pictures": set(),
    "boxes": {"pictures"},
    "data": {"color", "pictures", "boxes"},
    "detection": {"color", "pictures", "boxes", "data"},
    "layers": {"color"},
    "models": {"color", "layers"},
    "losses": _MODELS,
    "metrics": _MODELS,
    "training": {"color", "losses", "metrics"},
    "weights": _LIBRARY,
    "inference": _LIBRARY | {"weights"},
    "evaluation": _LIBRARY | {"weights", "inference"},
    "export": _LIBRARY | {"weights", "inference"},
    "serving": {"pictures", "boxes", "data", "detection", "inference"},
    "studio": _LIBRARY | {"weights", "inference"},
    "cluster": _LIBRARY | {"weights", "inference", "evaluation"},
    "cli": _LIBRARY
    | {"weights", "inference", "evaluation", "export", "serving", "studio"}
    | {"cluster"},
}
# What all of them may import.
FOR_ALL = {"version", "atomic", "extras", "keras_backend", "submodules"}
FILES = sorted((ROOT / "tfcolor").rglob("*.py"))


def _imports(path):
    """The names of all modules a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _part(path):
    """The part of tfcolor a file belongs to; "" for its own files."""
    return path.relative_to(ROOT / "tfcolor").parts[0].removesuffix(".py")


def _is_above(part: str, module: str) -> bool:
    """Tells whether a module is not below a part of tfcolor."""
    top, below = (*module.split("."), "version")[:2]
    if top in ("studies", "trainers", "flags", "tests", "benchmarks"):
        return True
    if part != "cli" and (
        top == "argparse" or module.startswith(("absl.flags", "absl.app"))
    ):
        return True
    # `import tfcolor` alone gives the version, which all may know.
    for_all = below in FOR_ALL
    known = top != "tfcolor" or part not in ALLOWED or for_all
    return not known and below not in ALLOWED[part] | {part}


def test_library_files_import_only_what_lies_below_them():
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in FILES
        for module in _imports(path)
        if _is_above(_part(path), module)
    ]
    assert not wrong


def test_every_part_has_its_place_in_the_layering():
    parts = {p.name for p in (ROOT / "tfcolor").iterdir() if p.is_dir()}
    assert parts - {"__pycache__"} <= set(ALLOWED)


@pytest.mark.parametrize(
    ("folder", "above"),
    [
        ("flags", {"trainers", "studies"}),
        ("tfcolor", {"trainers", "studies"}),
        ("trainers", {"studies"}),
    ],
)
def test_programs_are_imported_by_nothing_below_them(folder, above):
    for path in (ROOT / folder).rglob("*.py"):
        modules = {module.split(".")[0] for module in _imports(path)}
        assert not modules & above, path


def test_of_color_gamut_alone_is_in_tensorflow():
    def is_needed(path):
        body = ast.parse(path.read_text()).body
        imports = [node for node in body if isinstance(node, ast.Import)]
        return "tensorflow" in {x.name for node in imports for x in node.names}

    color = (ROOT / "tfcolor/color").glob("*.py")
    assert {path.stem for path in color if is_needed(path)} == {"gamut"}


def test_what_may_be_imported_has_no_circles():
    order = list(ALLOWED)
    for part, allowed in ALLOWED.items():
        for other in allowed:
            assert order.index(other) < order.index(part)
