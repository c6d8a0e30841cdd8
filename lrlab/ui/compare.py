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
    Track,
    compared_chart,
    compared_table,
    legend_chart,
)
from lrlab.compare import compare, comparison_sentence
from lrlab.entries import diverged, seconds_of
from lrlab.lines import (
    MEASURED,
    MOST_LINES,
    NONE,
    SETTING,
    Line,
    differences,
    lines_of,
)
from lrlab.measures import MEASURES, Measure
from lrlab.store import ENDED, Run
from lrlab.training.data import find_source
from lrlab.ui.layout import two_sides
from lrlab.ui.server import server, store_errors
from lrlab.ui.show import show
from lrlab.ui.watching import Seen, seen
from lrlab.words import figure, number

POLL_SECONDS = 2.0

BAND = "Lines are means over seeds; bands reach from the lowest to the highest seed."


def lines_for(runs: Sequence[Run]) -> list[Line]:
    """These runs as lines; those of a group of seeds are called after it."""
    seeds = {group.id: group.name for group in server().store.groups() if group.kind == "seeds"}
    return lines_of(runs, seeds)


def comparison(lines: Sequence[Line]) -> None:
    """Draw two recipes or more, and keep them up to date while any run is under way."""
    if len(lines) > MOST_LINES:
        st.info(
            f"These are {len(lines)} different recipes; {MOST_LINES} go on one chart. Tick fewer.",
            icon=":material/info:",
        )
        return
    active = any(run.state not in ENDED for line in lines for run in line.runs)
    st.fragment(_watch, run_every=POLL_SECONDS if active else None)(
        {line.label: tuple(run.id for run in line.runs) for line in lines}, active
    )


def _watch(ids: Mapping[str, tuple[int, ...]], was_active: bool) -> None:
    with store_errors():
        store = server().store
        lines = lines_for([store.run(run_id) for numbers in ids.values() for run_id in numbers])
        if was_active and all(run.state in ENDED for line in lines for run in line.runs):
            st.rerun()
        measured = seen_by(lines)
        _words(lines, measured)
        curves(lines, measured, "compare")
        _numbers(lines, measured)
        _differences(lines)


def seen_by(lines: Sequence[Line]) -> dict[str, list[Seen]]:
    """What there is to see of the runs of each line, by its label."""
    store = server().store
    return {line.label: [seen(store, run) for run in line.runs] for line in lines}


ACROSS, LOSSES, OTHERS = "across", "losses", "the others"
"""Which axes can be logarithmic."""


class _Look(NamedTuple):
    unit: str
    log_x: bool
    log_losses: bool
    log_others: bool
    smoothing: float


def curves(lines: Sequence[Line], measured: Mapping[str, Sequence[Seen]], key: str) -> None:
    """The curves of these lines, all on the same axes, with their controls."""
    look = _controls(key)
    labels = tuple(line.label for line in lines)
    tracks = {
        label: [Track(run.points, run.epochs, run.plan.steps_per_epoch) for run in runs]
        for label, runs in measured.items()
    }
    if len(labels) > 1:
        show(legend_chart, f"{key}.legend", pd.DataFrame({"recipe": labels}), recipes=labels)
    for place, curve in zip(_places(key), _drawn(tracks), strict=False):
        with place:
            st.markdown(f"**{curve.title[0].upper()}{curve.title[1:]}**")
            log_y = look.log_losses if curve.loss else look.log_others and not curve.share
            show(
                compared_chart,
                f"{key}.{curve.field}",
                compared_table(tracks, curve, look.unit, look.smoothing, look.log_x, log_y),
                recipes=labels,
                curve=curve,
                unit=look.unit,
                log_x=look.log_x,
                log_y=log_y,
            )
    if any(len(line.runs) > 1 for line in lines):
        st.caption(BAND)


def _drawn(measured: Mapping[str, Sequence[Track]]) -> list[Curve]:
    """The curves that some run has measured, and those that every run measures."""
    found = {
        field
        for runs in measured.values()
        for run in runs
        for row in (*run.points, *run.epochs)
        for field in row
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


def _words(lines: Sequence[Line], measured: Mapping[str, Sequence[Seen]]) -> None:
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


def _results(line: Line, measured: Sequence[Seen], measure: Measure) -> dict[int, float]:
    """Seed -> the number its finished run came to; the newest run of a seed counts."""
    return {
        run.plan["seed"]: measure.of(its.epochs, diverged(run))
        for run, its in zip(line.runs, measured, strict=True)
        if run.state == "finished"
    }


def _images(lines: Sequence[Line]) -> int | None:
    """How many validation images all these runs were measured on, where that is known."""
    source = find_source()
    if {run.data_source for line in lines for run in line.runs} != {source.label}:
        return None
    return source.train_images - source.largest_train_size


def _numbers(lines: Sequence[Line], measured: Mapping[str, Sequence[Seen]]) -> None:
    st.markdown("**In numbers**: means over finished runs")
    columns = {line.label: _figures(line, measured[line.label]) for line in lines}
    table = pd.DataFrame(columns).rename_axis(MEASURED).reset_index()
    st.dataframe(table, hide_index=True, alt="The compared recipes in numbers.")


def _figures(line: Line, measured: Sequence[Seen]) -> dict[str, str]:
    ended = [
        (run, its.epochs)
        for run, its in zip(line.runs, measured, strict=True)
        if run.state == "finished"
    ]
    figures = {
        _title(measure): _mean(
            [measure.of(its, diverged(run)) for run, its in ended], measure.share
        )
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
    return figure(fmean(finite), share)


def _seconds(line: Line) -> str:
    ended = [run for run in line.runs if run.started and run.ended]
    spent = seconds_of(ended, now=0.0)
    return NONE if spent is None else f"{spent / len(ended):.1f}"


def _apart(measured: Sequence[Seen]) -> str:
    known = [its.apart for its in measured if its.apart is not None]
    return number(max(known), 2) if known else NONE


def _differences(lines: Sequence[Line]) -> None:
    rows = differences({line.label: line.plan for line in lines})
    st.markdown("**What differs**; all other settings are the same")
    st.dataframe(
        pd.DataFrame([{SETTING: name, **values} for name, values in rows]),
        hide_index=True,
        alt="The settings in which the compared recipes differ.",
    )


def _title(measure: Measure) -> str:
    return measure.label[0].upper() + measure.label[1:]
