"""A real cluster of two nodes on loopback: equal files, whatever is killed."""

import csv
import functools
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from tests.cluster import breaking
from tests.cluster import local_ray
from tests.detection import tiny_detectors
from tests.inference import models
from tfcolor.cli import main
from tfcolor.cluster import album
from tfcolor.cluster import engine
from tfcolor.cluster import failures
from tfcolor.cluster import listing

ray = pytest.importorskip("ray")
pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore"),
]
ROOT = pathlib.Path(__file__).parent.parent.parent


def _make_album(folder, count, size=(40, 30)):
    (folder / "trip").mkdir(parents=True)
    rng = np.random.default_rng(0)
    names = []
    for i in range(count):
        inner = "trip/" if i % 3 == 0 else ""
        name = f"{inner}{i:03d}.{'gif' if i % 5 == 1 else 'png'}"
        pixels = rng.integers(0, 256, size[::-1], np.uint8)
        Image.fromarray(pixels).save(folder / name)
        names.append(name)
    return names


def _files(folder):
    """Everything below a folder, hidden too, by name."""
    return {
        os.path.relpath(os.path.join(root, name), folder): (
            pathlib.Path(root, name).read_bytes()
        )
        for root, _, names in os.walk(folder)
        for name in names
    }


def _one_machine(*arguments):
    """Runs the command in a process of its own, with one thread."""
    subprocess.run(
        [sys.executable, "-m", "tfcolor", "colorize", *arguments],
        cwd=ROOT,
        env={**os.environ, "TF_NUM_INTRAOP_THREADS": "1"},
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "plain.keras"
    return models.save(models.lightness_model(), path)


@pytest.fixture(scope="module")
def expected(tmp_path_factory, model):
    """An album of 24 pictures and what one machine makes of it."""
    folder = tmp_path_factory.mktemp("expected")
    _make_album(folder / "album", 24)
    _one_machine(
        str(folder / "album"), f"--output={folder / 'one'}/", f"--model={model}"
    )
    assert len(_files(folder / "one")) == 24
    return folder


def test_files_are_those_of_one_machine_with_the_shipped_model(
    tmp_path, capsys
):
    _make_album(tmp_path / "album", 6, (300, 200))
    (tmp_path / "album/bad.jpg").write_text("text")
    arguments = [str(tmp_path / "album"), "--compare"]
    cluster = [f"--output={tmp_path}/two/", "--cluster"]
    with pytest.raises(subprocess.CalledProcessError):
        # Status 1: a picture failed.
        _one_machine(*arguments, f"--output={tmp_path}/one/", "--batch_size=1")
    with local_ray.two_nodes():
        for said in ("Colorized 6 pictures", "6 there already, skipped"):
            status = main.run(["colorize", *arguments, *cluster])
            assert status == 1
            assert said in capsys.readouterr().out
    assert _files(tmp_path / "two") == _files(tmp_path / "one")
    assert len(_files(tmp_path / "two")) == 12
    with open(tmp_path / "two.failures.csv") as file:
        (row,) = csv.DictReader(file)
    assert row["source"] == str(tmp_path / "album/bad.jpg")
    assert row["reason"].startswith("The file is not a picture")


@pytest.mark.parametrize("victim", ["worker", "node"])
def test_what_was_killed_is_done_elsewhere(tmp_path, model, expected, victim):
    pids, output = tmp_path / "pids", tmp_path / "two"
    pids.mkdir()
    with local_ray.two_nodes() as (cluster, node):
        outcomes = album.colorize_on_cluster(
            [str(expected / "album")],
            str(output),
            make_colorizer=functools.partial(
                breaking.slow_colorizer, model, str(pids)
            ),
        )

        def kill():
            deadline = time.monotonic() + 200
            while time.monotonic() < deadline:
                done = output.rglob("*.png")
                if len(list(done)) >= 5 and list(pids.iterdir()):
                    break
                time.sleep(0.05)
            if victim == "worker":
                os.kill(int(next(pids.iterdir()).name), signal.SIGKILL)
            else:
                cluster.remove_node(node, allow_graceful=False)
            killed.append(victim)

        killed = []
        thread = threading.Thread(target=kill)
        thread.start()
        found = list(outcomes)
        thread.join()
    assert killed == [victim]
    assert sorted(o.source for o in found) == sorted(
        str(path) for path in (expected / "album").rglob("*.*")
    )
    assert not [o for o in found if o.reason or o.skipped]
    assert _files(output) == _files(expected / "one")


@pytest.mark.parametrize("sink", ["files", "parquet"])
def test_a_killed_command_goes_on_when_it_is_started_again(
    tmp_path, model, expected, sink
):
    output = tmp_path / "out"
    arguments = [
        *("colorize", expected / "album", f"--output={output}/"),
        *(f"--model={model}", f"--sink={sink}"),
    ]
    before, after = tmp_path / "before", tmp_path / "after"
    process = _start(before, arguments)
    deadline = time.monotonic() + 300
    while not _results(output) or len(os.listdir(before)) < 7:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    # Its processes end a little later than the command.
    count = -1
    while count != len(os.listdir(before)):
        count = len(os.listdir(before))
        time.sleep(3)
    there = _pictures(output)
    assert 0 < len(there) < 24
    # The plan, at least, has to go.
    assert (output / listing.PLAN_FOLDER).exists()
    process = _start(after, arguments)
    said, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    assert f"{len(there)} there already, skipped" in said
    begun = {name.split("-")[1] for name in os.listdir(after)}
    assert begun == {
        pathlib.Path(name).stem for name in _files(expected / "one")
    } - {pathlib.Path(name).stem for name in there}
    assert _pictures(output) == _files(expected / "one")
    # What processes that were killed had in temporary folders goes, too.
    assert not [*output.rglob(".*"), *(tmp_path / "temporary").iterdir()]
    left = {"after", "before", "out", "temporary"}
    assert set(os.listdir(tmp_path)) == left


def _start(log, arguments):
    """Starts a command that says what it does, in a process of its own."""
    temporary = log.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    log.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "tests.cluster.to_be_killed", log, *arguments],
        cwd=ROOT,
        # Paths of Ray's sockets must be short.
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(temporary),
            "RAY_TMPDIR": "/tmp",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a terminal would take with it stays.
        start_new_session=True,
    )


