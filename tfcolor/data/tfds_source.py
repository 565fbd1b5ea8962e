"""Pictures of tensorflow-datasets."""

import os

import tensorflow as tf

from tfcolor.data import decoding


class TfdsSource(decoding.DecodingSource):
    """A prepared tensorflow-datasets data set with an `image` feature.

    Args:
        name: str, "NAME/SPLIT" or "NAME/CONFIG/SPLIT".
        data_dir: str or None, where data sets are kept; None means the
            library's own default.
        labels: bool. Gives each example its class, "label": int64 [].
        **options: of `decoding.DecodingSource`.

    Attributes:
        class_names: tuple of str, with `labels`; empty without.

    Raises:
        ValueError: the name has no split, or the data set no image, or no
            class label when labels are wanted.
        FileNotFoundError: the data set is not prepared.
    """

    def __init__(self, name, *, data_dir, labels=False, **options):
        super().__init__(**options)
        # Slow to import, and wanted by few.
        import tensorflow_datasets as tfds

        dataset, _, split = name.rpartition("/")
        if not dataset:
            raise ValueError(
                "A tensorflow-datasets source must be tfds:NAME/SPLIT. "
                f"Received: tfds:{name}"
            )
        self._split = split
        self._builder = tfds.builder(dataset, data_dir=data_dir)
        if not os.path.isdir(self._builder.data_dir):
            raise FileNotFoundError(
                f"The data set {dataset!r} must be prepared first, with "
                f"`tfds build {dataset}`. Received: no folder "
                f"{str(self._builder.data_dir)!r}"
            )
        if "image" not in self._builder.info.features:
            raise ValueError(
                "A data set must have a feature named 'image'. Received: "
                f"{dataset!r} with {sorted(self._builder.info.features)}"
            )
        self._decoders = {"image": tfds.decode.SkipDecoding()}
        self.class_names = ()
        if labels:
            label = dict(self._builder.info.features).get("label")
            if not isinstance(label, tfds.features.ClassLabel):
                raise ValueError(
                    "A labelled data set must have a class label named "
                    f"'label'. Received: {dataset!r} with "
                    f"{sorted(self._builder.info.features)}"
                )
            self.class_names = tuple(label.names)

    def __len__(self):
        return self._builder.info.splits[self._split].num_examples

    def examples(
        self,
        *,
        seed: int | None = None,
        context: tf.distribute.InputContext | None = None,
        side: int | None = None,
    ) -> tf.data.Dataset:
        """Returns one pass over the pictures; see `source`."""
        dataset = self._builder.as_dataset(
            split=self._split, decoders=self._decoders, shuffle_files=False
        )
        dataset = dataset.enumerate()
        if seed is not None:
            dataset = decoding.shuffled(dataset, seed)
        prefix = f"{self._builder.name}/{self._split} "

        def element(i, example):
            label = {"label": example["label"]} if self.class_names else {}
            name = prefix + tf.strings.as_string(i)
            return {"reference": example["image"], "name": name} | label

        return self._decoded(
            dataset.map(element), bytes, context=context, side=side
        )
