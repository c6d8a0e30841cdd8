"""The current recipe as pages show it: resolved, in formulas, and as Keras code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import streamlit as st

from lrlab.controls.draft import (
    is_stretched,
    query_of,
    resolve_plan,
    resolve_recipe,
    resolve_trajectory,
)
from lrlab.datasets.sources import find_source
from lrlab.descent.sentences import no_trajectory_sentence
from lrlab.descent.trajectory import Trajectory, trace
from lrlab.params import InvalidInput
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.schedules import RAMP
from lrlab.text import escape_markdown
from lrlab.ui.app.layout import two_sides
from lrlab.ui.recipe.session_draft import current_draft
from lrlab.ui.recipe.sidebar import PageEnded
from lrlab.ui.runs.downloads import json_upload

THIS = "this recipe"
"""The current recipe's name in legends, the same for all slider values."""


def current_plan() -> RunPlan:
    """The planned run that the controls describe; ends the page if a value is refused."""
    with input_errors_end_page():
        return resolve_plan(current_draft(), find_source().largest_train_size)


def current_trajectory(noisy: bool = True) -> Trajectory:
    """The trajectory that the controls describe; ends the page if there is none.

    A stretched schedule is stretched to the trajectory's steps.

    Args:
        noisy: add the controls' noise to the gradients; pages that compare trajectories do not.
    """
    draft = current_draft()
    with input_errors_end_page():
        plan = resolve_trajectory(draft)
        recipe = resolve_recipe(draft, plan.steps)
        if recipe.schedule_spec.reactive:
            no_trajectory_note(recipe)
            details(recipe)
            raise PageEnded
        return trace(recipe, *(plan if noisy else plan[:3]))


def no_trajectory_note(recipe: Recipe) -> None:
    """Say why a reactive schedule has no trajectory."""
    st.info(no_trajectory_sentence(recipe), icon=":material/visibility_off:")


def is_schedule_stretched() -> bool:
    """Whether the schedule's lengths are percentages of the run."""
    return is_stretched(current_draft())


def formulas(recipe: Recipe) -> None:
    """The rule that Keras applies, beside the textbook's where they differ."""
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
        for part in (schedule, RAMP) if recipe.ramp else (schedule,):
            st.markdown(f"**{part.label}**")
            st.latex(part.latex)
            st.markdown(part.when)
            st.caption(part.reference)


def code(recipe: Recipe) -> None:
    """The recipe as Keras code to copy, as a link, and as JSON to download."""
    st.code(recipe.keras_code(), language="python")
    address = st.context.url.split("?")[0] if st.context.url else ""
    st.markdown("A link to this recipe, run and path:")
    st.code(f"{address}?{urlencode(query_of(current_draft()))}", language=None, wrap_lines=True)
    st.download_button(
        "Recipe as JSON",
        json.dumps(recipe.to_dict(), indent=2),
        "recipe.json",
        "application/json",
        icon=":material/download:",
    )
    json_upload()


def details(recipe: Recipe) -> None:
    """Formulas and code in collapsed sections below a page's answer."""
    for title, icon, key, draw in (
        ("The formulas", ":material/function:", "formulas.open", formulas),
        ("Keras code, link and JSON", ":material/code:", "code.open", code),
    ):
        # The content of a collapsed section is computed only once it is opened.
        section = st.expander(title, icon=icon, key=key, on_change="rerun")
        if section.open:
            with section:
                draw(recipe)


@contextmanager
def input_errors_end_page() -> Iterator[None]:
    """Show refused input as a message and end the page there; the sidebar is still drawn."""
    try:
        yield
    except InvalidInput as error:
        st.error(
            f"{escape_markdown(str(error))} Correct this setting to continue.",
            icon=":material/error:",
        )
        raise PageEnded from error
