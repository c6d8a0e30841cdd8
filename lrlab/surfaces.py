"""The 2D test functions: value, exact gradient, the part that is drawn, a start, the minima.

``value(xp, x, y, **params)`` and ``gradient(xp, x, y, **params)`` work on arrays (``xp`` is
`numpy`) and on single floats (``xp`` is `lrlab.scalar.scalar`) alike.

Source of the classical functions: Jamil and Yang, A Literature Survey of Benchmark Functions
for Global Optimization Problems, 2013.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from lrlab.params import InvalidInput, Param, check_all, lookup, shown

Point = tuple[float, float]


@dataclass(frozen=True)
class Surface:
    """A test function described as data.

    Args:
        key, label: its name in code and for people.
        latex: the formula.
        value: ``value(xp, x, y, **params)``, the function.
        gradient: ``gradient(xp, x, y, **params)``, the pair of its partial derivatives.
        bounds: ``((x_low, x_high), (y_low, y_high))``, the part that is drawn.
        start: where a path starts unless told otherwise.
        minima: the global minima; empty for a surface without one.
        minimum: the value there.
        teaches: what an optimizer meets here, in a sentence.
        params: parameters of the surface itself, with their ``chosen`` values.
    """

    key: str
    label: str
    latex: str
    value: Callable[..., Any]
    gradient: Callable[..., tuple[Any, Any]]
    bounds: tuple[Point, Point]
    start: Point
    minima: tuple[Point, ...]
    minimum: float
    teaches: str
    params: tuple[Param, ...] = ()
    chosen: Mapping[str, Any] = field(default_factory=dict)

    def with_params(self, **given: Any) -> Surface:
        """This surface with other parameters.

        Raises:
            InvalidInput: an unknown parameter, or a value that is not allowed.
        """
        return replace(self, chosen=check_all(self.params, given, f"surface {self.key}"))

    def at(self, points: np.ndarray) -> np.ndarray:
        """The value at each point: shape ``(..., 2)`` -> ``(...)``."""
        points = np.asarray(points, np.float64)
        with np.errstate(all="ignore"):
            return np.asarray(self.value(np, points[..., 0], points[..., 1], **self.chosen))

    def gradient_at(self, points: np.ndarray) -> np.ndarray:
        """The gradient at each point: shape ``(..., 2)`` -> ``(..., 2)``."""
        points = np.asarray(points, np.float64)
        with np.errstate(all="ignore"):
            parts = self.gradient(np, points[..., 0], points[..., 1], **self.chosen)
        return np.stack(parts, axis=-1)

    def check_start(self, start: Any) -> Point:
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


def _rosenbrock(xp: Any, x: Any, y: Any) -> Any:
    a, b = 1.0 - x, y - x * x
    return a * a + 100.0 * (b * b)


def _rosenbrock_gradient(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    b = 200.0 * (y - x * x)
    return 2.0 * (x - 1.0) - 2.0 * (b * x), b


def _beale_terms(x: Any, y: Any) -> tuple[Any, Any, Any]:
    y2 = y * y
    return 1.5 - x + x * y, 2.25 - x + x * y2, 2.625 - x + x * (y2 * y)


def _beale(xp: Any, x: Any, y: Any) -> Any:
    a, b, c = _beale_terms(x, y)
    return a * a + b * b + c * c


def _beale_gradient(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    a, b, c = _beale_terms(x, y)
    y2 = y * y
    return (
        2.0 * (a * (y - 1.0) + b * (y2 - 1.0) + c * (y2 * y - 1.0)),
        2.0 * x * (a + 2.0 * (b * y) + 3.0 * (c * y2)),
    )


def _himmelblau(xp: Any, x: Any, y: Any) -> Any:
    a, b = x * x + y - 11.0, x + y * y - 7.0
    return a * a + b * b


def _himmelblau_gradient(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    a, b = x * x + y - 11.0, x + y * y - 7.0
    return 4.0 * (a * x) + 2.0 * b, 2.0 * a + 4.0 * (b * y)


def _booth(xp: Any, x: Any, y: Any) -> Any:
    a, b = x + 2.0 * y - 7.0, 2.0 * x + y - 5.0
    return a * a + b * b


def _booth_gradient(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    a, b = x + 2.0 * y - 7.0, 2.0 * x + y - 5.0
    return 2.0 * a + 4.0 * b, 4.0 * a + 2.0 * b


def _matyas(xp: Any, x: Any, y: Any) -> Any:
    return 0.26 * (x * x + y * y) - 0.48 * (x * y)


def _matyas_gradient(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    return 0.52 * x - 0.48 * y, 0.52 * y - 0.48 * x


def _camel(xp: Any, x: Any, y: Any) -> Any:
    x2 = x * x
    return x2 * (2.0 - 1.05 * x2 + x2 * x2 / 6.0) + x * y + y * y


def _camel_gradient(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    x2 = x * x
    return x * (4.0 - 4.2 * x2 + x2 * x2) + y, x + 2.0 * y


def _styblinski_tang(xp: Any, x: Any, y: Any) -> Any:
    def half(u: Any) -> Any:
        return 0.5 * (u * (u * (u * u - 16.0) + 5.0))

    return half(x) + half(y)


def _styblinski_tang_gradient(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    def half(u: Any) -> Any:
        return u * (2.0 * (u * u) - 16.0) + 2.5

    return half(x), half(y)


_TAU = 2.0 * math.pi


def _rastrigin(xp: Any, x: Any, y: Any) -> Any:
    return 20.0 + x * x + y * y - 10.0 * (xp.cos(_TAU * x) + xp.cos(_TAU * y))


def _rastrigin_gradient(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    slope = 10.0 * _TAU
    return 2.0 * x + slope * xp.sin(_TAU * x), 2.0 * y + slope * xp.sin(_TAU * y)


def _ackley(xp: Any, x: Any, y: Any) -> Any:
    r = xp.sqrt(0.5 * (x * x + y * y))
    waves = xp.exp(0.5 * (xp.cos(_TAU * x) + xp.cos(_TAU * y)))
    return 20.0 + math.e - 20.0 * xp.exp(-0.2 * r) - waves


def _ackley_gradient(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    # The cone's tip has no gradient; 0 is taken there, as its symmetry suggests.
    r = xp.maximum(xp.sqrt(0.5 * (x * x + y * y)), 1e-150)
    cone = 2.0 * xp.exp(-0.2 * r) / r
    waves = math.pi * xp.exp(0.5 * (xp.cos(_TAU * x) + xp.cos(_TAU * y)))
    return cone * x + waves * xp.sin(_TAU * x), cone * y + waves * xp.sin(_TAU * y)


def _bowl(xp: Any, x: Any, y: Any, *, condition_number: Any) -> Any:
    return 0.5 * (x * x + condition_number * (y * y))


def _bowl_gradient(xp: Any, x: Any, y: Any, *, condition_number: Any) -> tuple[Any, Any]:
    return x, condition_number * y


def _saddle(xp: Any, x: Any, y: Any) -> Any:
    return x * x - y * y


def _saddle_gradient(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
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


def _square(half: float) -> tuple[Point, Point]:
    return (-half, half), (-half, half)


_STYBLINSKI_TANG_AT = -2.9035340277711770

_ALL = (
    Surface(
        key="rosenbrock",
        label="Rosenbrock",
        latex=r"f(x, y) = (1 - x)^2 + 100\,(y - x^2)^2",
        value=_rosenbrock,
        gradient=_rosenbrock_gradient,
        bounds=((-2.0, 2.0), (-1.0, 3.0)),
        start=(-1.5, 2.0),
        minima=((1.0, 1.0),),
        minimum=0.0,
        teaches="A bent valley with steep walls and an almost flat floor: finding the valley is "
        "easy, following it is slow.",
    ),
    Surface(
        key="beale",
        label="Beale",
        latex=r"f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
        value=_beale,
        gradient=_beale_gradient,
        bounds=_square(4.5),
        start=(-1.0, 1.5),
        minima=((3.0, 0.5),),
        minimum=0.0,
        teaches="Flat in the middle, very steep at the corners: one learning rate hardly fits "
        "both.",
    ),
    Surface(
        key="himmelblau",
        label="Himmelblau",
        latex=r"f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2",
        value=_himmelblau,
        gradient=_himmelblau_gradient,
        bounds=_square(5.0),
        start=(-0.5, -1.0),
        minima=(
            (3.0, 2.0),
            (-2.805118086952745, 3.131312518250573),
            (-3.779310253377747, -3.283185991286170),
            (3.584428340330492, -1.848126526964404),
        ),
        minimum=0.0,
        teaches="Four equally good minima: the start and the first steps decide which one is "
        "found.",
    ),
    Surface(
        key="booth",
        label="Booth",
        latex=r"f(x, y) = (x + 2y - 7)^2 + (2x + y - 5)^2",
        value=_booth,
        gradient=_booth_gradient,
        bounds=_square(10.0),
        start=(-8.0, -4.0),
        minima=((1.0, 3.0),),
        minimum=0.0,
        teaches="A tilted bowl, nine times steeper one way than the other.",
    ),
    Surface(
        key="matyas",
        label="Matyas",
        latex=r"f(x, y) = 0.26\,(x^2 + y^2) - 0.48\,xy",
        value=_matyas,
        gradient=_matyas_gradient,
        bounds=_square(10.0),
        start=(-8.0, 4.0),
        minima=((0.0, 0.0),),
        minimum=0.0,
        teaches="A gentle trough along the diagonal, 25 times flatter that way: small gradients, "
        "slow progress.",
    ),
    Surface(
        key="three_hump_camel",
        label="Three-hump camel",
        latex=r"f(x, y) = 2x^2 - 1.05\,x^4 + \tfrac{x^6}{6} + xy + y^2",
        value=_camel,
        gradient=_camel_gradient,
        bounds=_square(2.5),
        start=(-1.0, 2.0),
        minima=((0.0, 0.0),),
        minimum=0.0,
        teaches="Three valleys, only the middle one is the deepest: without momentum a path "
        "stays in the first it meets.",
    ),
    Surface(
        key="styblinski_tang",
        label="Styblinski-Tang",
        latex=r"f(x, y) = \tfrac12\,(x^4 - 16x^2 + 5x + y^4 - 16y^2 + 5y)",
        value=_styblinski_tang,
        gradient=_styblinski_tang_gradient,
        bounds=_square(5.0),
        start=(0.5, -4.0),
        minima=((_STYBLINSKI_TANG_AT, _STYBLINSKI_TANG_AT),),
        minimum=-78.33233140754282,
        teaches="Four basins of different depth; only one is the best.",
    ),
    Surface(
        key="rastrigin",
        label="Rastrigin",
        latex=r"f(x, y) = 20 + x^2 + y^2 - 10\,(\cos 2\pi x + \cos 2\pi y)",
        value=_rastrigin,
        gradient=_rastrigin_gradient,
        bounds=_square(5.12),
        start=(3.3, -2.4),
        minima=((0.0, 0.0),),
        minimum=0.0,
        teaches="An egg box in a bowl: about a hundred local minima. Gradient descent finds the "
        "next one, not the best one.",
    ),
    Surface(
        key="ackley",
        label="Ackley",
        latex=r"f(x, y) = 20 + e - 20\,e^{-0.2\sqrt{(x^2 + y^2)/2}}"
        r" - e^{(\cos 2\pi x + \cos 2\pi y)/2}",
        value=_ackley,
        gradient=_ackley_gradient,
        bounds=_square(5.0),
        start=(3.4, 2.6),
        minima=((0.0, 0.0),),
        minimum=0.0,
        teaches="Ripples on a funnel: almost flat far out, and a sharp tip at the minimum, where "
        "the gradient never gets small.",
    ),
    Surface(
        key="quadratic_bowl",
        label="Quadratic bowl",
        latex=r"f(x, y) = \tfrac12\,(x^2 + \kappa\, y^2)",
        value=_bowl,
        gradient=_bowl_gradient,
        bounds=_square(5.0),
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
        bounds=_square(2.0),
        start=(-1.5, 0.01),
        minima=(),
        minimum=-math.inf,
        teaches="Flat at the centre, but no minimum: how long does the path hang there before it "
        "finds the way down?",
    ),
)

SURFACES: Mapping[str, Surface] = MappingProxyType({surface.key: surface for surface in _ALL})
"""Each surface by its key. Adding one is one entry."""


def as_surface(surface: str | Surface) -> Surface:
    """A surface from its key, or the surface itself.

    Raises:
        InvalidInput: there is no surface of that name.
    """
    return surface if isinstance(surface, Surface) else lookup(SURFACES, surface, "surface")
