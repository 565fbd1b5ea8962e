"""What commands over many pictures share."""

import os

import pytest
from PIL import Image

from tfcolor.cli import main
from tfcolor.cli import shared
from tfcolor.data.outcome import THERE_ALREADY
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes

COMMAND = shared.Command("test", {"max_pixels": "--max_pixels"})
OUTCOMES = (
    Outcome("a.png", notes=("odd",), boxes=2),
    Outcome("b.png", reason="broken"),
    Outcome("c.png", skipped=THERE_ALREADY),
    Outcome("d.mp4"),
    Outcome("e.png", reason="gone"),
)


def _run(outcomes, error=None, **options):
    tallies = []

    def work():
        yield from outcomes
        if error is not None:
            raise error
        return "made"

    def end(tally):
        tallies.append(tally)
        tally.say(tally.summary("Done", "out"))

    status = shared.run_outcomes(
        COMMAND,
        lambda: Outcomes(work(), len(outcomes)),
        end=end,
        bars=shared.Bars("picture", leave=True),
        **options,
    )
    return status, tallies[0]


def test_notes_failures_and_counts_come_at_the_end(capsys):
    status, tally = _run(OUTCOMES, show=lambda outcome: f"at {outcome.source}")
    said = capsys.readouterr()
    assert status == 1 and tally.result == "made"
    assert (tally.boxes, tally.without_boxes) == (2, 1)
    assert said.err.splitlines() == [
        *("note: a.png: odd", "failed: b.png: broken", "failed: e.png: gone"),
    ]
    assert said.out.splitlines() == [
        *("at a.png", "at c.png", "at d.mp4"),
        "Done 1 picture and 1 film into out (1 there already, skipped, 2 "
        "failed)",
    ]
    assert _run(OUTCOMES[:1])[0] == 0


def test_of_a_cluster_the_first_lines_are_said_and_the_others_counted(
    capsys, monkeypatch
):
    monkeypatch.setattr(shared, "MOST_LINES", 1)
    _run(OUTCOMES, on_cluster=True)
    assert capsys.readouterr().err.splitlines() == [
        *("note: a.png: odd", "failed: b.png: broken", "failed: 1 more"),
    ]


@pytest.mark.parametrize(
    ("error", "outcomes", "on_cluster", "status"),
    [
        (OSError("full"), OUTCOMES, False, 1),
        (OSError("full"), (), False, 1),
        (ImportError("Ray"), OUTCOMES, False, 2),
        (OSError("no model"), (), True, 2),
        (ValueError("no model"), (), True, 2),
        (ValueError("odd"), OUTCOMES, True, 1),
    ],
)
def test_an_error_on_the_way_is_the_last_line(
    capsys, error, outcomes, on_cluster, status
):
    found, tally = _run(outcomes, error, on_cluster=on_cluster)
    said = capsys.readouterr()
    assert found == status and not tally.is_whole and said.out == ""
    *lines, last = said.err.splitlines()
    assert last == f"tfcolor test: error: {error}"
    assert ("failed: b.png: broken" in lines) == bool(outcomes)


def test_other_errors_are_not_hidden():
    with pytest.raises(ValueError, match="odd"):
        _run(OUTCOMES, ValueError("odd"))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, 0),
        (FileExistsError("there"), 1),
        (OSError("full"), 2),
        (ValueError("odd"), 2),
        (ImportError("none"), 2),
    ],
)
def test_a_command_with_one_result_says_it_or_why_there_is_none(
    capsys, error, status
):
    def work():
        if error is not None:
            raise error
        return "made"

    options = {"end": print, "failed": FileExistsError}
    assert shared.run_single(COMMAND, work, **options) == status
    said = capsys.readouterr()
    if error is None:
        assert (said.out, said.err) == ("made\n", "")
    else:
        assert (said.out, said.err) == ("", f"tfcolor test: error: {error}\n")


def test_errors_of_what_is_said_at_the_end_are_not_wrong_usage():
    def end(result):
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        shared.run_single(COMMAND, str, end=end)


def test_bars_follow_one_another(capsys):
    with shared.Bars("frame", leave=True, label=os.path.basename) as bars:
        for what, done, total in (
            *(("in/x.mp4", 0, 2), ("in/x.mp4", 2, 2)),
            *(("in/y.mp4", 5, 9), ("in/y.mp4", 6, 9)),
        ):
            bars(what, done, total)
    said = capsys.readouterr().err
    assert "x.mp4: 100%" in said and "2/2" in said
    # What earlier runs have done, at once.
    assert "y.mp4:  44%" in said and said.endswith("\n")


def test_failures_and_notes_name_flags(capsys):
    _run(
        [
            Outcome("a.png", notes=("`max_pixels` is large",)),
            Outcome("max_pixels=1", reason="more (`max_pixels`)"),
        ]
    )
    assert capsys.readouterr().err.splitlines() == [
        "note: a.png: --max_pixels is large",
        "failed: max_pixels=1: more (--max_pixels)",
    ]


