import argparse
import csv
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests import drawn
from tests.evaluation import synthetic
from tests.evaluation.test_perceptual_lpips import random_weights
from tfcolor.boxes import box_folder
from tfcolor.boxes import picture_boxes
from tfcolor.cli import evaluate
from tfcolor.cli import main
from tfcolor.evaluation import perceptual
from tfcolor.evaluation.methods import list_truth
from tfcolor.evaluation.methods import shown_names
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file


class _MeanColor:
    """Three features a picture instead of 1280."""

    def __call__(self, rgb):
        return rgb.reshape(-1, 3).mean(axis=0)

    distance = staticmethod(perceptual.efficientnet_distance)


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """Reports do not depend on what is installed here; returns a setter."""

    def install(extractor):
        monkeypatch.setattr(perceptual, "open_installed", lambda: extractor)

    install(None)
    return install


def _run(*arguments):
    parser = argparse.ArgumentParser(prog="tfcolor")
    evaluate.add_parser(parser.add_subparsers())
    return evaluate.run(parser.parse_args(["evaluate", *map(str, arguments)]))


def _rows(report):
    with open(report / "metrics.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def truth(tmp_path):
    for seed, name in enumerate(["a.png", "sub/b.png", "sub/c.png"]):
        rgb = synthetic.picture(seed, 33 + seed, 40)
        synthetic.save(tmp_path / "truth" / name, rgb)
    return tmp_path / "truth"


@pytest.fixture
def predictions(tmp_path, truth):
    """Perfect but for c: without its red."""
    for path in truth.rglob("*.png"):
        with Image.open(path) as picture:
            rgb = np.array(picture)
        if path.stem == "c":
            rgb[..., 0] = 0
        target = tmp_path / "predicted" / path.relative_to(truth)
        synthetic.save(target.with_suffix(".bmp"), rgb)
    return tmp_path / "predicted"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("model") / "tiny.keras")
    info = model_file.ModelInfo("siggraph", 32, "tiny")
    model_file.save(siggraph(width=1 / 16), path, info)
    return path


def test_predictions_are_compared_and_the_report_is_whole(
    truth, predictions, tmp_path, capsys
):
    report = tmp_path / "report"
    status = _run(
        f"--truth={truth}", f"--predictions={predictions}", f"--output={report}"
    )
    assert status == 0
    assert sorted(os.listdir(report)) == [
        "index.html",
        "metrics.csv",
        "pictures",
        "plot.png",
        "plot_dark.png",
        "summary.md",
    ]
    captured = capsys.readouterr()
    assert captured.out == (report / "summary.md").read_text(encoding="utf-8")
    assert captured.out.startswith("## Evaluation: 3 pictures, original size")
    psnr = {
        row["picture"]: float(row["psnr"])
        for row in _rows(report)
        if row["method"] == "predicted"
    }
    assert psnr["a.png"] == psnr["sub/b.png"] == 100
    assert psnr["sub/c.png"] < 30
    page = (report / "index.html").read_text(encoding="utf-8")
    for picture in os.listdir(report / "pictures"):
        assert f"pictures/{picture}" in page
    assert len(os.listdir(report / "pictures")) == 3 * 3


