"""Measured numbers -> a plain sentence."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from lrlab.outcome_map import OutcomeMap
from lrlab.plan import RunPlan
from lrlab.race import Runner
from lrlab.recipe import Recipe
from lrlab.schedules.base import LEARNING_RATE
from lrlab.simulate import Path

HARDLY = 0.01
"""A rate that changes by less than this share over a run hardly moves."""

NEAR = 1e-3
"""Within this share of the first gap to the minimum, a path has arrived."""


def number(value: float, digits: int = 3) -> str:
    """A number with sensible digits: ``0.0999``, ``1.2e-5``, ``45,000``, ``not finite``."""
    if not np.isfinite(value):
        return "not finite"
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}"
    rounded = float(f"{value:.{digits}g}")
    if 1e-4 <= abs(rounded) < 1e7:
        return f"{rounded:,.10g}"
    mantissa, _, exponent = f"{rounded:.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def figure(value: float | None, share: bool, short: bool = False) -> str:
    """A loss or an accuracy as it stands alone: ``0.3215``, ``88.71%``, ``not finite``.

    Args:
        value: the number; a dash stands for None.
        share: whether it is a share, such as an accuracy.
        short: with a digit less, to be read from afar.
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "not finite"
    return f"{value:.{2 - short}%}" if share else f"{value:.{4 - short}f}"


def plain(text: str) -> str:
    """A text that Markdown shows as it stands, on one line, whoever wrote it.

    Punctuation is escaped. What Streamlit turns into links, emoji, icons and colours afterwards,
    ``www.``, ``a@b``, ``:red[...]``, is parted by an invisible word joiner.
    """
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
    return re.sub(r"(?i)(:|@|www)(?=\S)", "\\1\N{WORD JOINER}", escaped)


def duration(seconds: float) -> str:
    """A time that one waits, in words: ``45 s``, ``2 min 05 s``, ``1 h 10 min``."""
    whole = max(1, round(seconds))
    if whole < 100:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def between(first: float, last: float) -> tuple[str, str]:
    """Two numbers with just so many digits that a difference between them shows."""
    for digits in range(3, 9):
        texts = number(first, digits), number(last, digits)
        if texts[0] != texts[1] or first == last:
            return texts
    return texts


def curve_sentence(plan: RunPlan) -> str:
    """What the learning rate does over the planned run: ``Over this run: 0.1 → 0.0999.``"""
    if plan.recipe.schedule_spec.reactive:
        return reactive_sentence(plan)
    steps = plan.total_steps
    rates = plan.recipe.learning_rates(steps)
    first, last = between(rates[0], rates[-1])
    lead = f"Over this run of {steps:,} steps: "
    low, high = rates.min(), rates.max()
    if low == high:
        return f"{lead}{first}, the same at every step."
    peak = int(rates.argmax())
    if 0 < peak < steps - 1 and high > max(rates[0], rates[-1]) * (1 + HARDLY):
        return f"{lead}{first} → {number(high)} at step {peak:,} → {last}."
    said = f"{lead}{first} → {last}."
    if high - low < HARDLY * high:
        said += " The rate hardly moves: the schedule is far longer than the run."
    return said


def reactive_sentence(plan: RunPlan) -> str:
    """What can be said ahead of a rate that follows from what training measures."""
    params = plan.recipe.schedule.params
    said = (
        f"This learning rate cannot be drawn ahead: it starts at {number(params[LEARNING_RATE])} "
        "and is cut whenever the validation loss is stuck. Train it to see the rates it uses."
    )
    first = max(1, params["patience"]) + 2
    if plan.epochs < first:
        said += (
            f" With a patience of {params['patience']} the first epoch at a lower rate could be "
            f"number {first}; this run has {plan.epochs}, so the rate stays where it starts."
        )
    return said


def no_path_sentence(recipe: Recipe) -> str:
    """Why a reactive schedule has no path on a test function."""
    label = recipe.schedule_spec.label
    return (
        f"“{label}” has no path here: it cuts the learning rate when the validation loss is "
        "stuck, and a test function has none. Choose another schedule to see a path."
    )


