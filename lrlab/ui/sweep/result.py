"""A sweep's result: a verdict, U-curves, a heat map and a table; a click applies a cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st
from pandas.api.types import is_numeric_dtype

from lrlab.charts import (
    heat_chart,
    heat_table,
    sweep_table,
    sweep_u_curve_chart,
    sweep_u_curve_table,
)
from lrlab.controls.fields import CHOICES
from lrlab.experiments.measures import MEASURES
from lrlab.experiments.sweep import axis_value
from lrlab.experiments.sweep_results import (
    Cell,
    SweepResult,
    best_sentence,
    cell_text,
    find_best_cell,
    rank_cells,
    sweep_result,
    sweep_sentence,
)
from lrlab.optimizers import OPTIMIZERS
from lrlab.runs.store import ENDED, Group, Run
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.app.layout import two_sides
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.recipe.apply_recipe import (
    applied_note,
    apply_recipe,
    rerun_after_apply,
    selection_turn,
)
from lrlab.ui.runs.comparison import POLL_SECONDS
from lrlab.ui.runs.seeds_view import group_progress
from lrlab.ui.sweep.controls import SHOWN_SWEEP

DEFAULT_MEASURE = "last_val_loss"


def sweep_results() -> None:
    """Draw a choice of sweeps and the chosen one, polled while it is active."""
    sweeps = [group for group in server().store.groups() if group.kind == "sweep"]
    own = [group for group in sweeps if group.owner == browser()]
    if not sweeps:
        st.caption("There are no sweeps yet.")
        return
    # Other people's sweeps come last and are shown only if chosen. While none is chosen, the
    # selectbox returns None.
    ids: list[int | None] = [
        group.id for group in own + [group for group in sweeps if group not in own]
    ]
    names = {group.id: f"{group.id}: {group.name}" for group in sweeps}
    if st.session_state.get(SHOWN_SWEEP) not in ids:
        st.session_state[SHOWN_SWEEP] = own[0].id if own else None
    shown = st.selectbox(
        "Sweep", ids, key=SHOWN_SWEEP, format_func=names.__getitem__, placeholder="Choose a sweep"
    )
    if shown is None:
        return
    sweep_view(next(group for group in sweeps if group.id == shown))


def sweep_view(group: Group) -> None:
    """Draw a sweep, and keep it up to date while any of its runs is active."""
    active = any(run.state not in ENDED for run in server().store.runs(group=group.id))
    st.fragment(_watch, run_every=POLL_SECONDS if active else None)(group, active)


def _watch(group: Group, was_active: bool) -> None:
    with report_store_errors():
        runs = server().store.runs(group=group.id)[::-1]
        if not runs or (was_active and all(run.state in ENDED for run in runs)):
            st.rerun()
        rerun_after_apply()
        group_progress(group, runs)
        measure_key = st.segmented_control(
            "Compared by",
            list(MEASURES),
            default=DEFAULT_MEASURE,
            required=True,
            format_func=lambda key: MEASURES[key].label,
            key="sweep.measure",
        )
        result = _result(runs, measure_key)
        if not result.cells:
            st.caption("No run has finished.")
            return
        _answer(result, runs)
        _u_curves(group, result, runs)
        if len(result.axes) == 2:
            _heat_map(group, result, runs)
        _table(group, result, runs)


def _result(runs: Sequence[Run], measure_key: str) -> SweepResult:
    measure = MEASURES[measure_key]
    epochs = server().store.epochs_of([run.id for run in runs])
    return sweep_result(
        (
            (
                run.plan,
                measure.of(epochs[run.id], run.diverged) if run.state == "finished" else None,
            )
            for run in runs
        ),
        measure,
    )


def _answer(result: SweepResult, runs: Sequence[Run]) -> None:
    under_way = any(run.state not in ENDED for run in runs)
    st.markdown(f"**{sweep_sentence(result, under_way)}**")
    best = find_best_cell(result)
    if best is None:
        return
    # While runs are active, the runner-up may change at any moment.
    st.markdown("" if under_way else best_sentence(result))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Use the best in the recipe",
            icon=":material/content_copy:",
            on_click=_apply,
            args=(result, best.cell, runs),
            help=cell_text(result, best.cell),
        )
        applied_note()


def _apply(result: SweepResult, cell: Cell, runs: Sequence[Run]) -> None:
    """Put the recipe of a cell's runs into the controls."""
    for run in runs:
        plan = run.plan
        values = tuple(axis_value(plan, key) for key in result.axes)
        if (plan.recipe.optimizer.name, values) == (cell.optimizer, cell.axis_values):
            apply_recipe(plan, cell_text(result, cell))
            return


