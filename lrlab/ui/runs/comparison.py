"""Several recipes on one set of charts, in words, in numbers, and by what differs."""

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
from lrlab.ui.runs.run_cache import CachedRun, cached_run

POLL_SECONDS = 2.0

BAND = "Lines are means over seeds; bands reach from the lowest to the highest seed."


def lines_for(runs: Sequence[Run]) -> list[RunSeries]:
    """These runs as lines; those of a group of seeds are called after it."""
    seeds = {group.id: group.name for group in server().store.groups() if group.kind == "seeds"}
    return group_into_series(runs, seeds)


def comparison(lines: Sequence[RunSeries]) -> None:
    """Draw two recipes or more, and keep them up to date while any run is under way."""
    if len(lines) > MAX_SERIES:
        st.info(
            f"These are {len(lines)} different recipes; {MAX_SERIES} go on one chart. Tick fewer.",
            icon=":material/info:",
        )
        return
    active = any(run.state not in ENDED for line in lines for run in line.runs)
    st.fragment(_watch, run_every=POLL_SECONDS if active else None)(
        {line.label: tuple(run.id for run in line.runs) for line in lines}, active
    )


def _watch(ids: Mapping[str, tuple[int, ...]], was_active: bool) -> None:
    with report_store_errors():
        store = server().store
        lines = lines_for([store.run(run_id) for numbers in ids.values() for run_id in numbers])
        if was_active and all(run.state in ENDED for line in lines for run in line.runs):
            st.rerun()
        measured = cached_runs_of(lines)
        _words(lines, measured)
        curves(lines, measured, "compare")
        _numbers(lines, measured)
        _differences(lines)


def cached_runs_of(lines: Sequence[RunSeries]) -> dict[str, list[CachedRun]]:
    """What there is to see of the runs of each line, by its label."""
    store = server().store
    return {line.label: [cached_run(store, run) for run in line.runs] for line in lines}


ACROSS, LOSSES, OTHERS = "across", "losses", "the others"
"""Which axes can be logarithmic."""


class _Look(NamedTuple):
    unit: str
    log_x: bool
    log_losses: bool
    log_others: bool
    smoothing: float


def curves(
    lines: Sequence[RunSeries], measured: Mapping[str, Sequence[CachedRun]], key: str
) -> None:
    """The curves of these lines, all on the same axes, with their controls."""
    look = _controls(key)
    labels = tuple(line.label for line in lines)
    tracks = {label: [run.history for run in runs] for label, runs in measured.items()}
    if len(labels) > 1:
        show_chart(legend_chart, f"{key}.legend", pd.DataFrame({"recipe": labels}), recipes=labels)
    for place, curve in zip(_places(key), _drawn(tracks), strict=False):
        with place:
            st.markdown(f"**{curve.title[0].upper()}{curve.title[1:]}**")
            log_y = look.log_losses if curve.loss else look.log_others and not curve.share
            show_chart(
                comparison_chart,
                f"{key}.{curve.field}",
                comparison_table(tracks, curve, look.unit, look.smoothing, look.log_x, log_y),
                recipes=labels,
                curve=curve,
                unit=look.unit,
                log_x=look.log_x,
                log_y=log_y,
            )
    if any(len(line.runs) > 1 for line in lines):
        st.caption(BAND)


def _drawn(measured: Mapping[str, Sequence[RunHistory]]) -> list[Curve]:
    """The curves that some run has measured, and those that every run measures."""
    found = {
        field
        for runs in measured.values()
        for run in runs
        for row in (*run.points, *run.epochs)
        for field, value in vars(row).items()
        if value is not None
    }
    return [curve for curve in CURVES.values() if curve.always or curve.field in found]


def _places(key: str) -> list:
    """Two places a row, as many rows as all curves may need."""
    rows = (len(CURVES) + 1) // 2
    return [place for row in range(rows) for place in two_sides(f"{key}-{row}")]