def test_right_colors_are_told_of_every_method(
    truth, predictions, tmp_path, capsys
):
    report = tmp_path / "report"
    status = _run(
        f"--truth={truth}", f"--predictions={predictions}", f"--output={report}"
    )
    assert status == 0
    assert "### Right colors" in capsys.readouterr().out
    right = {
        (row["picture"], row["method"]): float(row["right"])
        for row in _rows(report)
    }
    assert right["a.png", "predicted"] == 1
    assert right["sub/c.png", "predicted"] < 0.9
    assert right["a.png", "grey"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("extractor", [None, _MeanColor()])
def test_the_efficientnet_distance_is_there_if_its_weights_are(
    truth, predictions, tmp_path, capsys, installed, extractor
):
    installed(extractor)
    status = _run(
        *(f"--truth={truth}", f"--predictions={predictions}"),
        f"--output={tmp_path / 'report'}",
    )
    assert status == 0
    told = "EfficientNet-Lite0 distance" in capsys.readouterr().out
    assert told == (extractor is not None)


def test_an_earlier_report_needs_overwrite(
    truth, predictions, tmp_path, capsys
):
    report = tmp_path / "report"
    report.mkdir()
    (report / "index.html").write_text("old")
    arguments = [
        f"--truth={truth}",
        f"--predictions={predictions}",
        f"--output={report}",
        "--limit=1",
    ]
    assert _run(*arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (report / "index.html").read_text() == "old"
    assert _run(*arguments, "--overwrite") == 0
    assert len(_rows(report)) == 3


def test_a_model_colorizes_each_picture_from_its_own_L(truth, model, tmp_path):
    report = tmp_path / "report"
    status = _run(f"--truth={truth}", f"--model={model}", f"--output={report}")
    assert status == 0
    rows = _rows(report)
    assert {row["method"] for row in rows} == {"grey", "mean ab", "tiny"}
    for row in rows:
        assert float(row["L_difference"]) < 0.5


@pytest.mark.slow
def test_models_and_predictions_stand_side_by_side(
    truth, predictions, model, tmp_path
):
    np.savez(tmp_path / "lpips.npz", **random_weights())
    report = tmp_path / "report"
    status = _run(
        f"--truth={truth}",
        f"--model={model}",
        f"--predictions={predictions}",
        "--geometry=squash",
        "--geometry_size=32",
        "--image_size=16",
        "--saturation=0",
        "--limit=2",
        f"--lpips_weights={tmp_path / 'lpips.npz'}",
        f"--output={report}",
    )
    assert status == 0
    rows = _rows(report)
    methods = ["grey", "mean ab", "tiny", "predicted"]
    assert [row["method"] for row in rows] == methods * 2
    assert {row["geometry"] for row in rows} == {"squash to 32 x 32"}
    psnr = {row["method"]: row["psnr"] for row in rows[:4]}
    # Without saturation a model is the grey baseline.
    assert psnr["tiny"] == psnr["grey"]
    assert psnr["predicted"] == "100"
    lpips = {row["method"]: float(row["lpips"]) for row in rows[:4]}
    assert lpips["predicted"] == 0
    assert lpips["grey"] > 0


def test_bad_pictures_are_named_and_the_rest_is_done(
    truth, predictions, tmp_path, capsys
):
    (truth / "broken.png").write_bytes(b"nothing")
    synthetic.save(truth / "alone.png", synthetic.picture(9))
    synthetic.save(truth / "a.jpg", synthetic.picture(8))
    report = tmp_path / "report"
    status = _run(
        f"--truth={truth}", f"--predictions={predictions}", f"--output={report}"
    )
    assert status == 1
    error = capsys.readouterr().err
    assert "alone.png: no prediction alone.*" in error
    assert "broken.png: " in error
    # a.bmp could predict either a.png or a.jpg.
    assert "a.png: several true pictures" in error
    assert "a.jpg: several true pictures" in error
    assert "4 pictures left out" in error
    assert {row["picture"] for row in _rows(report)} == {
        "sub/b.png",
        "sub/c.png",
    }


def test_no_report_is_written_if_nothing_could_be_compared(tmp_path, capsys):
    for name in ("truth", "predicted"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"nothing")
    status = _run(
        f"--truth={tmp_path / 'truth'}",
        f"--predictions={tmp_path / 'predicted'}",
        f"--output={tmp_path / 'report'}",
    )
    assert status == 1
    assert "no picture could be compared" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["predicted", "truth"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--truth=none"], "Received: 'none'"),
        (["--truth=@none.txt"], "(@FILE) and URLs need --cluster"),
        (["--failures=f.csv"], "--failures needs --cluster"),
        (["--limit=0"], "limit=0"),
        (
            ["--geometry_size=0"],
            "error: --geometry_size must be at least 1",
        ),
        (["--predictions=none"], "Predictions must be a folder"),
        (["--model=no_such_model"], "no_such_model"),
        (["--model=none.keras"], "none.keras"),
        (["--lpips_weights=none.npz"], "none.npz"),
        (["--fid_weights=none.h5"], "none.h5"),
        (["--output=."], "holds other things"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    truth, predictions, tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    status = _run(
        "--truth=truth",
        "--output=report",
        *([] if "--model" in arguments[0] else ["--predictions=predicted"]),
        *arguments,
    )
    assert status == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("tfcolor evaluate: error: ")
    if message not in captured.err:
        pytest.fail(captured.err)
    assert not (tmp_path / "report").exists()


def test_help_is_complete_and_does_not_import_tensorflow():
    program = (
        "import argparse, sys\n"
        "from tfcolor.cli import evaluate\n"
        "parser = argparse.ArgumentParser(prog='tfcolor')\n"
        "evaluate.add_parser(parser.add_subparsers())\n"
        "try:\n"
        "    parser.parse_args(['evaluate', '--help'])\n"
        "finally:\n"
        "    slow = {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)\n"
        "    print('imported:', sorted(slow))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("imported: []\n")
    for option in (
        "truth model predictions limit output overwrite geometry "
        "geometry_size image_size saturation lpips_weights fid_weights"
    ).split():
        assert f"--{option} " in done.stdout


def test_boxes_add_tables_and_a_file(truth, predictions, tmp_path, capsys):
    found = picture_boxes.make([[2, 2, 20, 20]])
    box_folder.write(
        str(tmp_path / "boxes/sub/c.png.npz"), found, height=35, width=40
    )
    report = tmp_path / "report"
    status = _run(
        *(f"--truth={truth}", f"--predictions={predictions}"),
        *(f"--boxes={tmp_path / 'boxes'}", f"--output={report}"),
    )
    assert status == 0
    assert "### Quality, inside boxes, 1 picture" in capsys.readouterr().out
    lines = (report / "metrics_in_boxes.csv").read_text().splitlines()
    assert len(lines) == 1 + 3
    assert "inside boxes, 1 picture" in (report / "index.html").read_text()
    # A report with this file is one that may be replaced.
    status = _run(
        *(f"--truth={truth}", f"--predictions={predictions}"),
        *(f"--output={report}", "--overwrite"),
    )
    assert status == 0


def test_boxes_do_not_fit_a_center_crop(truth, predictions, tmp_path, capsys):
    status = _run(
        *(f"--truth={truth}", f"--predictions={predictions}"),
        *("--boxes=none", "--geometry=center_crop"),
        f"--output={tmp_path / 'report'}",
    )
    assert status == 2
    assert capsys.readouterr().err.endswith(
        "error: --boxes are those of whole pictures. "
        "Received: --geometry=center_crop\n"
    )


@pytest.mark.slow
def test_crops_are_compared_as_pictures(truth, model, tmp_path, capsys):
    found = picture_boxes.make([[2, 2, 20, 20], [0, 0, 33, 9]])
    box_folder.write(
        str(tmp_path / "boxes/a.png.npz"), found, height=33, width=40
    )
    report = tmp_path / "report"
    status = _run(
        *(f"--truth={truth}", f"--model={model}", f"--output={report}"),
        *(f"--boxes={tmp_path / 'boxes'}", "--crops"),
    )
    assert status == 0
    assert "## Evaluation: 2 crops of 1 picture" in capsys.readouterr().out
    sizes = {(row["width"], row["height"]) for row in _rows(report)}
    assert sizes == {("18", "18"), ("9", "33")}
    status = _run(
        f"--truth={truth}", "--crops", f"--output={tmp_path / 'other'}"
    )
    assert status == 2
    assert capsys.readouterr().err.endswith(
        "error: --crops needs --boxes, and no --predictions. "
        "Received: --boxes=None, 0 folders of predictions\n"
    )


@pytest.mark.slow
def test_names_that_are_not_utf_8_are_in_the_report(
    truth, predictions, tmp_path, capsys
):
    odd = os.fsdecode(b"b\xe9")
    os.rename(truth / "sub/b.png", truth / f"sub/{odd}.png")
    os.rename(predictions / "sub/b.bmp", predictions / f"sub/{odd}.bmp")
    report = tmp_path / "report"
    arguments = [f"--predictions={predictions}", f"--output={report}"]
    assert main.run(["evaluate", f"--truth={truth}", *arguments]) == 0
    names = {row["picture"] for row in _rows(report)}
    assert "sub/b\\udce9.png" in names
    page = (report / "index.html").read_text(encoding="utf-8")
    assert "sub/b\\udce9.png" in page
    assert capsys.readouterr().out.startswith("## Evaluation: 3 pictures")


def test_what_is_ignored_of_pictures_is_said_once(tmp_path, capsys):
    truth = drawn.write_animation(tmp_path / "truth/a.gif", 2)
    predicted = drawn.write_animation(tmp_path / "predicted/a.gif", 3)
    status = _run(
        f"--truth={tmp_path}/truth",
        f"--predictions={tmp_path}/predicted",
        f"--output={tmp_path}/report",
    )
    said = capsys.readouterr()
    assert status == 0, said.err
    notes = [s for s in said.err.splitlines() if s.startswith("note: ")]
    assert sorted(notes) == [
        f"note: {path}: it has {count} frames; the first one is taken, "
        f"{count - 1} left out"
        for path, count in ((predicted, 3), (truth, 2))
    ]


def test_models_of_one_name_are_told_apart_by_their_folders(
    truth, predictions, tmp_path, capsys
):
    other = tmp_path / "others/predicted"
    other.parent.mkdir()
    other.symlink_to(predictions)
    status = _run(
        f"--truth={truth}",
        f"--predictions={predictions}",
        f"--predictions={other}",
        f"--output={tmp_path}/report",
    )
    said = capsys.readouterr()
    assert status == 0, said.err
    assert f"| {tmp_path.name}/predicted |" in said.out
    assert "| others/predicted |" in said.out and str(other) not in said.out


def test_pictures_of_one_name_are_told_apart(tmp_path):
    paths = []
    for i, folder in enumerate(["one", "two", "two/sub"]):
        name = f"{tmp_path}/{folder}/{'a' if i < 2 else 'b'}.png"
        paths.append(drawn.write(name, drawn.colored(i)))
    truth = list_truth(f"{tmp_path}/one", f"{tmp_path}/two")
    assert sorted(shown_names(truth)) == sorted([*paths[:2], "sub/b.png"])


@pytest.mark.slow
def test_on_a_cluster_failures_have_a_table_and_few_lines(
    truth, predictions, tmp_path, monkeypatch, capsys
):
    from tfcolor.cluster import evaluation
    from tfcolor.evaluation.evaluate import evaluate as measure

    def here(truth, output, *, cluster, workers, **options):
        assert cluster == "local" and workers.cpus == 1
        return measure(truth, output, **options)

    monkeypatch.setattr(evaluation, "evaluate_on_cluster", here)
    arguments = [f"--truth={truth}", f"--predictions={predictions}"]
    arguments += [f"--output={tmp_path / 'report'}", "--cluster", "--overwrite"]
    for i in range(23):
        (truth / f"bad{i:02d}.png").write_bytes(b"nothing")
    assert _run(*arguments) == 1
    captured = capsys.readouterr()
    table = tmp_path / "report.failures.csv"
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["source"] for row in rows] == [
        str(truth / f"bad{i:02d}.png") for i in range(23)
    ]
    assert all("not a picture" in row["reason"] for row in rows)
    assert captured.err.count("not a picture") == 20
    assert "failed: 3 more" in captured.err
    assert "23 pictures left out" in captured.err
    assert captured.err.splitlines()[-1] == f"Failures: {table}"
    assert captured.out.startswith("## Evaluation: 3 pictures")
    for i in range(23):
        (truth / f"bad{i:02d}.png").unlink()
    other = tmp_path / "other.csv"
    assert _run(*arguments, f"--failures={other}") == 0
    # That of the earlier run stays where another was asked for.
    assert table.exists() and not other.exists()
    assert _run(*arguments) == 0
    assert not table.exists()


@pytest.mark.parametrize(
    "package", ["jinja2", pytest.param("pandas", marks=pytest.mark.slow)]
)
def test_without_the_extra_one_sentence_says_what_to_install(
    truth, tmp_path, package
):
    program = (
        f"import sys; sys.modules['{package}'] = None\n"
        "from tfcolor.cli import main\n"
        "sys.exit(main.run(sys.argv[1:]))"
    )
    arguments = ["evaluate", f"--truth={truth}", f"--output={tmp_path / 'out'}"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install -c constraints.txt -e '.[evaluate]'" in done.stderr
    assert package in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
