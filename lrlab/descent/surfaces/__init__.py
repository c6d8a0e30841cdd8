"""The 2D test functions, each with value, exact gradient, bounds of its map, start and minima.

``value(xp, x, y, **params)`` and ``gradient(xp, x, y, **params)`` work on arrays (``xp`` is
`numpy`) and on single floats (``xp`` is `lrlab.descent.float_ops`).

Sources: Jamil and Yang, A Literature Survey of Benchmark Functions for Global Optimization
Problems, 2013; for Levy: Laguna and Marti, Experimental Testing of Advanced Scatter Search Designs
for Global Optimization of Multimodal Functions, 2005. The quadratic bowl, the saddle and the noisy
valley are LR Lab's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lrlab.descent.surfaces import bowls, ripples, valleys
from lrlab.descent.surfaces.base import Point, Surface
from lrlab.descent.surfaces.typed import FORMULA, formula_surface
from lrlab.params import lookup

__all__ = ["FORMULA", "SURFACES", "Point", "Surface", "as_surface", "formula_surface"]

SURFACES: Mapping[str, Surface] = MappingProxyType(
    {surface.key: surface for surface in (*valleys.FAMILY, *ripples.FAMILY, *bowls.FAMILY, FORMULA)}
)
"""Key -> surface. To add a surface, add an entry to the ``FAMILY`` of its module."""


def as_surface(surface: str | Surface) -> Surface:
    """A surface from its key, or the surface itself.

    Raises:
        InvalidInput: there is no surface with this key.
    """
    return surface if isinstance(surface, Surface) else lookup(SURFACES, surface, "surface")
