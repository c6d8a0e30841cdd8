"""Bands over seeds, t-tests between recipes, and how many seeds a difference would need."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np

from lrlab.experiments.measures import Measure
from lrlab.params import InvalidInput

LEVEL = 0.05
"""Recipes that are the same are called different this often, over all pairs together."""

POWER = 0.8
"""A difference of the size observed is found this often with the number of seeds asked for."""

MOST_SEEDS = 10_000
"""More seeds than this are not worth naming."""

PAIRED_SEEDS = 3
"""Seeds that two recipes must share for a paired test."""

BandKind = Literal["interval", "range", "single", "none"]
"""What a band is: the 95 % t-interval of the mean (3 seeds or more), from the lowest to the
highest of 2, one value alone, or nothing because every run diverged."""


@dataclass(frozen=True)
class Band:
    """What the seeds of one recipe came to.

    Args:
        mean: over the runs that did not diverge; NaN if all did.
        low, high: the ends of the band.
        kind: what the band is.
        values: how many runs it stands on.
        diverged: how many runs diverged, and are left out.
    """

    mean: float
    low: float
    high: float
    kind: BandKind
    values: int
    diverged: int


@dataclass(frozen=True)
class Pair:
    """Two recipes compared.

    Args:
        first, second: their labels.
        test: the test used; ``none`` where there are too few values for any.
        seeds: of the first and of the second that the test used; for a paired one the same.
        difference: mean of the first less mean of the second, over those seeds.
        low, high: the interval of the difference that goes with the test; NaN without one.
        p: its p-value, times the number of pairs compared; NaN without a test.
        distinguishable: whether ``p`` is below `LEVEL`.
        seeds_needed: of each recipe, to find a difference of this size, at this spread, with
            `POWER`; None where that is unknown or more than `MOST_SEEDS`.
    """

    first: str
    second: str
    test: Literal["paired", "welch", "none"]
    seeds: tuple[int, int]
    difference: float
    low: float
    high: float
    p: float
    distinguishable: bool
    seeds_needed: int | None


@dataclass(frozen=True)
class Comparison:
    """Several recipes compared over seeds.

    Args:
        measure: the number that was compared.
        bands: of each recipe, by its label.
        pairs: every two of them.
        images: the validation images that the numbers were measured on; None where unknown.
    """

    measure: Measure
    bands: Mapping[str, Band]
    pairs: tuple[Pair, ...]
    images: int | None

    @property
    def best(self) -> str | None:
        """The label of the recipe with the best mean, distinguishable or not; None if all runs
        diverged."""
        known = {label: band.mean for label, band in self.bands.items() if band.values}
        choose = max if self.measure.higher_is_better else min
        return choose(known, key=known.__getitem__) if known else None


def compare(
    results: Mapping[str, Mapping[int, float]], measure: Measure, images: int | None = None
) -> Comparison:
    """Compare recipes by what their runs came to.

    Two recipes that share `PAIRED_SEEDS` seeds or more are compared by a paired t-test over those:
    a seed gives both the same initial weights and the same order of images. Otherwise by Welch's
    t-test, if each has two runs. With more than two recipes p-values and intervals are widened for
    the number of pairs (Bonferroni). Runs that diverged take no part, and are counted.

    Args:
        results: label of a recipe -> seed -> the measured number; NaN where the run diverged.
        measure: which number it is.
        images: how many validation images it was measured on.

    Raises:
        InvalidInput: a recipe without any run.
    """
    for label, values in results.items():
        if not values:
            raise InvalidInput(
                f"{label} has no finished run to compare. Train it, or leave it out."
            )
    finite = {
        label: {seed: float(v) for seed, v in values.items() if math.isfinite(v)}
        for label, values in results.items()
    }
    couples = list(combinations(results, 2))
    pairs = tuple(
        _pair(first, second, finite[first], finite[second], LEVEL / len(couples))
        for first, second in couples
    )
    bands = {label: band_of(list(values.values())) for label, values in results.items()}
    return Comparison(measure, bands, pairs, images)


def band_of(values: Sequence[float]) -> Band:
    """The mean and band of some runs' numbers (see `BandKind`); those not finite diverged."""
    finite = np.array([value for value in values if math.isfinite(value)])
    count, lost = len(finite), len(values) - len(finite)
    if count == 0:
        return Band(math.nan, math.nan, math.nan, "none", 0, lost)
    mean = float(finite.mean())
    if count < 3:
        kind: BandKind = "single" if count == 1 else "range"
        return Band(mean, float(finite.min()), float(finite.max()), kind, count, lost)
    half = _t_quantile(1 - LEVEL / 2, count - 1) * float(finite.std(ddof=1)) / math.sqrt(count)
    return Band(mean, mean - half, mean + half, "interval", count, lost)


