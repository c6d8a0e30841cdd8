"""Sentences about a comparison that claim no more than the statistics support."""

from __future__ import annotations

import math

from lrlab.experiments.comparison.statistics import LEVEL, PAIRED_SEEDS, Comparison, Pair
from lrlab.experiments.measures import Measure
from lrlab.text import format_number

TEST_NAMES = {"paired": "paired t-test", "welch": "Welch's t-test"}


def comparison_sentence(comparison: Comparison) -> str:
    """The result for all recipes together.

    It names the recipes that are distinguishable from the best, the runs that diverged, and the
    sampling error of the validation images.
    """
    best = comparison.best
    sentences = [_diverged(comparison)]
    if best is None:
        return f"{sentences[0]} There is nothing to compare: try smaller learning rates."
    if len(comparison.bands) == 1:
        sentences.append(_single_recipe(comparison, best))
    elif len(comparison.bands) == 2:
        sentences.append(pair_sentence(comparison.pairs[0], comparison.measure))
    else:
        sentences.append(_best_of_many(comparison, best))
    sentences.append(sampling_sentence(comparison))
    return " ".join(sentence for sentence in sentences if sentence)


def pair_sentence(pair: Pair, measure: Measure) -> str:
    """Whether two recipes are distinguishable, by which test, and how many seeds it would take."""
    first, second = pair.first, pair.second
    if math.isnan(pair.difference):
        return f"Cannot tell {first} from {second}: all runs of one of them diverged."
    if pair.test == "none":
        return _untested(pair, measure)
    first_higher = pair.difference > 0
    better, worse = (first, second) if first_higher == measure.higher_is_better else (second, first)
    paired = pair.test == "paired"
    seeds = (
        f"{pair.seeds[0]} shared seeds" if paired else f"{pair.seeds[0]} and {pair.seeds[1]} runs"
    )
    test = f"{TEST_NAMES[pair.test]} over {seeds}, p {_p_value(pair.p)}"
    size = _size(abs(pair.difference), measure)
    ends = sorted((pair.low, pair.high) if first_higher else (-pair.high, -pair.low))
    interval = f"{_size(ends[0], measure, unit=False)} to {_size(ends[1], measure)}"
    direction = "higher" if measure.higher_is_better else "lower"
    if pair.difference == 0:
        return (
            f"{first} and {second} are not distinguishable: their mean {measure.label} is the "
            f"same ({test})."
        )
    if pair.distinguishable:
        return (
            f"{better} is better than {worse} here: its {measure.label} is {size} {direction} on "
            f"average (interval {interval}; {test})."
        )
    return (
        f"{first} and {second} are not distinguishable: {better}'s {measure.label} is {size} "
        f"{direction} on average, but with this spread between seeds the true difference may be "
        f"anything from {interval} ({test}). {_seeds_needed(pair)}"
    )


def sampling_sentence(comparison: Comparison) -> str:
    """The sampling error of an accuracy on this many images; empty if it is unknown."""
    images, best = comparison.images, comparison.best
    if images is None or best is None or not comparison.measure.share:
        return ""
    mean = comparison.bands[best].mean
    error = format_number(100 * 1.96 * math.sqrt(mean * (1 - mean) / images), 2)
    return (
        f"All this holds for these {images:,} validation images: on a different sample of the "
        f"same size, an accuracy of {mean:.1%} could be {error} percentage points higher or lower "
        "by chance."
    )


def _single_recipe(comparison: Comparison, label: str) -> str:
    band, measure = comparison.bands[label], comparison.measure
    mean = _value(band.mean, measure)
    if band.kind == "single":
        return f"{label}: {measure.label} {mean}, with one seed. Other seeds may differ."
    ends = f"{_value(band.low, measure)} to {_value(band.high, measure)}"
    kind = "95% interval of the mean" if band.kind == "interval" else "from"
    return f"{label}: mean {measure.label} {mean} over {band.values} seeds ({kind} {ends})."


def _best_of_many(comparison: Comparison, best: str) -> str:
    measure = comparison.measure
    worse: list[str] = []
    indistinguishable: list[str] = []
    for pair in comparison.pairs:
        if best in (pair.first, pair.second):
            other = pair.second if pair.first == best else pair.first
            (worse if pair.distinguishable else indistinguishable).append(other)
    text = f"{best} has the best mean {measure.label}, "
    text += f"{_value(comparison.bands[best].mean, measure)}."
    if all(pair.test == "none" for pair in comparison.pairs):
        return (
            f"{text} Whether it is really better is unknown: train all with the same "
            f"{PAIRED_SEEDS} seeds or more."
        )
    if worse:
        text += f" It is distinguishable from {_join(worse)}"
        text += f", not from {_join(indistinguishable)}." if indistinguishable else "."
    else:
        text += f" It is not distinguishable from any of the others ({_join(indistinguishable)})."
    pairs = len(comparison.pairs)
    return f"{text} (t-tests over seeds at level {LEVEL:g}, corrected for {pairs} pairs.)"


def _untested(pair: Pair, measure: Measure) -> str:
    first, second = pair.first, pair.second
    size = _size(abs(pair.difference), measure)
    if pair.difference == 0:
        seeds = "with every seed" if min(pair.seeds) >= 2 else "with the seeds trained so far"
        return f"{first} and {second} reached the same {measure.label} {seeds}."
    if min(pair.seeds) >= 2:
        return (
            f"Cannot tell {first} from {second}: they are {size} apart with every seed, so it is "
            "unknown how much the difference varies. Train both with more seeds."
        )
    one = "one seed each" if pair.seeds == (1, 1) else "a single seed of one of them"
    return (
        f"Cannot tell {first} from {second}: with {one}, a difference of {size} may be chance. "
        f"Train both with the same {PAIRED_SEEDS} seeds or more."
    )


def _seeds_needed(pair: Pair) -> str:
    if pair.seeds_needed is None:
        return "Detecting such a small difference would take an unreasonable number of seeds."
    return (
        f"If the true difference is this large, about {pair.seeds_needed:,} seeds of each would "
        "be needed to detect it four times in five."
    )


def _diverged(comparison: Comparison) -> str:
    parts = [
        f"{label} diverged in {band.diverged} of {band.diverged + band.values} runs"
        for label, band in comparison.bands.items()
        if band.diverged
    ]
    if not parts:
        return ""
    left_out = "; the comparison leaves these runs out" if comparison.best else ""
    return f"{_join(parts)}{left_out}."


def _value(value: float, measure: Measure) -> str:
    return f"{value:.2%}" if measure.share else format_number(value)


def _size(value: float, measure: Measure, unit: bool = True) -> str:
    """A difference between values; differences of shares are in percentage points."""
    if not measure.share:
        return format_number(value, 2)
    return format_number(100 * value, 2) + (" percentage points" if unit else "")


def _p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {format_number(p, 2)}"


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
