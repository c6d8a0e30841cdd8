"""What a sweep came to: a cell for each optimizer and pair of values, and the best of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lrlab.experiments.comparison import Band, band_of, compare, comparison_sentence
from lrlab.experiments.measures import Measure
from lrlab.experiments.sweep import param_of, sweepable, swept_value
from lrlab.optimizers import OPTIMIZERS
from lrlab.params import Param
from lrlab.recipes.plan import RunPlan
from lrlab.schedules.base import LEARNING_RATE
from lrlab.text import format_number

SAME = 1e-12
"""Means that differ by less than this share are equal."""

BEST, NEXT = "the best", "the next best"


@dataclass(frozen=True)
class Cell:
    """The runs of one optimizer with one value on each axis, which differ in their seed alone.

    Args:
        optimizer: its key.
        at: the value on each axis of the sweep.
        by_seed: what the run with each seed came to; NaN where it diverged.
    """

    optimizer: str
    at: tuple[Any, ...]
    by_seed: Mapping[int, float]

    @property
    def values(self) -> tuple[float, ...]:
        """What its runs came to."""
        return tuple(self.by_seed.values())

    @cached_property
    def band(self) -> Band:
        """Its mean and band over the seeds; runs that diverged are left out and counted."""
        return band_of(self.values)


@dataclass(frozen=True)
class SweepResult:
    """A sweep's cells, in the order of optimizers and values.

    Args:
        axes: their keys (see `lrlab.experiments.sweep.SweepAxis`); none if all runs are alike.
        params: the description of each.
        cells: those with at least one run.
        measure: the number they show.
        grid: all values of each axis in order, off first, whether or not a run got there.
    """

    axes: tuple[str, ...]
    params: tuple[Param, ...]
    cells: tuple[Cell, ...]
    measure: Measure
    grid: tuple[tuple[Any, ...], ...]

    @property
    def optimizers(self) -> tuple[str, ...]:
        """The keys of its optimizers, in the order of the registry."""
        present = {cell.optimizer for cell in self.cells}
        return tuple(key for key in OPTIMIZERS if key in present)


@dataclass(frozen=True)
class Best:
    """The best cell of a sweep.

    Args:
        cell: its mean is best among the cells with the fewest diverged runs.
        next: the cell that is best without it, also among those; None if it is alone.
        at_edge: axes on whose end it lies, so that a better one may lie beyond.
    """

    cell: Cell
    next: Cell | None
    at_edge: tuple[str, ...]


def sweep_result(runs: Iterable[tuple[RunPlan, float | None]], measure: Measure) -> SweepResult:
    """Sorts a sweep's runs into cells; which hyperparameters were swept, their plans tell.

    Args:
        runs: the plan of each and what it came to (see `Measure.of`), NaN where it diverged, None
            where it is not finished.
        measure: which number that is.
    """
    runs = list(runs)
    plans = [plan for plan, _ in runs]
    axes = _swept(plans)
    values: dict[tuple[Any, ...], dict[int, float]] = {}
    for plan, value in runs:
        if value is not None:
            at = tuple(swept_value(plan, key) for key in axes)
            values.setdefault((plan.recipe.optimizer.name, *at), {})[plan.seed] = value
    order = list(OPTIMIZERS)
    cells = [Cell(key[0], tuple(key[1:]), found) for key, found in values.items()]
    cells.sort(key=lambda cell: (order.index(cell.optimizer), [_rank(v) for v in cell.at]))
    params = tuple(_param_among(plans, key) for key in axes)
    grid = tuple(tuple(sorted({at for (at,) in _values(plans, (key,))}, key=_rank)) for key in axes)
    return SweepResult(axes, params, tuple(cells), measure, grid)


def best_of(result: SweepResult) -> Best | None:
    """The best cell; of several that are equal the first, with the smallest values.

    None if every run diverged or there is none.
    """
    known = [cell for cell in result.cells if cell.band.values]
    if not known:
        return None
    sign = -1 if result.measure.higher_is_better else 1
    fewest = min(cell.band.diverged for cell in known)
    sound = [cell for cell in known if cell.band.diverged == fewest]
    lowest = min(sign * cell.band.mean for cell in sound)
    slack = SAME * abs(lowest)
    best = next(cell for cell in sound if sign * cell.band.mean <= lowest + slack)
    others = [cell for cell in sound if cell is not best]
    runner_up = min(others, key=lambda cell: sign * cell.band.mean, default=None)
    at_edge = tuple(key for i, key in enumerate(result.axes) if _at_edge(result, i, best))
    return Best(best, runner_up, at_edge)


def ranked(result: SweepResult) -> list[Cell]:
    """All cells: those with the fewest diverged runs first, of these the best first."""
    sign = -1 if result.measure.higher_is_better else 1
    return sorted(
        result.cells,
        key=lambda cell: (cell.band.diverged, sign * cell.band.mean if cell.band.values else 0.0),
    )


def sweep_sentence(result: SweepResult, under_way: bool = False) -> str:
    """What a sweep came to, in words: the best cell, whether a better one may lie beyond, and
    what diverged; while it is under way, the best so far."""
    best = best_of(result)
    runs = sum(len(cell.values) for cell in result.cells)
    diverged = sum(cell.band.diverged for cell in result.cells)
    lost = f" {diverged:,} of {runs:,} runs diverged." if diverged else ""
    if best is None:
        return f"No cell has a run that did not diverge.{lost}"
    measure, band = result.measure, best.cell.band
    mean = f"{band.mean:.2%}" if measure.share else format_number(band.mean)
    seeds = f"mean of {band.values} seeds" if band.values > 1 else "one seed"
    said = "Best so far" if under_way else "Best"
    said += f": {cell_text(result, best.cell)}, {measure.label} {mean} ({seeds})."
    if best.at_edge and not under_way:
        names = " and ".join(key.rpartition(".")[2] for key in best.at_edge)
        said += f" It lies at the edge of {names}: try values beyond."
    return said + lost


def best_sentence(result: SweepResult) -> str:
    """Whether the best cell can be told from the next best, as any two recipes are compared;
    empty where there are no two.

    One comparison is made, so nothing is corrected for the number of cells: when all are the
    same, the first two of many lie closer together than any two would.
    """
    best = best_of(result)
    if best is None or best.next is None:
        return ""
    names = {BEST: best.cell, NEXT: best.next}
    results = {name: cell.by_seed for name, cell in names.items()}
    said = comparison_sentence(compare(results, result.measure))
    return f"Next best: {cell_text(result, best.next)}. {said[0].upper()}{said[1:]}"


def cell_text(result: SweepResult, cell: Cell) -> str:
    """Where a cell lies: ``Adam, learning_rate 0.001, beta_1 0.9``."""
    places = zip(result.params, cell.at, strict=True)
    return ", ".join(
        [
            OPTIMIZERS[cell.optimizer].label,
            *(f"{param.name} {param.text(v)}" for param, v in places),
        ]
    )


def _swept(plans: list[RunPlan]) -> tuple[str, ...]:
    """The keys whose values differ between runs of the same optimizer, the learning rate first."""
    found: list[str] = []
    groups = [[p for p in plans if p.recipe.optimizer.name == key] for key in OPTIMIZERS]
    alike = [group for group in groups if group]
    for group in alike:
        for key, param in sweepable(group[0].recipe).items():
            # A schedule's rates are scaled with its peak: they are one axis, not several.
            follows = param.rate and key != LEARNING_RATE and LEARNING_RATE in found
            if key not in found and not follows and len(_values(group, (key,))) > 1:
                found.append(key)
    others = tuple(found[1:])
    # A warm-up longer than the run lowers the peak too: then the rate is no axis of its own.
    if found[:1] == [LEARNING_RATE] and others:
        pairs = [(_values(group, tuple(found)), _values(group, others)) for group in alike]
        if all(len(both) == len(without) for both, without in pairs):
            return others
    return tuple(found)


def _values(plans: Sequence[RunPlan], keys: tuple[str, ...]) -> set[tuple[Any, ...]]:
    return {tuple(swept_value(plan, key) for key in keys) for plan in plans}


def _param_among(plans: Sequence[RunPlan], key: str) -> Param:
    recipes = (plan.recipe for plan in plans)
    return next(param_of(recipe, key) for recipe in recipes if key in sweepable(recipe))


def _at_edge(result: SweepResult, axis: int, best: Cell) -> bool:
    values = {cell.at[axis] for cell in result.cells if cell.optimizer == best.optimizer}
    ordered = sorted(values, key=_rank)
    number_like = result.params[axis].kind != "bool" and None not in values
    return number_like and len(ordered) > 2 and best.at[axis] in (ordered[0], ordered[-1])


def _rank(value: Any) -> tuple[bool, Any]:
    """An order for values of which some may be off."""
    return (value is not None, value or 0)
