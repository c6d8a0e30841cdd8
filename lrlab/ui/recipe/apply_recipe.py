"""Taking a run's or a result's recipe into the controls, by a click in a part of the page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lrlab.controls.draft import draft_of
from lrlab.controls.fields import recipe_fields
from lrlab.recipes.plan import RunPlan
from lrlab.ui.recipe.session_draft import put_draft

_TAKEN, _TOLD = "take.taken", "take.told"
"""Session keys of what a click has just put into the recipe, before and after the page followed."""

_TURN = "take.turn"


def apply_recipe(plan: RunPlan, what: str) -> None:
    """Put a plan's recipe into the controls; network, epochs and so on stay as they are.

    Call it from a callback, and `follow` as the part of the page with the click runs again.

    Args:
        plan: whose recipe it is.
        what: how people are told what was taken.
    """
    kept = {"optimizer", "schedule", *recipe_fields()}
    apply_draft({key: text for key, text in draft_of(plan).items() if key in kept})
    st.session_state[_TAKEN] = what


def apply_draft(draft: Mapping[str, str]) -> None:
    """Put what a click chose into the controls, and let it be chosen again. Call it from a
    callback."""
    put_draft(draft)
    st.session_state[_TURN] = selection_turn() + 1


def selection_turn() -> int:
    """How often something was taken. In a chart's key it ends the chart's selection, so that the
    same place can be clicked again."""
    return st.session_state.get(_TURN, 0)


def rerun_after_apply() -> None:
    """After a click has taken something, run the whole page again."""
    if what := st.session_state.pop(_TAKEN, ""):
        # The recipe's controls are outside this part of the page.
        st.session_state[_TOLD] = what
        st.rerun()


def applied_note() -> None:
    """Say what has just been taken; on the line of a button, so that nothing below it moves."""
    if what := st.session_state.pop(_TOLD, ""):
        st.markdown(f":material/check: Now in the recipe: {what}.")
