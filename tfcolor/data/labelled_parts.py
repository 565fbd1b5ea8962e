"""Opening labelled data: training, validation and test pictures."""

import dataclasses

from tfcolor.data import class_folders
from tfcolor.data import manifest
from tfcolor.data import sources
from tfcolor.data.class_folders import TEST
from tfcolor.data.class_folders import TRAIN
from tfcolor.data.class_folders import VALIDATION
from tfcolor.data.drop_log import DropLog
from tfcolor.data.labelled import LabelledSource
from tfcolor.data.shard_source import ShardSource
from tfcolor.data.tfds_source import TfdsSource
from tfcolor.pictures import pillow_limit


@dataclasses.dataclass(frozen=True)
class LabelledParts:
    """A labelled data set.

    Attributes:
        train: source with labels; see `labelled.LabelledSource`.
        validation: source with labels.
        test: source with labels, or None.
        class_names: tuple of str; a label is a place in it.
        notes: list of str, for people: what is unusual about the data.
    """

    train: object
    validation: object
    test: object | None
    class_names: tuple[str, ...]
    notes: list[str]


def open_parts(
    images: str,
    *,
    validation_images: str | None = None,
    test_images: str | None = None,
    validation_share: float,
    test_share: float,
    pictures_per_class: int | None = None,
    seed: int = 0,
    shrink_to: int | None = None,
    data_dir: str | None = None,
    skip_corrupt: bool = False,
    max_pixels: int = pillow_limit.MAX_PIXELS,
) -> LabelledParts:
    """Opens a labelled data set.

    Args:
        images: str. A folder of class folders; a folder with `train` and
            perhaps `val` and `test`, each a folder of class folders; shards
            that `tfcolor prepare` made of these; or `tfds:NAME/SPLIT`.
        validation_images: str or None. Another such folder or split. None:
            the folder `val`, or a share of the training files.
        test_images: str or None. The same for the test.
        validation_share: float, of the training files.
        test_share: float, of the training files; 0 is no test.
        pictures_per_class: int or None. See `class_folders.take`.
        seed: int, of that choice.
        shrink_to: int or None. See `decode.decode_rgb`.
        data_dir: str or None. Where tensorflow-datasets keeps its data.
        skip_corrupt: bool. Leaves damaged shards of a prepared folder out.
        max_pixels: int. A picture of more is not decoded, but left out.

    Returns:
        LabelledParts.

    Raises:
        FileNotFoundError: a folder or data set does not exist.
        ValueError: a class has too few training pictures, parts have other
            classes, or a data set has no labels.
    """
    pillow_limit.check_option(max_pixels)
    options = {"shrink_to": shrink_to, "max_pixels": max_pixels}
    named = {VALIDATION: validation_images, TEST: test_images}
    if images.startswith(sources.TFDS_PREFIX):
        if pictures_per_class is not None:
            raise ValueError(
                "`pictures_per_class` needs a folder of class folders; a part "
                "of a tensorflow-datasets split is tfds:NAME/SPLIT[:N]. "
                f"Received: {images!r}"
            )
        return _open_tfds({TRAIN: images} | named, data_dir, options)
    shares = {VALIDATION: validation_share, TEST: test_share}
    drop_log = DropLog()
    options["skip_corrupt"] = skip_corrupt
    notes = []
    folders = _find_folders(images, named, shares, drop_log, notes.append)
    train = folders[TRAIN]
    if pictures_per_class is not None:
        train = class_folders.take(train, pictures_per_class, seed=seed)
    class_folders.check_training(train)
    class_names = tuple(train.paths)
    notes += drop_log.summary().splitlines()
    if pictures_per_class is not None:
        notes += _short_of(train, pictures_per_class)
    opened = {TRAIN: _open_folder(train, class_names, drop_log, options)}
    for part, found in folders.items():
        if part != TRAIN:
            missing = class_folders.check_other(found, class_names, part)
            notes += [f"{part}: {missing}"] if missing else []
            opened[part] = _open_folder(found, class_names, drop_log, options)
    return LabelledParts(
        opened[TRAIN],
        opened[VALIDATION],
        opened.get(TEST),
        class_names,
        notes,
    )


def _find_folders(images, named, shares, drop_log, say) -> dict:
    """Returns {part: ClassFolders}, the missing ones cut off the training."""
    places = class_folders.find_parts(images)
    places |= {part: path for part, path in named.items() if path}
    found = {
        part: _scan_shards(path)
        if manifest.is_prepared(path)
        else class_folders.scan(path, drop_log)
        for part, path in places.items()
    }
    wanted = {
        part: share
        for part, share in shares.items()
        if part not in found and share
    }
    split = class_folders.split(found[TRAIN], shares=wanted, say=say)
    return found | split


def _scan_shards(folder: str) -> class_folders.ClassFolders:
    """Lists the names of the pictures of every class in shards."""
    made = manifest.read(folder)
    if not made.classes:
        raise ValueError(
            "Shards must be made of class folders to have labels. "
            f"Received: {folder!r}, whose pictures have no classes"
        )
    names = {label: [] for label in made.classes}
    for shard in made.shards:
        for name, label in zip(shard.names, shard.labels, strict=True):
            names[made.classes[label]].append(name)
    return class_folders.ClassFolders(
        folder, {label: sorted(found) for label, found in names.items()}
    )


def _short_of(train, count: int) -> list[str]:
    short = [
        f"{name} ({len(paths)})"
        for name, paths in train.paths.items()
        if len(paths) < count
    ]
    text = f"fewer than {count} training pictures: {', '.join(short)}"
    return [text] if short else []


def _open_folder(folders, class_names, drop_log, options) -> LabelledSource:
    labels = {
        path: class_names.index(name)
        for name, paths in folders.paths.items()
        for path in paths
    }
    if manifest.is_prepared(folders.folder):
        source = ShardSource(
            folders.folder,
            drop_log=drop_log,
            skip_corrupt=options["skip_corrupt"],
        ).with_paths(labels)
    else:
        source = sources.FolderSource(
            list(labels),
            drop_log=drop_log,
            shrink_to=options["shrink_to"],
            max_pixels=options["max_pixels"],
        )
    return LabelledSource(source, [labels[path] for path in source.paths])


def _open_tfds(specs, data_dir, options) -> LabelledParts:
    if not specs[VALIDATION]:
        raise ValueError(
            "A tensorflow-datasets source needs validation pictures, such as "
            "tfds:NAME/train[90%:]. Received: none beside "
            f"{specs[TRAIN]!r}"
        )
    drop_log = DropLog()
    opened = {
        part: TfdsSource(
            spec.removeprefix(sources.TFDS_PREFIX),
            data_dir=data_dir,
            drop_log=drop_log,
            labels=True,
            **options,
        )
        for part, spec in specs.items()
        if spec
    }
    class_names = opened[TRAIN].class_names
    for part, source in opened.items():
        if source.class_names != class_names:
            raise ValueError(
                "All parts must have the same classes. Received: "
                f"{list(source.class_names)} in {specs[part]!r}, "
                f"{list(class_names)} in {specs[TRAIN]!r}"
            )
    return LabelledParts(
        opened[TRAIN], opened[VALIDATION], opened.get(TEST), class_names, []
    )
