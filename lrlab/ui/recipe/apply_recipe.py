"""Put the recipe of a run or a result into the controls after a click in a part of the page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lrlab.controls.draft import draft_of
from lrlab.controls.fields import recipe_fields
from lrlab.recipes.plan import RunPlan
from lrlab.ui.recipe.session_draft import put_draft

_APPLIED, _ANNOUNCED = "take.taken", "take.told"
"""Session keys of what a click has applied, before and after the whole page was rerun."""

_TURN = "take.turn"


def apply_recipe(plan: RunPlan, description: str) -> None:
    """Put a plan's recipe into the controls; network, epochs and so on stay unchanged.

    Call it from a callback, and `rerun_after_apply` in the part of the page that has the click.

    Args:
        plan: the plan that has the recipe.
        description: what was applied, for `applied_note`.
    """
    keys = {"optimizer", "schedule", *recipe_fields()}
    apply_draft({key: text for key, text in draft_of(plan).items() if key in keys})
    st.session_state[_APPLIED] = description


def apply_draft(draft: Mapping[str, str]) -> None:
    """Put what a click chose into the controls and clear the selection. Call it from a callback."""
    put_draft(draft)
    st.session_state[_TURN] = selection_turn() + 1


def selection_turn() -> int:
    """How many times a click was applied.

    In a chart's key it clears the chart's selection, so that the same place can be clicked again.
    """
    return int(st.session_state.get(_TURN, 0))


def rerun_after_apply() -> None:
    """Rerun the whole page after a click has applied something."""
    if description := st.session_state.pop(_APPLIED, ""):
        # The recipe's controls are outside this part of the page.
        st.session_state[_ANNOUNCED] = description
        st.rerun()


def applied_note() -> None:
    """Say what was just applied; beside a button, so that nothing below it moves."""
    if description := st.session_state.pop(_ANNOUNCED, ""):
        st.markdown(f":material/check: Now in the recipe: {description}.")
