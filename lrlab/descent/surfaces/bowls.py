"""Surfaces with a single feature: bowls, a trough, a saddle."""

from __future__ import annotations

import math

from lrlab.arrays import ArrayOps, Tensor
from lrlab.descent.surfaces.base import Surface, square
from lrlab.params import Param


def _booth(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    a, b = x + 2.0 * y - 7.0, 2.0 * x + y - 5.0
    return a * a + b * b


def _booth_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    a, b = x + 2.0 * y - 7.0, 2.0 * x + y - 5.0
    return 2.0 * a + 4.0 * b, 4.0 * a + 2.0 * b


def _matyas(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    return 0.26 * (x * x + y * y) - 0.48 * (x * y)


def _matyas_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return 0.52 * x - 0.48 * y, 0.52 * y - 0.48 * x


def _bowl(xp: ArrayOps, x: Tensor, y: Tensor, *, condition_number: Tensor) -> Tensor:
    return 0.5 * (x * x + condition_number * (y * y))


def _bowl_gradient(
    xp: ArrayOps, x: Tensor, y: Tensor, *, condition_number: Tensor
) -> tuple[Tensor, Tensor]:
    return x, condition_number * y


def _saddle(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    return x * x - y * y


def _saddle_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return 2.0 * x, -2.0 * y


_CONDITION = Param(
    "condition_number",
    10.0,
    "How much steeper the steep direction is than the flat one.",
    symbol=r"\kappa",
    low=1.0,
    high=1e6,
    slider=(1.0, 1000.0),
    scale="log",
    label="Condition number",
)

FAMILY = (
    Surface(
        key="booth",
        label="Booth",
        latex=r"f(x, y) = (x + 2y - 7)^2 + (2x + y - 5)^2",
        value=_booth,
        gradient=_booth_gradient,
        bounds=square(10.0),
        start=(-8.0, -4.0),
        minima=((1.0, 3.0),),
        minimum=0.0,
        teaches="A tilted bowl, nine times steeper in one direction than in the other.",
    ),
    Surface(
        key="matyas",
        label="Matyas",
        latex=r"f(x, y) = 0.26\,(x^2 + y^2) - 0.48\,xy",
        value=_matyas,
        gradient=_matyas_gradient,
        bounds=square(10.0),
        start=(-8.0, 4.0),
        minima=((0.0, 0.0),),
        minimum=0.0,
        teaches="A gentle trough, 25 times flatter along the diagonal than across it: small "
        "gradients, slow progress.",
    ),
    Surface(
        key="quadratic_bowl",
        label="Quadratic bowl",
        latex=r"f(x, y) = \tfrac12\,(x^2 + \kappa\, y^2)",
        value=_bowl,
        gradient=_bowl_gradient,
        bounds=square(5.0),
        start=(-4.0, 3.0),
        minima=((0.0, 0.0),),
        minimum=0.0,
        teaches="The textbook case. Plain gradient descent is stable while the learning rate "
        "stays below 2/κ, and slow along x when κ is large.",
        params=(_CONDITION,),
        chosen={"condition_number": 10.0},
    ),
    Surface(
        key="saddle",
        label="Saddle",
        latex=r"f(x, y) = x^2 - y^2",
        value=_saddle,
        gradient=_saddle_gradient,
        bounds=square(2.0),
        start=(-1.5, 0.01),
        minima=(),
        minimum=-math.inf,
        teaches="Flat at the centre, but no minimum: how long does the path stay there before it "
        "finds the way down?",
    ),
)