def _u_curves(group: Group, result: SweepResult, runs: Sequence[Run]) -> None:
    tables = {axis: sweep_u_curve_table(result, axis) for axis in range(len(result.axes))}
    axes = [axis for axis, (points, _) in tables.items() if not points.empty]
    containers = two_sides(f"sweep-{group.id}") if len(axes) > 1 else [st.container()]
    for axis, container in zip(axes, containers, strict=False):
        with container:
            _u_curve(group, axis, result, runs, *tables[axis])
    if not axes:
        return
    several_seeds = any(len(cell.values) > 1 for cell in result.cells)
    any_diverged = any(cell.band.diverged for cell in result.cells)
    seeds_text = "Lines are means over seeds; bands reach from the lowest to the highest value. "
    diverged_text = "× marks values at which runs diverged. "
    st.caption(
        (seeds_text if several_seeds else "")
        + (diverged_text if any_diverged else "")
        + "Click a point to use it in the recipe."
    )


def _u_curve(
    group: Group,
    axis: int,
    result: SweepResult,
    runs: Sequence[Run],
    points: pd.DataFrame,
    diverged: pd.DataFrame,
) -> None:
    param = result.params[axis]
    others = "".join(
        f"; each point is at its best {other.name}" for other in result.params if other != param
    )
    st.markdown(f"**{_title(result)}** against {param.name}{others}")
    key = f"sweep.u.{group.id}.{axis}.{selection_turn()}"
    ticks = [
        (float(value), param.text(value))
        for value in result.grid[axis]
        if isinstance(value, int | float)
    ]
    show_chart(
        sweep_u_curve_chart,
        key,
        points,
        diverged,
        on_select=partial(_apply_point, key, axis, result, runs),
        recipes=tuple(OPTIMIZERS[optimizer].label for optimizer in result.optimizers),
        x=param.name,
        y=result.measure.label,
        ticks=tuple(ticks),
        log_x=param.scale == "log" and ticks[0][0] > 0,
        # Within a single power of ten, a logarithmic axis would have hardly any labels.
        log_y=not result.measure.share and points["high"].max() > 10 * points["low"].min() > 0,
    )


def _title(result: SweepResult) -> str:
    label = result.measure.label
    return label[0].upper() + label[1:]


def _apply_point(key: str, axis: int, result: SweepResult, runs: Sequence[Run]) -> None:
    for point in st.session_state[key].selection["cell"]:
        sign = -1 if result.measure.higher_is_better else 1
        cells = [
            cell
            for cell in result.cells
            if OPTIMIZERS[cell.optimizer].label == point["recipe"]
            and cell.axis_values[axis] == point["x"]
            and cell.band.values
        ]
        if cells:
            _apply(result, min(cells, key=lambda cell: sign * cell.band.mean), runs)


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
    xs, ys = (
        tuple(param.text(value) for value in values)
        for param, values in zip(result.params, result.grid, strict=True)
    )
    st.markdown(f"**{_title(result)}** for every pair; dark is better")
    key = f"sweep.heat.{group.id}.{optimizer}.{selection_turn()}"
    show_chart(
        heat_chart,
        key,
        table,
        on_select=partial(_apply_heat_cell, key, optimizer, result, runs),
        xs=xs,
        ys=ys,
        x=x.name,
        y=y.name,
    )
    st.caption("Click a cell to use it in the recipe.")


def _apply_heat_cell(key: str, optimizer: str, result: SweepResult, runs: Sequence[Run]) -> None:
    for point in st.session_state[key].selection["cell"]:
        selected = (optimizer, point["x"], point["y"])
        for cell in result.cells:
            texts = (
                param.text(value)
                for param, value in zip(result.params, cell.axis_values, strict=True)
            )
            if (cell.optimizer, *texts) == selected:
                _apply(result, cell, runs)


def _table(group: Group, result: SweepResult, runs: Sequence[Run]) -> None:
    """Draw all cells as a table, for visitors who cannot see or click the charts."""
    with st.expander("All values in numbers", icon=":material/table:"):
        cells = rank_cells(result)
        key = f"sweep.table.{group.id}.{result.measure.label}.{len(cells)}.{selection_turn()}"
        table = sweep_table(result, cells)
        measure_format = "percent" if result.measure.share else "%.4g"
        measure_columns = (result.measure.label, "lowest value", "highest value")
        formats = dict.fromkeys((param.name for param in result.params), "%.6g")
        formats |= dict.fromkeys(measure_columns, measure_format)
        st.dataframe(
            table,
            key=key,
            column_config={
                name: st.column_config.NumberColumn(format=number_format)
                for name, number_format in formats.items()
                if is_numeric_dtype(table[name])
            },
            hide_index=True,
            on_select=partial(_apply_row, key, cells, result, runs),
            selection_mode="single-row",
            placeholder="–",
            alt="All values of the sweep, best first. Tick a row to use it in the recipe.",
        )
        st.caption("The best comes first. Tick a row to use it in the recipe.")


def _apply_row(key: str, cells: Sequence[Cell], result: SweepResult, runs: Sequence[Run]) -> None:
    for row in st.session_state[key]["selection"]["rows"]:
        _apply(result, cells[row], runs)
