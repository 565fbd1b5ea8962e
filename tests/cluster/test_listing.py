import os
import tracemalloc

import numpy as np
import pytest

from tfcolor.cluster import listing
from tfcolor.cluster.listing import Entry
from tfcolor.inference import output_paths


def _manifest(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return f"@{path}"


def test_names_of_a_manifest_are_what_follows_their_common_folder(tmp_path):
    lines = ["/scans/1920/a.jpg", "/scans/1920/b/c.jpg", "", "/scans/d.png"]
    found = list(listing.Listing([_manifest(tmp_path / "m.txt", lines)]))
    assert found == [
        ("/scans/1920/a.jpg", "1920/a.jpg"),
        ("/scans/1920/b/c.jpg", "1920/b/c.jpg"),
        ("/scans/d.png", "d.png"),
    ]


def test_lines_may_be_relative_to_the_manifest_and_urls(tmp_path):
    relative = listing.Listing([_manifest(tmp_path / "m.txt", ["x/a.jpg"])])
    assert list(relative) == [(str(tmp_path / "x/a.jpg"), "a.jpg")]
    lines = ["s3://one/x/a.jpg", "s3://one/x/b.jpg"]
    urls = listing.Listing([_manifest(tmp_path / "u.txt", lines)])
    assert [name for _, name in urls] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    "lines",
    [[], ["/scans/a.jpg", "s3://bucket/b.jpg"], ["s3://b/a", "gs://b/a"]],
)
def test_a_manifest_of_nothing_or_of_unlike_lines_is_refused(tmp_path, lines):
    with pytest.raises(
        ValueError, match="A manifest must name pictures.*m.txt"
    ):
        listing.Listing([_manifest(tmp_path / "m.txt", lines)])


def test_a_manifest_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone.txt' does not exist"):
        listing.Listing([f"@{tmp_path}/gone.txt"])


def test_targets_are_those_of_one_machine():
    rng = np.random.default_rng(0)
    for _ in range(100):
        pairs = {
            (
                f"{rng.choice(['a', 'b'])}/{rng.choice(['x', 'y', 'z.w'])}"
                f"{rng.choice(['.png', '.gif', '.tga', '.jpg', '.JP2', ''])}"
            )
            for _ in range(8)
        }
        names = sorted(pairs)
        found = listing.with_targets(
            [(f"/in/{name}", name) for name in names], "/out"
        )
        assert [e.target for e in found] == output_paths._writable(names)


def test_a_picture_that_is_named_twice_counts_once():
    pairs = [("/a", "a.gif"), ("/b", "b.png"), ("/a", "a.gif")]
    found = list(listing.with_targets(pairs, "/out"))
    assert [e.source for e in found] == ["/a", "/b"]
    assert [e.target for e in found] == ["a.png", "b.png"]


def test_a_plan_is_read_in_chunks(tmp_path):
    entries = [Entry(f"/ü/{i}.png", f"{i}.png", f"{i}.png") for i in range(7)]
    plan = listing.write_plan(entries, str(tmp_path / "sub/plan")).in_chunks(3)
    assert (plan.chunks, plan.pictures) == (3, 7)
    read = [
        listing.read_chunk(plan.path, *map(int, plan.offsets[i : i + 2]))
        for i in range(3)
    ]
    assert [len(chunk) for chunk in read] == [3, 3, 1]
    assert sum(read, []) == entries
    listing.remove_plan(plan.path)
    assert os.listdir(tmp_path) == []


def test_two_pictures_of_one_place_are_refused(tmp_path):
    entries = [Entry("/x/a.png", "a", "a.png"), Entry("/y/a.png", "a", "a.png")]
    with pytest.raises(ValueError, match="a file of its own.*'/x/a.png'"):
        listing.write_plan(entries, str(tmp_path / "plan"))


def test_memory_of_a_plan_is_a_few_bytes_a_line(tmp_path):
    count = 30_000
    path = _manifest(
        tmp_path / "m.txt",
        (f"/scans/{i:09d}{'x' * 80}.jpg" for i in range(count)),
    )
    tracemalloc.start()
    found = listing.with_targets(listing.Listing([path]), "/out")
    plan = listing.write_plan(found, str(tmp_path / "plan"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert plan.pictures == count
    # The lines alone are 100 bytes each.
    assert peak < 80 * count


@pytest.mark.parametrize(
    ("folder", "output"), [("/x", "/x/../x/"), ("s3://x/y", "s3://x/y/")]
)
def test_a_picture_that_is_read_is_never_replaced(folder, output):
    pairs = [(f"{folder}/{name}", name) for name in ("a.gif", "b.png")]
    with pytest.raises(ValueError, match="must not replace.*'b.png'"):
        list(listing.with_targets(pairs, output))
