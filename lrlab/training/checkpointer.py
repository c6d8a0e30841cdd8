"""A run that was cut off goes on where an epoch ended, and does what it would have done.

What decides the rest of a training at an epoch's end is: every variable of the network and the
optimizer (the count of steps and the learning rate are among the latter), what the callback of a
reactive schedule remembers, and the order of the images. The order needs no state. Keras makes
its pipeline anew for each epoch, and once ``keras.utils.set_random_seed`` was called each of these
pipelines draws the seed's first permutation: a seeded Keras goes through the images in one order,
epoch after epoch.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from lrlab.training.checkpoint_files import Checkpoint, CheckpointFiles

REMEMBERED = ("best", "wait", "cooldown_counter")
"""What `keras.callbacks.ReduceLROnPlateau` keeps from epoch to epoch, besides the rate."""

MOST_SHARE = 0.03
"""The share of the time that writing checkpoints may take."""

logger = logging.getLogger("lrlab.training")


class Checkpointer(keras.callbacks.Callback):
    """Writes a checkpoint as an epoch ends, after the run's other callbacks have had their turn.

    Where epochs are so short that this would take more than `MOST_SHARE` of the time, some epochs
    pass without; `write_waiting` catches up. A checkpoint that cannot be written costs the run
    nothing but the chance to go on from there: it is logged.

    Args:
        files: where to; None writes nothing.
        variables: every variable that the run changes.
        callbacks: those of the recipe, which come before this one.
        start: what the run goes on from.
    """

    def __init__(
        self,
        files: CheckpointFiles | None,
        variables: Sequence[keras.Variable],
        callbacks: Sequence[keras.callbacks.Callback],
        start: Checkpoint | None,
    ) -> None:
        super().__init__()
        self._files = files
        self._variables = variables
        self._callbacks = callbacks
        self._start = start
        self._waiting: Checkpoint | None = None
        self._next_write = 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Gives the recipe's callback back what it remembered; its own start made it forget."""
        if self._start is not None:
            for callback in self._callbacks:
                for name, value in self._start.callback.items():
                    setattr(callback, name, value)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Takes the state down, and writes it if it is time to."""
        if self._files is None:
            return
        remembered = {
            name: getattr(callback, name) for callback in self._callbacks for name in REMEMBERED
        }
        # Copies: TensorFlow would hand out its own memory, which the next step overwrites.
        variables = tuple(np.array(variable.value) for variable in self._variables)
        self._waiting = Checkpoint(epoch + 1, variables, remembered)
        if time.monotonic() >= self._next_write:
            self.write_waiting()

    def write_waiting(self) -> None:
        """Writes the latest checkpoint that was put off, if there is one."""
        if self._files is None or self._waiting is None:
            return
        began = time.monotonic()
        try:
            self._files.write(self._waiting)
        except OSError as error:
            logger.warning("no checkpoint of run %d: %s", self._files.run_id, error)
        self._waiting = None
        ended = time.monotonic()
        self._next_write = ended + (ended - began) / MOST_SHARE