# Arguments that make the parser of a command content.
_NEEDED = {
    "classify": ["a.png", "--model=m"],
    "client": ["a.png", "--output=o", "--url=u"],
    "colorize": ["a.png", "--output=o"],
    "demo": [],
    "detect": ["a.png", "--output=o", "--detector=d"],
    "evaluate": ["--truth=t", "--output=o"],
    "export": ["--output=o"],
    "import-weights": ["a.pth", "--output=o", "--architecture=full"],
    "models": ["fetch", "a"],
    "prepare": ["--images=i", "--output=o"],
    "studio": [],
}


def _command(name):
    return main.make_parser().parse_args([name, *_NEEDED[name]]).command


@pytest.mark.parametrize("name", _NEEDED)
def test_commands_know_all_their_flags(name):
    command = _command(name)
    assert command.name == name
    parsed = main.make_parser().parse_args([name, *_NEEDED[name]])
    for argument in set(vars(parsed)) - {"run", "command"}:
        said = command.arguments.get(argument)
        assert said in (f"--{argument}", said and said.upper(), None)
        assert said is not None or argument == "action"


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        (
            "evaluate",
            "`crops` needs `boxes`. Received: boxes=None",
            "--crops needs --boxes. Received: --boxes=None",
        ),
        (
            "evaluate",
            "needs `by_class`. Received: models=a.keras",
            "needs --by_class. Received: --model=a.keras",
        ),
        (
            "evaluate",
            "`max_boxes` must be at least 1. Received: max_boxes=0",
            "--max_boxes must be at least 1. Received: --max_boxes=0",
        ),
        ("studio", "`models` must be", "--models_folder must be"),
        (
            "import-weights",
            "Received: kind='x'",
            "Received: --architecture='x'",
        ),
        ("import-weights", "`checkpoint` is", "CHECKPOINT is"),
        ("models", "`names` must be", "NAME must be"),
        (
            "detect",
            "a (Received: x (max_boxes=0))",
            "a (Received: x (--max_boxes=0))",
        ),
        (
            "colorize",
            "Received: cpus=0, gpus=1",
            "Received: --worker_cpus=0, --worker_gpus=1",
        ),
        ("export", "use `format=saved_model`.", "use --format=saved_model."),
        ("export", "`crop_size`, `verify`", "--crop_size, --verify"),
        (
            "client",
            "Received: version=1, label='a'",
            "Received: --version=1, --label='a'",
        ),
    ],
)
def test_errors_name_flags(name, error, said, capsys):
    assert shared.say_error(_command(name), ValueError(error), 2) == 2
    assert capsys.readouterr().err == f"tfcolor {name}: error: {said}\n"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("evaluate", "Received: '/boxes=2/a.png' with --model=PATH.pth"),
        ("evaluate", "a picture's boxes, 'my boxes=2', \"it's boxes=2\""),
        ("evaluate", "boxes of the truth; boxes == 2; `tfcolor detect --help`"),
        # Files and folders may be called so.
        ("evaluate", "no prediction limit=3.* in boxes=2/a"),
        ("colorize", "its crf=1.mp4 and (boxes=2.png) were left out"),
        # Of no flag; and a flag of another command.
        ("colorize", "`rgb` must be uint8. Received: rgb.dtype=int64"),
        ("colorize", "`rows`; `top` must be 1 or above. Received: top=0"),
        ("colorize", "`top=1` must come with `format=x`"),
    ],
)
def test_other_words_stay_as_they_are(name, error, capsys):
    shared.say_error(_command(name), ValueError(error), 2)
    assert capsys.readouterr().err == f"tfcolor {name}: error: {error}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["colorize", "a.png", "--output=o/", "--show_boxes"],
            "--show_boxes needs --boxes. Received: --show_boxes alone",
        ),
        (
            ["colorize", "a.png", "--output=o/", "--batch_size=0"],
            "--batch_size must be an integer of 1 or above. Received: "
            "--batch_size=0",
        ),
        (
            ["classify", "a.png", "--model=m.keras", "--top=0"],
            "--top must be 1 or above. Received: --top=0",
        ),
        (
            ["client", "a.png", "--output=o/", "--url=x"],
            "--url must be http://HOST:PORT, https://HOST:PORT or "
            "grpc://HOST:PORT. Received: --url='x'",
        ),
        (
            ["detect", "a.png", "--output=o", "--detector=d", "--max_boxes=0"],
            "--max_boxes must be at least 1. Received: --max_boxes=0",
        ),
        (
            ["prepare", "--images=a.png", "--output=o", "--quality=0"],
            "--quality must be in 1..100. Received: --quality=0",
        ),
        (
            ["export", "--output=o", "--image_size=9"],
            "--image_size must be",
        ),
    ],
)
def test_errors_of_the_library_reach_people_with_flags(
    arguments, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("a.png")
    assert main.run(arguments) == 2
    found = capsys.readouterr().err
    assert found.startswith(f"tfcolor {arguments[0]}: error: {said}")
