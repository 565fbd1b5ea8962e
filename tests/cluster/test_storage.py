import csv

import fsspec
import pytest

from tfcolor.cluster import failures
from tfcolor.cluster import storage
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes


@pytest.fixture
def store():
    system = fsspec.filesystem("memory")
    yield "memory://bucket"
    if system.exists("/bucket"):
        system.rm("/bucket", recursive=True)


@pytest.mark.parametrize("kind", ["url", "path"])
def test_files_are_written_read_found_and_removed(tmp_path, store, kind):
    folder = store if kind == "url" else str(tmp_path)
    path = storage.join(folder, "sub/a.bin")
    assert not storage.exists(path)
    storage.write(path, b"0123456789")
    assert storage.exists(path)
    assert storage.read(path) == b"0123456789"
    assert storage.read(path, 2, 5) == b"234"
    storage.remove(path)
    storage.remove(path)
    assert not storage.exists(path)


def test_files_come_from_a_store_and_go_there(tmp_path, store):
    (tmp_path / "a").write_bytes(b"abc")
    storage.put(str(tmp_path / "a"), f"{store}/x/a")
    storage.fetch(f"{store}/x/a", str(tmp_path / "b"))
    assert (tmp_path / "b").read_bytes() == b"abc"


def test_pictures_of_a_store_have_names_below_what_is_asked(store):
    for name in ("a.jpg", "1920/b.png", "1920/notes.txt", ".hidden/c.jpg"):
        storage.write(f"{store}/scans/{name}", b"x")
    both = [
        (f"{store}/scans/1920/b.png", "1920/b.png"),
        (f"{store}/scans/a.jpg", "a.jpg"),
    ]
    assert storage.list_pictures(f"{store}/scans") == both
    assert storage.list_pictures(f"{store}/scans/") == both
    glob = storage.list_pictures(f"{store}/scans/**/*.png")
    assert glob == [(f"{store}/scans/1920/b.png", "1920/b.png")]
    one = storage.list_pictures(f"{store}/scans/1920/b.png")
    assert one == [(f"{store}/scans/1920/b.png", "b.png")]
    with pytest.raises(FileNotFoundError, match="memory://bucket/none"):
        storage.list_pictures(f"{store}/none")


def test_a_store_is_made_sure_of_and_left_as_it_was(store):
    storage.write(f"{store}/there", b"")
    storage.make_folder(f"{store}/new")
    assert fsspec.filesystem("memory").find("/bucket") == ["/bucket/there"]


@pytest.mark.parametrize(
    ("output", "path"),
    [
        ("colored/", "colored.failures.csv"),
        ("s3://bucket/colored", "s3://bucket/colored.failures.csv"),
        ("s3://bucket/", "s3://bucket/failures.csv"),
    ],
)
def test_failures_lie_beside_the_output(output, path):
    assert failures.default_path(output) == path


def test_failures_become_a_table_and_an_old_one_goes(tmp_path):
    path = str(tmp_path / "f.csv")
    with failures.FailuresTable(path) as table:
        table.add("a,b.jpg", 'no "picture"')
        table.add("c\udcff.jpg", "x")
    with open(path, newline="", errors="surrogateescape") as file:
        assert list(csv.reader(file)) == [
            ["source", "reason"],
            ["a,b.jpg", 'no "picture"'],
            ["c\udcff.jpg", "x"],
        ]
    with failures.FailuresTable(path):
        pass
    assert not storage.exists(path)


def test_failures_of_an_interrupted_run_are_kept(tmp_path):
    path = str(tmp_path / "f.csv")
    with (
        pytest.raises(KeyboardInterrupt),
        failures.FailuresTable(path) as table,
    ):
        table.add("a.jpg", "broken")
        raise KeyboardInterrupt
    assert b"a.jpg,broken" in storage.read(path)


def test_failures_of_a_work_are_listed_as_it_goes_on(tmp_path):
    path, closed = tmp_path / "table.csv", []

    def work(*reasons):
        try:
            for i, reason in enumerate(reasons):
                yield Outcome(f"{i}.png", reason=reason)
            return "made"
        finally:
            closed.append(reasons)

    def listed(*reasons):
        outcomes = Outcomes(work(*reasons), len(reasons))
        return failures.listed(outcomes, str(path))

    outcomes = listed(None, "broken", None)
    assert len(outcomes) == 3
    assert [outcome.reason for outcome in outcomes] == [None, "broken", None]
    assert outcomes.result == "made"
    assert path.read_text().splitlines() == ["source,reason", "1.png,broken"]
    outcomes = listed("gone", "broken")
    next(outcomes)
    outcomes.close()
    assert path.read_text().splitlines() == ["source,reason", "0.png,gone"]
    assert len(closed) == 2
    assert listed(None).finish() == "made" and not path.exists()
