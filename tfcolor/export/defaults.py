"""Defaults of an export; imports no TensorFlow."""

# Of all pictures of a request together: bounds what a request of few bytes
# can make a server allocate.
MAX_PIXELS = 2**26
# Of a request: each goes through the network at its full size, however few
# pixels it has. Eight times what a server joins in the files of `deploy`.
MAX_PICTURES = 64
# Of a picture; COCO detectors return at most 100.
MAX_BOXES = 100
FORMATS = ("saved_model", "litert", "onnx")
# The signature that TensorFlow Serving takes when a request names none.
DEFAULT_SIGNATURE = "serving_default"
