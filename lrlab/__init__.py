"""LR Lab: what an optimizer with a learning-rate schedule will do, and what it really did."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lrlab.descent.surfaces import SURFACES
from lrlab.descent.trajectory import Trajectory, trace
from lrlab.optimizers import OPTIMIZERS
from lrlab.recipes.recipe import Recipe
from lrlab.schedules import SCHEDULES

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


def __getattr__(name: str) -> Any:
    """What draws brings pandas and Altair along, so it is imported when first asked for."""
    if name.startswith("draw_") and name in __all__:
        return getattr(import_module("lrlab.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
