"""What is measured of a run, by name, and the one number that it is judged by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lrlab.training.measurements import EpochRecord


@dataclass(frozen=True)
class Measure:
    """A number that a finished run comes to.

    Args:
        key: LR Lab's name for it.
        label: for people, in the middle of a sentence.
        field: of an epoch, as Keras's history calls it.
        best: the best of all epochs instead of the last; of several numbers the best is always
            flattering, so compare it only with another best of as many epochs.
        higher_is_better: so for an accuracy, not for a loss.
    """

    key: str
    label: str
    field: str
    best: bool
    higher_is_better: bool

    @property
    def share(self) -> bool:
        """Whether it is a share of images, from 0 to 1."""
        return self.higher_is_better

    def of(self, epochs: Sequence[EpochRecord], diverged: bool = False) -> float:
        """The number of one run.

        Args:
            epochs: the store's epochs, in order.
            diverged: whether the run ended because its loss stopped being finite.

        Returns:
            NaN for a run that diverged or ended no epoch.
        """
        values = [float(getattr(epoch, self.field)) for epoch in epochs]
        if diverged or not values or not math.isfinite(values[-1]):
            return math.nan
        if not self.best:
            return values[-1]
        return max(values) if self.higher_is_better else min(values)


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        measure.key: measure
        for measure in (
            Measure("last_val_accuracy", "last validation accuracy", "val_accuracy", False, True),
            Measure("best_val_accuracy", "best validation accuracy", "val_accuracy", True, True),
            Measure("last_val_loss", "last validation loss", "val_loss", False, False),
            Measure("best_val_loss", "best validation loss", "val_loss", True, False),
        )
    }
)
"""Each measure by its key."""
