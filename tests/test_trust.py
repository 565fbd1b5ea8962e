"""What the code never does with files that may come from anywhere."""

import ast

from tests.test_house import CODE
from tests.test_house import ROOT
from tests.test_house import _tree

_PICKLE = {
    # Results that go from one process of a run to another, as all that Ray
    # carries between them does.
    "tfcolor/cluster/engine.py",
    # They pickle their own arrays for a process of their own, in a folder of
    # their own.
    "tfcolor/export/verification.py",
    "tfcolor/export/without_keras.py",
    # An unpickler that knows a list of names and refuses all others.
    "tfcolor/weights/pytorch_pickle.py",
}
_NEVER = {"eval", "exec", "compile", "__import__"}


def _calls(*names):
    """Yields (file, node) of calls of functions by their last names."""
    for path in CODE:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call):
                text = ast.unparse(node.func)
                if text in names or text.endswith(
                    tuple(f".{name}" for name in names if "." in name)
                ):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def _keyword(node, name):
    found = [k.value for k in node.keywords if k.arg == name]
    return ast.unparse(found[0]) if found else None


def test_arrays_are_read_without_pickle():
    wrong = [
        place
        for place, node in _calls("np.load", "numpy.load")
        if _keyword(node, "allow_pickle") not in (None, "False")
    ]
    assert not wrong


def test_arrays_of_others_are_read_in_one_place():
    # Others read what ships with the package, or check the file themselves.
    own = (
        "tfcolor/pictures/foreign_files.py",
        "tfcolor/weights/",
    )
    wrong = [
        place
        for place, _ in _calls("np.load", "numpy.load")
        if place.startswith("tfcolor/") and not place.startswith(own)
    ]
    assert not wrong


def test_pytorch_reads_weights_only():
    wrong = [
        place
        for place, node in _calls("torch.load")
        if _keyword(node, "weights_only") != "True"
        and not place.startswith("benchmarks/")
    ]
    assert not wrong


def test_model_files_are_read_in_one_place_and_in_safe_mode():
    calls = list(
        _calls(
            "keras.saving.load_model",
            "keras.models.load_model",
            "keras.saving.deserialize_keras_object",
        )
    )
    assert [place.split(":")[0] for place, _ in calls] == [
        "tfcolor/weights/model_file.py"
    ]
    assert _keyword(calls[0][1], "safe_mode") == "True"
    assert _keyword(calls[0][1], "custom_objects") is None


def test_nothing_is_unpickled_but_what_was_pickled_by_us():
    modules = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal"}
    wrong = []
    for path in CODE:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names}
                names.add(getattr(node, "module", None))
                if names & modules:
                    wrong.append(str(path.relative_to(ROOT)))
    assert set(wrong) <= _PICKLE


def test_no_text_is_run_and_no_shell_is_asked():
    wrong = [
        place
        for path in CODE
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        for place in [f"{path.relative_to(ROOT)}:{node.lineno}"]
        if ast.unparse(node.func) in _NEVER | {"os.system", "os.popen"}
        or _keyword(node, "shell") == "True"
    ]
    assert not wrong


def test_pillow_opens_only_formats_that_are_named():
    wrong = [
        place
        for place, node in _calls("Image.open")
        if place.startswith("tfcolor/data/") and not _keyword(node, "formats")
    ]
    assert not wrong


def test_pickled_arrays_of_verification_stay_in_a_folder_of_their_own():
    text = (ROOT / "tfcolor/export/verification.py").read_text()
    assert "TemporaryDirectory" in text
