"""The 2D test functions: value, exact gradient, the part that is drawn, a start, the minima.

``value(xp, x, y, **params)`` and ``gradient(xp, x, y, **params)`` work on arrays (``xp`` is
`numpy`) and on single floats (``xp`` is `lrlab.descent.float_ops`) alike.

Sources: Jamil and Yang, A Literature Survey of Benchmark Functions for Global Optimization
Problems, 2013; for Levy: Laguna and Marti, Experimental Testing of Advanced Scatter Search Designs
for Global Optimization of Multimodal Functions, 2005. The quadratic bowl, the saddle and the noisy
valley are our own.
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
"""Each surface by its key. Adding one is one entry in its module's ``FAMILY``."""


def as_surface(surface: str | Surface) -> Surface:
    """A surface from its key, or the surface itself.

    Raises:
        InvalidInput: there is no surface of that name.
    """
    return surface if isinstance(surface, Surface) else lookup(SURFACES, surface, "surface")
