"""The measures by which finished runs are compared: one number per run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lrlab.training.measurements import EpochRecord


@dataclass(frozen=True)
class Measure:
    """How a finished run is reduced to one number.

    Args:
        key: LR Lab's name for the measure.
        label: its name for people, as it reads in the middle of a sentence.
        field: the field of `EpochRecord`, which is Keras's name for it.
        best: take the best epoch instead of the last. The best epoch is an optimistic estimate;
            compare it only with the best of equally many epochs.
        higher_is_better: true for an accuracy, false for a loss.
    """

    key: str
    label: str
    field: str
    best: bool
    higher_is_better: bool

    @property
    def share(self) -> bool:
        """Whether the measure is a share of images, from 0 to 1."""
        return self.higher_is_better

    def of(self, epochs: Sequence[EpochRecord], diverged: bool = False) -> float:
        """The number for one run.

        Args:
            epochs: the run's epochs, in order.
            diverged: whether the run ended because its loss stopped being finite.

        Returns:
            NaN for a run that diverged or completed no epoch.
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
