"""What a process of the cluster does, without a cluster."""

import functools
import os
import sys
import types

import fsspec
import numpy as np
import pytest
from PIL import Image

from tests import drawn
from tests.cluster import in_process
from tests.detection import tiny_detectors
from tests.inference import models
from tfcolor.cli import colorize
from tfcolor.cli import main
from tfcolor.cluster import album as cluster_album
from tfcolor.cluster import engine
from tfcolor.cluster import failures
from tfcolor.cluster import sinks
from tfcolor.cluster import storage
from tfcolor.cluster.album import Colorizing
from tfcolor.cluster.listing import Entry
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.detection.detector import Detector
from tfcolor.inference import album
from tfcolor.inference import colorizer as colorizer_lib
from tfcolor.inference.colorizer import Colorizer


@pytest.fixture(scope="module")
def make_colorizer():
    return functools.partial(Colorizer, models.lightness_model(), image_size=16)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.jpg"):
        pixels = rng.integers(0, 256, (12, 18), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / name)
    (tmp_path / "in/c.png").write_text("text")
    return tmp_path


def _read(folder):
    paths = sorted(folder.iterdir())
    return {path.name: path.read_bytes() for path in paths}


def test_from_store_to_store_is_as_from_folder_to_folder(
    folder, make_colorizer
):
    list(
        album.colorize_album(
            [str(folder / "in")],
            str(folder / "out"),
            make_colorizer=make_colorizer,
            compare=True,
        )
    )
    system, store = fsspec.filesystem("memory"), "memory://job"
    for name, data in _read(folder / "in").items():
        storage.write(f"{store}/in/{name}", data)
    wanted = Colorizing(f"{store}/out", make_colorizer, compare=True)
    entries = [
        Entry(f"{store}/in/{n}", n, n) for n in ("a.png", "b.jpg", "c.png")
    ]
    entries.append(Entry(f"{store}/in/gone.png", "gone.png", "gone.png"))
    assert not any(map(wanted.find_done, entries))
    outcomes = wanted.make_work()(entries).outcomes
    by_name = {os.path.basename(o.source): o for o in outcomes}
    assert by_name["a.png"].source == f"{store}/in/a.png"
    assert by_name["a.png"].written == (
        f"{store}/out/a.png",
        f"{store}/out/a.compare.png",
    )
    assert wanted.find_done(entries[0]) == by_name["a.png"].written
    assert by_name["c.png"].reason.startswith("The file is not a picture")
    assert by_name["gone.png"].reason
    written = {
        path.rpartition("/")[2]: system.cat_file(path)
        for path in system.find("/job/out")
    }
    assert written == _read(folder / "out")
    assert len(written) == 4
    system.rm("/job", recursive=True)


@pytest.mark.parametrize("kind", sinks.KINDS)
def test_shards_hold_what_files_would(folder, make_colorizer, kind):
    wanted = Colorizing(str(folder / "out"), make_colorizer)
    packed = Colorizing(str(folder / "shards"), make_colorizer, packed=True)
    entries = [
        Entry(str(folder / "in" / n), n, n) for n in ("a.png", "b.jpg", "c.png")
    ]
    wanted.make_work()(entries)
    sink = sinks.Sink(kind, str(folder / "shards"))
    assert sink.left_to_do(entries) == entries
    results = sink.pack(entries, packed.make_work()(entries))
    assert sink.left_to_do(entries) == entries[2:]
    assert sink.left_to_do(entries[:2]) == entries[:2]
    path = sink.path(entries)
    written = [o.written for o in results.outcomes if not o.reason]
    assert written == [(path,), (path,)]
    assert _pictures(path, kind) == list(_read(folder / "out").values())


