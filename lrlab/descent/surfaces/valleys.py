"""Smooth polynomials: curved valleys, and surfaces with a few basins."""

from __future__ import annotations

from lrlab.arrays import ArrayOps, Tensor
from lrlab.descent.surfaces.base import Surface, square


def _rosenbrock(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    a, b = 1.0 - x, y - x * x
    return a * a + 100.0 * (b * b)


def _rosenbrock_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    b = 200.0 * (y - x * x)
    return 2.0 * (x - 1.0) - 2.0 * (b * x), b


def _beale_terms(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    y2 = y * y
    return 1.5 - x + x * y, 2.25 - x + x * y2, 2.625 - x + x * (y2 * y)


def _beale(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    a, b, c = _beale_terms(x, y)
    return a * a + b * b + c * c


def _beale_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    a, b, c = _beale_terms(x, y)
    y2 = y * y
    return (
        2.0 * (a * (y - 1.0) + b * (y2 - 1.0) + c * (y2 * y - 1.0)),
        2.0 * x * (a + 2.0 * (b * y) + 3.0 * (c * y2)),
    )


def _himmelblau(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    a, b = x * x + y - 11.0, x + y * y - 7.0
    return a * a + b * b


def _himmelblau_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    a, b = x * x + y - 11.0, x + y * y - 7.0
    return 4.0 * (a * x) + 2.0 * b, 2.0 * a + 4.0 * (b * y)


def _camel(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    x2 = x * x
    return x2 * (2.0 - 1.05 * x2 + x2 * x2 / 6.0) + x * y + y * y


def _camel_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    x2 = x * x
    return x * (4.0 - 4.2 * x2 + x2 * x2) + y, x + 2.0 * y


def _styblinski_tang(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    def half(u: Tensor) -> Tensor:
        return 0.5 * (u * (u * (u * u - 16.0) + 5.0))

    return half(x) + half(y)


def _styblinski_tang_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    def half(u: Tensor) -> Tensor:
        return u * (2.0 * (u * u) - 16.0) + 2.5

    return half(x), half(y)


def _goldstein_price_terms(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """``s``, ``t``, and the two factors, which are polynomials in ``s`` and in ``t``."""
    s, t = x + y, 2.0 * x - 3.0 * y
    a = s + 1.0
    first = 1.0 + a * a * (3.0 * (s * s) - 14.0 * s + 19.0)
    second = 30.0 + t * t * (3.0 * (t * t) - 16.0 * t + 18.0)
    return s, t, first, second


def _goldstein_price(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    _, _, first, second = _goldstein_price_terms(x, y)
    return first * second


def _goldstein_price_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    s, t, first, second = _goldstein_price_terms(x, y)
    along_s = 12.0 * ((s + 1.0) * (s - 1.0) * (s - 2.0)) * second
    along_t = 12.0 * (t * (t - 1.0) * (t - 3.0)) * first
    return along_s + 2.0 * along_t, along_s - 3.0 * along_t


_STYBLINSKI_TANG_AT = -2.9035340277711770

FAMILY = (
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
        teaches="A curved valley with steep walls and an almost flat floor: finding the valley is "
        "easy, following it is slow.",
    ),
    Surface(
        key="beale",
        label="Beale",
        latex=r"f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
        value=_beale,
        gradient=_beale_gradient,
        bounds=square(4.5),
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
        bounds=square(5.0),
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
        key="three_hump_camel",
        label="Three-hump camel",
        latex=r"f(x, y) = 2x^2 - 1.05\,x^4 + \tfrac{x^6}{6} + xy + y^2",
        value=_camel,
        gradient=_camel_gradient,
        bounds=square(2.5),
        start=(-1.0, 2.0),
        minima=((0.0, 0.0),),
        minimum=0.0,
        teaches="Three valleys, of which the middle one is the deepest: without momentum a path "
        "stays in the first one it reaches.",
    ),
    Surface(
        key="styblinski_tang",
        label="Styblinski-Tang",
        latex=r"f(x, y) = \tfrac12\,(x^4 - 16x^2 + 5x + y^4 - 16y^2 + 5y)",
        value=_styblinski_tang,
        gradient=_styblinski_tang_gradient,
        bounds=square(5.0),
        start=(0.5, -4.0),
        minima=((_STYBLINSKI_TANG_AT, _STYBLINSKI_TANG_AT),),
        minimum=-78.33233140754282,
        teaches="Four basins of different depth; only one holds the global minimum.",
    ),
    Surface(
        key="goldstein_price",
        label="Goldstein-Price",
        latex=r"\begin{aligned} f(x, y) ={}& \left(1 + (x + y + 1)^2\,(19 - 14x + 3x^2 - 14y + 6xy"
        r" + 3y^2)\right) \\ & \cdot \left(30 + (2x - 3y)^2\,(18 - 32x + 12x^2 + 48y - 36xy"
        r" + 27y^2)\right) \end{aligned}",
        value=_goldstein_price,
        gradient=_goldstein_price_gradient,
        bounds=square(2.0),
        start=(1.0, 1.5),
        minima=((0.0, -1.0),),
        minimum=3.0,
        teaches="Values from 3 to a million on one small map: a learning rate that is safe on the "
        "walls hardly moves on the floor.",
    ),
)