def _controls(key: str) -> _Look:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        unit = st.segmented_control(
            "Horizontal axis", list(RUN_AXIS), default="epoch", required=True, key=f"{key}.unit"
        )
        # The first batches lose ten times as much as the last, which would hide all the rest.
        logs = st.pills(
            "Logarithmic axes",
            [ACROSS, LOSSES, OTHERS],
            selection_mode="multi",
            default=LOSSES,
            key=f"{key}.log",
            help="Across: the horizontal one. The others: learning rate, gradient norm and "
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
            help="Of curves measured between epochs: the share of the average that is kept at "
            "each point, as in TensorBoard.",
        )
    return _Look(unit, ACROSS in logs, LOSSES in logs, OTHERS in logs, smoothing)


def _words(lines: Sequence[RunSeries], measured: Mapping[str, Sequence[CachedRun]]) -> None:
    """Whether these recipes can be told apart at all."""
    answer, box = two_sides("compare-words", 2, 1)
    key = box.selectbox(
        "Compared by", list(MEASURES), format_func=lambda key: _title(MEASURES[key])
    )
    measure = MEASURES[key]
    results = {
        line.label: found
        for line in lines
        if (found := _results(line, measured[line.label], measure))
    }
    if len(results) < 2:
        answer.text("Two recipes or more need a finished run before they can be compared.")
        return
    answer.text(comparison_sentence(compare(results, measure, _images(lines))))


def _results(line: RunSeries, measured: Sequence[CachedRun], measure: Measure) -> dict[int, float]:
    """Seed -> the number its finished run came to; the newest run of a seed counts."""
    return {
        run.plan.seed: measure.of(its.history.epochs, run.diverged)
        for run, its in zip(line.runs, measured, strict=True)
        if run.state == "finished"
    }


def _images(lines: Sequence[RunSeries]) -> int | None:
    """How many validation images all these runs were measured on, where that is known."""
    source = find_source()
    if {run.data_source for line in lines for run in line.runs} != {source.label}:
        return None
    return source.train_images - source.largest_train_size


def _numbers(lines: Sequence[RunSeries], measured: Mapping[str, Sequence[CachedRun]]) -> None:
    st.markdown("**In numbers**: means over finished runs")
    columns = {line.label: _figures(line, measured[line.label]) for line in lines}
    table = pd.DataFrame(columns).rename_axis(MEASURED).reset_index()
    st.dataframe(table, hide_index=True, alt="The compared recipes in numbers.")


def _figures(line: RunSeries, measured: Sequence[CachedRun]) -> dict[str, str]:
    ended = [
        (run, its.history.epochs)
        for run, its in zip(line.runs, measured, strict=True)
        if run.state == "finished"
    ]
    figures = {
        _title(measure): _mean([measure.of(its, run.diverged) for run, its in ended], measure.share)
        for measure in MEASURES.values()
    }
    tested = [run.test_accuracy for run, _ in ended if run.test_accuracy is not None]
    return {
        "Finished runs": f"{len(ended)} of {len(line.runs)}",
        **figures,
        "Test accuracy": _mean(tested, True),
        "Seconds a run": _seconds(line),
        "Largest difference from the planned rate": _apart(measured),
    }


def _mean(values: Sequence[float], share: bool) -> str:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return "diverged" if values else NONE
    return format_measure(fmean(finite), share)


def _seconds(line: RunSeries) -> str:
    ended = [run for run in line.runs if run.started and run.ended]
    spent = training_seconds(ended, now=0.0)
    return NONE if spent is None else f"{spent / len(ended):.1f}"


def _apart(measured: Sequence[CachedRun]) -> str:
    known = [its.rate_difference for its in measured if its.rate_difference is not None]
    return format_number(max(known), 2) if known else NONE


def _differences(lines: Sequence[RunSeries]) -> None:
    rows = setting_differences({line.label: line.plan for line in lines})
    st.markdown("**What differs**; all other settings are the same")
    st.dataframe(
        pd.DataFrame([{SETTING: name, **values} for name, values in rows]),
        hide_index=True,
        alt="The settings in which the compared recipes differ.",
    )


def _title(measure: Measure) -> str:
    return measure.label[0].upper() + measure.label[1:]
