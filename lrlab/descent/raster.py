"""Grids of numbers as small pictures: colour bands from a palette, in a PNG data URI."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from lrlab.descent.surfaces import Point, Surface

BANDS = 16
LOW, HIGH, SPECIAL = "#102a54", "#ecf0f3", "#d55e00"
"""The colours of the lowest band, of the highest band, and of special cells."""

_LOW, _HIGH, _SPECIAL = (np.array(list(bytes.fromhex(c[1:]))) for c in (LOW, HIGH, SPECIAL))
_LINE_SHADE = 0.86
_NO_VALUE = np.array([128, 128, 128])
_FILLS = [_LOW + (_HIGH - _LOW) * i / (BANDS - 1) for i in range(BANDS)]


def surface_raster(
    surface: Surface, bounds: tuple[Point, Point] | None = None, size: int = 480
) -> tuple[str, list[float]]:
    """Draw a surface seen from above: dark where it is low, grey where it has no value.

    Args:
        surface: the surface to draw.
        bounds: ``((x_low, x_high), (y_low, y_high))``; the surface's own if omitted.
        size: pixels along each side.

    Returns:
        The picture as a ``data:image/png`` URI of about 10 KB, and the ``BANDS - 1`` values of the
        isolines between the bands, lowest first; all infinite if the surface is flat or has no
        finite value.
    """
    (x_low, x_high), (y_low, y_high) = surface.bounds if bounds is None else bounds
    # The rows of a picture run downwards, but y runs upwards.
    grid = np.stack(
        np.meshgrid(np.linspace(x_low, x_high, size), np.linspace(y_high, y_low, size)), axis=-1
    )
    z = surface.at(grid)
    finite = z[np.isfinite(z)]
    low = surface.minimum
    if low is None or not np.isfinite(low):
        low = float(finite.min(initial=np.inf))
    levels = _levels(finite, low)
    band = np.digitize(z, levels).astype(np.uint8)
    edge = np.zeros_like(band, bool)
    edge[:, 1:] |= band[:, 1:] != band[:, :-1]
    edge[1:] |= band[1:] != band[:-1]
    colours = [*_FILLS, *(fill * _LINE_SHADE for fill in _FILLS), _NO_VALUE]
    indices = np.where(edge, band + BANDS, band)
    return _data_uri(np.where(np.isnan(z), 2 * BANDS, indices), colours), levels.tolist()


def grid_raster(numbers: np.ndarray, special: np.ndarray, low: float, high: float) -> str:
    """Draw a grid of numbers, dark where they are small, with special cells marked.

    Args:
        numbers: shape ``(rows, columns)``, the first row at the bottom.
        special: which cells are not numbers, same shape; drawn in orange.
        low, high: the numbers of the darkest and the lightest band.

    Returns:
        The picture as a ``data:image/png`` URI, one pixel per cell.
    """
    share = (np.nan_to_num(numbers, nan=high) - low) / ((high - low) or 1.0)
    band = np.clip(np.clip(share, 0.0, 1.0) * BANDS, 0, BANDS - 1)
    return _data_uri(np.where(special, BANDS, band)[::-1], [*_FILLS, _SPECIAL])


def _levels(finite: np.ndarray, low: float) -> np.ndarray:
    """Isolines that show the shape: denser near the minimum if most of the surface lies high.

    A logarithm compresses the heights just enough to put the median at 0.6 of the bands or
    higher. The isolines are infinite if there are no heights, or only one.

    Args:
        finite: the finite heights.
        low: the lowest height.
    """
    top = max(float(np.quantile(finite, 0.98)) - low, 0.0) if finite.size else 0.0
    top = top or float(finite.max(initial=low)) - low
    if not 0.0 < top < np.inf:
        return np.full(BANDS - 1, np.inf)
    half = max((float(np.median(finite)) - low) / top, 1e-9)
    bend = 0.0
    for bend in np.logspace(-2, 8, 60):
        if np.log1p(bend * half) / np.log1p(bend) >= 0.6:
            break
    steps = np.arange(1, BANDS) / BANDS
    return low + top * np.expm1(steps * np.log1p(bend)) / bend


def _data_uri(band: np.ndarray, colours: list[np.ndarray]) -> str:
    """A palette PNG: ``band`` holds indices into ``colours``, so a pixel takes a few bits."""
    picture = Image.fromarray(band.astype(np.uint8), mode="P")
    picture.putpalette([int(channel) for colour in colours for channel in colour])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
