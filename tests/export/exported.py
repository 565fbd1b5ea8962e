"""Exports of tiny models, made once for all tests."""

import atexit
import functools
import shutil
import tempfile

from tests.inference import models
from tests.inference.test_classifier import write_model
from tfcolor.export import export_model

IMAGE_SIZE = 16
# Enough for the pictures of the tests, too few for a huge one.
MAX_PIXELS = 2**20
CLASS_NAMES = ("cat", "dog", "boat")


@functools.cache
def model_file(make) -> str:
    """Writes a model of `tests.inference.models`; returns its path."""
    return models.save(make(), f"{_folder()}/{make.__name__}.keras", IMAGE_SIZE)


@functools.cache
def saved_model(make=models.lightness_model) -> str:
    """Exports such a model; returns the folder of its version."""
    path = f"{_folder()}/{make.__name__}/1"
    export_model.export_saved_model(
        model_file(make), path, max_pixels=MAX_PIXELS
    )
    return path


@functools.cache
def saved_classifier() -> str:
    """Exports a tiny classifier; returns the folder of its version."""
    source = f"{_folder()}/classifier.keras"
    write_model(source, class_names=CLASS_NAMES)
    path = f"{_folder()}/classifier/1"
    export_model.export_saved_model(source, path)
    return path


@functools.cache
def _folder() -> str:
    folder = tempfile.mkdtemp(prefix="tfcolor-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
