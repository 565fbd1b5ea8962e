"""Checking an export as a server would load it, against Python."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from tfcolor.export import without_keras
from tfcolor.export.served import Case

# Of a process that loads a model twice and answers some 20 requests by each.
_TIMEOUT_SECONDS = 1800


class VerificationError(Exception):
    """An export does not do what Python does.

    Args:
        problems: list of str, one for each difference.

    Attributes:
        problems: list of str.
    """

    def __init__(self, problems: list[str]):
        super().__init__("; ".join(problems))
        self.problems = problems


def verify(path: str, cases: Sequence[Case]) -> None:
    """Compares an export with Python's answers, in a process of its own.

    That process can import neither tfcolor nor Keras. It loads the model by
    `tf.saved_model.load` and by `tf.compat.v1.saved_model.load`, as TensorFlow
    Serving does. Bytes and integers must be equal, channels of 16-bit PNG files
    within 2 of 65535.

    Args:
        path: str, of the SavedModel.
        cases: Cases.

    Raises:
        VerificationError: an answer differs, or the process failed or took
            too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        questions = os.path.join(folder, "cases")
        answers = os.path.join(folder, "answers")
        with open(questions, "wb") as file:
            # Plain tuples: the process knows none of our classes.
            pickle.dump(
                [
                    (c.name, c.request.signature, c.request.inputs, c.expected)
                    for c in cases
                ],
                file,
            )
        # -I: neither the current folder nor PYTHONPATH is searched.
        command = [sys.executable, "-I", without_keras.__file__]
        try:
            process = subprocess.run(
                [*command, os.path.abspath(path), questions, answers],
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise VerificationError(
                [f"The check did not end within {_TIMEOUT_SECONDS} s"]
            ) from error
        if process.returncode or not os.path.exists(answers):
            lines = process.stderr.strip().splitlines() or ["no message"]
            raise VerificationError([f"The check failed: {lines[-1]}"])
        with open(answers) as file:
            problems = json.load(file)
    if problems:
        raise VerificationError(problems)
