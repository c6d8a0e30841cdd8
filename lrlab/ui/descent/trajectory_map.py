"""The path's controls and its map, as the first page and the Paths page share them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lrlab.controls.fields import noise_fields, trajectory_fields
from lrlab.descent.surfaces import SURFACES
from lrlab.descent.trajectory import Trajectory
from lrlab.params import number_text
from lrlab.ui.descent.trajectory_view import path_view
from lrlab.ui.recipe.current import THIS
from lrlab.ui.recipe.widgets import choice, control

_MAP = "map"


def surface_choice() -> str:
    """The list of test functions; returns the chosen key."""
    return choice("surface", "Test function", "A function of two weights to find the minimum of.")


def trajectory_controls(surface: str) -> None:
    """The number of steps, the start, and the surface's own parameters."""
    for field in trajectory_fields(surface):
        control(field)


def noise_controls() -> None:
    """The noise on the gradients."""
    for field in noise_fields():
        control(field)


def trajectory_map(path: Trajectory, arrows: Sequence[Mapping[str, Any]] = ()) -> None:
    """The map with the path, its playback, click-to-start, and the inspector's arrows.

    A path that leaves the map can be seen whole on a larger one.
    """
    bounds = None
    if path.left_map_at is not None and st.toggle(
        "Zoom out to the whole path", key="map.whole", help="Up to where it diverges, if it does."
    ):
        bounds = path.bounds_with_trajectory()
    path_view({THIS: path}, _MAP, _start_where_clicked, bounds, arrows)


def race_map(paths: dict[str, Trajectory]) -> None:
    """The map with several paths from one start; a click moves the start of all."""
    path_view(paths, _MAP, _start_where_clicked)


def _start_where_clicked() -> None:
    clicked = st.session_state[_MAP].get("start")
    surface = st.session_state["surface"]
    width = SURFACES[surface].width
    # A click is not more exact than a pixel of the map.
    start = [round(part / width * 1000) * width / 1000 for part in clicked]
    st.session_state[f"{surface}.start"] = ", ".join(
        number_text(float(f"{part:.6g}")) for part in start
    )
