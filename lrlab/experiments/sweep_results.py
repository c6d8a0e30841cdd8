"""The result of a sweep: a cell for each optimizer and combination of values, and the best cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lrlab.experiments.comparison import Band, compare, comparison_sentence, seed_band
from lrlab.experiments.measures import Measure
from lrlab.experiments.sweep import (
    AxisValue,
    axis_order,
    axis_param,
    axis_value,
    sweepable_params,
)
from lrlab.optimizers import OPTIMIZERS
from lrlab.params import Param
from lrlab.recipes.plan import RunPlan
from lrlab.schedules.base import LEARNING_RATE
from lrlab.text import format_number

EQUAL_SHARE = 1e-12
"""Means that differ by no more than this share are equal."""

BEST, NEXT = "the best", "the next best"


@dataclass(frozen=True)
class Cell:
    """The runs of one optimizer with one value on each axis; they differ only by their seed.

    Args:
        optimizer: the optimizer's key.
        axis_values: the value on each axis of the sweep.
        by_seed: seed -> result of the run; NaN if it diverged.
    """

    optimizer: str
    axis_values: tuple[AxisValue, ...]
    by_seed: Mapping[int, float]

    @property
    def values(self) -> tuple[float, ...]:
        """The results of its runs."""
        return tuple(self.by_seed.values())

    @cached_property
    def band(self) -> Band:
        """The mean and band over the seeds; runs that diverged are counted but left out."""
        return seed_band(self.values)


@dataclass(frozen=True)
class SweepResult:
    """The cells of a sweep, in the order of optimizers and values.

    Args:
        axes: the axis keys (see `lrlab.experiments.sweep.SweepAxis`); empty if all runs are
            alike.
        params: the description of the parameter on each axis.
        cells: the cells with at least one finished run.
        measure: the measure of the results.
        grid: all planned values of each axis in order, off first, finished or not.
    """

    axes: tuple[str, ...]
    params: tuple[Param, ...]
    cells: tuple[Cell, ...]
    measure: Measure
    grid: tuple[tuple[AxisValue, ...], ...]

    @property
    def optimizers(self) -> tuple[str, ...]:
        """The keys of its optimizers, in the order of the registry."""
        present = {cell.optimizer for cell in self.cells}
        return tuple(key for key in OPTIMIZERS if key in present)


@dataclass(frozen=True)
class BestCell:
    """The best cell of a sweep.

    Args:
        cell: the cell with the best mean among those with the fewest diverged runs.
        runner_up: the second best of those; None if there is no other.
        at_edge: the keys of the axes on whose lowest or highest value it lies, so that a better
            value may lie beyond.
    """

    cell: Cell
    runner_up: Cell | None
    at_edge: tuple[str, ...]


def sweep_result(runs: Iterable[tuple[RunPlan, float | None]], measure: Measure) -> SweepResult:
    """Sort the runs of a sweep into cells. The axes are found by comparing the plans.

    Args:
        runs: each run's plan and result (see `Measure.of`): NaN if it diverged, None if it has
            not finished.
        measure: the measure of the results.
    """
    runs = list(runs)
    plans = [plan for plan, _ in runs]
    axes = _find_axes(plans)
    by_cell: dict[tuple[str, tuple[AxisValue, ...]], dict[int, float]] = {}
    for plan, value in runs:
        if value is not None:
            axis_values = tuple(axis_value(plan, key) for key in axes)
            by_seed = by_cell.setdefault((plan.recipe.optimizer.name, axis_values), {})
            by_seed[plan.seed] = value
    order = list(OPTIMIZERS)
    cells = [
        Cell(optimizer, axis_values, by_seed)
        for (optimizer, axis_values), by_seed in by_cell.items()
    ]
    cells.sort(
        key=lambda cell: (
            order.index(cell.optimizer),
            [axis_order(value) for value in cell.axis_values],
        )
    )
    params = tuple(_find_param(plans, key) for key in axes)
    grid = tuple(
        tuple(sorted({axis_value(plan, key) for plan in plans}, key=axis_order)) for key in axes
    )
    return SweepResult(axes, params, tuple(cells), measure, grid)


def find_best_cell(result: SweepResult) -> BestCell | None:
    """The best cell; among equally good ones the first, which has the smallest values.

    Returns:
        None if there are no runs or all of them diverged.
    """
    with_values = [cell for cell in result.cells if cell.band.values]
    if not with_values:
        return None
    sign = -1 if result.measure.higher_is_better else 1
    fewest_diverged = min(cell.band.diverged for cell in with_values)
    candidates = [cell for cell in with_values if cell.band.diverged == fewest_diverged]
    lowest = min(sign * cell.band.mean for cell in candidates)
    tolerance = EQUAL_SHARE * abs(lowest)
    best = next(cell for cell in candidates if sign * cell.band.mean <= lowest + tolerance)
    others = [cell for cell in candidates if cell is not best]
    runner_up = min(others, key=lambda cell: sign * cell.band.mean, default=None)
    at_edge = tuple(key for i, key in enumerate(result.axes) if _at_edge(result, i, best))
    return BestCell(best, runner_up, at_edge)


def rank_cells(result: SweepResult) -> list[Cell]:
    """All cells, by the number of diverged runs and then from the best mean to the worst."""
    sign = -1 if result.measure.higher_is_better else 1
    return sorted(
        result.cells,
        key=lambda cell: (cell.band.diverged, sign * cell.band.mean if cell.band.values else 0.0),
    )


def sweep_sentence(result: SweepResult, under_way: bool = False) -> str:
    """The best cell, whether a better one may lie beyond the edge, and how many runs diverged.

    Args:
        result: the sweep's result.
        under_way: whether runs are still to finish, so that it is the best cell so far.
    """
    best = find_best_cell(result)
    runs = sum(len(cell.values) for cell in result.cells)
    diverged = sum(cell.band.diverged for cell in result.cells)
    diverged_sentence = f" {diverged:,} of {runs:,} runs diverged." if diverged else ""
    if best is None:
        return f"No run finished without diverging.{diverged_sentence}"
    measure, band = result.measure, best.cell.band
    mean = f"{band.mean:.2%}" if measure.share else format_number(band.mean)
    seeds = f"mean of {band.values} seeds" if band.values > 1 else "one seed"
    text = "Best so far" if under_way else "Best"
    text += f": {cell_text(result, best.cell)}, {measure.label} {mean} ({seeds})."
    if best.at_edge and not under_way:
        names = " and ".join(key.rpartition(".")[2] for key in best.at_edge)
        text += f" It lies at the edge of {names}: try values beyond it."
    return text + diverged_sentence


def best_sentence(result: SweepResult) -> str:
    """Whether the best cell is distinguishable from the next best; empty without two cells.

    Only one comparison is made, so it is not corrected for the number of cells: if all cells are
    equal, the best two of many lie closer together than any two would.
    """
    best = find_best_cell(result)
    if best is None or best.runner_up is None:
        return ""
    results = {BEST: best.cell.by_seed, NEXT: best.runner_up.by_seed}
    sentence = comparison_sentence(compare(results, result.measure))
    sentence = sentence[0].upper() + sentence[1:]
    return f"Next best: {cell_text(result, best.runner_up)}. {sentence}"


def cell_text(result: SweepResult, cell: Cell) -> str:
    """A cell's optimizer and values: ``Adam, learning_rate 0.001, beta_1 0.9``."""
    values = zip(result.params, cell.axis_values, strict=True)
    return ", ".join(
        [
            OPTIMIZERS[cell.optimizer].label,
            *(f"{param.name} {param.text(value)}" for param, value in values),
        ]
    )


