"""TFRecord shards of encoded pictures, with their classes and boxes.

An example holds, under the names that TensorFlow's own data sets use,
`image/encoded` (bytes of a picture file) and `image/filename`; where they are
known also `image/class/label` and `image/class/text`, and of each box
`image/object/bbox/{ymin,xmin,ymax,xmax}` (as shares of the picture's sides),
`image/object/score` and `image/object/class/label`.
"""

import os
import struct
from collections.abc import Iterable
from typing import NamedTuple

import tensorflow as tf

from tfcolor import atomic
from tfcolor.boxes.picture_boxes import PictureBoxes

_PICTURE = {
    "image/encoded": tf.io.FixedLenFeature([], tf.string),
    "image/filename": tf.io.FixedLenFeature([], tf.string, ""),
}
_SIDES = tuple(
    f"image/object/bbox/{side}" for side in ("ymin", "xmin", "ymax", "xmax")
)
_SCORE = "image/object/score"
_BOX_CLASS = "image/object/class/label"
# Around each example: its length and a CRC before it, another CRC after it.
# https://www.tensorflow.org/tutorials/load_data/tfrecord
_HEAD = struct.Struct("<QI")
_FOOT_BYTES = 4


class Record(NamedTuple):
    """One picture of a shard.

    Attributes:
        name: str, what the picture is called; unique in its data set.
        encoded: bytes of a picture file.
        label: int or None, of its class.
        class_name: str or None.
        boxes: PictureBoxes in shares of the picture's sides, 0..1, or None.
    """

    name: str
    encoded: bytes
    label: int | None = None
    class_name: str | None = None
    boxes: PictureBoxes | None = None


def write_shard(path: str, pictures: Iterable[tuple]) -> int:
    """Writes one shard, to a temporary name first.

    Args:
        path: str, the shard's file.
        pictures: Records, or pairs of file name and encoded bytes.

    Returns:
        int, how many pictures were written.

    Raises:
        OSError: the shard cannot be written; nothing is left behind.
    """
    count = 0
    try:
        with (
            atomic.replacing(path) as new,
            tf.io.TFRecordWriter(new) as writer,
        ):
            for picture in pictures:
                writer.write(serialize(Record(*picture)))
                count += 1
    except tf.errors.OpError as error:
        raise OSError(f"{path} cannot be written: {error.message}") from error
    return count


def serialize(record: Record) -> bytes:
    """Makes the `tf.train.Example` of a picture.

    Args:
        record: Record.

    Returns:
        bytes.
    """
    feature = {
        "image/encoded": _bytes_feature(record.encoded),
        "image/filename": _bytes_feature(os.fsencode(record.name)),
    }
    if record.label is not None:
        feature["image/class/label"] = _int_feature([record.label])
    if record.class_name is not None:
        text = os.fsencode(record.class_name)
        feature["image/class/text"] = _bytes_feature(text)
    if record.boxes is not None:
        for i, name in enumerate(_SIDES):
            feature[name] = _float_feature(record.boxes.boxes[:, i])
        feature[_SCORE] = _float_feature(record.boxes.scores)
        feature[_BOX_CLASS] = _int_feature(record.boxes.classes)
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    # Otherwise the order of the features differs from process to process.
    return example.SerializeToString(deterministic=True)


def _bytes_feature(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _int_feature(values) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def _float_feature(values) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def parse(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Reads the picture of one example.

    Args:
        serialized: string tensor [], a `tf.train.Example`.

    Returns:
        The encoded picture and its file name, string tensors [].
    """
    example = tf.io.parse_single_example(serialized, _PICTURE)
    return example["image/encoded"], example["image/filename"]


def parse_boxes(
    serialized: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Reads the boxes of one example.

    Args:
        serialized: string tensor [], a `tf.train.Example`.

    Returns:
        boxes, float32 [M, 4], yxyx, shares of the picture's sides; scores,
        float32 [M]; classes, int32 [M]. M is 0 where there are none.
    """
    floats = tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True)
    numbers = tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True)
    features = dict.fromkeys((*_SIDES, _SCORE), floats)
    example = tf.io.parse_single_example(
        serialized, features | {_BOX_CLASS: numbers}
    )
    boxes = tf.stack([example[name] for name in _SIDES], axis=-1)
    return boxes, example[_SCORE], tf.cast(example[_BOX_CLASS], tf.int32)


def split(data: bytes) -> list[bytes]:
    """Splits the bytes of a shard into its examples.

    Checksums are not looked at: those of whole shards are in their manifest.

    Args:
        data: bytes of a TFRecord file that is not compressed.

    Returns:
        list of bytes, serialized examples.

    Raises:
        ValueError: the bytes end in the middle of an example.
    """
    examples, place = [], 0
    while place < len(data):
        start = place + _HEAD.size
        if start > len(data):
            raise ValueError("The shard ends in the middle of an example.")
        end = start + _HEAD.unpack_from(data, place)[0]
        place = end + _FOOT_BYTES
        if place > len(data):
            raise ValueError("The shard ends in the middle of an example.")
        examples.append(data[start:end])
    return examples
