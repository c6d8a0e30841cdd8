"""Keras's own training, a block of steps at a time, without the work between the steps.

With a small network most of an epoch goes by between the steps: ``tf.data`` cuts a batch, Python
calls a function, callbacks look at it. Here ``model.fit`` is handed row numbers instead of images,
and one of its "batches" is a block of up to fifty real ones. `BlockModel.train_step` cuts
the block into the real batches and takes Keras's own training step with each, in one TensorFlow
function that gathers the images from a constant, as ``uint8``; the network's first layer
standardises them. Compiled by XLA, the whole block is one program; `lrlab.training.compile_mode` says when
that is worth it. Network, optimizer, loss, metrics, callbacks and ``fit`` are Keras's.

Why the numbers are those of a plain ``model.fit`` with the same seed, network and data:

- *The same order.* It is Keras's own permutation of all rows, see `lrlab.training.input_pipeline`. Keras cuts
  it from the front, so pieces of 1,600 that are cut into pieces of 32 are the batches that pieces
  of 32 are. The epoch's last, smaller batch is what the last block leaves.
- *The same step.* It is ``keras.Model.train_step``. Under XLA it rounds as it does in Keras under
  ``compile(jit_compile=True)``, and otherwise as without.

Where a run starts, and its learning rates, are the business of `lrlab.training.compiled_programs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
"""Images at a time in validation and test; it changes the speed alone."""


@dataclass(frozen=True, eq=False)
class DeviceImages:
    """All images of a source on the device, and their labels: uint8, ``(n, 28, 28)``, ``(n,)``."""

    images: tf.Tensor
    labels: tf.Tensor


class BlockModel(InstrumentedModel):
    """A network that trains on row numbers, a block of batches at a time.

    Its training logs hold, besides Keras's, `BATCH_LOSS` and `LEARNING_RATE` of each step in the
    block, shape ``(steps,)``, and for the block's last step alone, because it costs too much at
    every step, two numbers: `GRADIENT_NORM`, the Euclidean norm of all gradients of the loss
    together, unclipped, and `UPDATE_RATIO`, that of the update of all weights together over that
    of the weights before it.

    Args:
        layers: see `keras.Sequential`.
        pictures: what the row numbers stand for.
        batch_size: images in a step.
        block: steps in a block, see `lrlab.training.compile_mode.block_steps`.
        way: how the steps are compiled.
    """

    def __init__(
        self,
        layers: list[Any],
        pictures: DeviceImages,
        batch_size: int,
        block: int,
        way: CompileMode,
    ) -> None:
        super().__init__(layers)
        self._pictures = pictures
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
            jit_compile=way.jit_compile,
        )
        self._test = tf.function(
            self._test_batch,
            input_signature=(tf.TensorSpec((None,), tf.int32),),
            autograph=False,
            jit_compile=way.jit_compile,
        )

    @property
    def block_rows(self) -> int:
        """The rows in a block: the ``batch_size`` to call ``fit`` with."""
        return self._block * self._batch_size

    def is_ready_for(self, train_size: int) -> bool:
        """Whether `prepare` has nothing to do."""
        return self._shape(train_size) in self._prepared

    def prepare(self, train_size: int, validation_size: int) -> None:
        """Compiles what a training needs, by training and testing as much as its last blocks hold.

        Args:
            train_size, validation_size: how many rows it trains and validates on.
        """
        train = np.zeros(train_size % self.block_rows or self.block_rows, np.int32)
        validation = np.zeros(validation_size % TEST_ROWS or TEST_ROWS, np.int32)
        self.fit(
            batched(train, self.block_rows),
            validation_data=batched(validation, TEST_ROWS),
            shuffle=False,
            verbose=0,
        )
        self._prepared.add(self._shape(train_size))

    def train_step(self, data: tf.Tensor) -> dict[str, Any]:
        """Trains the batches of a block: rows ``data``, int32, shape ``(n,)``."""
        whole = tf.size(data) // self._batch_size
        cut = whole * self._batch_size
        smaller = tf.size(data) > cut
        # The program is made for a full block; it trains the batches it is told to.
        padded = tf.pad(data[:cut], [[0, self.block_rows - cut]])
        batches = tf.reshape(padded, (self._block, self._batch_size))
        # The block's last step is taken apart, to hold the weights against those before it.
        apart = tf.where(smaller, whole, whole - 1)
        seen, _ = self._steps(batches, 0, apart)
        before = [tf.identity(variable.value) for variable in self.trainable_variables]
        last, gradient_norm = tf.cond(
            smaller,
            lambda: self._steps(data[None, cut:], 0, 1),
            lambda: self._steps(batches, apart, whole),
        )
        place = tf.where(smaller, 0, apart)
        after = [variable.value for variable in self.trainable_variables]
        moved = [new - old for new, old in zip(after, before, strict=True)]
        return {
            **self.get_metrics_result(),
            **{
                name: tf.concat([seen[name][:apart], values[place, None]], 0)
                for name, values in last.items()
            },
            GRADIENT_NORM: gradient_norm,
            UPDATE_RATIO: tf.linalg.global_norm(moved) / tf.linalg.global_norm(before),
        }

    def test_step(self, data: tf.Tensor) -> dict[str, Any]:
        """Keras's test step on the images of some rows."""
        return self._test(data)

    def _shape(self, train_size: int) -> tuple[int, bool]:
        """What decides the program, besides the batch size: the size of the last batch, and
        whether all blocks have one size, which ``tf.data`` tells TensorFlow."""
        return train_size % self._batch_size, train_size % self.block_rows == 0

    def _look_up(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pictures = self._pictures
        return tf.gather(pictures.images, rows), tf.gather(pictures.labels, rows)

    def _test_batch(self, rows: tf.Tensor) -> dict[str, Any]:
        return super().test_step(self._look_up(rows))

    def _train_batches(
        self, batches: tf.Tensor, first: tf.Tensor, end: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Trains batches ``first``, ..., ``end - 1`` of ``batches``.

        Args:
            batches: row numbers, shape ``(most, size)``.
            first, end: none is trained where they are equal.

        Returns:
            What was seen at each of the steps, shape ``(most,)`` each; the norm of all gradients
            at the last of them.
        """
        step_on = super().train_step

        def train_one(step: tf.Tensor, state: Any) -> Any:
            seen, norm = state
            logs = step_on(self._look_up(batches[step]))
            gradients = self.take_gradients()
            seen = {
                name: keras.ops.slice_update(values, (step,), logs[name][None])
                for name, values in seen.items()
            }
            # At every step this would take a fifth of the time.
            is_last = tf.equal(step, end - 1)
            return seen, tf.cond(is_last, lambda: tf.linalg.global_norm(gradients), lambda: norm)

        nothing = tf.zeros(tf.shape(batches)[0])
        seen = {BATCH_LOSS: nothing, LEARNING_RATE: nothing}
        return keras.ops.fori_loop(first, end, train_one, (seen, tf.constant(0.0)))
