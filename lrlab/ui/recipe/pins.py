"""Recipes pinned for comparison; they last as long as the session."""

from __future__ import annotations

import streamlit as st

from lrlab.recipes.recipe import Recipe

MOST = 5
"""Pinned recipes; with the current one that makes the theme's six colours."""

_PINS = "pins"


def pins() -> dict[str, Recipe]:
    """The pinned recipes by their name in legends, oldest first."""
    return dict(st.session_state.get(_PINS, {}))


def pin_button(recipe: Recipe) -> None:
    """A button that pins the recipe as it is now."""
    full = len(pins()) >= MOST
    st.button(
        "Pin this recipe",
        icon=":material/keep:",
        on_click=_pin,
        args=(recipe,),
        disabled=full or recipe in pins().values() or recipe.schedule_spec.reactive,
        help=f"Keep its curve on the chart while you change the sliders; up to {MOST}.",
    )


def unpin_list() -> None:
    """The pinned recipes, each with a button to take it off the chart."""
    for label, recipe in pins().items():
        text, button = st.columns([5, 1], vertical_alignment="center")
        text.text(f"{label}: {_values(recipe)}")
        button.button(
            "Unpin",
            key=f"unpin.{label}",
            on_click=_unpin,
            args=(label,),
            icon=":material/keep_off:",
        )


def _pin(recipe: Recipe) -> None:
    taken = pins()
    number = next(n for n in range(1, MOST + 2) if all(f"pin {n}," not in key for key in taken))
    st.session_state[_PINS] = taken | {f"pin {number}, {recipe.label}": recipe}


def _unpin(label: str) -> None:
    st.session_state[_PINS] = {key: value for key, value in pins().items() if key != label}


def _values(recipe: Recipe) -> str:
    ramp = recipe.ramp.values if recipe.ramp else ()
    return ", ".join(
        f"{name} = {value}" for name, value in (*recipe.schedule.values, *ramp) if value is not None
    )
