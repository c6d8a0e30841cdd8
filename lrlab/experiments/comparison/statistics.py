"""Means and bands over seeds, t-tests between recipes, and how many seeds a difference needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from lrlab.experiments.measures import Measure
from lrlab.params import InvalidInput

LEVEL = 0.05
"""The significance level: the probability, over all pairs together, of calling equal recipes
different."""

POWER = 0.8
"""The probability of detecting a difference of the observed size with the number of seeds
recommended."""

MAX_SEEDS_NEEDED = 10_000
"""Numbers of seeds above this are not reported."""

PAIRED_SEEDS = 3
"""Two recipes must share this many seeds for a paired test."""

Test: TypeAlias = Literal["paired", "welch"]

BandKind = Literal["interval", "range", "single", "none"]
"""What a band shows: the 95 % t-interval of the mean (3 seeds or more), the lowest to the highest
of 2 values, a single value, or nothing because every run diverged."""


@dataclass(frozen=True)
class Band:
    """The results of one recipe over its seeds.

    Args:
        mean: the mean over the runs that did not diverge; NaN if all did.
        low, high: the ends of the band.
        kind: what the band shows.
        values: the number of runs that did not diverge.
        diverged: the number of runs that diverged, which the mean and band leave out.
    """

    mean: float
    low: float
    high: float
    kind: BandKind
    values: int
    diverged: int


@dataclass(frozen=True)
class Pair:
    """The comparison of two recipes.

    Args:
        first, second: their labels.
        test: the test used; ``none`` if there are too few values, or they do not vary.
        seeds: the number of seeds of the first and of the second recipe that were used; equal for
            a paired test.
        difference: mean of the first minus mean of the second, over those seeds.
        low, high: the test's confidence interval of the difference; NaN without a test.
        p: the p-value times the number of pairs compared, at most 1; NaN without a test.
        distinguishable: whether ``p`` is below `LEVEL`.
        seeds_needed: seeds of each recipe needed to detect a difference of this size, at this
            spread, with probability `POWER`; None if unknown or above `MAX_SEEDS_NEEDED`.
    """

    first: str
    second: str
    test: Test | Literal["none"]
    seeds: tuple[int, int]
    difference: float
    low: float
    high: float
    p: float
    distinguishable: bool
    seeds_needed: int | None


@dataclass(frozen=True)
class Comparison:
    """The comparison of several recipes over seeds.

    Args:
        measure: the measure compared.
        bands: label -> the recipe's band.
        pairs: the comparison of every two recipes.
        images: the number of validation images that the values were measured on; None if unknown.
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
    """Compare recipes by the results of their runs.

    Two recipes that share `PAIRED_SEEDS` seeds or more are compared by a paired t-test over those
    seeds, because a seed gives both the same initial weights and the same order of images.
    Otherwise Welch's t-test is used if each has two runs. With more than two recipes, p-values and
    intervals are corrected for the number of pairs (Bonferroni). Runs that diverged are counted
    but otherwise left out.

    Args:
        results: recipe label -> seed -> value; NaN if the run diverged.
        measure: the measure the values belong to.
        images: the number of validation images the values were measured on.

    Raises:
        InvalidInput: a recipe has no runs.
    """
    for label, values in results.items():
        if not values:
            raise InvalidInput(f"{label} has no finished run to compare. Train it or leave it out.")
    finite = {
        label: {seed: float(v) for seed, v in values.items() if math.isfinite(v)}
        for label, values in results.items()
    }
    pairings = list(combinations(results, 2))
    pairs = tuple(
        _pair(first, second, finite[first], finite[second], LEVEL / len(pairings))
        for first, second in pairings
    )
    bands = {label: seed_band(list(values.values())) for label, values in results.items()}
    return Comparison(measure, bands, pairs, images)


def seed_band(values: Sequence[float]) -> Band:
    """The mean and band of a recipe's results (see `BandKind`).

    Args:
        values: one value per run; those that are not finite count as diverged.
    """
    finite = np.array([value for value in values if math.isfinite(value)])
    count, diverged = len(finite), len(values) - len(finite)
    if count == 0:
        return Band(math.nan, math.nan, math.nan, "none", 0, diverged)
    mean = float(finite.mean())
    if count < 3:
        kind: BandKind = "single" if count == 1 else "range"
        return Band(mean, float(finite.min()), float(finite.max()), kind, count, diverged)
    half = _t_quantile(1 - LEVEL / 2, count - 1) * float(finite.std(ddof=1)) / math.sqrt(count)
    return Band(mean, mean - half, mean + half, "interval", count, diverged)


