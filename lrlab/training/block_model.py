"""Keras training, one block of steps at a time, without the overhead between steps.

With a small network, most of an epoch is spent between the steps: ``tf.data`` cuts a batch, Python
calls a function, callbacks run. Here ``model.fit`` gets row numbers instead of images, and each of
its "batches" is a block of up to fifty real ones. `BlockModel.train_step` cuts the block into the
real batches and runs Keras's own training step on each, in one TensorFlow function that gathers
the images from a ``uint8`` constant; the network's first layer standardises them. Compiled by XLA,
the whole block is one program; `lrlab.training.compile_mode` says when that is faster. The network,
optimizer, loss, metrics, callbacks and ``fit`` are Keras's.

The numbers equal those of a plain ``model.fit`` with the same seed, network and data:

- *Same order.* The rows are in Keras's own permutation, see `lrlab.training.input_pipeline`. Keras
  cuts it from the front, so cutting it into pieces of 1,600 and those into pieces of 32 gives the
  same batches as cutting it into pieces of 32. The epoch's smaller last batch is the remainder of
  the last block.
- *Same step.* It is ``keras.Model.train_step``. With XLA it rounds as Keras does with
  ``compile(jit_compile=True)``, and without XLA as Keras does with ``jit_compile=False``.

`lrlab.training.compiled_programs` sets the initial weights and the learning rates.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from lrlab.training.compile_mode import CompileMode
from lrlab.training.input_pipeline import batched
from lrlab.training.network_model import (
    BATCH_LOSS,
    GRADIENT_NORM,
    LEARNING_RATE,
    UPDATE_RATIO,
    InstrumentedModel,
)

TEST_ROWS = 1_000
"""Batch size in validation and test. It affects the speed only."""


@dataclass(frozen=True, eq=False)
class DeviceImages:
    """All images of a source and their labels on the device: uint8, ``(n, 28, 28)``, ``(n,)``."""

    images: tf.Tensor
    labels: tf.Tensor


class BlockModel(InstrumentedModel):
    """A network that trains on row numbers, one block of batches at a time.

    Its training logs hold, besides Keras's entries, `BATCH_LOSS` and `LEARNING_RATE` of each step
    in the block, shape ``(steps,)``. Two numbers are measured only at the block's last step,
    because they are too expensive at every step: `GRADIENT_NORM`, the Euclidean norm of the loss's
    gradient over all weights, before clipping; and `UPDATE_RATIO`, the norm of the update of all
    weights divided by the norm of the weights before it.

    Args:
        layers: see `keras.Sequential`.
        device_images: the images that the row numbers index.
        batch_size: images per step.
        block: steps per block, see `lrlab.training.compile_mode.block_steps`.
        compile_mode: how the steps are compiled.
    """

    def __init__(
        self,
        layers: list[keras.layers.Layer],
        device_images: DeviceImages,
        batch_size: int,
        block: int,
        compile_mode: CompileMode,
    ) -> None:
        super().__init__(layers)
        self._device_images = device_images
        self._batch_size = batch_size
        self._block = block
        self._prepared: set[tuple[int, bool]] = set()
        self._steps = tf.function(
            self._train_batches,
            input_signature=(
                tf.TensorSpec((None, None), tf.int32),
                *2 * [tf.TensorSpec((), tf.int32)],
            ),
            autograph=False,
            jit_compile=compile_mode.jit_compile,
        )
        self._test = tf.function(
            self._test_batch,
            input_signature=(tf.TensorSpec((None,), tf.int32),),
            autograph=False,
            jit_compile=compile_mode.jit_compile,
        )

    @property
    def block_rows(self) -> int:
        """The number of rows in a block: the ``batch_size`` to pass to ``fit``."""
        return self._block * self._batch_size

    def is_ready_for(self, train_size: int) -> bool:
        """Whether the program for this training set size is already compiled."""
        return self._program_key(train_size) in self._prepared

    def prepare(self, train_size: int, validation_size: int) -> None:
        """Compiles the program by training and testing once on blocks of the sizes that occur last.

        Args:
            train_size, validation_size: numbers of training and validation rows.
        """
        train = np.zeros(train_size % self.block_rows or self.block_rows, np.int32)
        validation = np.zeros(validation_size % TEST_ROWS or TEST_ROWS, np.int32)
        self.fit(
            batched(train, self.block_rows),
            validation_data=batched(validation, TEST_ROWS),
            shuffle=False,
            verbose=0,
        )
        self._prepared.add(self._program_key(train_size))

    def train_step(self, data: tf.Tensor) -> dict[str, tf.Tensor]:
        """Trains on the batches of a block: rows ``data``, int32, shape ``(n,)``."""
        full_batches = tf.size(data) // self._batch_size
        full_rows = full_batches * self._batch_size
        has_remainder = tf.size(data) > full_rows
        # The program is compiled for a full block; the bounds limit which batches it trains on.
        padded = tf.pad(data[:full_rows], [[0, self.block_rows - full_rows]])
        batches = tf.reshape(padded, (self._block, self._batch_size))
        # The block's last step runs separately, to compare the weights before and after it.
        last_step = tf.where(has_remainder, full_batches, full_batches - 1)
        logs, _ = self._steps(batches, 0, last_step)
        weights_before = [tf.identity(variable.value) for variable in self.trainable_variables]
        last_logs, gradient_norm = tf.cond(
            has_remainder,
            lambda: self._steps(data[None, full_rows:], 0, 1),
            lambda: self._steps(batches, last_step, full_batches),
        )
        last_index = tf.where(has_remainder, 0, last_step)
        weights = [variable.value for variable in self.trainable_variables]
        changes = [new - old for new, old in zip(weights, weights_before, strict=True)]
        return {
            **self.get_metrics_result(),
            **{
                name: tf.concat([logs[name][:last_step], values[last_index, None]], 0)
                for name, values in last_logs.items()
            },
            GRADIENT_NORM: gradient_norm,
            UPDATE_RATIO: tf.linalg.global_norm(changes) / tf.linalg.global_norm(weights_before),
        }

    def test_step(self, data: tf.Tensor) -> dict[str, tf.Tensor]:
        """Keras's test step on the images of rows ``data``, int32, shape ``(n,)``."""
        return self._test(data)

    def _program_key(self, train_size: int) -> tuple[int, bool]:
        """What the compiled program depends on besides the batch size: the size of the last batch,
        and whether all blocks have the same size (``tf.data`` makes the shape static if so)."""
        return train_size % self._batch_size, train_size % self.block_rows == 0

    def _look_up(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        device_images = self._device_images
        return tf.gather(device_images.images, rows), tf.gather(device_images.labels, rows)

    def _test_batch(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        return super().test_step(self._look_up(rows))

    def _train_batches(
        self, batches: tf.Tensor, first: tf.Tensor, end: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Trains on batches ``first``, ..., ``end - 1`` of ``batches``.

        Args:
            batches: row numbers, shape ``(max_steps, batch_size)``.
            first, end: no step is taken if they are equal.

        Returns:
            `BATCH_LOSS` and `LEARNING_RATE` of each step, shape ``(max_steps,)`` each; the norm of
            all gradients at the last step.
        """
        keras_train_step = super().train_step

        def train_one(
            step: tf.Tensor, state: tuple[dict[str, tf.Tensor], tf.Tensor]
        ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
            step_logs, norm = state
            logs = keras_train_step(self._look_up(batches[step]))
            gradients = self.take_gradients()
            step_logs = {
                name: keras.ops.slice_update(values, (step,), logs[name][None])
                for name, values in step_logs.items()
            }
            # Computing the norm at every step would take a fifth of the time.
            is_last = tf.equal(step, end - 1)
            return step_logs, tf.cond(
                is_last, lambda: tf.linalg.global_norm(gradients), lambda: norm
            )

        zeros = tf.zeros(tf.shape(batches)[0])
        step_logs = {BATCH_LOSS: zeros, LEARNING_RATE: zeros}
        return keras.ops.fori_loop(first, end, train_one, (step_logs, tf.constant(0.0)))
