"""SavedModels with the signatures of real detectors and a known answer.

They find the box around what is brighter than `BRIGHT` and return

- that box, class 18, score .9;
- the same box, grown to twice the picture's height and width, class 1, .8;
- the whole picture, class 3, score .6;

and past these, where `num_detections` says there is nothing, a box of score 1.
"""

import tensorflow as tf

BRIGHT = 200
_ROWS = 100


def _bright_boxes(pictures):
    """float32 [B, 4] yxyx pixels; [B] whether there is anything bright."""
    bright = tf.reduce_min(pictures, axis=-1) > BRIGHT
    corners = []
    for axis in (2, 1):
        line = tf.cast(tf.reduce_any(bright, axis=axis), tf.int32)
        first = tf.argmax(line, axis=1)
        last = tf.shape(line, tf.int64)[1] - tf.argmax(line[:, ::-1], axis=1)
        corners.append((first, last))
    (top, bottom), (left, right) = corners
    boxes = tf.stack([top, left, bottom, right], axis=-1)
    return tf.cast(boxes, tf.float32), tf.reduce_any(bright, axis=[1, 2])


def _detections(pictures):
    boxes, found = _bright_boxes(pictures)
    shape = tf.cast(tf.shape(pictures), tf.float32)
    whole = tf.zeros_like(boxes) + tf.stack([0, 0, shape[1], shape[2]])
    large = tf.concat([boxes[:, :2], 2 * whole[:, 2:]], axis=1)
    boxes = tf.stack([boxes, large, whole, whole], axis=1)
    batch = tf.shape(boxes)[0]
    return {
        "detection_boxes": tf.pad(boxes, [[0, 0], [0, _ROWS - 4], [0, 0]]),
        "detection_scores": tf.tile(
            [[0.9, 0.8, 0.6] + [1.0] * (_ROWS - 3)], [batch, 1]
        ),
        "detection_classes": tf.tile(
            [[18, 1, 3] + [0] * (_ROWS - 3)], [batch, 1]
        ),
        "num_detections": tf.where(found, 3, 0),
    }


class _ModelGarden(tf.Module):
    """Resizes to `size` (height, width) at most, keeping proportions."""

    def __init__(self, size):
        super().__init__()
        self._size = tf.constant(size, tf.float32)

    def serve(self, inputs):
        outputs = _detections(inputs)
        original = tf.cast(tf.shape(inputs)[1:3], tf.float32)
        scale = tf.reduce_min(self._size / original)
        # As official.vision does: the size rounded, then the scale from it.
        scale = tf.round(original * scale) / original
        boxes = outputs["detection_boxes"] * tf.tile(scale, [2])
        info = tf.stack([original, self._size, scale, tf.zeros([2])])
        batch = tf.shape(inputs)[0]
        info = tf.tile(info[None], [batch, 1, 1])
        return {**outputs, "detection_boxes": boxes, "image_info": info}

    def serve_encoded(self, inputs):
        decoded = tf.map_fn(
            lambda data: tf.io.decode_image(
                data, channels=3, expand_animations=False
            ),
            inputs,
            fn_output_signature=tf.TensorSpec([None, None, 3], tf.uint8),
        )
        return self.serve(decoded)


class _ObjectDetectionApi(tf.Module):
    def serve(self, input_tensor):
        outputs = _detections(input_tensor)
        size = tf.cast(tf.shape(input_tensor)[1:3], tf.float32)
        outputs["detection_boxes"] /= tf.tile(size, [2])
        for name in ("detection_classes", "num_detections"):
            outputs[name] = tf.cast(outputs[name], tf.float32)
        return outputs


def save(module, serve, spec, path) -> str:
    """Saves a module with one serving function; returns the folder."""
    function = tf.function(serve, input_signature=[spec], autograph=False)
    tf.saved_model.save(module, str(path), signatures=function)
    return str(path)


def model_garden(path, *, batch_size=1, size=(48, 64), encoded=False) -> str:
    """Saves a detector that follows official.vision.serving."""
    module = _ModelGarden(size)
    if encoded:
        spec = tf.TensorSpec([batch_size], tf.string, "inputs")
        return save(module, module.serve_encoded, spec, path)
    spec = tf.TensorSpec([batch_size, None, None, 3], tf.uint8, "inputs")
    return save(module, module.serve, spec, path)


def object_detection_api(path, *, batch_size=1) -> str:
    """Saves a detector that follows the Object Detection API."""
    module = _ObjectDetectionApi()
    spec = tf.TensorSpec([batch_size, None, None, 3], tf.uint8, "input_tensor")
    return save(module, module.serve, spec, path)