def _pair(
    first: str, second: str, ours: Mapping[int, float], theirs: Mapping[int, float], level: float
) -> Pair:
    shared = sorted(ours.keys() & theirs.keys())
    if len(shared) >= PAIRED_SEEDS:
        a, b = (np.array([values[seed] for seed in shared]) for values in (ours, theirs))
        test: Literal["paired", "welch"] = "paired"
        spread = float((a - b).std(ddof=1))
    else:
        a, b = (np.array(list(values.values())) for values in (ours, theirs))
        test = "welch"
        if min(len(a), len(b)) < 2:
            gap = float(a.mean() - b.mean()) if len(a) and len(b) else math.nan
            return _untested(first, second, (len(a), len(b)), gap)
        spread = math.hypot(a.std(ddof=1), b.std(ddof=1))
    gap = float(a.mean() - b.mean())
    # Numbers that repeat to the last digit say nothing of how much they would vary.
    if spread <= 1e-12 * max(np.abs(a).max(), np.abs(b).max()):
        return _untested(first, second, (len(a), len(b)), gap)
    result = _t_test(test, a, b)
    interval = result.confidence_interval(1 - level)
    p = min(1.0, float(result.pvalue) * LEVEL / level)
    needed = seeds_needed(test, gap, _spreads(test, a, b), level)
    low, high = float(interval.low), float(interval.high)
    return Pair(first, second, test, (len(a), len(b)), gap, low, high, p, p < LEVEL, needed)


def _untested(first: str, second: str, seeds: tuple[int, int], gap: float) -> Pair:
    unknown = math.nan
    return Pair(first, second, "none", seeds, gap, unknown, unknown, unknown, False, None)


def _spreads(test: str, a: np.ndarray, b: np.ndarray) -> tuple[float, ...]:
    """The standard deviations that the test goes by."""
    samples = (a - b,) if test == "paired" else (a, b)
    return tuple(float(sample.std(ddof=1)) for sample in samples)


def seeds_needed(
    test: Literal["paired", "welch"], gap: float, spreads: Sequence[float], level: float = LEVEL
) -> int | None:
    """The least number of seeds of each recipe with which a two-sided test has `POWER`.

    Args:
        test: as in `Pair`.
        gap: the true difference assumed, here the one observed.
        spreads: the standard deviation of the differences for a paired test, of each of the two
            recipes for Welch's.
        level: of the test.

    Returns:
        2 or more; None where it is more than `MOST_SEEDS`.
    """
    low, high = 1, MOST_SEEDS
    if _power(test, gap, spreads, high, level) < POWER:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _power(test, gap, spreads, middle, level) < POWER:
            low = middle
        else:
            high = middle
    return high


def _power(test: str, gap: float, spreads: Sequence[float], seeds: int, level: float) -> float:
    from scipy import stats

    variances = [spread**2 for spread in spreads]
    freedom = float(seeds - 1)
    if test == "welch":
        freedom *= sum(variances) ** 2 / sum(variance**2 for variance in variances)
    shift = abs(gap) / math.sqrt(sum(variances) / seeds)
    edge = _t_quantile(1 - level / 2, freedom)
    # The other tail, an effect found with the wrong sign, is no success.
    return float(stats.nct.sf(edge, freedom, shift))


def _t_quantile(share: float, freedom: float) -> float:
    from scipy import stats

    return float(stats.t.ppf(share, freedom))


def _t_test(test: str, a: np.ndarray, b: np.ndarray) -> Any:
    from scipy import stats

    return stats.ttest_rel(a, b) if test == "paired" else stats.ttest_ind(a, b, equal_var=False)
