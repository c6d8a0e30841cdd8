"""A comparison -> plain sentences that say no more than the numbers do."""

from __future__ import annotations

import math

from lrlab.experiments.comparison.statistics import LEVEL, PAIRED_SEEDS, Comparison, Pair
from lrlab.experiments.measures import Measure
from lrlab.text import format_number

TESTS = {"paired": "paired t-test", "welch": "Welch's t-test"}


def comparison_sentence(comparison: Comparison) -> str:
    """What can be said of all recipes together: which are distinguishable from the best, what
    diverged, and how far the validation images can be trusted."""
    best = comparison.best
    said = [_diverged(comparison)]
    if best is None:
        return f"{said[0]} There is nothing to compare: try smaller learning rates."
    if len(comparison.bands) == 1:
        said.append(_alone(comparison, best))
    elif len(comparison.bands) == 2:
        said.append(pair_sentence(comparison.pairs[0], comparison.measure))
    else:
        said.append(_best_of_many(comparison, best))
    said.append(sampling_sentence(comparison))
    return " ".join(part for part in said if part)


def pair_sentence(pair: Pair, measure: Measure) -> str:
    """Whether two recipes are distinguishable, by which test, and what it would take."""
    first, second = pair.first, pair.second
    if math.isnan(pair.difference):
        return f"Cannot tell {first} from {second}: one of them has no run that did not diverge."
    if pair.test == "none":
        return _cannot_tell(pair, measure)
    above = pair.difference > 0
    better, worse = (first, second) if above == measure.higher_is_better else (second, first)
    shared = pair.test == "paired"
    seeds = (
        f"{pair.seeds[0]} shared seeds" if shared else f"{pair.seeds[0]} and {pair.seeds[1]} runs"
    )
    test = f"{TESTS[pair.test]} over {seeds}, p {_p(pair.p)}"
    size = _size(abs(pair.difference), measure)
    ends = sorted((pair.low, pair.high) if above else (-pair.high, -pair.low))
    interval = f"{_size(ends[0], measure, unit=False)} to {_size(ends[1], measure)}"
    lead = "higher" if measure.higher_is_better else "lower"
    if pair.difference == 0:
        return (
            f"{first} and {second} are not distinguishable: their mean {measure.label} is the "
            f"same ({test})."
        )
    if pair.distinguishable:
        return (
            f"{better} is better than {worse} here: its {measure.label} is {size} {lead} on "
            f"average (interval {interval}; {test})."
        )
    said = (
        f"{first} and {second} are not distinguishable: {better}'s {measure.label} is {size} "
        f"{lead} on average, but with this spread between seeds the true difference may be "
        f"anything from {interval} ({test})."
    )
    return f"{said} {_needed(pair)}"


def sampling_sentence(comparison: Comparison) -> str:
    """How far an accuracy on so many images can be trusted; empty where that is unknown."""
    images, best = comparison.images, comparison.best
    if images is None or best is None or not comparison.measure.share:
        return ""
    mean = comparison.bands[best].mean
    error = 1.96 * math.sqrt(mean * (1 - mean) / images)
    return (
        f"All this holds for these {images:,} validation images: on as many others an accuracy of "
        f"{mean:.1%} could come out {format_number(100 * error, 2)} percentage points higher or lower by "
        "the choice of images alone."
    )


def _alone(comparison: Comparison, label: str) -> str:
    band, measure = comparison.bands[label], comparison.measure
    mean = _value(band.mean, measure)
    if band.kind == "single":
        return f"{label}: {measure.label} {mean}, with one seed. Other seeds may differ."
    ends = f"{_value(band.low, measure)} to {_value(band.high, measure)}"
    kind = "95 % interval of the mean" if band.kind == "interval" else "from"
    return f"{label}: mean {measure.label} {mean} over {band.values} seeds ({kind} {ends})."


def _best_of_many(comparison: Comparison, best: str) -> str:
    measure = comparison.measure
    beaten, level = [], []
    for pair in comparison.pairs:
        if best in (pair.first, pair.second):
            other = pair.second if pair.first == best else pair.first
            (beaten if pair.distinguishable else level).append(other)
    said = f"{best} has the best mean {measure.label}, "
    said += f"{_value(comparison.bands[best].mean, measure)}."
    if all(pair.test == "none" for pair in comparison.pairs):
        return (
            f"{said} Whether it is really better cannot be told: train all with the same "
            f"{PAIRED_SEEDS} seeds or more."
        )
    if beaten:
        said += f" It is distinguishable from {_listed(beaten)}"
        said += f", not from {_listed(level)}." if level else "."
    else:
        said += f" It is distinguishable from none of the others ({_listed(level)})."
    pairs = len(comparison.pairs)
    return f"{said} (t-tests over seeds at level {LEVEL:g}, corrected for {pairs} pairs.)"


def _cannot_tell(pair: Pair, measure: Measure) -> str:
    first, second = pair.first, pair.second
    size = _size(abs(pair.difference), measure)
    if pair.difference == 0:
        seeds = "with every seed" if min(pair.seeds) >= 2 else "with the seeds there are"
        return f"{first} and {second} came to the same {measure.label} {seeds}."
    if min(pair.seeds) >= 2:
        return (
            f"Cannot tell {first} from {second}: they are {size} apart with every seed alike, so "
            "how much that varies is unknown. Train both with more seeds."
        )
    one = "one seed each" if pair.seeds == (1, 1) else "a single seed of one of them"
    return (
        f"Cannot tell {first} from {second}: with {one}, a difference of {size} may be chance. "
        f"Train both with the same {PAIRED_SEEDS} seeds or more."
    )


def _needed(pair: Pair) -> str:
    if pair.seeds_needed is None:
        return "To find so small a difference would take more seeds than is reasonable."
    return (
        f"If the difference is really of this size, about {pair.seeds_needed:,} seeds of each "
        "would be needed to find it four times in five."
    )


def _diverged(comparison: Comparison) -> str:
    lost = [
        f"{label} diverged in {band.diverged} of {band.diverged + band.values} runs"
        for label, band in comparison.bands.items()
        if band.diverged
    ]
    if not lost:
        return ""
    left_out = "; the comparison leaves these runs out" if comparison.best else ""
    return f"{_listed(lost)}{left_out}."


def _value(value: float, measure: Measure) -> str:
    return f"{value:.2%}" if measure.share else format_number(value)


def _size(value: float, measure: Measure, unit: bool = True) -> str:
    """A difference: of shares in percentage points, else as it is."""
    if not measure.share:
        return format_number(value, 2)
    return format_number(100 * value, 2) + (" percentage points" if unit else "")


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {format_number(p, 2)}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
