"""Who runs in a race, and at which learning rate."""

from __future__ import annotations

import streamlit as st

from lrlab.controls.draft import resolve_rate, resolve_recipe
from lrlab.controls.fields import race_field
from lrlab.descent.race import MAX_RECIPES
from lrlab.optimizers import OPTIMIZERS
from lrlab.recipes.recipe import Recipe
from lrlab.ui.recipe.current import THIS
from lrlab.ui.recipe.pins import pins
from lrlab.ui.recipe.session_draft import current_draft
from lrlab.ui.recipe.widgets import control

FAIR, EQUAL = "each at its best learning rate", "all at one learning rate"
FIRST = ("sgd", "momentum", "rmsprop", "adam")
"""The optimizers a visitor sees race first, beside the current one."""


def runners(recipe: Recipe, steps: int) -> dict[str, Recipe]:
    """This recipe, the pinned ones, and optimizers at their defaults with its schedule."""
    ready = {THIS: recipe} | pins()
    room = MAX_RECIPES - len(ready)
    if not room:
        st.caption(
            f"{MAX_RECIPES} recipes run: this one and those pinned. Unpin some to add others."
        )
        return ready
    others = [key for key in OPTIMIZERS if key != recipe.optimizer.name]
    picked = st.multiselect(
        "Against",
        others,
        [key for key in FIRST if key in others][:room],
        key=f"race.against.{recipe.optimizer.name}.{room}",
        format_func=lambda key: OPTIMIZERS[key].label,
        max_selections=room,
        help="Optimizers at Keras's defaults, with the schedule of this recipe. Pinned recipes "
        f"run too; {MAX_RECIPES} in all.",
    )
    draft = current_draft()
    for key in picked:
        ready[OPTIMIZERS[key].label] = resolve_recipe(draft | {"optimizer": key}, steps)
    return ready


def rate_choice() -> float | None:
    """The learning rate for everybody, or ``None`` for the fair race."""
    how = st.segmented_control("Run", [FAIR, EQUAL], default=FAIR, required=True, key="race.how")
    if how == FAIR:
        return None
    control(race_field())
    return resolve_rate(current_draft())