def _find_axes(plans: Sequence[RunPlan]) -> tuple[str, ...]:
    """The keys whose values differ between runs of the same optimizer, the learning rate first."""
    axes: list[str] = []
    by_optimizer = [[p for p in plans if p.recipe.optimizer.name == key] for key in OPTIMIZERS]
    groups = [group for group in by_optimizer if group]
    for group in groups:
        for key, param in sweepable_params(group[0].recipe).items():
            # The rates of a schedule are scaled with its peak, so they are not axes themselves.
            scaled = param.rate and key != LEARNING_RATE and LEARNING_RATE in axes
            if key not in axes and not scaled and len(_combinations(group, (key,))) > 1:
                axes.append(key)
    others = tuple(axes[1:])
    # A warm-up longer than the run also lowers the peak. The learning rate is then no axis: it
    # adds no combinations to those of the other axes.
    if axes[:1] == [LEARNING_RATE] and others:
        pairs = [
            (_combinations(group, tuple(axes)), _combinations(group, others)) for group in groups
        ]
        if all(len(with_rate) == len(without) for with_rate, without in pairs):
            return others
    return tuple(axes)


def _combinations(plans: Sequence[RunPlan], keys: tuple[str, ...]) -> set[tuple[AxisValue, ...]]:
    return {tuple(axis_value(plan, key) for key in keys) for plan in plans}


def _find_param(plans: Sequence[RunPlan], key: str) -> Param:
    recipes = (plan.recipe for plan in plans)
    return next(axis_param(recipe, key) for recipe in recipes if key in sweepable_params(recipe))


def _at_edge(result: SweepResult, axis: int, best: Cell) -> bool:
    values = {cell.axis_values[axis] for cell in result.cells if cell.optimizer == best.optimizer}
    ordered = sorted(values, key=axis_order)
    is_numeric = result.params[axis].kind != "bool" and None not in values
    ends = (ordered[0], ordered[-1])
    return is_numeric and len(ordered) > 2 and best.axis_values[axis] in ends
