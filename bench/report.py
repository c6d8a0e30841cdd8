"""Measured figures, printed as a table beside their targets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

NOISE = 1.15
"""A target counts as missed only beyond this factor, which allows for the machine's noise."""


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Args:
        name: what was measured.
        value: the figure.
        target: the upper limit, or with ``at_least`` the lower limit.
        unit: unit of ``value`` and ``target``: ``ms``, ``KB``, ``x``, ...
        at_least: larger values are better.
    """

    name: str
    value: float
    target: float
    unit: str
    at_least: bool = False

    @property
    def missed(self) -> bool:
        """Whether the value misses the target by more than the noise."""
        if self.at_least:
            return self.value * NOISE < self.target
        return self.value > self.target * NOISE

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        verdict = "MISSED" if self.missed else "ok"
        return (
            f"{self.name:<58} {self.value:>10.4g} {self.unit:<3} {sign} {self.target:g} "
            f"{self.unit:<3} {verdict}"
        )


def report(title: str, figures: Sequence[Figure]) -> bool:
    """Prints the figures and returns whether every target was met."""
    print(f"\n{title}")
    for figure in figures:
        print(f"  {figure}", flush=True)
    return not any(figure.missed for figure in figures)


def milliseconds(call: Callable[[], object], times: int = 7) -> float:
    """The median time of ``times`` calls in milliseconds, after one warm-up call."""
    call()
    durations = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        durations.append((time.perf_counter() - began) * 1e3)
    return median(durations)
