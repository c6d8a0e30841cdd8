"""A Keras callback that writes checkpoints: a resumed run gives the numbers of an unbroken one.

At the end of an epoch, the rest of a run is determined by every variable of the network and
the optimizer (which include the step count and the learning rate), the state of a reactive
schedule's callback, and the order of the images. The order needs no stored state: Keras builds a
new input pipeline for each epoch, and after ``keras.utils.set_random_seed`` each pipeline draws the
seed's first permutation, so a seeded Keras uses the same order in every epoch.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from lrlab.training.checkpoint_files import Checkpoint, CheckpointFiles

PLATEAU_STATE = ("best", "wait", "cooldown_counter")
"""What `keras.callbacks.ReduceLROnPlateau` carries from epoch to epoch, besides the learning
rate."""

MAX_WRITE_SHARE = 0.03
"""The largest share of the training time to spend on writing checkpoints."""

logger = logging.getLogger("lrlab.training")


class Checkpointer(keras.callbacks.Callback):
    """Writes a checkpoint at the end of an epoch, after the run's other callbacks.

    If epochs are so short that this would take more than `MAX_WRITE_SHARE` of the time, it skips
    some epochs; the trainer calls `write_pending` to write the last of them. A failed write is
    logged and the run goes on, but it cannot be resumed from that epoch.

    Args:
        files: where to write; None disables writing.
        variables: every variable that the run changes.
        callbacks: the recipe's callbacks, which run before this one.
        start: the checkpoint the run resumes from, if any.
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
        self._pending: Checkpoint | None = None
        self._next_write = 0.0

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Restores the state of the recipe's callbacks, whose own ``on_train_begin`` reset it."""
        if self._start is not None:
            for callback in self._callbacks:
                for name, value in self._start.callback.items():
                    setattr(callback, name, value)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Copies the state, and writes it unless the last write was too recent."""
        if self._files is None:
            return
        callback_state = {
            name: getattr(callback, name) for callback in self._callbacks for name in PLATEAU_STATE
        }
        # Copies, because TensorFlow may return its own memory, which the next step overwrites.
        variables = tuple(np.array(variable.value) for variable in self._variables)
        self._pending = Checkpoint(epoch + 1, variables, callback_state)
        if time.monotonic() >= self._next_write:
            self.write_pending()

    def write_pending(self) -> None:
        """Writes the latest checkpoint if it has not been written yet."""
        if self._files is None or self._pending is None:
            return
        began = time.monotonic()
        try:
            self._files.write(self._pending)
        except OSError as error:
            logger.warning("cannot write a checkpoint of run %d: %s", self._files.run_id, error)
        self._pending = None
        ended = time.monotonic()
        self._next_write = ended + (ended - began) / MAX_WRITE_SHARE