@pytest.mark.parametrize("kind", sinks.KINDS)
def test_what_failed_is_tried_again_until_its_shard_has_it(
    folder, make_colorizer, kind, monkeypatch
):
    if kind == sinks.PARQUET:
        pytest.importorskip("pyarrow")
    in_process.install(monkeypatch)
    tried = []

    def run(output):
        outcomes = cluster_album.colorize_on_cluster(
            [str(folder / "in")],
            str(folder / output),
            make_colorizer=lambda: _noting(make_colorizer(), tried),
            sink=kind,
        )
        tried.clear()
        table = str(folder / f"{output}.failures.csv")
        found = {
            os.path.basename(outcome.source): outcome
            for outcome in failures.listed(outcomes, table)
        }
        return found, os.path.exists(table)

    broken = (folder / "in/c.png").read_bytes()
    for done in (2, 0, 0):
        found, has_table = run("out")
        assert has_table and found["c.png"].reason
        assert [name for name in found if found[name].reason] == ["c.png"]
        assert sum(bool(o.written) for o in found.values()) == done
        assert len(tried) == done
    # One of two that failed is mended.
    (folder / "in/d.png").write_bytes(broken)
    run("two")
    (folder / "in/c.png").write_bytes((folder / "in/a.png").read_bytes())
    found, has_table = run("two")
    assert has_table and len(tried) == 1 + 3
    assert [name for name in found if found[name].reason] == ["d.png"]
    (folder / "in/d.png").unlink()
    found, has_table = run("out")
    assert not has_table and len(tried) == 1 + 3
    assert [o.written[0] for o in found.values()] == 3 * [
        found["a.png"].written[0]
    ]
    found, _ = run("out")
    assert {o.skipped for o in found.values()} == {outcome_lib.THERE_ALREADY}
    run("once")
    assert _read(folder / "out") == _read(folder / "once")
    assert len(_read(folder / "out")) == 1


def test_a_shard_is_known_to_lack_pictures_whenever_the_run_is_killed(
    folder, monkeypatch
):
    entries = [Entry(n, n, n) for n in ("a.png", "b.png")]
    sink = sinks.Sink(sinks.TFRECORD, str(folder))
    written = Outcome("a.png", ("a.png",))
    lacking = [written, Outcome("b.png", reason="broken")]
    whole = [written, Outcome("b.png", ("b.png",))]
    kept = storage.write
    for outcomes, payloads, left in (
        (lacking, [b"a", None], entries),
        (whole, [b"a", b"b"], entries[1:]),
    ):
        monkeypatch.setattr(storage, "write", kept)
        if outcomes is whole:
            sink.pack(entries, engine.Results(lacking, [b"a", None]))

        def write(path, data):
            if path == sink.path(entries):
                raise KeyboardInterrupt
            kept(path, data)

        monkeypatch.setattr(storage, "write", write)
        with pytest.raises(KeyboardInterrupt):
            sink.pack(entries, engine.Results(outcomes, payloads))
        assert sink.left_to_do(entries) == left


def _noting(colorizer, tried):
    """Notes what a colorizer colors."""
    color = colorizer.colorize_batch

    def noted(*arguments, **options):
        tried.append(1)
        return color(*arguments, **options)

    colorizer.colorize_batch = noted
    return colorizer


def _pictures(path, kind):
    if kind == sinks.PARQUET:
        parquet = pytest.importorskip("pyarrow.parquet")
        return parquet.read_table(path).to_pydict()["encoded"]
    import tensorflow as tf

    from tfcolor.data import records

    data = tf.data.TFRecordDataset(path)
    return [records.parse(example)[0].numpy() for example in data]


def test_boxes_need_a_model_that_takes_them(folder, make_colorizer):
    wanted = Colorizing(str(folder / "out"), make_colorizer, boxes="x")
    with pytest.raises(ValueError, match="takes boxes. Received: boxes='x'"):
        wanted.make_work()


def test_pictures_with_their_boxes_need_boxes(folder, make_colorizer):
    with pytest.raises(ValueError, match="`show_boxes` needs `boxes`"):
        cluster_album.colorize_on_cluster(
            [str(folder / "in")],
            str(folder / "out"),
            make_colorizer=make_colorizer,
            show_boxes=True,
        )


def test_a_sink_of_no_known_kind_is_refused():
    with pytest.raises(ValueError, match="`sink` must be one of"):
        sinks.Sink("zip", "out")


def test_a_worker_needs_a_processor():
    with pytest.raises(ValueError, match="at least one processor"):
        engine.Workers(0)


