import numpy as np
import tensorflow as tf

from tfcolor.training import validation_pictures

LOGITS = tf.constant(
    [[9.0, 1, 2, 3, 4], [1, 9, 2, 3, 4], [5, 4, 3, 2, 1], [5, 4, 3, 2, 1]]
)
TARGETS = {"label": tf.constant([0, 4, 2, 3], tf.int64)}


def test_the_confusion_picture_adds_up_batches():
    picture = validation_pictures.ConfusionPicture()
    for rows in (slice(0, 3), slice(3, 4)):
        targets = {"label": TARGETS["label"][rows]}
        picture.add({}, targets, {"logits": LOGITS[rows]})
    (drawn,) = picture.pictures().values()
    assert drawn.dtype == tf.uint8 and drawn.shape == (1, 120, 120, 3)
    cells = drawn[0, 12::24, 12::24].numpy().astype(int)
    white = (cells == 255).all(axis=-1)
    assert sorted(zip(*np.nonzero(~white), strict=True)) == [
        *((0, 0), (2, 0), (3, 0), (4, 1)),
    ]
    # Right is blue, wrong is red.
    assert cells[0, 0, 2] > cells[0, 0, 0] and cells[4, 1, 0] > cells[4, 1, 2]
