"""The description of a surface: a function of two weights, as data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import SupportsFloat

import numpy as np

from lrlab.arrays import Tensor
from lrlab.params import InvalidInput, Param, Value, check_all, shown

Point = tuple[float, float]


@dataclass(frozen=True)
class Surface:
    """A test function described as data.

    Args:
        key: its name in code and links.
        label: its name on pages.
        latex: the formula.
        value: ``value(xp, x, y, **params)``, the function.
        gradient: ``gradient(xp, x, y, **params)``, the pair of its partial derivatives. A value
            or a derivative that is constant may be one plain number.
        bounds: ``((x_low, x_high), (y_low, y_high))``, the part that the map shows.
        start: the default start of a trajectory.
        minima: the lowest points of the map; empty if there is none, or none is known.
        minimum: the value there; ``-inf`` if the surface is unbounded below, ``None`` if nothing
            is known about it.
        teaches: a sentence on what the surface demands of an optimizer.
        params: parameters of the surface itself.
        chosen: the values of ``params``.
    """

    key: str
    label: str
    latex: str
    value: Callable[..., Tensor]
    gradient: Callable[..., tuple[Tensor, Tensor]]
    bounds: tuple[Point, Point]
    start: Point
    minima: tuple[Point, ...]
    minimum: float | None
    teaches: str
    params: tuple[Param, ...] = ()
    chosen: Mapping[str, Value] = field(default_factory=dict)

    def with_params(self, **values: object) -> Surface:
        """This surface with other values of its parameters.

        Raises:
            InvalidInput: an unknown parameter, or a value that is not allowed.
        """
        return replace(self, chosen=check_all(self.params, values, f"surface {self.key}"))

    def at(self, points: np.ndarray) -> np.ndarray:
        """The value at each point: shape ``(..., 2)`` -> ``(...)``."""
        points = np.asarray(points, np.float64)
        x, y = points[..., 0], points[..., 1]
        with np.errstate(all="ignore"):
            return np.broadcast_arrays(self.value(np, x, y, **self.chosen), x)[0]

    def gradient_at(self, points: np.ndarray) -> np.ndarray:
        """The gradient at each point: shape ``(..., 2)`` -> ``(..., 2)``."""
        points = np.asarray(points, np.float64)
        x, y = points[..., 0], points[..., 1]
        with np.errstate(all="ignore"):
            parts = self.gradient(np, x, y, **self.chosen)
        return np.stack(np.broadcast_arrays(*parts, x)[:2], axis=-1)

    def is_below(self, values: Tensor) -> Tensor:
        """Whether values are below the map's minimum by more than rounding error.

        This happens if the surface is lower outside the map. False if no minimum is known.
        """
        if self.minimum is None or not math.isfinite(self.minimum):
            return values < -math.inf
        return values < self.minimum - 1e-9 * max(1.0, abs(self.minimum))

    def check_start(self, start: Iterable[SupportsFloat]) -> Point:
        """The start as two floats.

        Raises:
            InvalidInput: it is not a pair of finite numbers.
        """
        try:
            x, y = (float(value) for value in start)
        except (TypeError, ValueError, OverflowError):
            raise InvalidInput(
                f"start = {shown(start)} is not allowed. It must be a pair of numbers (x, y)."
            ) from None
        if not (math.isfinite(x) and math.isfinite(y)):
            raise InvalidInput(
                f"start = {shown(start)} is not allowed. Both numbers must be finite."
            )
        return x, y

    @property
    def width(self) -> float:
        """The longer side of the map, the unit of distances."""
        return max(high - low for low, high in self.bounds)


def square(half: float) -> tuple[Point, Point]:
    """Bounds from ``-half`` to ``half`` in both directions."""
    return (-half, half), (-half, half)
