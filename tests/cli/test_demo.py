import numpy as np
import pytest
from PIL import Image

from tests.inference import models
from tfcolor.cli import main
from tfcolor.data import sample_pictures


def test_demo_writes_every_sample_and_a_contact_sheet(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(
        sample_pictures,
        "paths",
        lambda paths=sample_pictures.paths: paths()[:2],
    )
    model = models.save(
        models.plain_model(ab=(20.0, -30.0)), tmp_path / "model.keras"
    )
    output = tmp_path / "demo"
    assert main.run(["demo", f"--output={output}", f"--model={model}"]) == 0
    written = sorted(path.name for path in output.iterdir())
    assert len(written) == 3 and "contact_sheet.png" in written
    assert str(output) in capsys.readouterr().out
    with Image.open(output / written[0]) as picture:
        pixels = np.asarray(picture).astype(int)
    # a = 20, b = -30 is a violet: blue above green nearly everywhere.
    assert (pixels[..., 2] > pixels[..., 1]).mean() > 0.9


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "nonsense"}, "one that ships"),
        ({"output": "a_file/demo"}, "cannot be made"),
    ],
)
def test_wrong_usage_ends_in_one_line_and_status_2(
    tmp_path, capsys, monkeypatch, options, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").write_text("")
    arguments = [f"--{name}={value}" for name, value in options.items()]
    assert main.run(["demo", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("tfcolor demo: error: ") and said in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a_file"]
