"""The LR range test: train once with a learning rate that grows at every step.

Source: Smith, Cyclical Learning Rates for Training Neural Networks, 2017 (arXiv 2015). The
growth by a constant factor and the smoothing are later additions that have become standard.
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
"""The default learning rates of a test's first and last step."""

RATE = rate_param(LEARNING_RATE, LOW, "The learning rate of the test's first or last step.")
"""The parameter for both learning rates."""

MIN_STEPS = 300
"""A test runs for as many whole epochs as it needs to reach this many steps, but never for more
than the largest number of epochs allowed."""

SMOOTHING_SHARE = 1 / 40
"""The share of the test over which the loss is averaged. The average lags behind by this share, a
factor of 1.4 in the learning rate for the default range."""

DIVERGED_FACTOR = 4.0
"""The loss has diverged once its average exceeds this many times its lowest value."""

MAX_LOWEST_SHARE = 0.95
"""A rate is suggested only if the smoothed loss fell to this share of its first value or below."""

TENTH = "a tenth of the minimum's rate"
STEEPEST = "steepest descent"
RULES: Mapping[str, str] = {
    TENTH: "a tenth of the rate at which the smoothed loss is lowest",
    STEEPEST: "where the smoothed loss falls fastest against the logarithm of the rate",
}
"""The rules that suggest a rate: name -> explanation. The first comes closer to what sweeps of
LR Lab's networks find; the second is often ten times lower."""


@dataclass(frozen=True)
class RangeTest:
    """The result of a range test; arrays have shape ``(points,)``.

    Args:
        rates: the learning rate at each point, increasing.
        losses: the measured loss, the mean over the batches since the previous point.
        smoothed: the moving average of ``losses`` (see `smooth`).
        lowest_at: the index of the lowest smoothed loss; None if there are too few points, the
            loss hardly fell, or it was lowest at the start.
        diverged_at: the index of the first point after the lowest average at which the loss had
            diverged; None if it never did or there are too few points.
        suggestions: rule -> learning rate, for all `RULES` in order; empty if ``lowest_at`` is
            None.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    lowest_at: int | None
    diverged_at: int | None
    suggestions: Mapping[str, float]


def range_test_plan(plan: RunPlan, low: float = LOW, high: float = HIGH) -> RunPlan:
    """The run that tests a plan's optimizer.

    Its schedule is Keras's ExponentialDecay with a decay rate above 1, so the learning rate grows.

    Args:
        plan: gives the optimizer, network, batch size, seed and training images; its schedule,
            ramp and epochs are ignored.
        low, high: the learning rates of the first and last step, above 0.

    Raises:
        InvalidInput: ``high`` is not above ``low``, or a rate is not allowed.
    """
    low, high = (RATE.check_number(rate, "range test") for rate in (low, high))
    if not low < high:
        raise InvalidInput(
            f"A range test from {low:g} to {high:g} is not possible: the last learning rate must "
            "be higher than the first."
        )
    max_epochs = next(int(param.high) for param in PLAN_PARAMS if param.name == "epochs")
    epochs = min(max_epochs, -(-MIN_STEPS // plan.steps_per_epoch))
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
    """The exponential moving average, bias-corrected for its start at 0 like Adam's moments.

    Args:
        losses: shape ``(points,)``; from the first non-finite loss on, no average is finite.
        memory: time constant in points, 1 or more; 1 returns the losses unchanged.
    """
    keep = 1 - 1 / memory
    averages, average = np.empty(len(losses)), 0.0
    for i, loss in enumerate(losses):
        average = keep * average + (1 - keep) * loss
        averages[i] = average / (1 - keep ** (i + 1))
    return averages


def read_range_test(points: Sequence[Point]) -> RangeTest:
    """Evaluate a range test, which may still be running.

    Args:
        points: the run's points, in the order of their steps.
    """
    rates = np.array([point.learning_rate for point in points], np.float64)
    losses = np.array([point.loss for point in points], np.float64)
    memory = max(2.0, SMOOTHING_SHARE * len(losses))
    with np.errstate(invalid="ignore"):
        smoothed = smooth(losses, memory)
    # The first averages cover few batches, so they are too noisy to use.
    first = math.ceil(memory)
    averages = np.where(np.isfinite(smoothed), smoothed, np.inf)
    if len(averages) <= 2 * first:
        return RangeTest(rates, losses, smoothed, None, None, {})
    lowest = int(averages.argmin())
    too_high = np.flatnonzero(averages[lowest:] > DIVERGED_FACTOR * averages[lowest])
    diverged_at = lowest + int(too_high[0]) if too_high.size else None
    if lowest <= 2 * first or averages[lowest] > MAX_LOWEST_SHARE * averages[first]:
        return RangeTest(rates, losses, smoothed, None, diverged_at, {})
    steepest = _steepest(np.log(rates[: lowest + 1]), averages[: lowest + 1], first)
    suggestions = {TENTH: float(rates[lowest]) / 10, STEEPEST: float(rates[steepest])}
    return RangeTest(rates, losses, smoothed, lowest, diverged_at, suggestions)


def _steepest(log_rates: np.ndarray, losses: np.ndarray, reach: int) -> int:
    """The index at which the loss falls fastest, measured over ``reach`` points on each side."""
    slopes = (losses[2 * reach :] - losses[: -2 * reach]) / (
        log_rates[2 * reach :] - log_rates[: -2 * reach]
    )
    return reach + int(slopes.argmin())


def range_test_sentence(test: RangeTest) -> str:
    """The result of a range test for people, with the suggested rates and their rules."""
    if not test.suggestions:
        if test.diverged_at is not None:
            return (
                "The loss grew before it could fall: even the smallest learning rates are too "
                "large. Test a lower range."
            )
        return (
            "The loss has not fallen enough to suggest a learning rate: test a wider range, or use "
            "smaller batches, which give the test more steps."
        )
    rate, cautious = test.suggestions[TENTH], test.suggestions[STEEPEST]
    lowest = test.lowest_at or 0
    other = "A more cautious" if cautious < rate else "Another"
    text = (
        f"Suggested learning rate: {format_number(rate, 2)}, {RULES[TENTH]}. {other} choice is "
        f"{format_number(cautious, 2)}, {RULES[STEEPEST]}. The smoothed loss is lowest, "
        f"{format_number(test.smoothed[lowest])}, at a learning rate of "
        f"{format_number(test.rates[lowest], 2)}"
    )
    if test.diverged_at is None:
        return f"{text}; it did not diverge in this range."
    return f"{text}, and it had diverged by {format_number(test.rates[test.diverged_at], 2)}."
