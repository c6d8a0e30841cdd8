"""What a sweep came to: in words, as U-curves and as a heat map; a click takes a cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from lrlab.charts import heat_chart, heat_table, sweep_u_chart, sweep_u_table
from lrlab.entries import diverged
from lrlab.fields import CHOICES
from lrlab.measures import MEASURES
from lrlab.optimizers import OPTIMIZERS
from lrlab.plan import RunPlan
from lrlab.store import ENDED, Group, Run
from lrlab.sweep import swept_value
from lrlab.sweep_results import (
    Cell,
    SweepResult,
    best_of,
    cell_text,
    sweep_result,
    sweep_sentence,
)
from lrlab.ui.compare import POLL_SECONDS
from lrlab.ui.group import group_progress
from lrlab.ui.identity import browser
from lrlab.ui.server import server, store_errors
from lrlab.ui.show import show
from lrlab.ui.state import put
from lrlab.ui.sweep import SHOWN
from lrlab.ui.take import recipe_draft

MEASURE = "last_val_loss"
"""By which a sweep is judged at first."""

TAKEN = "sweep.taken"
"""Session key of what a click has just put into the recipe."""


def sweep_results() -> None:
    """The sweep that is looked at, kept up to date while it is under way."""
    sweeps = [group for group in server().store.groups() if group.kind == "sweep"]
    mine = [group for group in sweeps if group.owner == browser()]
    if not sweeps:
        st.caption("There are no sweeps yet.")
        return
    # A stranger's sweep is shown when it is picked, never by itself.
    ids = [group.id for group in mine + [group for group in sweeps if group not in mine]]
    names = {group.id: f"{group.id}: {group.name}" for group in sweeps}
    if st.session_state.get(SHOWN) not in ids:
        st.session_state[SHOWN] = mine[0].id if mine else None
    shown = st.selectbox(
        "Sweep", ids, key=SHOWN, format_func=names.__getitem__, placeholder="Choose a sweep"
    )
    if shown is None:
        return
    sweep_view(next(group for group in sweeps if group.id == shown))


def sweep_view(group: Group) -> None:
    """Draw a sweep, and keep it up to date while any of its runs is under way."""
    active = any(run.state not in ENDED for run in server().store.runs(group=group.id))
    st.fragment(_watch, run_every=POLL_SECONDS if active else None)(group, active)


def _watch(group: Group, was_active: bool) -> None:
    with store_errors():
        runs = server().store.runs(group=group.id)[::-1]
        if not runs or (was_active and all(run.state in ENDED for run in runs)):
            st.rerun()
        if st.session_state.pop(TAKEN, False):
            # The recipe's controls are outside this part of the page.
            st.rerun()
        group_progress(group, runs)
        measure = st.segmented_control(
            "Judged by",
            list(MEASURES),
            default=MEASURE,
            required=True,
            format_func=lambda key: MEASURES[key].label,
            key="sweep.measure",
        )
        result = _result(runs, measure)
        if not result.cells:
            st.caption("No run has finished yet.")
            return
        _answer(result, runs)
        _u_curves(group, result, runs)
        if len(result.axes) == 2:
            _heat_map(group, result, runs)


def _result(runs: Sequence[Run], measure_key: str) -> SweepResult:
    measure = MEASURES[measure_key]
    epochs = server().store.epochs_of([run.id for run in runs])
    return sweep_result(
        (
            (
                RunPlan.from_dict(run.plan),
                measure.of(epochs[run.id], diverged(run)) if run.state == "finished" else None,
            )
            for run in runs
        ),
        measure,
    )


def _answer(result: SweepResult, runs: Sequence[Run]) -> None:
    st.markdown(f"**{sweep_sentence(result)}**")
    best = best_of(result)
    if best is None:
        return
    if st.button(
        "Take the best into the recipe",
        icon=":material/content_copy:",
        on_click=_take,
        args=(result, best.cell, runs),
        help=cell_text(result, best.cell),
    ):
        st.rerun()


def _take(result: SweepResult, cell: Cell, runs: Sequence[Run]) -> None:
    """Put the recipe of a cell's runs into the controls."""
    for run in runs:
        plan = RunPlan.from_dict(run.plan)
        at = tuple(swept_value(plan, key) for key in result.axes)
        if (plan.recipe.optimizer.name, at) == (cell.optimizer, cell.at):
            put(recipe_draft(plan))
            st.session_state[TAKEN] = True
            return


def _u_curves(group: Group, result: SweepResult, runs: Sequence[Run]) -> None:
    for axis, param in enumerate(result.params):
        points, lost = sweep_u_table(result, axis)
        if points.empty:
            continue
        others = "" if len(result.axes) == 1 else "; each point is the best over the other"
        st.markdown(f"**{result.measure.label.capitalize()}** against {param.name}{others}")
        key = f"sweep.u.{group.id}.{axis}"
        show(
            sweep_u_chart,
            key,
            points,
            lost,
            on_select=partial(_take_point, key, axis, result, runs),
            recipes=tuple(OPTIMIZERS[key].label for key in result.optimizers),
            x=param.name,
            y=result.measure.label,
            log_x=param.scale == "log" and bool((points["x"] > 0).all()),
            log_y=not result.measure.share,
        )
    st.caption(
        "Lines are means over seeds, bands reach from the lowest to the highest seed; × marks "
        "values at which runs diverged. Click a point to take it into the recipe."
    )


def _take_point(key: str, axis: int, result: SweepResult, runs: Sequence[Run]) -> None:
    for chosen in st.session_state[key].selection["cell"]:
        sign = -1 if result.measure.higher_is_better else 1
        cells = [
            cell
            for cell in result.cells
            if OPTIMIZERS[cell.optimizer].label == chosen["recipe"]
            and cell.at[axis] == chosen["x"]
            and cell.band.values
        ]
        _take(result, min(cells, key=lambda cell: sign * cell.band.mean), runs)


def _heat_map(group: Group, result: SweepResult, runs: Sequence[Run]) -> None:
    optimizer = result.optimizers[0]
    if len(result.optimizers) > 1:
        optimizer = st.segmented_control(
            "Heat map of",
            result.optimizers,
            default=optimizer,
            required=True,
            format_func=lambda key: CHOICES["optimizer"][key].label,
            key=f"sweep.heat.{group.id}.optimizer",
        )
    table = heat_table(result, optimizer)
    x, y = result.params
    xs, ys = (_texts(result, axis) for axis in (0, 1))
    st.markdown(f"**{result.measure.label.capitalize()}** for every pair; dark is better")
    key = f"sweep.heat.{group.id}.{optimizer}"
    show(
        heat_chart,
        key,
        table,
        on_select=partial(_take_cell, key, optimizer, result, runs),
        xs=xs,
        ys=ys,
        x=x.name,
        y=y.name,
    )
    st.caption("Click a cell to take it into the recipe.")


def _texts(result: SweepResult, axis: int) -> tuple[str, ...]:
    """The values along an axis in order; one that is off comes first."""
    values = {cell.at[axis] for cell in result.cells}
    ordered = sorted(values, key=lambda value: (value is not None, value or 0))
    return tuple(result.params[axis].text(value) for value in ordered)


def _take_cell(key: str, optimizer: str, result: SweepResult, runs: Sequence[Run]) -> None:
    for chosen in st.session_state[key].selection["cell"]:
        wanted = (optimizer, chosen["x"], chosen["y"])
        for cell in result.cells:
            texts = (p.text(value) for p, value in zip(result.params, cell.at, strict=True))
            if (cell.optimizer, *texts) == wanted:
                _take(result, cell, runs)
