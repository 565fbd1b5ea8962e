import numpy as np
import pytest
from absl.testing import flagsaver

from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file
from trainers import average_weights


def _file(folder, name, model):
    path = str(folder / f"{name}.keras")
    model_file.save(model, path, model_file.ModelInfo(name, 48))
    return path


def test_the_mean_is_that_of_each_weight(tmp_path):
    models = [siggraph(width=1 / 32) for _ in range(3)]
    paths = [_file(tmp_path, f"m{i}", m) for i, m in enumerate(models)]
    output = str(tmp_path / "runs" / "mean.keras")
    with flagsaver.as_parsed(models=",".join(paths), output=output):
        average_weights.main(["average_weights"])
    found, info = model_file.load(output)
    assert info == model_file.ModelInfo("m0", 48)
    for mean, *values in zip(
        found.get_weights(), *(m.get_weights() for m in models), strict=True
    ):
        np.testing.assert_allclose(mean, np.mean(values, axis=0), atol=1e-6)


def test_models_of_other_shapes_have_no_mean(tmp_path):
    paths = [
        _file(tmp_path, "small", siggraph(width=1 / 32)),
        _file(tmp_path, "large", siggraph(width=1 / 16)),
    ]
    output = str(tmp_path / "mean.keras")
    with (
        flagsaver.as_parsed(models=",".join(paths), output=output),
        pytest.raises(ValueError, match="of one network.*Received: --models="),
    ):
        average_weights.main(["average_weights"])
    assert not (tmp_path / "mean.keras").exists()
