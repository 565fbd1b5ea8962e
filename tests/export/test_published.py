import json

import pytest

from tests.weights import published_states
from tests.weights import pytorch_pickles as pickles
from tfcolor.export import export_model


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_published_weights_are_exported_from_their_file(tmp_path):
    state = published_states.eccv16(1, 1 / 16)
    path = pickles.save(tmp_path / "colors.pth", state)
    folder = tmp_path / "colors" / "1"
    export_model.export_saved_model(
        path, str(folder), image_size=32, verify=True
    )
    (described,) = folder.rglob("tfcolor.json")
    assert json.loads(described.read_text())["architecture"] == "eccv16"
    (card,) = folder.rglob("model_card.md")
    assert "colors" in card.read_text()
