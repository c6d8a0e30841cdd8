"""Several recipes compared: a verdict, their curves, their numbers, and differing settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import pandas as pd
import streamlit as st

from lrlab.charts import (
    CURVES,
    RUN_AXIS,
    Curve,
    comparison_chart,
    comparison_table,
    legend_chart,
)
from lrlab.charts.comparison import RunUnit
from lrlab.datasets.sources import find_source
from lrlab.experiments.comparison import compare, comparison_sentence
from lrlab.experiments.measures import MEASURES, Measure
from lrlab.experiments.run_list import training_seconds
from lrlab.experiments.run_series import (
    MAX_SERIES,
    MEASURED,
    NONE,
    SETTING,
    RunSeries,
    group_into_series,
    setting_differences,
)
from lrlab.runs.store import ENDED, Run
from lrlab.text import format_measure, format_number
from lrlab.training.measurements import RunHistory
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.app.layout import two_sides
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.app.streamlit_internals import DeltaGenerator
from lrlab.ui.runs.run_cache import CachedRun, cached_run

POLL_SECONDS = 2.0

BAND = "Lines are means over seeds; bands reach from the lowest to the highest value."

X_AXIS, LOSS_AXES, OTHER_AXES = "across", "losses", "the others"
"""The axes that can be logarithmic."""


def run_series(runs: Sequence[Run]) -> list[RunSeries]:
    """Group runs into series; a series that is a seed group has the group's name."""
    names = {group.id: group.name for group in server().store.groups() if group.kind == "seeds"}
    return group_into_series(runs, names)


def comparison(series: Sequence[RunSeries]) -> None:
    """Compare two or more series, and keep them up to date while any run is active."""
    if len(series) > MAX_SERIES:
        st.info(
            f"These are {len(series)} different recipes; one chart shows at most {MAX_SERIES}. "
            "Tick fewer.",
            icon=":material/info:",
        )
        return
    active = any(run.state not in ENDED for member in series for run in member.runs)
    run_ids = [run.id for member in series for run in member.runs]
    st.fragment(_watch, run_every=POLL_SECONDS if active else None)(run_ids, active)


def _watch(run_ids: Sequence[int], was_active: bool) -> None:
    with report_store_errors():
        store = server().store
        series = run_series([store.run(run_id) for run_id in run_ids])
        if was_active and all(run.state in ENDED for member in series for run in member.runs):
            st.rerun()
        cached = cached_series(series)
        _verdict(series, cached)
        curves(series, cached, "compare")
        _numbers(series, cached)
        _differences(series)


def cached_series(series: Sequence[RunSeries]) -> dict[str, list[CachedRun]]:
    """The measurements of the runs of each series, by the series' label."""
    store = server().store
    return {member.label: [cached_run(store, run) for run in member.runs] for member in series}


class _AxisOptions(NamedTuple):
    unit: RunUnit
    log_x: bool
    log_losses: bool
    log_others: bool
    smoothing: float


def curves(
    series: Sequence[RunSeries], cached: Mapping[str, Sequence[CachedRun]], key: str
) -> None:
    """Draw the curves of these series on shared axes, with the controls for the axes.

    Args:
        series: what to draw.
        cached: their measurements, from `cached_series`.
        key: prefix of the widgets' keys.
    """
    options = _controls(key)
    labels = tuple(member.label for member in series)
    histories = {label: [run.history for run in runs] for label, runs in cached.items()}
    if len(labels) > 1:
        show_chart(legend_chart, f"{key}.legend", pd.DataFrame({"recipe": labels}), recipes=labels)
    for container, curve in zip(_containers(key), _measured_curves(histories), strict=False):
        with container:
            st.markdown(f"**{curve.title[0].upper()}{curve.title[1:]}**")
            log_y = options.log_losses if curve.loss else options.log_others and not curve.share
            show_chart(
                comparison_chart,
                f"{key}.{curve.field}",
                comparison_table(
                    histories, curve, options.unit, options.smoothing, options.log_x, log_y
                ),
                recipes=labels,
                curve=curve,
                unit=options.unit,
                log_x=options.log_x,
                log_y=log_y,
            )
    if any(len(member.runs) > 1 for member in series):
        st.caption(BAND)


def _measured_curves(histories: Mapping[str, Sequence[RunHistory]]) -> list[Curve]:
    """The curves that at least one run has measured, and those that every run measures."""
    rows = [
        row
        for runs in histories.values()
        for history in runs
        for row in (*history.points, *history.epochs)
    ]
    fields = {field for row in rows for field, value in vars(row).items() if value is not None}
    return [curve for curve in CURVES.values() if curve.always or curve.field in fields]


def _containers(key: str) -> list[DeltaGenerator]:
    """Two containers a row, in as many rows as all curves can need."""
    rows = (len(CURVES) + 1) // 2
    return [container for row in range(rows) for container in two_sides(f"{key}-{row}")]


