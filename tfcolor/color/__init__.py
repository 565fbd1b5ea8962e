"""Color arithmetic as pure functions; no layers, no models.

In keras.ops, for every backend of Keras; `array_lab` is in NumPy. `gamut` is
the one module that needs TensorFlow: its search has as many places as colors
lie outside.

Contract of every function here: float32 tensors with the color channels on
the last axis and any leading axes; works eagerly, in `tf.function` and in
`Dataset.map`; gradients are finite everywhere, black and white included.
CIELAB means D65, 2 degree observer: `L` 0..100, `ab` inside sRGB
-86.2..98.2 and -107.9..94.5. Nothing is clipped unless the function says so.
"""

from tfcolor import submodules as _submodules

__getattr__, __dir__ = _submodules.on_first_use(__name__)
