"""Pictures of surfaces and of grids: right way up, right colours, small."""

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
    """The picture's colours, shape (rows, columns, 3), the first row on top."""
    kind, _, content = uri.partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


@pytest.mark.parametrize("key", SURFACES)
def test_every_surface_shows_its_shape_in_a_small_picture(key: str) -> None:
    uri, levels = surface_raster(SURFACES[key])
    assert len(uri) < 50_000
    assert len(levels) == BANDS - 1
    assert all(low < high for low, high in itertools.pairwise(levels))
    brightness = pixels(uri).sum(axis=-1)
    # No flat picture: neither the upper nor the lower half of the shades fills nearly all of it.
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
    far = surface_raster(surface, ((100.0, 120.0), (100.0, 120.0)), size=60)[0]
    shades = pixels(far).sum(axis=-1)
    # Booth's minimum lies at (1, 3): from here it is down and to the left.
    assert shades[-1, 0] < shades[0, -1]


def test_a_grid_is_drawn_with_its_first_row_at_the_bottom_dark_where_small() -> None:
    numbers = np.array([[0.0, 1.0], [2.0, 3.0]])
    shades = pixels(grid_raster(numbers, np.zeros((2, 2), bool), 0.0, 3.0)).sum(axis=-1)
    assert shades.shape == (2, 2)
    assert shades[1, 0] < shades[1, 1] < shades[0, 0] < shades[0, 1]


def test_special_cells_are_orange_whatever_their_number() -> None:
    numbers = np.array([[0.0, np.nan], [np.inf, 1.0]])
    special = np.array([[False, True], [True, False]])
    drawn = pixels(grid_raster(numbers, special, 0.0, 1.0))
    orange = (drawn == ORANGE).all(axis=-1)
    assert orange.tolist() == special[::-1].tolist()


def test_numbers_beyond_the_range_take_the_outermost_shades() -> None:
    numbers = np.array([[-5.0, 0.0, 1.0, 7.0]])
    drawn = pixels(grid_raster(numbers, np.zeros((1, 4), bool), 0.0, 1.0))[0].tolist()
    assert drawn[0] == drawn[1] and drawn[2] == drawn[3]


def test_equal_numbers_can_be_drawn() -> None:
    drawn = pixels(grid_raster(np.full((3, 3), 2.0), np.zeros((3, 3), bool), 2.0, 2.0))
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 1
