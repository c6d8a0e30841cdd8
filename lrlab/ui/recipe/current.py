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
from lrlab.ui.runs.downloads import read_back

THIS = "this recipe"
"""The current recipe's name in legends, whatever its sliders say."""


def current_plan() -> RunPlan:
    """The planned run that the controls describe; the page ends here if there is none."""
    with mending():
        return resolve_plan(current_draft(), find_source().largest_train_size)


def current_trajectory(noisy: bool = True) -> Trajectory:
    """The path that the controls describe; the page ends here if there is none.

    A stretched schedule is stretched to the path. Where paths are compared, their noise is left
    out.
    """
    draft = current_draft()
    with mending():
        plan = resolve_trajectory(draft)
        recipe = resolve_recipe(draft, plan.steps)
        if recipe.schedule_spec.reactive:
            _end_without_path(recipe)
        return trace(recipe, *(plan if noisy else plan[:3]))


def no_path(recipe: Recipe) -> None:
    """Say why a reactive schedule has no path."""
    st.info(no_trajectory_sentence(recipe), icon=":material/visibility_off:")


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
        for part in (schedule, RAMP) if recipe.ramp else (schedule,):
            st.markdown(f"**{part.label}**")
            st.latex(part.latex)
            st.markdown(part.when)
            st.caption(part.reference)


def code(recipe: Recipe) -> None:
    """The recipe as Keras code, ready to copy, and as JSON to take along."""
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
    read_back()


def details(recipe: Recipe) -> None:
    """Formulas and code, folded away below a page's answer."""
    for title, icon, draw in (
        ("The formulas", ":material/function:", formulas),
        ("Keras code, link and JSON", ":material/code:", code),
    ):
        # What is folded away is made only once it is opened.
        fold = st.expander(title, icon=icon, key=f"{draw.__name__}.open", on_change="rerun")
        if fold.open:
            with fold:
                draw(recipe)


def _end_without_path(recipe: Recipe) -> None:
    no_path(recipe)
    details(recipe)
    raise PageEnded


@contextmanager
def mending() -> Iterator[None]:
    """Show what is refused as a message, and end the page there; the sidebar stays."""
    try:
        yield
    except InvalidInput as error:
        st.error(f"{escape_markdown(str(error))} Mend it in the sidebar.", icon=":material/error:")
        raise PageEnded from error
