"""LR Lab: what an optimizer with a learning-rate schedule will do, and what it really did."""

from __future__ import annotations

from lrlab.optimizers import OPTIMIZERS
from lrlab.recipe import Recipe
from lrlab.schedules import SCHEDULES
from lrlab.simulate import Path, trace
from lrlab.surfaces import SURFACES

__all__ = ["OPTIMIZERS", "SCHEDULES", "SURFACES", "Path", "Recipe", "trace"]
