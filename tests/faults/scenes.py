"""What is killed: commands on tiny pictures and models, in a process each.

A scene has `given`, a folder of what a command reads, and `made`, what it
writes. Its functions run in a process of their own that has imported
everything; see `tests.faults.kill`.
"""

import dataclasses
import hashlib
import os
import pathlib
import re
import zipfile
from collections.abc import Callable

from tests import drawn

# Imported once for all processes: it takes longer than most commands.
IMPORTED = (
    *("tensorflow", "keras", "tests.training.tiny_run", "trainers.train_full"),
    *("tests.inference.models", "tests.detection.tiny_detectors"),
    *("tests.training.run_files", "tfcolor.inference.picture_files"),
    *("tfcolor.detection.detect_files", "tfcolor.data.shard_writer"),
    *("tfcolor.export.export_model", "tfcolor.cli.main"),
)


def files_in(folder) -> dict[str, str]:
    """The SHA-256 of every file in a folder, hidden ones too, by name."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(pathlib.Path(folder).rglob("*"))
        if path.is_file()
    }


def visible(found: dict[str, str]) -> dict[str, str]:
    """Those that have no hidden part in their name."""
    return {
        name: digest
        for name, digest in found.items()
        if not any(part.startswith(".") for part in name.split(os.sep))
    }


@dataclasses.dataclass(frozen=True)
class Scene:
    """A command that is killed.

    Attributes:
        name: str.
        make: function of `given`, a pathlib.Path, that writes its content.
        run: function of (given, made, over); returns the exit status. `over`:
            there are results of `run_old`, which are replaced.
        run_old: function of (given, made) that leaves other results there, or
            None.
        check_killed: function of (made, whole, old), what a process leaves that
            was killed; `whole` and `old` are `files_in` of finished ones, or
            None. Raises AssertionError.
        check: function of (made, whole folder), what one leaves that finished.
        kills: int, in a row before one finishes, at most.
    """

    name: str
    make: Callable
    run: Callable
    run_old: Callable | None
    check_killed: Callable
    check: Callable
    kills: int = 3


def _command(*arguments) -> int:
    from tfcolor.cli import main

    return main.run([str(argument) for argument in arguments])


def _album(given) -> None:
    drawn.write_album(given / "images", 5, side=40)
    drawn.write_album(given / "images" / "deep", 4, side=24, kind="jpg")


# What files are afterwards


def _only_whole_files(made, whole, old) -> None:
    """Every file that has its name is what it is to be, or was before."""
    for name, digest in visible(files_in(made)).items():
        allowed = {found.get(name) for found in (whole, old) if found}
        assert digest in allowed, f"{name} is not whole"


def _same_files(made, whole_folder) -> None:
    found, whole = files_in(made), files_in(whole_folder)
    assert found.keys() == whole.keys(), sorted(found.keys() ^ whole.keys())
    assert found == whole, [n for n in found if found[n] != whole[n]]


# Colorizing, preparing, detecting


def _make_for_colorizing(given) -> None:
    from tests.inference import models

    _album(given)
    models.save(models.lightness_model(), str(given / "new.keras"))
    models.save(models.plain_model(), str(given / "old.keras"))


def _colorize(given, made, over, model="new") -> int:
    more = ["--overwrite"] if over else []
    return _command(
        *("colorize", given / "images", f"--output={made}/", "--compare"),
        *(f"--model={given / model}.keras", "--batch_size=2", *more),
    )


def _make_for_films(given) -> None:
    from tests.inference import models
    from tests.inference.film import films

    (given / "films").mkdir()
    films.write(given / "films" / "a.mp4", [films.ramp(t) for t in range(40)])
    models.save(models.lightness_model(), str(given / "new.keras"))
    models.save(models.plain_model(), str(given / "old.keras"))


def _colorize_films(given, made, over, model="new") -> int:
    from tfcolor.inference.film import colorize

    # Several segments, as of a long film.
    colorize._SEGMENT, colorize._MOST_WAITING = 8, 6
    more = ["--overwrite"] if over else []
    return _command(
        *("colorize", given / "films", f"--output={made}/", "--image_size=32"),
        *(f"--model={given / model}.keras", "--batch_size=2", *more),
    )


def _prepare(given, made, over, size=24, shard_size=2) -> int:
    del over
    return _command(
        *("prepare", f"--images={given / 'images'}", f"--output={made}"),
        *(f"--size={size}", f"--shard_size={shard_size}", "--workers=2"),
    )


def _make_for_detecting(given) -> None:
    from tests.detection import squares
    from tests.detection import tiny_detectors

    for i in range(9):
        box = (4 + i, 6, 20 + i, 30)
        squares.write(
            f"{given}/images/{i:03}.png", squares.picture(40, 48, box)
        )
    tiny_detectors.object_detection_api(given / "detector")


def _detect(given, made, over, *more) -> int:
    more = ["--overwrite", *more] if over else more
    return _command(
        *("detect", given / "images", f"--output={made}", "--draw"),
        *(f"--detector={given / 'detector'}", *more),
    )


# Exporting


def _make_for_exporting(given) -> None:
    from tests.inference import models

    models.save(models.lightness_model(), str(given / "model.keras"))
    drawn.write(given / "images/000.png", drawn.colored(0))


def _export(given, made, over, saturation=1) -> int:
    more = ["--overwrite"] if over else []
    return _command(
        *("export", f"--model={given / 'model.keras'}", f"--output={made}/1"),
        *(f"--saturation={saturation}", *more),
    )


def _whole_export(made, whole, old) -> None:
    found = visible(files_in(made))
    if old:
        # Or it is on its way, and comes back: `test_atomic`.
        aside = list(pathlib.Path(made).glob(".tfcolor-*.tmp/old/1"))
        assert found or aside, "the old export is lost"
    if not found:
        return
    card = found["1/assets/tfcolor.json"]
    if old and card == old["1/assets/tfcolor.json"]:
        assert found == old
        return
    assert card == whole["1/assets/tfcolor.json"]
    assert found.keys() == whole.keys()


def _same_export(made, whole_folder) -> None:
    found, whole = files_in(made), files_in(whole_folder)
    assert found.keys() == whole.keys(), sorted(found.keys() ^ whole.keys())
    import tensorflow as tf

    data = drawn.encode(drawn.colored(1))
    answers = [
        tf.saved_model.load(f"{folder}/1")
        .signatures["serving_default"](tf.constant([data]))["png_bytes"]
        .numpy()
        for folder in (made, whole_folder)
    ]
    assert answers[0] == answers[1]


# Training


def _train(given, made, over) -> int:
    del given, over
    import tensorflow as tf

    from tests.training.tiny_run import TinyRun

    tf.config.experimental.enable_op_determinism()
    TinyRun(checkpoint_minutes=0).start(made)
    return 0


def _train_with_trainer(given, made, over) -> int:
    del over
    import tensorflow as tf
    from absl import flags

    from trainers import train_full

    tf.config.experimental.enable_op_determinism()
    options = {
        "images": given / "images",
        "validation_images": given / "images" / "deep",
        "workdir": made,
        **{"width": 0.0625, "image_size": 16, "batch_size": 2, "epochs": 2},
        **{"steps_per_epoch": 3, "log_steps": 1, "checkpoint_minutes": 0},
        "ema_momentum": 0.9,
    }
    flags.FLAGS(["train", *(f"--{k}={v}" for k, v in options.items())])
    train_full.main(["train"])
    return 0


def _whole_run(made, whole, old) -> None:
    del whole, old
    model = pathlib.Path(made) / "model.keras"
    if model.exists():
        with zipfile.ZipFile(model) as archive:
            assert archive.testzip() is None
            assert "tfcolor.json" in archive.namelist()
    for part in ("latest", "best"):
        state = pathlib.Path(made) / "checkpoints" / part / "checkpoint"
        if not state.exists():
            continue
        names = set(re.findall(r'paths?: "(.*)"', state.read_text()))
        assert names, state.read_text()
        for name in names:
            assert (state.parent / f"{name}.index").exists(), name


def _same_run(made, whole_folder) -> None:
    import numpy as np

    from tests.training import run_files
    from tfcolor.weights import model_file

    folders = [pathlib.Path(made), pathlib.Path(whole_folder)]
    names = [
        {n for n in files_in(folder) if not n.startswith("tensorboard")}
        for folder in folders
    ]
    assert names[0] == names[1], names[0] ^ names[1]
    values, others = map(run_files.latest, folders)
    assert values.keys() == others.keys()
    for name, value in values.items():
        if "save_counter" not in name:
            np.testing.assert_array_equal(value, others[name], err_msg=name)
    for name in ("step", "loss", "validation/loss", "learning_rate"):
        columns = [run_files.column(folder, name) for folder in folders]
        assert columns[0] == columns[1], name
    weights = [
        model_file.load(str(folder / "model.keras"))[0].get_weights()
        for folder in folders
    ]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


SCENES = (
    Scene(
        "colorizing a folder",
        _make_for_colorizing,
        _colorize,
        lambda given, made: _colorize(given, made, False, "old"),
        _only_whole_files,
        _same_files,
    ),
    Scene(
        "coloring a film",
        _make_for_films,
        _colorize_films,
        lambda given, made: _colorize_films(given, made, False, "old"),
        _only_whole_files,
        _same_files,
    ),
    Scene(
        "preparing shards",
        _album,
        _prepare,
        lambda given, made: _prepare(given, made, False, 16, 1),
        _only_whole_files,
        _same_files,
    ),
    Scene(
        "detecting",
        _make_for_detecting,
        _detect,
        lambda given, made: _detect(
            given, made, False, "--score_threshold=0.85"
        ),
        _only_whole_files,
        _same_files,
    ),
    Scene(
        "detecting into one file",
        _make_for_detecting,
        lambda given, made, over: _detect(given, made, over, "--format=coco"),
        None,
        _only_whole_files,
        _same_files,
    ),
    Scene(
        "exporting",
        _make_for_exporting,
        _export,
        lambda given, made: _export(given, made, False, 0.5),
        _whole_export,
        _same_export,
        kills=6,
    ),
    Scene(
        "training",
        lambda given: None,
        _train,
        None,
        _whole_run,
        _same_run,
        kills=4,
    ),
    Scene(
        "training with train_full",
        _album,
        _train_with_trainer,
        None,
        _whole_run,
        _same_run,
        kills=4,
    ),
)
