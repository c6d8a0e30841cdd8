"""The sidebar that every page shares: the recipe and the planned run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

import streamlit as st

from lrlab.controls.fields import (
    STRETCH,
    Field,
    optimizer_fields,
    plan_fields,
    ramp_fields,
    recipe_fields,
    schedule_fields,
)
from lrlab.schedules import RAMP, SCHEDULES
from lrlab.ui.app.streamlit_internals import is_history_navigation
from lrlab.ui.recipe.session_draft import LINK_REFUSALS, widget_value
from lrlab.ui.recipe.widgets import choice, control, refusal_key

_DRAWN = "sidebar.drawn"


class PageEnded(Exception):
    """Ends the page. Unlike after ``st.stop``, the sidebar is still drawn."""


@contextmanager
def recipe_sidebar(include_plan: bool) -> Iterator[None]:
    """Draw the recipe's controls beside the page.

    The page reads `lrlab.ui.recipe.session_draft.current_draft`. It is drawn first, so that its
    answer is sent before the hundred or so messages of the controls. Only when the controls have to
    read their values from the address (on a session's first run and after Back or Forward) are they
    drawn first.

    Args:
        include_plan: draw the planned run's controls too; the Train page has its own.
    """
    sidebar_first = _DRAWN not in st.session_state or is_history_navigation()
    if sidebar_first:
        _sidebar(include_plan)
        st.session_state[_DRAWN] = True
    try:
        with suppress(PageEnded):
            yield
    finally:
        # However the page ends, the controls that can fix its error must be there.
        if not sidebar_first:
            _sidebar(include_plan)


def _sidebar(include_plan: bool) -> None:
    with st.sidebar:
        _link_refusals()
        st.subheader("Recipe", anchor=False)
        optimizer = choice("optimizer", "Optimizer")
        _grouped(optimizer_fields(optimizer))
        _schedule_controls(choice("schedule", "Learning-rate schedule"), optimizer)
        st.button(
            "Reset to the defaults",
            icon=":material/restart_alt:",
            on_click=_reset,
            help="Reset every parameter to its default; the optimizer and schedule stay chosen.",
            width="stretch",
        )
        if include_plan:
            with st.expander("Planned run"):
                plan_controls()


def plan_controls(columns: int = 1) -> None:
    """The network and the settings of the planned run, in this many columns."""
    places = st.columns(columns, gap="medium")
    with places[0]:
        choice("network", "Network")
    for i, field in enumerate(plan_fields(), start=1):
        with places[i % columns]:
            control(field)


def _schedule_controls(schedule: str, optimizer: str) -> None:
    """The schedule's controls, and in a collapsed section those of the ramp around it."""
    spec = SCHEDULES[schedule]
    stretch = bool(spec.step_params) and _stretch_toggle()
    for field in schedule_fields(schedule, optimizer, stretch):
        control(field)
    if spec.reactive:
        return
    with st.expander(RAMP.label):
        stretch = stretch if spec.step_params else _stretch_toggle()
        for field in ramp_fields(stretch):
            control(field)


def _stretch_toggle() -> bool:
    return st.toggle(
        "Stretch to the run's length",
        True,
        key=STRETCH.name,
        help=STRETCH.help,
        bind="query-params",
    )


def _grouped(fields: tuple[Field, ...]) -> None:
    """The controls without a group, then each group in a collapsed section with its heading."""
    groups: dict[str, list[Field]] = {"": []}
    for field in fields:
        groups.setdefault(field.param.group, []).append(field)
    for heading, members in groups.items():
        with st.expander(heading) if heading else nullcontext():
            for field in members:
                control(field)


def _link_refusals() -> None:
    sentences = st.session_state.get(LINK_REFUSALS)
    if not sentences:
        return
    with st.container(border=True):
        st.markdown(":material/link_off: **Some settings of this link were refused.**")
        for sentence in sentences:
            st.text(sentence)
        st.button("Dismiss", on_click=lambda: st.session_state.update({LINK_REFUSALS: []}))


def _reset() -> None:
    """Set all parameters to their defaults; the optimizer and the schedule stay chosen."""
    for field in recipe_fields().values():
        st.session_state.pop(refusal_key(field), None)
        st.session_state[field.key] = widget_value(field.param, field.default)
