"""The LR range test: train once with a rate that grows at every step, and see where it helps.

Source: Smith, Cyclical Learning Rates for Training Neural Networks, 2017 (arXiv 2015), with the
growth by a constant factor and the smoothing that have become usual since.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lrlab.params import InvalidInput
from lrlab.recipes.plan import PLAN_PARAMS, RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.schedules.base import LEARNING_RATE, rate_param
from lrlab.text import format_number
from lrlab.training.measurements import Point

LOW, HIGH = 1e-5, 10.0
"""The learning rates that a test goes through, unless told otherwise."""

RATE = rate_param(LEARNING_RATE, LOW, "The learning rate of the test's first or last step.")
"""Each of the two as a parameter."""

LEAST_STEPS = 300
"""A test takes whole epochs until it has so many steps."""

MEMORY = 1 / 40
"""Over which share of the test the loss is averaged. The average lags behind by as much, a sixth
of a power of ten where the test spans six."""

BLOWN_UP = 4.0
"""A smoothed loss of so many times its lowest has diverged."""

HARDLY_FELL = 0.95
"""A smoothed loss that never fell below this share of where it began shows no rate that works."""

TENTH = "a tenth of the minimum's rate"
STEEPEST = "steepest descent"
RULES: Mapping[str, str] = {
    TENTH: "a tenth of the rate at which the smoothed loss is lowest",
    STEEPEST: "where the smoothed loss falls fastest against the logarithm of the rate",
}
"""Each rule by which a rate is suggested, in words. The first comes closer to what sweeps of LR
Lab's networks find; the second is careful, often ten times as low."""


@dataclass(frozen=True)
class RangeTest:
    """What a range test showed; arrays have shape ``(points,)``.

    Args:
        rates: the learning rate at each point, growing.
        losses: as measured, the mean over the batches since the point before.
        smoothed: the same, averaged (see `smooth`).
        lowest_at: the point where the smoothed loss is lowest; None if it hardly fell.
        diverged_at: the first point after it where the loss had diverged; None if it never did.
        suggestions: rule -> learning rate, all of `RULES` in their order, or none where the loss
            hardly fell.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    lowest_at: int | None
    diverged_at: int | None
    suggestions: Mapping[str, float]


def range_test_plan(plan: RunPlan, low: float = LOW, high: float = HIGH) -> RunPlan:
    """The run that tests a plan's optimizer: Keras's exponential decay, turned into a growth.

    Args:
        plan: whose optimizer, network, batch size, seed and images are tested; its schedule, ramp
            and epochs do not matter.
        low, high: the rates of the first and of the last step, above 0.

    Raises:
        InvalidInput: ``high`` is not above ``low``, or a rate is not allowed.
    """
    low, high = (RATE.check(rate, "range test") for rate in (low, high))
    if not low < high:
        raise InvalidInput(
            f"A range test from {low:g} to {high:g} is not possible: the rate has to grow."
        )
    most = next(int(param.high) for param in PLAN_PARAMS if param.name == "epochs")
    epochs = min(most, -(-LEAST_STEPS // plan.steps_per_epoch))
    test = replace(plan, epochs=epochs)
    schedule = {
        "name": "exponential_decay",
        "initial_learning_rate": low,
        "decay_steps": max(1, test.total_steps - 1),
        "decay_rate": high / low,
    }
    recipe = {"optimizer": plan.recipe.optimizer.to_dict(), "schedule": schedule}
    return replace(test, recipe=Recipe.from_dict(recipe))


def smooth(losses: np.ndarray, memory: float) -> np.ndarray:
    """The exponential moving average, corrected as Adam's moments are for having begun at 0.

    Args:
        losses: shape ``(points,)``; after one that is not finite no average is.
        memory: how many points it looks back on, 1 or more; 1 leaves the losses as they are.
    """
    keep = 1 - 1 / memory
    averages, average = np.empty(len(losses)), 0.0
    for i, loss in enumerate(losses):
        average = keep * average + (1 - keep) * loss
        averages[i] = average / (1 - keep ** (i + 1))
    return averages


def read_range_test(points: Sequence[Point]) -> RangeTest:
    """What the points of a range test show, also while it is still under way.

    Args:
        points: what the run measured, in the order of its steps.
    """
    rates = np.array([point.learning_rate for point in points], np.float64)
    losses = np.array([point.loss for point in points], np.float64)
    memory = max(2.0, MEMORY * len(losses))
    with np.errstate(invalid="ignore"):
        smoothed = smooth(losses, memory)
    # The first averages are of few batches, and so is what they seem to say.
    first = math.ceil(memory)
    seen = np.where(np.isfinite(smoothed), smoothed, np.inf)
    if len(seen) <= 2 * first:
        return RangeTest(rates, losses, smoothed, None, None, {})
    lowest = int(seen.argmin())
    blown = np.flatnonzero(seen[lowest:] > BLOWN_UP * seen[lowest])
    diverged_at = lowest + int(blown[0]) if blown.size else None
    if lowest <= 2 * first or seen[lowest] > HARDLY_FELL * seen[first]:
        return RangeTest(rates, losses, smoothed, None, diverged_at, {})
    steepest = _steepest(np.log(rates[: lowest + 1]), seen[: lowest + 1], first)
    suggestions = {TENTH: float(rates[lowest]) / 10, STEEPEST: float(rates[steepest])}
    return RangeTest(rates, losses, smoothed, lowest, diverged_at, suggestions)


def _steepest(powers: np.ndarray, losses: np.ndarray, reach: int) -> int:
    """Where the loss falls fastest, measured over ``reach`` points to either side."""
    falls = (losses[2 * reach :] - losses[: -2 * reach]) / (
        powers[2 * reach :] - powers[: -2 * reach]
    )
    return reach + int(falls.argmin())


def range_test_sentence(test: RangeTest) -> str:
    """What a range test showed, in words, with the suggestion and its rule."""
    if not test.suggestions:
        if test.diverged_at is not None:
            return (
                "The loss grew before it had fallen: even the smallest rates are too large. Test a "
                "lower range."
            )
        return (
            "The loss has not fallen enough to suggest a rate: test a wider range, or more steps."
        )
    rate, careful = test.suggestions[TENTH], test.suggestions[STEEPEST]
    lowest = test.lowest_at or 0
    said = (
        f"Suggested learning rate: {format_number(rate, 2)}, {RULES[TENTH]}; a more careful one is "
        f"{format_number(careful, 2)}, {RULES[STEEPEST]}. The loss is lowest, "
        f"{format_number(test.smoothed[lowest])}, at {format_number(test.rates[lowest], 2)}"
    )
    if test.diverged_at is None:
        return f"{said}; it did not diverge in this range."
    return f"{said}, and has diverged by {format_number(test.rates[test.diverged_at], 2)}."
