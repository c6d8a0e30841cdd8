"""The map with trajectories on it, played in the browser: LR Lab's own Streamlit component.

Vega-Lite's parameters do not offer what it does: play, pause and scrub without a request to the
server, clicks anywhere with exact coordinates, and operation by keyboard alone.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

import numpy as np
import streamlit as st

from lrlab.descent.raster import surface_raster
from lrlab.descent.surfaces import SURFACES, Point
from lrlab.descent.trajectory import Trajectory
from lrlab.params import Value

MAX_POINTS = 1500
"""Longer trajectories are thinned to this many points, which keeps the page light."""

Arrow = TypedDict("Arrow", {"from": list[float], "to": list[float], "label": str})
"""An arrow on the map between two points of the surface, with a label at its head."""

_FOLDER = Path(__file__).parent
_component = st.components.v2.component(
    "lrlab_path_view",
    html=(_FOLDER / "view.html").read_text("utf-8"),
    css=(_FOLDER / "view.css").read_text("utf-8"),
    js=(_FOLDER / "view.js").read_text("utf-8"),
)


def trajectory_view(
    trajectories: Mapping[str, Trajectory],
    key: str,
    on_start: Callable[[], None],
    bounds: tuple[Point, Point] | None = None,
    arrows: Sequence[Arrow] = (),
) -> None:
    """Draw trajectories over their surface, with playback.

    Args:
        trajectories: one or more by label, on the same surface from the same start.
        key: the component's key; a click puts ``{"start": [x, y]}`` under it.
        on_start: called after a click on the map, before the page runs again.
        bounds: ``((x_low, x_high), (y_low, y_high))``, the part of the surface to draw; the
            surface's own if omitted.
        arrows: drawn over the trajectories.
    """
    first = next(iter(trajectories.values()))
    surface = first.surface
    bounds = surface.bounds if bounds is None else bounds
    count = min(first.steps + 1, MAX_POINTS)
    drawn_steps = np.unique(np.linspace(0, first.steps, count).round().astype(int))
    _component(
        key=key,
        data={
            "image": _picture(surface.key, tuple(surface.chosen.items()), bounds),
            "bounds": bounds,
            "minima": surface.minima,
            "start": first.points[0].tolist(),
            "steps": drawn_steps.tolist(),
            "arrows": list(arrows),
            "trajectories": [
                {
                    "label": label,
                    "slot": slot,
                    "points": _base64(trajectory.points[drawn_steps]),
                    "values": _base64(trajectory.values[drawn_steps]),
                    "rates": _base64(
                        trajectory.learning_rates[drawn_steps[drawn_steps < trajectory.steps]]
                    ),
                }
                for slot, (label, trajectory) in enumerate(trajectories.items())
            ],
            "description": (
                f"Map of {surface.label}. Click to start the path there, or move the crosshair "
                "with the arrow keys and press Enter."
            ),
        },
        on_start_change=on_start,
    )


@lru_cache(maxsize=64)
def _picture(
    surface_key: str, surface_values: tuple[tuple[str, Value], ...], bounds: tuple[Point, Point]
) -> str:
    """The picture of a surface as a data URI."""
    return surface_raster(SURFACES[surface_key].with_params(**dict(surface_values)), bounds)[0]


def _base64(numbers: np.ndarray) -> str:
    """The numbers as little-endian float32 in C order, in base64: enough precision to draw."""
    with np.errstate(over="ignore"):
        return b64encode(numbers.astype("<f4").tobytes()).decode()
