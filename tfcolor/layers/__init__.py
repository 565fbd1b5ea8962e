"""Keras layers, where a function will not do."""
