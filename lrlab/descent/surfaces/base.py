"""What a surface is to LR Lab: a function of two weights, described as data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from lrlab.arrays import Tensor
from lrlab.params import InvalidInput, Param, Value, check_all, shown

Point = tuple[float, float]


@dataclass(frozen=True)
class Surface:
    """A test function described as data.

    Args:
        key, label: its name in code and for people.
        latex: the formula.
        value: ``value(xp, x, y, **params)``, the function.
        gradient: ``gradient(xp, x, y, **params)``, the pair of its partial derivatives. Where a
            value or a derivative is the same everywhere, it may be one plain number.
        bounds: ``((x_low, x_high), (y_low, y_high))``, the part that is drawn.
        start: where a path starts unless told otherwise.
        minima: the lowest points of the drawn part; empty where there is none, or none is known.
        minimum: the value there; ``-inf`` if the surface falls without end, ``None`` if nothing is
            known about it.
        teaches: what an optimizer meets here, in a sentence.
        params: parameters of the surface itself, with their ``chosen`` values.
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

    def with_params(self, **given: Tensor) -> Surface:
        """This surface with other parameters.

        Raises:
            InvalidInput: an unknown parameter, or a value that is not allowed.
        """
        return replace(self, chosen=check_all(self.params, given, f"surface {self.key}"))

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
        """Whether values lie below the drawn part's minimum, by more than they are rounded: so it
        is for a surface that is lower elsewhere. Never where no minimum is known."""
        if self.minimum is None or not math.isfinite(self.minimum):
            return values < -math.inf
        return values < self.minimum - 1e-9 * max(1.0, abs(self.minimum))

    def check_start(self, start: Tensor) -> Point:
        """A starting point as two floats.

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
        """The larger side of the part that is drawn, the unit distances are measured in."""
        return max(high - low for low, high in self.bounds)


def square(half: float) -> tuple[Point, Point]:
    """Bounds that reach ``half`` to each side of the origin."""
    return (-half, half), (-half, half)
