"""The part of a data set that falls to one worker of a training job.

Of W workers, worker w gets examples w, w + W, w + 2 W, ... of an epoch, before
anything is decoded. W batches of the size of B / W, one of each worker, are
then the batch of B examples that a single worker would have made, as long as
no picture is dropped on the way.
"""

import tensorflow as tf


def share(
    dataset: tf.data.Dataset, context: tf.distribute.InputContext | None
) -> tf.data.Dataset:
    """Returns a worker's part of a data set.

    Args:
        dataset: Dataset of single examples.
        context: tf.distribute.InputContext; None is a worker alone.

    Returns:
        Dataset.
    """
    if _is_alone(context):
        return dataset
    return dataset.shard(context.num_input_pipelines, context.input_pipeline_id)


def numbered(
    dataset: tf.data.Dataset, context: tf.distribute.InputContext | None
) -> tf.data.Dataset:
    """Numbers the examples of a part as they are numbered in the whole.

    Args:
        dataset: Dataset, of `share`.
        context: as for `share`.

    Returns:
        Dataset of (int64 tensor [], example).
    """
    dataset = dataset.enumerate()
    if _is_alone(context):
        return dataset
    step, first = context.num_input_pipelines, context.input_pipeline_id
    return dataset.map(lambda i, example: (i * step + first, example))


def batch_size(size: int, context: tf.distribute.InputContext | None) -> int:
    """Returns the worker's part of a global batch.

    Args:
        size: int, of the global batch.
        context: as for `share`.

    Returns:
        int.

    Raises:
        ValueError: the batch cannot be divided evenly.
    """
    if _is_alone(context):
        return size
    workers = context.num_input_pipelines
    if size % workers:
        raise ValueError(
            "`batch_size` must be a multiple of the number of workers. "
            f"Received: batch_size={size}, {workers} workers"
        )
    return size // workers


def _is_alone(context) -> bool:
    return context is None or context.num_input_pipelines == 1
