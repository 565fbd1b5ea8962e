import warnings

import pytest

from tests import class_albums
from tfcolor.data import labelled_parts

with warnings.catch_warnings():
    # Its dependencies warn of each other's deprecations.
    warnings.simplefilter("ignore")
    import tensorflow_datasets as tfds


class TinyLabels(tfds.core.GeneratorBasedBuilder):
    """Six labelled pictures, as a tensorflow-datasets data set."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(encoding_format="png"),
            "label": tfds.features.ClassLabel(names=class_albums.CLASSES),
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i in range(6):
            label = class_albums.CLASSES[i % 3]
            picture = class_albums.picture(label, i)
            yield i, {"image": picture, "label": label}


def _open(images, **options):
    options = {"validation_share": 0.3, "test_share": 0.2} | options
    return labelled_parts.open_parts(str(images), **options)


def _labels(source):
    return {
        example["name"].decode(): int(example["label"])
        for example in source.examples().as_numpy_iterator()
    }


def test_folders_train_val_and_test_are_the_parts(tmp_path):
    parts = _open(class_albums.write_parts(tmp_path))
    assert parts.class_names == class_albums.CLASSES
    assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [
        *(18, 6, 9),
    ]
    for part, source in (("train", parts.train), ("test", parts.test)):
        for name, label in _labels(source).items():
            assert f"/{part}/{class_albums.CLASSES[label]}/" in name
    assert parts.notes == []


def test_one_folder_is_split_by_the_names_of_its_files(tmp_path):
    parts = _open(class_albums.write(tmp_path, 20))
    names = [
        set(_labels(part))
        for part in (parts.train, parts.validation, parts.test)
    ]
    assert sum(map(len, names)) == 60 and all(names)
    assert not names[0] & names[1] and not names[1] & names[2]
    without = _open(tmp_path, test_share=0.0)
    assert without.test is None
    assert len(without.validation) == len(parts.validation)


def test_parts_may_be_named_one_by_one(tmp_path):
    train = class_albums.write(tmp_path / "a", 2)
    other = class_albums.write(tmp_path / "b", 3, classes=("dark", "striped"))
    parts = _open(train, validation_images=other, test_images=other)
    assert (len(parts.train), len(parts.validation)) == (6, 6)
    # Their labels are those of the training part.
    assert set(_labels(parts.test).values()) == {1, 2}
    assert parts.notes == [
        *("val: no pictures of bright", "test: no pictures of bright"),
    ]


def test_few_pictures_of_each_class_are_a_choice_of_the_seed(tmp_path):
    images = class_albums.write_parts(tmp_path)
    parts = _open(images, pictures_per_class=2, seed=1)
    assert len(parts.train) == 6 and len(parts.test) == 9
    again = _open(images, pictures_per_class=2, seed=1)
    other = _open(images, pictures_per_class=2, seed=2)
    assert _labels(parts.train) == _labels(again.train)
    assert _labels(parts.train) != _labels(other.train)
    assert _open(images, pictures_per_class=9).notes == [
        "fewer than 9 training pictures: bright (6), dark (6), striped (6)"
    ]


def test_unreadable_files_are_noted_when_the_data_are_opened(tmp_path):
    images = class_albums.write_parts(tmp_path)
    (tmp_path / "test/dark/broken.jpg").write_bytes(b"no picture")
    (note,) = _open(images).notes
    assert "dropped 1 pictures, cannot be read" in note
    assert "broken.jpg" in note


def test_broken_classes_are_refused(tmp_path):
    images = class_albums.write_parts(tmp_path)
    (tmp_path / "train/empty").mkdir()
    with pytest.raises(ValueError, match="empty' with none"):
        _open(images)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("tfds"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        TinyLabels(data_dir=folder).download_and_prepare()
    return folder


def test_tfds_names_are_parts_too(data_dir):
    parts = _open(
        "tfds:tiny_labels/train[:4]",
        validation_images="tfds:tiny_labels/train[4:]",
        data_dir=data_dir,
    )
    assert parts.class_names == class_albums.CLASSES and parts.test is None
    assert (len(parts.train), len(parts.validation)) == (4, 2)
    for part in (parts.train, parts.validation):
        for example in part.examples(seed=3).as_numpy_iterator():
            mean = example["rgb"].mean()
            label = 1 if mean < 60 else 2 if mean < 160 else 0
            assert example["label"] == label


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "needs validation pictures"),
        ({"pictures_per_class": 2}, "`pictures_per_class` needs a folder"),
    ],
)
def test_tfds_names_need_what_cannot_be_split(data_dir, options, said):
    with pytest.raises(ValueError, match=said):
        _open("tfds:tiny_labels/train", data_dir=data_dir, **options)
