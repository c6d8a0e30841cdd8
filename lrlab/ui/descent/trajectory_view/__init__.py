"""The map with a path on it, played in the browser: a Streamlit component of our own.

Play, pause and scrub cost no server trip, a click anywhere gives exact coordinates, and all of it
works from the keyboard: what Vega-Lite's parameters do not offer.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from lrlab.descent.raster import surface_raster
from lrlab.descent.surfaces import SURFACES, Point
from lrlab.descent.trajectory import Trajectory

MOST_POINTS = 1500
"""A longer path is thinned for drawing, so that the page stays light."""

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "lrlab_path_view",
    html=(_HERE / "view.html").read_text("utf-8"),
    css=(_HERE / "view.css").read_text("utf-8"),
    js=(_HERE / "view.js").read_text("utf-8"),
)


def path_view(
    paths: Mapping[str, Trajectory],
    key: str,
    on_start: Callable[[], None],
    bounds: tuple[Point, Point] | None = None,
    arrows: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Draw paths over their surface, with playback.

    Args:
        paths: one or more paths on the same surface from the same start, by their label.
        key: the component's key; a click puts ``{"start": [x, y]}`` under it.
        on_start: called after a click on the map, before the page runs again.
        bounds: the part of the surface to draw; the surface's own if omitted.
        arrows: each with ``from``, ``to`` (points) and ``label``.
    """
    first = next(iter(paths.values()))
    surface = first.surface
    bounds = surface.bounds if bounds is None else bounds
    steps = first.steps
    kept = np.unique(np.linspace(0, steps, min(steps + 1, MOST_POINTS)).round().astype(int))
    _component(
        key=key,
        data={
            "image": _picture(surface.key, tuple(surface.chosen.items()), bounds),
            "bounds": bounds,
            "minima": surface.minima,
            "start": first.points[0].tolist(),
            "steps": kept.tolist(),
            "arrows": list(arrows),
            "paths": [
                {
                    "label": label,
                    "slot": slot,
                    "points": _bytes(path.points[kept]),
                    "values": _bytes(path.values[kept]),
                    "rates": _bytes(path.learning_rates[kept[kept < path.steps]]),
                }
                for slot, (label, path) in enumerate(paths.items())
            ],
            "description": (
                f"Map of {surface.label}. Click to start the path there, or move the crosshair "
                "with the arrow keys and press Enter."
            ),
        },
        on_start_change=on_start,
    )


@lru_cache(maxsize=64)
def _picture(key: str, chosen: tuple, bounds: tuple[Point, Point]) -> str:
    return surface_raster(SURFACES[key].with_params(**dict(chosen)), bounds)[0]


def _bytes(numbers: np.ndarray) -> str:
    """Numbers at drawing precision: float32 in the order of C, in base64."""
    with np.errstate(over="ignore"):
        return b64encode(numbers.astype("<f4").tobytes()).decode()
