"""Pictures of surfaces and grids: correct orientation, correct colours, small size."""

from __future__ import annotations

import base64
import io
import itertools

import numpy as np
import pytest
from PIL import Image

from lrlab.descent.raster import BANDS, grid_raster, surface_raster
from lrlab.descent.surfaces import SURFACES

ORANGE = (213, 94, 0)


def pixels(uri: str) -> np.ndarray:
    """The picture's colours, shape ``(rows, columns, 3)``, top row first."""
    kind, _, content = uri.partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


@pytest.mark.parametrize("key", SURFACES)
def test_every_surface_has_a_small_picture_that_shows_its_shape(key: str) -> None:
    uri, levels = surface_raster(SURFACES[key])
    assert len(uri) < 50_000
    assert len(levels) == BANDS - 1
    assert all(low < high for low, high in itertools.pairwise(levels))
    brightness = pixels(uri).sum(axis=-1)
    # Not a flat picture: neither half of the shades fills nearly all of it.
    low_part = (brightness < (brightness.min() + brightness.max()) / 2).mean()
    assert 0.05 < low_part < 0.95


@pytest.mark.parametrize("key", [key for key, surface in SURFACES.items() if surface.minima])
def test_a_surface_is_darkest_at_its_minima(key: str) -> None:
    surface, size = SURFACES[key], 480
    shades = pixels(surface_raster(surface, size=size)[0]).sum(axis=-1)
    (x_low, x_high), (y_low, y_high) = surface.bounds
    for x, y in surface.minima:
        column = round((x - x_low) / (x_high - x_low) * (size - 1))
        row = round((y_high - y) / (y_high - y_low) * (size - 1))
        assert shades[row, column] <= shades.min() / 0.8


def test_a_part_of_a_surface_can_be_drawn() -> None:
    surface = SURFACES["booth"]
    picture = surface_raster(surface, ((100.0, 120.0), (100.0, 120.0)), size=60)[0]
    shades = pixels(picture).sum(axis=-1)
    # Booth's minimum lies at (1, 3), which is below and to the left of this part.
    assert shades[-1, 0] < shades[0, -1]


def test_a_grid_has_its_first_row_at_the_bottom_and_dark_small_values() -> None:
    numbers = np.array([[0.0, 1.0], [2.0, 3.0]])
    shades = pixels(grid_raster(numbers, np.zeros((2, 2), bool), 0.0, 3.0)).sum(axis=-1)
    assert shades.shape == (2, 2)
    assert shades[1, 0] < shades[1, 1] < shades[0, 0] < shades[0, 1]


def test_special_cells_are_orange_regardless_of_their_value() -> None:
    numbers = np.array([[0.0, np.nan], [np.inf, 1.0]])
    special = np.array([[False, True], [True, False]])
    colours = pixels(grid_raster(numbers, special, 0.0, 1.0))
    orange = (colours == ORANGE).all(axis=-1)
    assert orange.tolist() == special[::-1].tolist()


def test_values_outside_the_range_have_the_outermost_shades() -> None:
    numbers = np.array([[-5.0, 0.0, 1.0, 7.0]])
    colours = pixels(grid_raster(numbers, np.zeros((1, 4), bool), 0.0, 1.0))[0].tolist()
    assert colours[0] == colours[1] and colours[2] == colours[3]


def test_equal_values_can_be_drawn() -> None:
    colours = pixels(grid_raster(np.full((3, 3), 2.0), np.zeros((3, 3), bool), 2.0, 2.0))
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == 1
