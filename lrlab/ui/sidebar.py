"""The sidebar that every page shares: the recipe and the planned run."""

from __future__ import annotations

from contextlib import nullcontext

import streamlit as st

from lrlab.draft import (
    OPENING,
    STRETCH,
    Field,
    optimizer_fields,
    plan_fields,
    schedule_fields,
)
from lrlab.optimizers import OPTIMIZERS
from lrlab.schedules import SCHEDULES
from lrlab.ui.controls import choice, control
from lrlab.ui.state import REFUSED, held, put


def sidebar(plan_here: bool) -> None:
    """Draw the recipe's controls; pages then read `lrlab.ui.state.current_draft`.

    Args:
        plan_here: draw the planned run's controls too; the Train page has them itself.
    """
    with st.sidebar:
        _refusals()
        st.subheader("Recipe", anchor=False)
        optimizer = choice("optimizer", "Optimizer")
        _grouped(optimizer_fields(optimizer))
        schedule = choice("schedule", "Learning-rate schedule")
        if schedule != "constant":
            st.toggle(
                "Stretch to the run's length",
                True,
                key="stretch",
                help=STRETCH.help,
                bind="query-params",
            )
        stretch = bool(st.session_state.get("stretch", True))
        for field in schedule_fields(schedule, optimizer, stretch):
            control(field)
        st.button(
            "Reset to the defaults",
            icon=":material/restart_alt:",
            on_click=_reset,
            help="Every parameter back to Keras's default.",
            width="stretch",
        )
        if plan_here:
            with st.expander("Planned run"):
                plan_controls()


def plan_controls(columns: int = 1) -> None:
    """The network and the settings of the planned run, in so many columns."""
    places = st.columns(columns, gap="medium")
    with places[0]:
        choice("network", "Network")
    for i, field in enumerate(plan_fields(), start=1):
        with places[i % columns]:
            control(field)


def _grouped(fields: tuple[Field, ...]) -> None:
    """The controls of the first group, then the others folded away under their headings."""
    groups: dict[str, list[Field]] = {"": []}
    for field in fields:
        groups.setdefault(field.param.group, []).append(field)
    for heading, members in groups.items():
        with st.expander(heading) if heading else nullcontext():
            for field in members:
                control(field)


def _refusals() -> None:
    refused = st.session_state.get(REFUSED)
    if not refused:
        return
    with st.container(border=True):
        st.markdown(":material/link_off: **This link held settings that were not taken.**")
        for sentence in refused:
            st.text(sentence)
        st.button("Dismiss", on_click=lambda: st.session_state.update({REFUSED: []}))


def _reset() -> None:
    """All parameters to their defaults; the chosen optimizer and schedule stay."""
    for optimizer in OPTIMIZERS:
        _default(optimizer_fields(optimizer))
        _default(schedule_fields("constant", optimizer, stretch=False))
    for schedule in SCHEDULES:
        if schedule != "constant":
            for stretch in (False, True):
                _default(schedule_fields(schedule, "", stretch))
    put({"stretch": OPENING["stretch"]})


def _default(fields: tuple[Field, ...]) -> None:
    for field in fields:
        st.session_state.pop(f"{field.key}.refused", None)
        st.session_state[field.key] = held(field.param, field.default)
