import numpy as np
import pytest
from absl.testing import flagsaver

from tests import drawn
from tfcolor.boxes import box_files
from tfcolor.boxes import box_folder
from tfcolor.boxes import box_naming
from tfcolor.boxes import picture_boxes
from tfcolor.data import box_class_pipelines
from tfcolor.data import epochs
from tfcolor.data import full_data_config
from tfcolor.data import sources
from tfcolor.evaluation import methods
from tfcolor.evaluation.methods import list_truth
from tfcolor.inference import box_finder
from tfcolor.inference.colorizer import Colorizer
from tfcolor.models.ensemble import ensemble
from trainers import train_box_ensemble


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Six pictures, all but the last with two boxes: folders of both."""
    folder = tmp_path_factory.mktemp("album")
    photos = drawn.write_album(folder / "photos", 6, kind="png", side=40)
    paths = sources.open_source(photos).paths
    for path in paths[:-1]:
        found = picture_boxes.make(
            [[0, 0, 20, 10], [10, 10, 40, 40]], [0.5, 0.9], [17, 90]
        )
        name = path.rpartition("/")[2]
        target = str(folder / "boxes" / box_naming.file_name(name))
        box_folder.write(target, found, height=40, width=40)
    return photos, str(folder / "boxes"), paths


def _batches(album, *, training, max_boxes=3, **options):
    photos, boxes, _ = album
    source = box_class_pipelines.BoxClassSource(
        sources.open_source(photos),
        box_files.open_boxes(boxes),
        max_boxes=max_boxes,
    )
    config = full_data_config.FullDataConfig(
        image_size=16, batch_size=6, min_color_range=0, **options
    )
    view = box_class_pipelines.box_class_view(config)
    dataset = epochs.epoch(source, view, epoch=0, training=training)
    return next(dataset.as_numpy_iterator()), source


def test_boxes_come_with_their_classes_best_first(album):
    (inputs, targets), source = _batches(album, training=False)
    assert inputs["L"].shape == (6, 16, 16, 1)
    assert targets["ab"].shape == (6, 16, 16, 2)
    np.testing.assert_array_equal(inputs["box_classes"][0], [90, 17, 0])
    np.testing.assert_array_equal(inputs["boxes"][0, 0], [10, 10, 40, 40])
    np.testing.assert_array_equal(inputs["box_classes"][5], 0)
    np.testing.assert_array_equal(inputs["picture_size"], [[40, 40]] * 6)
    assert "no boxes, no classes given" in source.drop_log.summary()


def test_boxes_are_mirrored_with_their_pictures(album):
    (inputs, _), _ = _batches(album, training=True, flip=True, max_boxes=1)
    (plain, _), _ = _batches(album, training=True, max_boxes=1)
    mirrored = 0
    for i in range(6):
        if not inputs["box_classes"][i].any():
            continue
        same = np.allclose(inputs["L"][i], plain["L"][i], atol=1e-3)
        expected = [10, 10, 40, 40] if same else [10, 0, 40, 30]
        np.testing.assert_array_equal(inputs["boxes"][i, 0], expected)
        if not same:
            mirrored += 1
            np.testing.assert_allclose(
                inputs["L"][i], plain["L"][i][:, ::-1], atol=1e-3
            )
    assert mirrored


def test_a_colorizer_uses_the_classes_of_a_pictures_boxes(album):
    photos, boxes, paths = album
    model = ensemble(
        num_classes=2,
        class_source="boxes",
        box_class_ids=(17, 90),
        width=1 / 16,
    )
    colorizer = Colorizer(model, image_size=16)
    assert colorizer.takes_boxes and colorizer.takes_box_classes
    truth = list_truth(photos)
    find = box_finder.open_finder(boxes, pictures=paths)
    method = methods.from_colorizer("boxed", colorizer, find_boxes=find)
    rgb = truth[0].read()
    ab = [
        colorizer.predict_ab(rgb, boxes=given)
        for given in (None, find(truth[0].path, rgb))
    ]
    assert np.abs(ab[0] - ab[1]).max() > 0
    np.testing.assert_array_equal(
        method.predict(truth[0], rgb),
        colorizer.colorize(rgb, boxes=find(truth[0].path, rgb)),
    )
    with pytest.raises(ValueError, match="`boxes` must be PictureBoxes"):
        colorizer.colorize(rgb, boxes=np.array([[0, 0, 4, 4]]))


@pytest.mark.slow
@pytest.mark.parametrize("know", ["true", "false"])
def test_a_run_trains_with_and_without_boxes(album, know, tmp_path):
    photos, boxes, _ = album
    options = {
        "images": photos,
        "validation_images": photos,
        "boxes": boxes,
        "workdir": str(tmp_path / "run"),
        "know_boxes": know,
        "width": "0.03125",
        "image_size": "16",
        "batch_size": "3",
        "epochs": "1",
        "huber_weight": "0",
        "squared_weight": "100",
    }
    with flagsaver.as_parsed(**options):
        train_box_ensemble.main(["train_box_ensemble"])
    colorizer = Colorizer(str(tmp_path / "run/model.keras"))
    assert colorizer.takes_box_classes == (know == "true")