def _results(output):
    """Returns the finished files of a folder in which others come and go."""
    return [
        os.path.join(root, name)
        for root, _, names in os.walk(output)
        for name in names
        if "/." not in root.removeprefix(str(output))
    ]


def _pictures(output):
    """Returns the finished results in a folder, those in shards too."""
    from pyarrow import parquet

    found = {}
    for path in _results(output):
        if path.endswith(".parquet"):
            table = parquet.read_table(path).to_pydict()
            found |= zip(table["name"], table["encoded"], strict=True)
        else:
            name = os.path.relpath(path, output)
            found[name] = pathlib.Path(path).read_bytes()
    return found


def test_a_poisoned_picture_is_named_and_the_rest_is_done(
    tmp_path, model, expected
):
    folder = tmp_path / "album"
    folder.mkdir()
    for name, data in _files(expected / "album").items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    poison = folder / "trip/poison.png"
    poison.write_bytes((folder / "002.png").read_bytes())
    with local_ray.two_nodes():
        found = list(
            album.colorize_on_cluster(
                [str(folder)],
                str(tmp_path / "two"),
                make_colorizer=functools.partial(
                    breaking.poisoned_colorizer, model
                ),
            )
        )
    failed = [(o.source, o.reason) for o in found if o.reason]
    assert failed == [(str(poison), engine.LOST)]
    assert len(found) == 25
    assert not [o for o in found if o.skipped]
    assert _files(tmp_path / "two") == _files(expected / "one")


def test_manifests_and_shards(tmp_path, model, expected):
    from pyarrow import parquet

    from tfcolor.data import records

    manifest = tmp_path / "scans.txt"
    sources = sorted((expected / "album").rglob("*.*"))
    manifest.write_text("\n".join([*map(str, sources), str(sources[0])]) + "\n")
    expected_files = _files(expected / "one")
    with local_ray.two_nodes():
        for sink in (None, "parquet", "tfrecord"):
            for skipped in (0, 24):
                found = list(
                    album.colorize_on_cluster(
                        [f"@{manifest}"],
                        str(tmp_path / str(sink)),
                        make_colorizer=functools.partial(
                            breaking.poisoned_colorizer, model
                        ),
                        sink=sink,
                    )
                )
                assert len(found) == 24
                assert sum(o.skipped is not None for o in found) == skipped
    assert _files(tmp_path / "None") == expected_files
    (shard,) = (tmp_path / "parquet").glob("*.parquet")
    table = parquet.read_table(shard).to_pydict()
    named = zip(table["name"], table["encoded"], strict=True)
    assert dict(named) == expected_files
    assert table["source"] == list(map(str, sources))
    (shard,) = (tmp_path / "tfrecord").glob("*.tfrecord")
    names = []
    import tensorflow as tf

    for serialized in tf.data.TFRecordDataset(str(shard)):
        encoded, *_ = records.parse(serialized)
        assert encoded.numpy() in expected_files.values()
        names.append(encoded)
    assert len(names) == 24


