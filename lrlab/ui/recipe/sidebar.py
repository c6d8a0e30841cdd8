"""The sidebar that every page shares: the recipe and the planned run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

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
from lrlab.ui.recipe.session_draft import REFUSED, held
from lrlab.ui.recipe.widgets import choice, control

_DRAWN = "sidebar.drawn"


class PageEnded(Exception):
    """The page has said all it can. Unlike ``st.stop`` this leaves the sidebar its turn."""


@contextmanager
def beside_sidebar(plan_here: bool) -> Iterator[None]:
    """Draw the recipe's controls beside the page, which reads `lrlab.ui.recipe.session_draft.current_draft`.

    The page comes first: its answer is then on its way before the some hundred messages of the
    controls. Only where they have yet to take their values from the address, on a session's first
    run and after Back or Forward, they come before it.

    Args:
        plan_here: draw the planned run's controls too; the Train page has them itself.
    """
    context = get_script_run_ctx()
    first = _DRAWN not in st.session_state or (context and context.is_history_navigation)
    if first:
        _sidebar(plan_here)
        st.session_state[_DRAWN] = True
    try:
        with suppress(PageEnded):
            yield
    finally:
        # However the page ends, what can mend it must be there.
        if not first:
            _sidebar(plan_here)


def _sidebar(plan_here: bool) -> None:
    with st.sidebar:
        _refusals()
        st.subheader("Recipe", anchor=False)
        optimizer = choice("optimizer", "Optimizer")
        _grouped(optimizer_fields(optimizer))
        _schedule_controls(choice("schedule", "Learning-rate schedule"), optimizer)
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


def _schedule_controls(schedule: str, optimizer: str) -> None:
    """The schedule's controls, and those of the ramp around it, folded away."""
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
    for field in recipe_fields().values():
        st.session_state.pop(f"{field.key}.refused", None)
        st.session_state[field.key] = held(field.param, field.default)
