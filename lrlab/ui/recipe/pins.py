"""Recipes pinned for comparison; they last as long as the session."""

from __future__ import annotations

import streamlit as st

from lrlab.recipes.recipe import Recipe

MAX_PINS = 5
"""With the current recipe, as many recipes as the theme has colours (six)."""

_PINS = "pins"


def pins() -> dict[str, Recipe]:
    """The pinned recipes by their name in legends, oldest first."""
    return dict(st.session_state.get(_PINS, {}))


def pin_button(recipe: Recipe) -> None:
    """A button that pins the recipe with its current values."""
    full = len(pins()) >= MAX_PINS
    st.button(
        "Pin this recipe",
        icon=":material/keep:",
        on_click=_pin,
        args=(recipe,),
        disabled=full or recipe in pins().values() or recipe.schedule_spec.reactive,
        help=f"Keep its curve on the chart while you change the sliders; up to {MAX_PINS} recipes.",
    )


def unpin_list() -> None:
    """The pinned recipes, each with a button that removes it from the chart."""
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
    pinned = pins()
    number = next(
        n for n in range(1, MAX_PINS + 2) if all(f"pin {n}," not in label for label in pinned)
    )
    st.session_state[_PINS] = pinned | {f"pin {number}, {recipe.label}": recipe}


def _unpin(label: str) -> None:
    st.session_state[_PINS] = {key: value for key, value in pins().items() if key != label}


def _values(recipe: Recipe) -> str:
    ramp = recipe.ramp.values if recipe.ramp else ()
    return ", ".join(
        f"{name} = {value}" for name, value in (*recipe.schedule.values, *ramp) if value is not None
    )