@pytest.mark.parametrize("given", [[], ["0"]])
def test_a_process_with_a_gpu_colors_by_tensorflow(given, monkeypatch):
    def get_gpu_ids():
        return given

    ray = types.SimpleNamespace(
        is_initialized=lambda: True, get_gpu_ids=get_gpu_ids
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    made = []
    monkeypatch.setattr(
        colorizer_lib,
        "Colorizer",
        lambda *_, runtime, **__: made.append(runtime),
    )
    for more in ["--cluster"], []:
        arguments = ["colorize", "old.jpg", "--output=new", *more]
        colorize._load_colorizer(main.make_parser().parse_args(arguments))
    assert made == ["tensorflow" if given else "auto", "auto"]


def test_the_ledger_remembers_what_was_there_first_and_counts_losses():
    ledger = engine.Ledger()
    assert ledger.begin(5, [1]) == (1, [1])
    assert ledger.begin(5, [1, 2, 3]) == (2, [1])
    assert ledger.begin_alone("a") == 0
    assert ledger.begin_alone("a") == 1
    assert ledger.begin_alone("a") == 2
    results = engine.Results([Outcome("a")], [None])
    ledger.end_alone("a", results)
    assert ledger.begin_alone("a") == results


def test_the_command_says_what_it_needs(tmp_path, capsys, monkeypatch):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "ray", None)
    status = main.run(
        ["colorize", str(tmp_path), f"--output={tmp_path}/out/", "--cluster"]
    )
    assert status == 2
    assert "-e '.[cluster]'" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["a.png"]


def test_an_evaluation_says_so_too_and_leaves_nothing(
    tmp_path, capsys, monkeypatch
):
    for name in ("truth", "predicted"):
        drawn.write(tmp_path / name / "a.png", drawn.colored(0))
    monkeypatch.setitem(sys.modules, "ray", None)
    arguments = [f"--predictions={tmp_path}/predicted", "--cluster"]
    arguments += [f"--truth={tmp_path}/truth", f"--output={tmp_path}/report"]
    assert main.run(["evaluate", *arguments]) == 2
    assert "-e '.[cluster]'" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["predicted", "truth"]


def test_the_output_must_be_a_folder(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="`output` must be a folder"):
        cluster_album.colorize_on_cluster(
            [str(tmp_path)], str(tmp_path / "b.png"), make_colorizer=None
        )


def test_nothing_is_left_of_a_run_that_could_not_begin(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="must not replace"):
        cluster_album.colorize_on_cluster(
            [str(tmp_path)], str(tmp_path), make_colorizer=None
        )
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_source_behind_a_link_is_never_replaced(folder, make_colorizer):
    (folder / "out").symlink_to(folder / "in")
    before = _read(folder / "in")
    wanted = Colorizing(str(folder / "out"), make_colorizer)
    entries = [Entry(str(folder / "in/a.png"), "a.png", "a.png")]
    (outcome,) = wanted.make_work()(entries).outcomes
    assert outcome.reason.startswith("its result would replace it")
    assert _read(folder / "in") == before


@pytest.mark.parametrize("command", ["colorize", "detect"])
def test_who_stops_a_run_keeps_what_is_done_and_goes_on_later(
    tmp_path, monkeypatch, make_colorizer, command
):
    in_process.install(monkeypatch)
    drawn.write_album(tmp_path / "in", 5)
    tiny_detectors.model_garden(tmp_path / "detector", batch_size=None)
    run = {
        "colorize": functools.partial(
            cluster_album.colorize_on_cluster, make_colorizer=make_colorizer
        ),
        "detect": functools.partial(
            cluster_album.detect_on_cluster,
            make_detector=lambda: Detector(str(tmp_path / "detector")),
        ),
    }[command]
    given = ([str(tmp_path / "in")], str(tmp_path / "out"))
    seen = []
    outcomes = run(*given, stop=lambda: len(seen) >= 3)
    assert len(outcomes) == 5
    for outcome in outcomes:
        seen.append(outcome)
    # Two pictures are a task.
    assert len(seen) == 4
    assert [o.reason for o in seen] == [None] * len(seen)
    written = sorted(path for o in seen for path in o.written)
    assert written == sorted(map(str, (tmp_path / "out").iterdir()))
    again = list(run(*given))
    skipped = [o for o in again if o.skipped == outcome_lib.THERE_ALREADY]
    assert len(skipped) == len(seen) and len(again) == 5
    assert len(list((tmp_path / "out").iterdir())) == 5
