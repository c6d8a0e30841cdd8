"""A trajectory's controls and its map, shared by the pages that show trajectories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from lrlab.controls.fields import noise_fields, trajectory_fields
from lrlab.descent.surfaces import SURFACES
from lrlab.descent.trajectory import Trajectory
from lrlab.params import number_text
from lrlab.ui.descent.trajectory_view import Arrow, trajectory_view
from lrlab.ui.recipe.current import THIS
from lrlab.ui.recipe.widgets import choice, control

_MAP = "map"


def surface_choice() -> str:
    """The list of test functions; returns the chosen key."""
    return choice("surface", "Test function", "A function of two weights, to be minimized.")


def trajectory_controls(surface: str) -> None:
    """The number of steps, the start, and the surface's own parameters."""
    for field in trajectory_fields(surface):
        control(field)


def noise_controls() -> None:
    """The noise on the gradients."""
    for field in noise_fields():
        control(field)


def trajectory_map(trajectory: Trajectory, arrows: Sequence[Arrow] = ()) -> None:
    """The map with the trajectory, its playback, click-to-start, and the inspector's arrows.

    If the trajectory leaves the map, a toggle zooms out to all of it.
    """
    bounds = None
    if trajectory.left_map_at is not None and st.toggle(
        "Zoom out to the whole path", key="map.whole", help="If it diverges, up to that step."
    ):
        bounds = trajectory.bounds_with_trajectory()
    trajectory_view({THIS: trajectory}, _MAP, _start_at_click, bounds, arrows)


def race_map(trajectories: Mapping[str, Trajectory]) -> None:
    """The map with several trajectories from one start; a click moves the start of all."""
    trajectory_view(trajectories, _MAP, _start_at_click)


def _start_at_click() -> None:
    clicked = st.session_state[_MAP].get("start")
    surface = st.session_state["surface"]
    width = SURFACES[surface].width
    # A click is at most as precise as a pixel of the map.
    start = [round(coordinate / width * 1000) * width / 1000 for coordinate in clicked]
    st.session_state[f"{surface}.start"] = ", ".join(
        number_text(float(f"{coordinate:.6g}")) for coordinate in start
    )
