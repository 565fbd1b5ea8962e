import os
import warnings

import numpy as np
import pytest

from tests import drawn
from tfcolor.data import records
from tfcolor.data import sources
from tfcolor.data.source import Source

with warnings.catch_warnings():
    # Its dependencies warn of each other's deprecations.
    warnings.simplefilter("ignore")
    import tensorflow_datasets as tfds


class TinyPictures(tfds.core.GeneratorBasedBuilder):
    """Five pictures, as a tensorflow-datasets data set."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"image": tfds.features.Image(encoding_format="png")}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i in range(5):
            yield i, {"image": drawn.colored(i, 10 + i, 12)}


class TinySounds(tfds.core.GeneratorBasedBuilder):
    """A data set without pictures."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"number": np.int64})
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield 0, {"number": 1}


def _prepare(builder_class, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        builder_class(data_dir=folder).download_and_prepare()


@pytest.fixture(params=["folder", "records", "tfds"])
def opened(request, tmp_path):
    """A source of five pictures of different heights, of each kind."""
    if request.param == "tfds":
        folder = str(tmp_path / "prepared")
        _prepare(TinyPictures, folder)
        return sources.open_source("tfds:tiny_pictures/train", data_dir=folder)
    if request.param == "records":
        for shard, numbers in (("a", (0, 1, 2)), ("b", (3, 4))):
            records.write_shard(
                str(tmp_path / f"{shard}.tfrecord"),
                [
                    (
                        f"{i}.png",
                        drawn.encode(drawn.colored(i, 10 + i)),
                    )
                    for i in numbers
                ],
            )
        return sources.open_source(str(tmp_path / "*.tfrecord"))
    for i in range(5):
        drawn.write(tmp_path / f"p/{i}.png", drawn.colored(i, 10 + i, 12))
    return sources.open_source(str(tmp_path / "p"))


def _names(dataset):
    return [example["name"] for example in dataset.as_numpy_iterator()]


def test_every_kind_of_source_gives_its_pictures_at_their_own_size(opened):
    assert len(opened) == 5
    examples = list(opened.examples().as_numpy_iterator())
    assert sorted(e["rgb"].shape[0] for e in examples) == [10, 11, 12, 13, 14]
    for example in examples:
        height, width, _ = example["rgb"].shape
        expected = drawn.colored(height - 10, height, width)
        np.testing.assert_array_equal(example["rgb"], expected)
        assert example["rgb"].dtype == np.uint8
    assert len({example["name"] for example in examples}) == 5


def test_equal_seeds_give_equal_orders_and_others_differ(opened):
    orders = [_names(opened.examples(seed=seed)) for seed in range(3)]
    again = [_names(opened.examples(seed=seed)) for seed in range(3)]
    assert orders == again
    assert len({tuple(order) for order in orders}) > 1
    assert {tuple(sorted(o)) for o in orders} == {tuple(sorted(orders[0]))}


def test_without_a_seed_the_order_is_the_sources_own(opened):
    assert _names(opened.examples()) == _names(opened.examples())


def test_a_dataset_that_is_passed_twice_keeps_its_order(opened):
    dataset = opened.examples(seed=2)
    assert _names(dataset) == _names(dataset)


def test_the_order_does_not_depend_on_the_file_system(tmp_path, monkeypatch):
    drawn.write_album(tmp_path, 4, side=8)
    first = sources.open_source(str(tmp_path)).paths
    scandir = os.scandir

    class Backwards(list):
        def __enter__(self):
            return self

        def __exit__(self, *unused):
            return None

    monkeypatch.setattr(
        os, "scandir", lambda *a: Backwards([*scandir(*a)][::-1])
    )
    assert sources.open_source(str(tmp_path)).paths == first == sorted(first)


def test_broken_pictures_are_left_out_and_named(tmp_path):
    drawn.write_album(tmp_path, 3, side=8)
    (tmp_path / "001.png").write_bytes(b"not a picture")
    whole = drawn.encode(drawn.colored(0, 64, 64), "JPEG")
    (tmp_path / "cut.jpg").write_bytes(whole[:30])
    (tmp_path / "empty.jpg").write_bytes(b"")
    source = sources.open_source(str(tmp_path))
    assert len(source) == 5
    for _ in range(2):
        names = [os.path.basename(n) for n in _names(source.examples())]
        assert names == [b"000.png", b"002.png"]
    assert source.drop_log.count(sources.UNREADABLE) == 3
    for name in ("001.png (", "cut.jpg (", "empty.jpg ("):
        assert name in source.drop_log.summary()


def test_a_picture_that_vanished_is_left_out_and_named(tmp_path):
    drawn.write_album(tmp_path, 2, side=8)
    source = sources.open_source(str(tmp_path))
    os.remove(tmp_path / "000.png")
    assert len(_names(source.examples())) == 1
    assert "000.png" in source.drop_log.summary()


def test_a_broken_record_is_left_out_and_named(tmp_path):
    good = drawn.encode(drawn.colored(0))
    records.write_shard(
        str(tmp_path / "a.tfrecord"), [("bad.png", b"123"), ("ok.png", good)]
    )
    source = sources.open_source(str(tmp_path))
    assert _names(source.examples()) == [b"ok.png"]
    assert "bad.png" in source.drop_log.summary()


def test_sources_are_several_folders_files_and_globs(tmp_path):
    drawn.write_album(tmp_path / "a", 2, side=8)
    drawn.write_album(tmp_path / "b/deep", 2, side=8)
    drawn.write_album(tmp_path / "c", 2, side=8)
    spec = f"{tmp_path}/a, {tmp_path}/b/**/*.png,{tmp_path}/c/001.png"
    assert [
        os.path.relpath(p, tmp_path) for p in sources.open_source(spec).paths
    ] == [
        "a/000.png",
        "a/001.png",
        "b/deep/000.png",
        "b/deep/001.png",
        "c/001.png",
    ]


def test_shrunken_pictures_keep_the_short_side(tmp_path):
    drawn.write(tmp_path / "a.jpg", drawn.colored(0, 160, 320))
    source = sources.open_source(str(tmp_path), shrink_to=32)
    (example,) = source.examples().as_numpy_iterator()
    assert example["rgb"].shape == (40, 80, 3)


def test_shards_and_pictures_do_not_mix(tmp_path):
    drawn.write_album(tmp_path / "a", 1, side=8)
    records.write_shard(str(tmp_path / "x.tfrecord"), [("a", b"1")])
    with pytest.raises(ValueError, match="must not be mixed"):
        sources.open_source(f"{tmp_path}/a,{tmp_path}/x.tfrecord")


@pytest.mark.parametrize(
    "spec", ["", "absent", "absent/*.jpg", "absent.tfrecord"]
)
def test_a_source_that_finds_nothing_is_refused(tmp_path, spec):
    spec = spec and str(tmp_path / spec)
    with pytest.raises(FileNotFoundError, match="Received"):
        sources.open_source(spec)


def test_tfds_names_need_a_split(tmp_path):
    with pytest.raises(ValueError, match="must be tfds:NAME/SPLIT"):
        sources.open_source("tfds:tiny_pictures", data_dir=str(tmp_path))


def test_a_tfds_data_set_must_be_prepared(tmp_path):
    with pytest.raises(FileNotFoundError, match="tfds build tiny_pictures"):
        sources.open_source("tfds:tiny_pictures/train", data_dir=str(tmp_path))


def test_a_tfds_data_set_must_have_pictures(tmp_path):
    _prepare(TinySounds, tmp_path)
    with pytest.raises(ValueError, match="feature named 'image'"):
        sources.open_source("tfds:tiny_sounds/train", data_dir=str(tmp_path))


def test_tfds_slices_are_splits(tmp_path):
    _prepare(TinyPictures, tmp_path)
    source = sources.open_source(
        "tfds:tiny_pictures/train[:2]", data_dir=str(tmp_path)
    )
    assert len(source) == 2 == len(_names(source.examples()))


def _source(names):
    return sources.FolderSource(names, shrink_to=None, drop_log=None)


def test_split_by_hash_holds_out_about_the_share_and_loses_none():
    source = _source([f"folder/{i}.jpg" for i in range(2000)])
    kept, held_out = sources.split_by_hash(source, share=0.1)
    assert sorted(kept.paths + held_out.paths) == sorted(source.paths)
    assert 150 < len(held_out) < 250


def test_split_by_hash_moves_no_picture_when_others_come_or_folders_move():
    names = [f"{i}.jpg" for i in range(300)]
    few = sources.split_by_hash(_source(names[:200]), share=0.2)
    moved = [f"elsewhere/{name}" for name in names]
    many = sources.split_by_hash(_source(moved[::-1]), share=0.2)
    for before, after in zip(few, many, strict=True):
        assert {f"elsewhere/{p}" for p in before.paths} <= set(after.paths)


def test_split_by_hash_needs_pictures_on_both_sides():
    with pytest.raises(ValueError, match="`validation_share`, or `valid"):
        sources.split_by_hash(_source(["a.jpg"]), share=0.5, fewest=1)
    with pytest.raises(ValueError, match="Received: 9 pictures, valid"):
        sources.split_by_hash(_source([f"{i}" for i in range(9)]), share=0.0)


def test_only_files_can_be_split(tmp_path):
    records.write_shard(str(tmp_path / "a.tfrecord"), [("a", b"1")])
    source = sources.open_source(str(tmp_path))
    with pytest.raises(ValueError, match="Received: RecordSource"):
        sources.split_by_hash(source, share=0.5)


def test_any_source_that_knows_its_paths_can_be_split():
    class Named(Source):
        def __init__(self, paths):
            self.paths = paths

        def __len__(self):
            return len(self.paths)

        def with_paths(self, paths):
            return Named(paths)

    names = [f"{i}" for i in range(9)]
    kept, held_out = sources.split_by_hash(Named(names), share=0.5)
    assert sorted(kept.paths + held_out.paths) == names


def test_steps_are_whole_batches():
    source = _source(["a.jpg"] * 10)
    assert sources.steps_in(source, 3) == 3
    assert sources.steps_in(source, 10) == 1
    with pytest.raises(ValueError, match="batch_size=11, 10 pictures"):
        sources.steps_in(source, 11)


@pytest.mark.parametrize(
    ("count", "share", "fewest", "held_out"),
    [(60, 0.001, 6, 6), (60, 0.001, 1, 1), (2, 0.02, 1, 1), (3, 0.99, 1, 2)],
)
def test_few_pictures_are_split_by_themselves(count, share, fewest, held_out):
    said = []
    source = _source([f"{i}.jpg" for i in range(count)])
    kept, others = sources.split_by_hash(
        source, share=share, fewest=fewest, say=said.append
    )
    assert len(others) == held_out and len(kept) == count - held_out
    assert not set(kept.paths) & set(others.paths)
    by_share = share > 0.5
    assert len(said) == (0 if by_share else 1)
    for line in said:
        assert f"few pictures: {held_out} of {count} are held out" in line
        assert "`validation_share`" in line


def test_enough_pictures_are_split_as_by_the_share_alone():
    source = _source([f"{i}.jpg" for i in range(900)])
    plain = sources.split_by_hash(source, share=0.02)
    said = []
    least = sources.split_by_hash(source, share=0.02, fewest=8, say=said.append)
    assert [p.paths for p in plain] == [p.paths for p in least] and not said
