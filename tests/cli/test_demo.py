import numpy as np
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
