"""Models for servers and devices: SavedModel, TensorFlow Serving, LiteRT."""
