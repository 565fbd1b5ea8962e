"""Training steps on all replicas of a strategy.

A batch is the same batch however many replicas share it: losses are divided by
its size and added up, batch normalizations see all of it, gradients are added
before they are clipped.
"""

import keras
import tensorflow as tf

from tfcolor.training import strategy as strategy_lib


class Steps:
    """Runs steps.

    Args:
        model: keras.Model, built in the scope of `strategy`.
        optimizer: keras.optimizers.Optimizer, built in that scope.
        average: MovingAverage, updated after each step.
        task: Task.
        config: FitConfig.
        strategy: tf.distribute.Strategy.

    Raises:
        ValueError: a batch cannot be divided into parts of one size, or XLA is
            wanted where it cannot be.
    """

    def __init__(self, model, optimizer, average, task, config, strategy):
        self._model = model
        self._optimizer = optimizer
        self._average = average
        self._task = task
        self._config = config
        self._strategy = strategy
        self._replicas = strategy.num_replicas_in_sync
        self._check()
        if self._replicas > 1:
            strategy_lib.synchronize_batch_norm(model, True)
        self._gradients = self._gradients_of_part
        if config.jit_compile:
            self._gradients = tf.function(
                self._gradients_of_part, jit_compile=True
            )
        self._execute = tf.function(self._execution, reduce_retracing=True)

    def _check(self):
        batch_size, parts = self._task.batch_size, self._config.accumulate_steps
        if batch_size % (self._replicas * parts):
            raise ValueError(
                "`batch_size` must be a multiple of the number of replicas "
                "times `accumulate_steps`. Received: batch_size="
                f"{batch_size}, {self._replicas} replicas, "
                f"accumulate_steps={parts}"
            )
        has_gpu = bool(tf.config.list_logical_devices("GPU"))
        if self._config.jit_compile and self._replicas > 1 and not has_gpu:
            raise ValueError(
                "`jit_compile` on several replicas needs GPUs. "
                f"Received: {self._replicas} replicas on CPUs"
            )

    def distribute(self, make_data):
        """Returns an iterator over batches on all replicas.

        Args:
            make_data: function of a tf.distribute.InputContext to a Dataset of
                what `Task.finish` takes, a worker's part of every batch.

        Returns:
            Iterator, for `run`.
        """
        return iter(
            self._strategy.distribute_datasets_from_function(
                lambda context: _per_replica(make_data(context), context)
            )
        )

    def run(self, iterator, rates: list[float]) -> dict[str, tf.Tensor]:
        """Runs as many steps as there are learning rates.

        Args:
            iterator: of `distribute`.
            rates: list of float.

        Returns:
            dict of the names of losses to float32 [steps]; "loss" is their
            sum.

        Raises:
            tf.errors.OutOfRangeError: there are no more batches.
        """
        return self._execute(iterator, tf.constant(rates, tf.float32))

    def graph(self, iterator, rates: list[float]) -> tf.Graph:
        """Returns the graph that `run` runs for these arguments."""
        function = self._execute.get_concrete_function(
            iterator, tf.constant(rates, tf.float32)
        )
        return function.graph

    def _execution(self, iterator, rates):
        first = self._one_step(next(iterator), rates[0])
        if self._config.steps_per_execution == 1:
            return {name: value[None] for name, value in first.items()}
        count = tf.size(rates)
        arrays = {
            name: tf.TensorArray(tf.float32, count).write(0, value)
            for name, value in first.items()
        }

        def body(i, arrays):
            losses = self._one_step(next(iterator), rates[i])
            arrays = {k: a.write(i, losses[k]) for k, a in arrays.items()}
            return i + 1, arrays

        _, arrays = tf.while_loop(
            lambda i, _: i < count, body, (tf.constant(1), arrays)
        )
        return {name: array.stack() for name, array in arrays.items()}

    def _one_step(self, batch, rate):
        self._optimizer.learning_rate = rate
        losses = self._strategy.run(self._replica_step, (batch,))
        with tf.name_scope("moving_average"):
            self._average.update()
        return {
            name: self._strategy.reduce("SUM", value, axis=None)
            for name, value in losses.items()
        }

    def _replica_step(self, batch):
        gradients, losses = self._accumulated(self._task.finish(batch))
        if self._replicas > 1 and self._looks_at_gradients():
            # Keras adds gradients up after it has clipped and checked them.
            context = tf.distribute.get_replica_context()
            gradients = [
                gradient / self._replicas
                for gradient in context.all_reduce("SUM", gradients)
            ]
        self._optimizer.apply(gradients, self._model.trainable_variables)
        return losses

    def _looks_at_gradients(self) -> bool:
        optimizer = self._optimizer
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        return scaled or bool(optimizer.global_clipnorm)

    def _accumulated(self, batch):
        """Adds up gradients and losses over the parts of a replica's batch."""
        parts = self._config.accumulate_steps
        if parts == 1:
            return self._gradients(*batch)
        split = [tf.split(x, parts) for x in tf.nest.flatten(batch)]
        sums = None
        for flat in zip(*split, strict=True):
            part = tf.nest.pack_sequence_as(batch, flat)
            if sums is None:
                sums = self._gradients(*part)
                continue
            # One part after the other, or all would be in memory.
            with tf.control_dependencies(tf.nest.flatten(sums)):
                part = tf.nest.map_structure(tf.identity, part)
            sums = tf.nest.map_structure(tf.add, sums, self._gradients(*part))
        return sums

    def _gradients_of_part(self, inputs, targets):
        model = self._model
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
            with tf.name_scope("losses"):
                losses = self._share(self._task.losses(targets, outputs))
                total = tf.add_n(list(losses.values()))
            scaled = self._optimizer.scale_loss(total)
        gradients = tape.gradient(
            scaled,
            [v.value for v in model.trainable_variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        measured = {}
        if self._task.train_metrics is not None:
            measured = self._share(self._task.train_metrics(targets, outputs))
        return gradients, losses | {"loss": total} | measured

    def _share(self, values):
        """Divides by the GLOBAL batch: replicas' results are added."""
        return {
            name: tf.reduce_sum(value) / self._task.batch_size
            for name, value in values.items()
        }


def _per_replica(dataset: tf.data.Dataset, context) -> tf.data.Dataset:
    """Divides a worker's batches into those of its replicas."""
    replicas = context.num_replicas_in_sync // context.num_input_pipelines
    if replicas == 1:
        return dataset

    def divided(*batch):
        parts = tf.nest.map_structure(
            lambda x: tf.stack(tf.split(x, replicas)), batch
        )
        # A data set of tuples gives their parts one by one.
        return parts if len(parts) > 1 else parts[0]

    return dataset.map(divided).unbatch()