def _pair(
    first: str,
    second: str,
    first_by_seed: Mapping[int, float],
    second_by_seed: Mapping[int, float],
    level: float,
) -> Pair:
    shared = sorted(first_by_seed.keys() & second_by_seed.keys())
    if len(shared) >= PAIRED_SEEDS:
        test: Test = "paired"
        a, b = (
            np.array([by_seed[seed] for seed in shared])
            for by_seed in (first_by_seed, second_by_seed)
        )
        spread = float((a - b).std(ddof=1))
    else:
        test = "welch"
        a, b = (np.array(list(by_seed.values())) for by_seed in (first_by_seed, second_by_seed))
        if min(len(a), len(b)) < 2:
            gap = float(a.mean() - b.mean()) if len(a) and len(b) else math.nan
            return _untested(first, second, (len(a), len(b)), gap)
        spread = math.hypot(a.std(ddof=1), b.std(ddof=1))
    gap = float(a.mean() - b.mean())
    # Values that agree to the last digit tell nothing about how much results vary.
    if spread <= 1e-12 * max(np.abs(a).max(), np.abs(b).max()):
        return _untested(first, second, (len(a), len(b)), gap)
    result = _t_test(test, a, b, level)
    p = min(1.0, result.p * LEVEL / level)
    needed = seeds_needed(test, gap, _spreads(test, a, b), level)
    seeds = (len(a), len(b))
    return Pair(first, second, test, seeds, gap, result.low, result.high, p, p < LEVEL, needed)


def _untested(first: str, second: str, seeds: tuple[int, int], gap: float) -> Pair:
    unknown = math.nan
    return Pair(first, second, "none", seeds, gap, unknown, unknown, unknown, False, None)


def _spreads(test: Test, a: np.ndarray, b: np.ndarray) -> tuple[float, ...]:
    """The standard deviations that `seeds_needed` takes."""
    samples = (a - b,) if test == "paired" else (a, b)
    return tuple(float(sample.std(ddof=1)) for sample in samples)


def seeds_needed(
    test: Test, gap: float, spreads: Sequence[float], level: float = LEVEL
) -> int | None:
    """The smallest number of seeds of each recipe that gives a two-sided test the power `POWER`.

    Args:
        test: as in `Pair`.
        gap: the assumed true difference.
        spreads: for a paired test the standard deviation of the differences; for Welch's test the
            standard deviation of each recipe.
        level: the significance level of the test.

    Returns:
        2 or more; None if it is above `MAX_SEEDS_NEEDED`.
    """
    low, high = 1, MAX_SEEDS_NEEDED
    if _power(test, gap, spreads, high, level) < POWER:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _power(test, gap, spreads, middle, level) < POWER:
            low = middle
        else:
            high = middle
    return high


def _power(test: Test, gap: float, spreads: Sequence[float], seeds: int, level: float) -> float:
    from scipy import stats

    variances = [spread**2 for spread in spreads]
    freedom = float(seeds - 1)
    if test == "welch":
        freedom *= sum(variances) ** 2 / sum(variance**2 for variance in variances)
    shift = abs(gap) / math.sqrt(sum(variances) / seeds)
    critical = _t_quantile(1 - level / 2, freedom)
    # The other tail does not count: it would be an effect with the wrong sign.
    return float(stats.nct.sf(critical, freedom, shift))


def _t_quantile(share: float, freedom: float) -> float:
    from scipy import stats

    return float(stats.t.ppf(share, freedom))


class _TTest(NamedTuple):
    """The p-value and confidence interval of a t-test."""

    p: float
    low: float
    high: float


def _t_test(test: Test, a: np.ndarray, b: np.ndarray, level: float) -> _TTest:
    from scipy import stats

    paired = test == "paired"
    result = stats.ttest_rel(a, b) if paired else stats.ttest_ind(a, b, equal_var=False)
    interval = result.confidence_interval(1 - level)
    return _TTest(float(result.pvalue), float(interval.low), float(interval.high))
