"""The current recipe as pages show it: resolved, in formulas, and as Keras code."""

from __future__ import annotations

import json

import streamlit as st

from lrlab.draft import is_stretched, resolve_path, resolve_plan, resolve_recipe
from lrlab.params import InvalidInput
from lrlab.plan import RunPlan
from lrlab.recipe import Recipe
from lrlab.simulate import Path, trace
from lrlab.training.data import find_source
from lrlab.ui.layout import two_sides
from lrlab.ui.state import current_draft

THIS = "this recipe"
"""The current recipe's name in legends, whatever its sliders say."""


def current_plan() -> RunPlan:
    """The planned run that the controls describe; the page ends here if there is none."""
    try:
        return resolve_plan(current_draft(), find_source().largest_train_size)
    except InvalidInput as error:
        _mend(error)


def current_path() -> Path:
    """The path that the controls describe; the page ends here if there is none.

    A stretched schedule is stretched to the path.
    """
    draft = current_draft()
    try:
        surface, start, steps = resolve_path(draft)
        return trace(resolve_recipe(draft, steps), surface, start, steps)
    except InvalidInput as error:
        _mend(error)


def stretched() -> bool:
    """Whether the schedule's lengths are percentages of the run."""
    return is_stretched(current_draft())


def formulas(recipe: Recipe) -> None:
    """The rule that Keras really applies, the textbook's beside it where they differ."""
    optimizer, schedule = recipe.optimizer_spec, recipe.schedule_spec
    left, right = two_sides("formulas")
    with left:
        st.markdown(f"**{optimizer.label}, as Keras applies it**")
        st.latex(optimizer.latex)
        st.caption(
            r"$\theta$: the weights, $g_t$: their gradient, $\eta_t$: the learning rate of step "
            "$t$ (counted from 1 here)."
        )
        st.markdown(optimizer.when)
        st.caption(optimizer.reference)
    with right:
        if optimizer.textbook:
            st.markdown("**In the textbook**")
            st.latex(optimizer.textbook)
            st.markdown(optimizer.difference)
        st.markdown(f"**{schedule.label}**")
        st.latex(schedule.latex)
        st.markdown(schedule.when)
        st.caption(schedule.reference)


def code(recipe: Recipe) -> None:
    """The recipe as Keras code, ready to copy, and as JSON to take along."""
    st.code(recipe.keras_code(), language="python")
    st.download_button(
        "Recipe as JSON",
        json.dumps(recipe.to_dict(), indent=2),
        "recipe.json",
        "application/json",
        icon=":material/download:",
    )


def details(recipe: Recipe) -> None:
    """Formulas and code, folded away below a page's answer."""
    with st.expander("The formulas", icon=":material/function:"):
        formulas(recipe)
    with st.expander("The Keras code", icon=":material/code:"):
        code(recipe)


def _mend(error: InvalidInput) -> None:
    st.error(f"{error} Mend it in the sidebar.", icon=":material/error:")
    st.stop()
