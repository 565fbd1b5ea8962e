"""Runs an exported model where neither tfcolor nor Keras can be imported.

A program of its own, started by `verification`:

    python -I without_keras.py MODEL CASES ANSWERS

Imports nothing of tfcolor for that reason.
"""

import json
import os
import pickle
import sys

# Of float outputs; the other ones must be equal.
_TOLERANCE = 1e-3
# Of 65535: what loaders round differently is seen in 16 bits.
_DEEP_TOLERANCE = 2
_BLOCKED = ("tfcolor", "keras", "tf_keras")


class _HidingFinder:
    """Finds modules as if some packages were not installed."""

    def __init__(self, finders):
        self.finders = finders

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in _BLOCKED:
            return None
        found = (f.find_spec(name, path, target) for f in self.finders)
        return next((spec for spec in found if spec is not None), None)

    def find_distributions(self, *args, **kwargs):
        for finder in self.finders:
            find = getattr(finder, "find_distributions", None)
            yield from find(*args, **kwargs) if find else ()


def load_with_session(path: str):
    """Loads a SavedModel as TensorFlow Serving does.

    Args:
        path: str.

    Returns:
        Function of a signature's name and a dict of arrays to a dict of
        arrays.
    """
    import tensorflow as tf

    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], path)
    signatures = meta_graph.signature_def

    def call(name, inputs):
        signature = signatures[name]
        feeds = {signature.inputs[k].name: v for k, v in inputs.items()}
        fetches = {k: v.name for k, v in signature.outputs.items()}
        return session.run(fetches, feeds)

    return call


def load_with_functions(path: str):
    """Loads a SavedModel by `tf.saved_model.load`; see `load_with_session`."""
    import tensorflow as tf

    loaded = tf.saved_model.load(path)

    def call(name, inputs):
        outputs = loaded.signatures[name](
            **{k: tf.constant(v) for k, v in inputs.items()}
        )
        return {k: v.numpy() for k, v in outputs.items()}

    return call


def find_problem(call, signature: str, inputs: dict, expected) -> str | None:
    """Compares what a model answers with what it should.

    Args:
        call: function of `load_with_session` or `load_with_functions`.
        signature: str.
        inputs: dict of arrays.
        expected: dict of arrays, or str: a part of an error's message.

    Returns:
        str, or None if all is well.
    """
    import tensorflow as tf

    try:
        outputs = call(signature, inputs)
    except tf.errors.InvalidArgumentError as error:
        if isinstance(expected, str) and expected in str(error):
            return None
        return f"unexpected error: {' '.join(str(error).split())}"
    if isinstance(expected, str):
        return f"no error with {expected!r}"
    if outputs.keys() != expected.keys():
        return f"outputs {sorted(outputs)} instead of {sorted(expected)}"
    for name, right in expected.items():
        difference = _difference(outputs[name], right)
        if difference:
            return f"{name}: {difference}"
    return None


def _difference(found, right) -> str | None:
    import numpy as np

    found = np.asarray(found)
    if found.shape != right.shape:
        return f"shape {found.shape} instead of {right.shape}"
    if found.dtype.kind == "f":
        largest = np.abs(found - right).max(initial=0)
        return None if largest <= _TOLERANCE else f"differs by {largest:.2g}"
    different = int((found != right).sum())
    if different and right.dtype.kind == "O":
        pairs = zip(found.ravel(), right.ravel(), strict=True)
        different = sum(not _is_equal(one, other) for one, other in pairs)
    return f"{different} of {found.size} differ" if different else None


def _is_equal(found, right) -> bool:
    """Whether two values are equal, or PNG files of 16 bits nearly so."""
    if found == right:
        return True
    deep = isinstance(right, bytes) and right[:4] == b"\x89PNG"
    # In its header: the bits of a channel.
    if not deep or found[:25] != right[:25] or right[24] != 16:
        return False
    import numpy as np
    import tensorflow as tf

    pictures = (
        tf.io.decode_png(data, dtype=tf.uint16).numpy().astype(np.int32)
        for data in (found, right)
    )
    return np.abs(np.subtract(*pictures)).max() <= _DEEP_TOLERANCE


def main(path: str, questions: str, answers: str) -> None:
    """Writes the problems of all cases, by both loaders, as JSON.

    Args:
        path: str, of the SavedModel.
        questions: str, of a pickle of (name, signature, inputs, expected).
        answers: str, of the JSON to write.
    """
    sys.meta_path[:] = [_HidingFinder(list(sys.meta_path))]
    with open(questions, "rb") as file:
        cases = pickle.load(file)
    problems = []
    for load in (load_with_session, load_with_functions):
        call = load(path)
        for name, *case in cases:
            problem = find_problem(call, *case)
            if problem:
                problems.append(f"{load.__name__}, {name}: {problem}")
    loaded = sorted({m.partition(".")[0] for m in sys.modules} & set(_BLOCKED))
    if loaded:
        problems.append(f"{', '.join(loaded)} was imported")
    with open(answers, "w") as file:
        json.dump(problems, file)


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    main(*sys.argv[1:])