def _controls(key: str) -> _AxisOptions:
    units: list[RunUnit] = list(RUN_AXIS)
    default_unit: RunUnit = "epoch"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        unit = st.segmented_control(
            "Horizontal axis", units, default=default_unit, required=True, key=f"{key}.unit"
        )
        # The first batches have ten times the loss of the last: on a linear axis they would hide
        # all later differences.
        logarithmic = st.pills(
            "Logarithmic axes",
            [X_AXIS, LOSS_AXES, OTHER_AXES],
            selection_mode="multi",
            default=LOSS_AXES,
            key=f"{key}.log",
            help="Across: the horizontal axis. The others: learning rate, gradient norm and "
            "update-to-weight ratio.",
        )
        smoothing = st.slider(
            "Smoothing",
            0.0,
            0.99,
            0.0,
            0.01,
            key=f"{key}.smoothing",
            width=180,
            help="For curves measured between epochs: the weight of the previous average at each "
            "point, as in TensorBoard.",
        )
    return _AxisOptions(
        unit,
        X_AXIS in logarithmic,
        LOSS_AXES in logarithmic,
        OTHER_AXES in logarithmic,
        smoothing,
    )


def _verdict(series: Sequence[RunSeries], cached: Mapping[str, Sequence[CachedRun]]) -> None:
    """Say whether the recipes differ, by a measure of the visitor's choice."""
    answer, box = two_sides("compare-words", 2, 1)
    key = box.selectbox(
        "Compared by", list(MEASURES), format_func=lambda key: _title(MEASURES[key])
    )
    measure = MEASURES[key]
    results = {
        member.label: values
        for member in series
        if (values := _results(member, cached[member.label], measure))
    }
    if len(results) < 2:
        answer.text("At least two recipes need a finished run before they can be compared.")
        return
    answer.text(comparison_sentence(compare(results, measure, _validation_images(series))))


def _results(series: RunSeries, cached: Sequence[CachedRun], measure: Measure) -> dict[int, float]:
    """Seed -> the measure of its finished run; of several runs with a seed the newest counts."""
    return {
        run.plan.seed: measure.of(measurements.history.epochs, run.diverged)
        for run, measurements in zip(series.runs, cached, strict=True)
        if run.state == "finished"
    }


def _validation_images(series: Sequence[RunSeries]) -> int | None:
    """The number of validation images all these runs used; None if it is unknown."""
    source = find_source()
    if {run.data_source for member in series for run in member.runs} != {source.label}:
        return None
    return source.train_images - source.largest_train_size


def _numbers(series: Sequence[RunSeries], cached: Mapping[str, Sequence[CachedRun]]) -> None:
    st.markdown("**In numbers**: means over finished runs")
    columns = {member.label: _column(member, cached[member.label]) for member in series}
    table = pd.DataFrame(columns).rename_axis(MEASURED).reset_index()
    st.dataframe(table, hide_index=True, alt="The compared recipes in numbers.")


def _column(series: RunSeries, cached: Sequence[CachedRun]) -> dict[str, str]:
    finished = [
        (run, measurements.history.epochs)
        for run, measurements in zip(series.runs, cached, strict=True)
        if run.state == "finished"
    ]
    means = {
        _title(measure): _mean(
            [measure.of(epochs, run.diverged) for run, epochs in finished], measure.share
        )
        for measure in MEASURES.values()
    }
    tested = [run.test_accuracy for run, _ in finished if run.test_accuracy is not None]
    return {
        "Finished runs": f"{len(finished)} of {len(series.runs)}",
        **means,
        "Test accuracy": _mean(tested, True),
        "Seconds per run": _seconds_per_run(series),
        "Largest difference from the planned learning rate": _largest_rate_difference(cached),
    }


def _mean(values: Sequence[float], share: bool) -> str:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return "diverged" if values else NONE
    return format_measure(fmean(finite), share)


def _seconds_per_run(series: RunSeries) -> str:
    ended = [run for run in series.runs if run.started and run.ended]
    seconds = training_seconds(ended, now=0.0)
    return NONE if seconds is None else f"{seconds / len(ended):.1f}"


def _largest_rate_difference(cached: Sequence[CachedRun]) -> str:
    known = [run.rate_difference for run in cached if run.rate_difference is not None]
    return format_number(max(known), 2) if known else NONE


def _differences(series: Sequence[RunSeries]) -> None:
    rows = setting_differences({member.label: member.plan for member in series})
    st.markdown("**What differs**; all other settings are the same")
    st.dataframe(
        pd.DataFrame([{SETTING: name, **values} for name, values in rows]),
        hide_index=True,
        alt="The settings in which the compared recipes differ.",
    )


def _title(measure: Measure) -> str:
    return measure.label[0].upper() + measure.label[1:]
