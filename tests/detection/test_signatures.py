import pytest
import tensorflow as tf

from tests.detection import tiny_detectors
from tfcolor.detection import signatures


def _recognize(path):
    loaded, signature = signatures.load_signature(str(path))
    assert loaded is not None
    return signatures.recognize(signature)


def test_a_model_garden_detector_is_recognized(tmp_path):
    tiny_detectors.model_garden(tmp_path / "one")
    convention = _recognize(tmp_path / "one")
    assert convention == signatures.Convention(
        signatures.MODEL_GARDEN, "inputs", 1, False
    )
    tiny_detectors.model_garden(tmp_path / "b", batch_size=None, encoded=True)
    convention = _recognize(tmp_path / "b")
    assert convention == signatures.Convention(
        signatures.MODEL_GARDEN, "inputs", None, True
    )


def test_an_object_detection_api_detector_is_recognized(tmp_path):
    # Its downloads have the SavedModel in this sub-folder.
    tiny_detectors.object_detection_api(tmp_path / "saved_model")
    convention = _recognize(tmp_path)
    assert convention == signatures.Convention(
        signatures.OBJECT_DETECTION_API, "input_tensor", 1, False
    )


def _module(change=None, spec=None):
    """Saves a detector with other outputs or another input."""
    spec = spec or tf.TensorSpec([1, None, None, 3], tf.uint8, "inputs")

    def serve(inputs):
        outputs = {
            "detection_boxes": tf.zeros([1, 5, 4]),
            "detection_scores": tf.zeros([1, 5]),
            "detection_classes": tf.zeros([1, 5]),
            "num_detections": tf.zeros([1]),
        }
        (change or dict.pop)(outputs, "num_detections")
        return outputs

    return serve, spec


@pytest.mark.parametrize(
    ("change", "spec", "said"),
    [
        (None, None, "detection_boxes: float32 (1, 5, 4)"),
        (
            lambda outputs, _: outputs.update(
                detection_classes=tf.zeros([1, 5], tf.int32)
            ),
            None,
            "detection_classes: int32 (1, 5)",
        ),
        (
            lambda outputs, _: None,
            tf.TensorSpec([1, None, None, 3], tf.float32, "inputs"),
            "inputs: float32 (1, None, None, 3)",
        ),
        (
            lambda outputs, _: None,
            tf.TensorSpec([1, 64, 64, 3], tf.uint8, "inputs"),
            "inputs: uint8 (1, 64, 64, 3)",
        ),
    ],
)
def test_another_signature_is_refused_and_described(
    tmp_path, change, spec, said
):
    serve, spec = _module(change, spec)
    tiny_detectors.save(tf.Module(), serve, spec, tmp_path / "model")
    with pytest.raises(ValueError, match="Object Detection API") as error:
        _recognize(tmp_path / "model")
    assert said in str(error.value)


def test_a_model_without_signature_is_refused(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "model"))
    with pytest.raises(ValueError, match="serving_default"):
        signatures.load_signature(str(tmp_path / "model"))


def test_a_damaged_model_is_refused(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(ValueError, match="cannot be loaded"):
        signatures.load_signature(str(tmp_path))


def test_what_is_no_model_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        assert signatures.find_saved_model(str(path)) is None
        with pytest.raises(FileNotFoundError, match="SavedModel"):
            signatures.load_signature(str(path))


def test_loading_says_nothing_of_gradients_that_were_not_saved(
    tmp_path, caplog
):
    @tf.custom_gradient
    def unchanged(x):
        return x, lambda upstream: upstream

    class Detector(tf.Module):
        @tf.function(
            input_signature=[tf.TensorSpec([1, None, None, 3], tf.float32)]
        )
        def serve(self, inputs):
            return {"detection_boxes": unchanged(inputs)}

    detector = Detector()
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(
        detector, str(tmp_path), signatures=detector.serve, options=options
    )
    tf.saved_model.load(str(tmp_path))
    assert "custom gradients" in caplog.text
    caplog.clear()
    signatures.load_signature(str(tmp_path))
    assert caplog.text == ""
