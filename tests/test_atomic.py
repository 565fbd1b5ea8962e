import os
import signal
import subprocess
import sys

import pytest

from tfcolor import atomic

# Run by another process: argv[1] is what `path` becomes.
_KILLED = """
import os, signal, sys
from tfcolor import atomic

rename, calls = os.replace, []

def killed_at(source, target):
    calls.append(target)
    if len(calls) == {nth}:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)

os.replace = killed_at
with atomic.replacing(sys.argv[1]) as new:
    os.mkdir(new)
    open(os.path.join(new, "text"), "w").close()
"""


def _write(path, text, **options):
    with atomic.replacing(str(path), **options) as new:
        with open(new, "x") as file:
            file.write(text)


def _kill_at_rename(path, nth):
    code = _KILLED.format(nth=nth)
    finished = subprocess.run([sys.executable, "-c", code, path], check=False)
    assert finished.returncode == -signal.SIGKILL


def test_a_file_appears_at_the_end_and_nothing_else_stays(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    with atomic.replacing(str(path), extension=".txt") as new:
        assert new.endswith(".txt")
        with open(new, "x") as file:
            file.write("first")
        assert not path.exists()
    assert path.read_text() == "first"
    _write(path, "second")
    assert path.read_text() == "second"
    assert os.listdir(path.parent) == ["a.txt"]


def test_a_folder_is_replaced_by_a_folder_or_a_file(tmp_path):
    path = tmp_path / "a"
    for name in ("one", "two"):
        with atomic.replacing(f"{path}/") as new:
            os.mkdir(new)
            (tmp_path / new / name).touch()
        assert os.listdir(path) == [name]
    _write(path, "text")
    assert path.read_text() == "text"
    assert os.listdir(tmp_path) == ["a"]


def test_an_error_leaves_what_was_there(tmp_path):
    _write(tmp_path / "a", "old")
    with pytest.raises(KeyboardInterrupt):
        with atomic.replacing(str(tmp_path / "a")) as new:
            open(new, "x").close()
            raise KeyboardInterrupt
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_what_a_killed_process_left_is_removed(tmp_path):
    path = tmp_path / "a"
    _kill_at_rename(path, 1)
    assert not path.exists() and len(os.listdir(tmp_path)) == 1
    atomic.remove_leftovers([str(path)])
    assert os.listdir(tmp_path) == []


def test_what_a_killed_process_took_away_comes_back(tmp_path):
    path = tmp_path / "a"
    path.mkdir()
    (path / "old").touch()
    _kill_at_rename(path, 2)
    assert not path.exists()
    atomic.remove_leftovers([str(path)])
    assert os.listdir(tmp_path) == ["a"] and os.listdir(path) == ["old"]


def test_what_is_being_written_is_no_leftover(tmp_path):
    with atomic.replacing(str(tmp_path / "a")) as new:
        open(new, "x").close()
        atomic.remove_leftovers([str(tmp_path / "b")])
        # Nor for another process.
        code = "import sys; from tfcolor import atomic; "
        code += "atomic.remove_leftovers(sys.argv[1:])"
        subprocess.run([sys.executable, "-c", code, tmp_path / "b"], check=True)
    assert os.listdir(tmp_path) == ["a"]


def test_other_files_and_links_are_no_leftovers(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "old").mkdir(parents=True)
    (elsewhere / "old" / "precious").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".tfcolor-1.tmp").symlink_to(elsewhere)
    (folder / ".tfcolor-2.tmp").touch()
    (folder / ".hidden").mkdir()
    before = sorted(os.listdir(folder))
    atomic.remove_leftovers([str(folder / "a")])
    assert sorted(os.listdir(folder)) == before
    assert (elsewhere / "old" / "precious").exists()


def test_leftovers_in_no_folder_are_none(tmp_path):
    atomic.remove_leftovers([str(tmp_path / "absent" / "a")])
    assert os.listdir(tmp_path) == []


class _Changing:
    """A file that another program writes to while it is read."""

    def __init__(self, file, change):
        self.fileno, self._read, self._change = file.fileno, file.read, change

    def read(self):
        data = self._read()
        self._change()
        return data


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"first")
    with open(path, "rb") as file:
        assert atomic.read_unchanged(file) == b"first"
    os.utime(path, ns=(0, 0))
    changes = [lambda: path.write_bytes(b"other"), lambda: os.truncate(path, 2)]
    for change in changes:
        with open(path, "rb") as file, pytest.raises(OSError, match="changed"):
            atomic.read_unchanged(_Changing(file, change))


def test_a_file_that_is_replaced_while_it_is_read_is_the_old_one(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"first")
    with open(path, "rb") as file:
        change = _Changing(file, lambda: _write(path, "second"))
        assert atomic.read_unchanged(change) == b"first"


def test_write_bytes_makes_folders_and_replaces(tmp_path):
    path = tmp_path / "new" / "a.png"
    atomic.write_bytes(str(path), b"first")
    atomic.write_bytes(str(path), b"second")
    assert path.read_bytes() == b"second"
    assert os.listdir(path.parent) == ["a.png"]


@pytest.mark.parametrize("stopped_by", [OSError(28, "full"), KeyboardInterrupt])
def test_write_bytes_leaves_nothing_when_stopped(
    tmp_path, monkeypatch, stopped_by
):
    def stop(*_):
        raise stopped_by

    monkeypatch.setattr(os, "replace", stop)
    expected = OSError if isinstance(stopped_by, OSError) else stopped_by
    with pytest.raises(expected):
        atomic.write_bytes(str(tmp_path / "a.png"), b"data")
    assert os.listdir(tmp_path) == []


def test_write_errors_name_the_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"a\.png cannot be written: "):
        atomic.write_bytes(str(tmp_path / "file" / "a.png"), b"data")
