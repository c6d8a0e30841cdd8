"""Sentences that describe the learning rate of a planned run."""

from __future__ import annotations

from lrlab.recipes.plan import RunPlan
from lrlab.schedules.base import LEARNING_RATE
from lrlab.text import format_distinct, format_number

SMALL_CHANGE = 0.01
"""A learning rate that changes by less than this share of its peak is said to hardly move."""


def curve_sentence(plan: RunPlan) -> str:
    """Describes the learning rate over a planned run, from its first to its last step.

    For example ``Over this run of 2,814 steps: 0.1 → 0.01.``
    """
    if plan.recipe.schedule_spec.reactive:
        return reactive_sentence(plan)
    steps = plan.total_steps
    rates = plan.recipe.learning_rates(steps)
    first, last = format_distinct(rates[0], rates[-1])
    lead = f"Over this run of {steps:,} steps: "
    low, high = rates.min(), rates.max()
    if low == high:
        return f"{lead}{first}, the same at every step."
    peak = int(rates.argmax())
    if 0 < peak < steps - 1 and high > max(rates[0], rates[-1]) * (1 + SMALL_CHANGE):
        return f"{lead}{first} → {format_number(high)} at step {peak:,} → {last}."
    sentence = f"{lead}{first} → {last}."
    if high - low < SMALL_CHANGE * high:
        sentence += " The learning rate hardly moves: the schedule is far longer than the run."
    return sentence


def reactive_sentence(plan: RunPlan) -> str:
    """Describes the learning rate of a reactive schedule, as far as it is known before the run."""
    schedule = plan.recipe.schedule
    patience = int(schedule.number("patience"))
    initial = format_number(schedule.number(LEARNING_RATE))
    sentence = (
        f"This learning rate cannot be drawn ahead of training: it starts at {initial} and is cut "
        "whenever the validation loss stops improving. Train a network to see the learning rates."
    )
    first_cut = max(1, patience) + 2
    if plan.epochs < first_cut:
        sentence += (
            f" With a patience of {patience}, epoch {first_cut} is the first that can have a lower "
            f"learning rate. This run ends with epoch {plan.epochs}, so the learning rate stays "
            "constant."
        )
    return sentence
