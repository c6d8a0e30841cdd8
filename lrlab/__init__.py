"""LR Lab: preview what an optimizer with a learning-rate schedule does, then train with it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from lrlab.descent.surfaces import SURFACES
from lrlab.descent.trajectory import Trajectory, trace
from lrlab.optimizers import OPTIMIZERS
from lrlab.recipes.recipe import Recipe
from lrlab.schedules import SCHEDULES

if TYPE_CHECKING:
    from lrlab.notebook import draw_curve, draw_map, draw_path, draw_race

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "SURFACES",
    "Recipe",
    "Trajectory",
    "draw_curve",
    "draw_map",
    "draw_path",
    "draw_race",
    "trace",
]


def __getattr__(name: str) -> object:
    """Import the ``draw_*`` functions on first use, because they need pandas and Altair."""
    if name.startswith("draw_") and name in __all__:
        return getattr(import_module("lrlab.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
