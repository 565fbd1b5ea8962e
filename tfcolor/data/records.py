"""TFRecord shards of encoded pictures.

An example holds `image/encoded` (bytes of a picture file) and
`image/filename`, under the names that TensorFlow's own data sets use.
"""

import os
from collections.abc import Iterable

import tensorflow as tf

_FEATURES = {
    "image/encoded": tf.io.FixedLenFeature([], tf.string),
    "image/filename": tf.io.FixedLenFeature([], tf.string, ""),
}


def write_shard(path: str, pictures: Iterable[tuple[str, bytes]]) -> int:
    """Writes one shard, to a temporary name first.

    Args:
        path: str, the shard's file.
        pictures: pairs of file name and encoded bytes.

    Returns:
        int, how many pictures were written.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    count = 0
    try:
        with tf.io.TFRecordWriter(temporary) as writer:
            for name, encoded in pictures:
                feature = {
                    "image/encoded": _bytes_feature(encoded),
                    "image/filename": _bytes_feature(name.encode()),
                }
                example = tf.train.Example(
                    features=tf.train.Features(feature=feature)
                )
                writer.write(example.SerializeToString())
                count += 1
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    return count


def _bytes_feature(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def parse(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Reads one example.

    Args:
        serialized: string tensor [], a `tf.train.Example`.

    Returns:
        The encoded picture and its file name, string tensors [].
    """
    example = tf.io.parse_single_example(serialized, _FEATURES)
    return example["image/encoded"], example["image/filename"]
