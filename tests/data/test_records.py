import os

import numpy as np
import pytest
import tensorflow as tf

from tests import drawn
from tfcolor.boxes import picture_boxes
from tfcolor.data import records


def test_records_come_back_as_they_were_written(tmp_path):
    path = str(tmp_path / "a.tfrecord")
    written = [
        (f"höhe{i}.png", drawn.encode(drawn.colored(i))) for i in range(3)
    ]
    assert records.write_shard(path, iter(written)) == 3
    read = [
        (name.decode(), encoded)
        for encoded, name in tf.data.TFRecordDataset(path)
        .map(records.parse)
        .as_numpy_iterator()
    ]
    assert read == written


def test_records_have_the_names_of_tensorflows_own_data_sets(tmp_path):
    path = str(tmp_path / "a.tfrecord")
    records.write_shard(path, [("a.png", b"123")])
    (serialized,) = tf.data.TFRecordDataset(path).as_numpy_iterator()
    feature = tf.train.Example.FromString(serialized).features.feature
    assert dict(feature).keys() == {"image/encoded", "image/filename"}
    assert feature["image/encoded"].bytes_list.value[0] == b"123"


def test_a_record_without_a_file_name_is_read():
    example = tf.train.Example()
    example.features.feature["image/encoded"].bytes_list.value.append(b"1")
    encoded, name = records.parse(example.SerializeToString())
    np.testing.assert_equal(encoded.numpy(), b"1")
    np.testing.assert_equal(name.numpy(), b"")


def test_a_failed_shard_leaves_nothing_behind(tmp_path):
    def broken():
        yield "a.png", b"1"
        raise OSError("unreadable")

    with pytest.raises(OSError, match="unreadable"):
        records.write_shard(str(tmp_path / "a.tfrecord"), broken())
    assert os.listdir(tmp_path) == []


def test_a_record_is_the_same_bytes_in_every_process():
    boxes = picture_boxes.make([[0, 0, 0.5, 0.5]], [0.5], [3])
    record = records.Record("a.png", b"123", 1, "cat", boxes)
    example = tf.train.Example.FromString(records.serialize(record))
    assert records.serialize(record) == example.SerializeToString(
        deterministic=True
    )
