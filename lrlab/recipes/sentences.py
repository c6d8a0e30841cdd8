"""What is said of a planned run's learning rate, in words."""

from __future__ import annotations

from lrlab.recipes.plan import RunPlan
from lrlab.schedules.base import LEARNING_RATE
from lrlab.text import format_distinct, format_number

HARDLY = 0.01
"""A rate that changes by less than this share over a run hardly moves."""


def curve_sentence(plan: RunPlan) -> str:
    """What the learning rate does over the planned run: ``Over this run: 0.1 → 0.0999.``"""
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
    if 0 < peak < steps - 1 and high > max(rates[0], rates[-1]) * (1 + HARDLY):
        return f"{lead}{first} → {format_number(high)} at step {peak:,} → {last}."
    said = f"{lead}{first} → {last}."
    if high - low < HARDLY * high:
        said += " The rate hardly moves: the schedule is far longer than the run."
    return said


def reactive_sentence(plan: RunPlan) -> str:
    """What can be said ahead of a rate that follows from what training measures."""
    schedule = plan.recipe.schedule
    patience = int(schedule.number("patience"))
    said = (
        f"This learning rate cannot be drawn ahead: it starts at {format_number(schedule.number(LEARNING_RATE))} "
        "and is cut whenever the validation loss is stuck. Train it to see the rates it uses."
    )
    first = max(1, patience) + 2
    if plan.epochs < first:
        said += (
            f" With a patience of {patience} the first epoch at a lower rate could be "
            f"number {first}; this run has {plan.epochs}, so the rate stays where it starts."
        )
    return said
