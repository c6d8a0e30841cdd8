"""What a training measures, as values; the store reads these too, so nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """The training between two moments of an epoch.

    Args:
        step: the update it ends with, counted from 0.
        loss: mean loss over the batches since the point before.
        learning_rate: the rate that update ``step`` used.
        gradient_norm: the Euclidean norm of the loss's gradient over all weights together, before
            any clipping, at the last step since the point before where it was measured: it is at
            the last step of each block (see `lrlab.training.ways.block_steps`). None where there
            was none.
        update_ratio: at the same step, the norm of the change of all weights over that of the
            weights before it.
    """

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float | None = None
    update_ratio: float | None = None


@dataclass(frozen=True)
class EpochRecord:
    """What is known when an epoch ends.

    Args:
        epoch: its number, counted from 1.
        step: updates done so far.
        loss, accuracy: on the training images, the mean while the epoch went on.
        val_loss, val_accuracy: on the validation images at its end.
        learning_rate: the rate that its last update used.
        seconds: how long it took, validation included.
    """

    epoch: int
    step: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