def path_sentence(path: Path) -> str:
    """What is seen on the map, in words."""
    surface, steps = path.surface, path.steps
    if path.diverged_at is not None:
        return _lost_sentence(path, path.diverged_at)
    first, last = float(path.values[0]), float(path.values[-1])
    said = f"After {steps:,} steps f went from {number(first)} to {number(last)}."
    if path.left_map_at is not None:
        said += f" The path leaves the map at step {path.left_map_at:,}."
    if not surface.minima:
        return said
    if surface.is_below(last):
        return f"{said} Out there this function is lower than anywhere on the map."
    gaps = path.values - surface.minimum
    near = np.flatnonzero(gaps <= NEAR * gaps[0]) if gaps[0] > 0 else np.array([0])
    if near.size and gaps[-1] <= NEAR * gaps[0]:
        arrived = int(near[0])
        return f"{said} It has arrived at the minimum, first at step {arrived:,}."
    moved = float(np.hypot(*(path.points[-1] - path.points[0])))
    minima = np.array(surface.minima)
    away = float(np.min(np.hypot(*(minima - path.points[-1]).T)))
    if moved < 0.02 * surface.width:
        return (
            f"{said} It has hardly moved: a larger learning rate or more steps would take it "
            "farther."
        )
    return f"{said} It ends {number(away)} away from the nearest global minimum."


def race_sentence(ran: Mapping[str, Runner], fair: bool) -> str:
    """Who ended lowest, in words."""
    finished = {
        label: float(runner.path.values[-1])
        for label, runner in ran.items()
        if runner.path.diverged_at is None and np.isfinite(runner.path.values[-1])
    }
    if not finished:
        return "All diverge. Try a smaller learning rate."
    steps = next(iter(ran.values())).path.steps
    winner = min(finished, key=finished.__getitem__)
    how = f" at its best learning rate, {number(ran[winner].rate)}" if fair else ""
    said = f"After {steps:,} steps {winner} is lowest{how}: f = {number(finished[winner])}."
    lost = [label for label in ran if label not in finished]
    return said + (f" Diverged: {', '.join(lost)}." if lost else "")


def _lost_sentence(path: Path, k: int) -> str:
    """How a path was lost at step ``k``."""
    surface = path.surface
    if surface.minimum == -np.inf:
        return (
            "Runs down without end, as this function has no minimum: from step "
            f"{k:,} on the path is farther away than 1,000 widths of the map."
        )
    before = path.points[max(k - 1, 0)]
    if not (np.isfinite(path.points[k]).all() or np.isfinite(surface.gradient_at(before)).all()):
        x, y = before
        return (
            f"Cannot go on after step {k - 1:,}: at ({number(x)}, {number(y)}) this function has "
            "no finite gradient. Try another start or a smaller learning rate."
        )
    fell = surface.minimum is None and path.values[k] < path.values[0]
    if fell or surface.is_below(path.values[k]):
        return (
            f"Runs down and away: at step {k:,} the path is farther away than 1,000 widths of the "
            "map, and f is lower there than at the start."
        )
    return (
        f"Diverges: at step {k:,} the path is farther away than 1,000 widths "
        "of the map. The learning rate is too high here; try a smaller one."
    )


def map_sentence(result: OutcomeMap) -> str:
    """What a map of outcomes shows, in words, with the best pair of values."""
    total = result.values.size
    diverged = int((result.diverged_at >= 0).sum())
    said = f"Of {total:,} pairs of {result.x.param.name} and {result.y.param.name} "
    said += f"{number(diverged / total * 100, 2)} % diverge." if diverged else "none diverges."
    kept = np.where((result.diverged_at >= 0) | ~np.isfinite(result.values), np.inf, result.values)
    if not np.isfinite(kept).any():
        return said
    row, column = np.unravel_index(int(kept.argmin()), kept.shape)
    x, y = result.x, result.y
    return (
        f"{said} The lowest value, {number(kept.min())}, is at {x.param.name} = "
        f"{x.text(int(column), 2)} and {y.param.name} = {y.text(int(row), 2)}."
    )
