"""The controls of a race: its recipes and its learning rate."""

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
DEFAULT_OPPONENTS = ("sgd", "momentum", "rmsprop", "adam")
"""The optimizers that race against the current one until the visitor picks others."""


def race_recipes(recipe: Recipe, steps: int) -> dict[str, Recipe]:
    """This recipe, the pinned ones, and picked optimizers at their defaults with its schedule.

    Args:
        recipe: the current recipe.
        steps: steps of the race, to which a stretched schedule is stretched.

    Returns:
        At most `MAX_RECIPES` recipes by label, the current one first.
    """
    recipes = {THIS: recipe} | pins()
    room = MAX_RECIPES - len(recipes)
    if not room:
        st.caption(
            f"{MAX_RECIPES} recipes race: this one and the pinned ones. Unpin some "
            "on the Schedules page to add others."
        )
        return recipes
    others = [key for key in OPTIMIZERS if key != recipe.optimizer.name]
    picked = st.multiselect(
        "Against",
        others,
        [key for key in DEFAULT_OPPONENTS if key in others][:room],
        key=f"race.against.{recipe.optimizer.name}.{room}",
        format_func=lambda key: OPTIMIZERS[key].label,
        max_selections=room,
        help="Optimizers at Keras's defaults, with this recipe's schedule. Pinned recipes race "
        f"too; at most {MAX_RECIPES} in all.",
    )
    draft = current_draft()
    for key in picked:
        recipes[OPTIMIZERS[key].label] = resolve_recipe(draft | {"optimizer": key}, steps)
    return recipes


def rate_choice() -> float | None:
    """The learning rate of all recipes, or ``None`` for the fair race."""
    mode = st.segmented_control(
        "They race", [FAIR, EQUAL], default=FAIR, required=True, key="race.how"
    )
    if mode == FAIR:
        return None
    control(race_field())
    return resolve_rate(current_draft())