def test_what_failed_is_tried_again_when_a_run_into_shards_goes_on(
    tmp_path, model
):
    from pyarrow import parquet

    names = _make_album(tmp_path / "album", 6)
    poison, bad = tmp_path / "album/poison.png", tmp_path / "album/bad.jpg"
    poison.write_bytes((tmp_path / "album" / names[2]).read_bytes())
    bad.write_text("text")
    table = tmp_path / "failures.csv"

    def run(make):
        outcomes = album.colorize_on_cluster(
            [str(tmp_path / "album")],
            str(tmp_path / "two"),
            make_colorizer=functools.partial(make, model),
            sink="parquet",
        )
        found = list(failures.listed(outcomes, str(table)))
        failed = {o.source: o.reason for o in found if o.reason}
        return len([o for o in found if o.written]), failed

    with local_ray.two_nodes():
        for done in (6, 0):
            count, failed = run(breaking.poisoned_colorizer)
            assert count == done
            assert failed.keys() == {str(poison), str(bad)}
            assert failed[str(poison)] == engine.LOST
            assert len(table.read_text().splitlines()) == 3
        bad.write_bytes((tmp_path / "album" / names[2]).read_bytes())
        assert run(breaking.poisoned_colorizer)[0] == 7
        assert len(table.read_text().splitlines()) == 2
        assert run(functools.partial(breaking.slow_colorizer, pids=tmp_path))
        assert not table.exists()
    (shard,) = (tmp_path / "two").iterdir()
    assert len(parquet.read_table(shard)) == 8


def test_evaluations_are_those_of_one_machine(tmp_path, model, capsys):
    rng = np.random.default_rng(0)
    for i in range(6):
        (tmp_path / f"truth/{i % 2}").mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (24, 30, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"truth/{i % 2}/{i}.png")
    (tmp_path / "truth/0/bad.png").write_text("text")
    arguments = ["evaluate", f"--truth={tmp_path}/truth", f"--model={model}"]
    arguments += ["--by_class"]
    assert main.run([*arguments, f"--output={tmp_path}/one"]) == 1
    lines = sorted(map(str, (tmp_path / "truth").rglob("*.png")))
    (tmp_path / "truth/list.txt").write_text("\n".join(lines))
    listed = [arguments[0], f"--truth=@{tmp_path}/truth/list.txt"]
    with local_ray.two_nodes():
        for name, given in (
            ("two", arguments),
            ("listed", listed + arguments[2:]),
        ):
            output = f"--output={tmp_path}/{name}"
            assert main.run([*given, output, "--cluster"]) == 1
    one, two = _files(tmp_path / "one"), _files(tmp_path / "two")
    assert set(one) == set(two)
    from_list = _files(tmp_path / "listed")
    for name in ("metrics.csv", "summary.md", "by_class.csv"):
        assert one[name] == two[name] == from_list[name]
    assert len([name for name in one if name.startswith("pictures/")]) == 18
    with open(tmp_path / "two.failures.csv") as file:
        (row,) = csv.DictReader(file)
    assert row["source"] == str(tmp_path / "truth/0/bad.png")
    assert row["reason"].startswith("The file is not a picture")
    assert f"Failures: {tmp_path}/two.failures.csv" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == [
        *("listed", "listed.failures.csv", "one"),
        *("truth", "two", "two.failures.csv"),
    ]


def test_boxes_are_those_of_one_machine(tmp_path, capsys):
    _make_album(tmp_path / "album", 6, (60, 40))
    (tmp_path / "album/bad.jpg").write_text("text")
    detector = tmp_path / "mask_rcnn"
    tiny_detectors.object_detection_api(detector)
    arguments = ["detect", str(tmp_path / "album"), f"--detector={detector}"]
    arguments += ["--draw"]
    assert main.run([*arguments, f"--output={tmp_path}/one"]) == 1
    with local_ray.two_nodes():
        for skipped in (False, True):
            capsys.readouterr()
            status = main.run(
                [*arguments, f"--output={tmp_path}/two", "--cluster"]
            )
            assert status == 1
            said = capsys.readouterr().out
            assert ("6 there already, skipped" in said) == skipped
            assert ("in 6 pictures, into" in said) != skipped
    one, two = _files(tmp_path / "one"), _files(tmp_path / "two")
    assert one.keys() == two.keys()
    assert len(one) == 12
    for name, data in one.items():
        if name.endswith(".npz"):
            with (
                np.load(tmp_path / "one" / name) as expected,
                np.load(tmp_path / "two" / name) as found,
            ):
                assert expected.files == found.files
                for key in expected.files:
                    np.testing.assert_array_equal(found[key], expected[key])
        else:
            assert two[name] == data
    with open(tmp_path / "two.failures.csv") as file:
        (row,) = csv.DictReader(file)
    assert row["source"] == str(tmp_path / "album/bad.jpg")
