"""Grids of numbers drawn as one small picture: palette bands, a PNG data URI."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from lrlab.descent.surfaces import Point, Surface

BANDS = 16
LOW, HIGH, SPECIAL = "#102a54", "#ecf0f3", "#d55e00"
"""The colours of the lowest and the highest band, and of what is no number."""

_LOW, _HIGH, _SPECIAL = (np.array(list(bytes.fromhex(c[1:]))) for c in (LOW, HIGH, SPECIAL))
_LINE_SHADE = 0.86
_NOWHERE = np.array([128, 128, 128])
_FILLS = [_LOW + (_HIGH - _LOW) * i / (BANDS - 1) for i in range(BANDS)]


def surface_raster(
    surface: Surface, bounds: tuple[Point, Point] | None = None, size: int = 480
) -> tuple[str, list[float]]:
    """Draw a surface as seen from above, dark where it is low, grey where it has no value.

    Args:
        surface: what is drawn.
        bounds: ``((x_low, x_high), (y_low, y_high))``; the surface's own if omitted.
        size: pixels along each side.

    Returns:
        The picture as a ``data:image/png`` URI, some 10 KB, and the ``BANDS - 1`` values of the
        isolines between the bands, lowest first; infinite where there is nothing to tell apart.
    """
    (x_low, x_high), (y_low, y_high) = surface.bounds if bounds is None else bounds
    # Rows of a picture run downwards, y runs upwards.
    grid = np.stack(
        np.meshgrid(np.linspace(x_low, x_high, size), np.linspace(y_high, y_low, size)), axis=-1
    )
    z = surface.at(grid)
    finite = z[np.isfinite(z)]
    known = surface.minimum is not None and np.isfinite(surface.minimum)
    low = surface.minimum if known else float(finite.min(initial=np.inf))
    levels = _levels(finite, low)
    band = np.digitize(z, levels).astype(np.uint8)
    edge = np.zeros_like(band, bool)
    edge[:, 1:] |= band[:, 1:] != band[:, :-1]
    edge[1:] |= band[1:] != band[:-1]
    colours = [*_FILLS, *(fill * _LINE_SHADE for fill in _FILLS), _NOWHERE]
    drawn = np.where(edge, band + BANDS, band)
    return _data_uri(np.where(np.isnan(z), 2 * BANDS, drawn), colours), levels.tolist()


def grid_raster(numbers: np.ndarray, special: np.ndarray, low: float, high: float) -> str:
    """Draw a grid of numbers, dark where they are small, and mark its special cells.

    Args:
        numbers: shape ``(rows, columns)``, the first row at the bottom.
        special: where a cell is not to be read as a number, same shape; drawn in orange.
        low, high: the numbers of the darkest and of the lightest band.

    Returns:
        The picture as a ``data:image/png`` URI, one pixel a cell.
    """
    share = (np.nan_to_num(numbers, nan=high) - low) / ((high - low) or 1.0)
    band = np.clip(np.clip(share, 0.0, 1.0) * BANDS, 0, BANDS - 1)
    return _data_uri(np.where(special, BANDS, band)[::-1], [*_FILLS, _SPECIAL])


def _levels(finite: np.ndarray, low: float) -> np.ndarray:
    """Isolines that show the shape: close together near the minimum if most of it lies high.

    Heights are bent by a logarithm just so far that half of the picture lies below the upper
    third of the bands. A picture without heights, or of one height, has none.
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
    """A PNG whose pixels are places in a list of colours; a few bits each."""
    picture = Image.fromarray(band.astype(np.uint8), mode="P")
    picture.putpalette([int(channel) for colour in colours for channel in colour])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
