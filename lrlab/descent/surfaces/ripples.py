"""Surfaces with waves and many local minima."""

from __future__ import annotations

import math

from lrlab.arrays import ArrayOps, Tensor
from lrlab.descent.surfaces.base import Surface, square

_TAU = 2.0 * math.pi
_HALF_ROOT = math.sqrt(0.5)
_AHEAD = math.pi + 1.0
_NOISE = ((0.12, 6.0, 0.0), (0.08, 9.0, 5.0), (0.08, 4.0, -11.0))
"""The ripples of the noisy valley: height, and angular frequency along x and along y."""


def _rastrigin(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    return 20.0 + x * x + y * y - 10.0 * (xp.cos(_TAU * x) + xp.cos(_TAU * y))


def _rastrigin_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    slope = 10.0 * _TAU
    return 2.0 * x + slope * xp.sin(_TAU * x), 2.0 * y + slope * xp.sin(_TAU * y)


def _ackley(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    r = xp.sqrt(0.5 * (x * x + y * y))
    waves = xp.exp(0.5 * (xp.cos(_TAU * x) + xp.cos(_TAU * y)))
    return 20.0 + math.e - 20.0 * xp.exp(-0.2 * r) - waves


def _ackley_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    # The cone has no gradient at its tip; by symmetry 0 is used there.
    r = xp.maximum(xp.sqrt(0.5 * (x * x + y * y)), 1e-150)
    cone = 2.0 * xp.exp(-0.2 * r) / r
    waves = math.pi * xp.exp(0.5 * (xp.cos(_TAU * x) + xp.cos(_TAU * y)))
    return cone * x + waves * xp.sin(_TAU * x), cone * y + waves * xp.sin(_TAU * y)


def _griewank(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    return 1.0 + (x * x + y * y) / 4000.0 - xp.cos(x) * xp.cos(_HALF_ROOT * y)


def _griewank_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    v = _HALF_ROOT * y
    return (
        x / 2000.0 + xp.sin(x) * xp.cos(v),
        y / 2000.0 + _HALF_ROOT * (xp.cos(x) * xp.sin(v)),
    )


def _levy(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    # a and b are w_1 - 1 and w_2 - 1 of the formula, so sin(pi w_1) becomes -sin(pi a).
    a, b = (x - 1.0) / 4.0, (y - 1.0) / 4.0
    head, middle, tail = xp.sin(math.pi * a), xp.sin(math.pi * a + _AHEAD), xp.sin(_TAU * b)
    return head * head + a * a * (1.0 + 10.0 * (middle * middle)) + b * b * (1.0 + tail * tail)


def _levy_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    a, b = (x - 1.0) / 4.0, (y - 1.0) / 4.0
    middle, tail = xp.sin(math.pi * a + _AHEAD), xp.sin(_TAU * b)
    along_a = (
        math.pi * xp.sin(_TAU * a)
        + 2.0 * a * (1.0 + 10.0 * (middle * middle))
        + 10.0 * math.pi * (a * a * xp.sin(_TAU * a + 2.0 * _AHEAD))
    )
    along_b = 2.0 * b * (1.0 + tail * tail) + _TAU * (b * b * xp.sin(2.0 * _TAU * b))
    return along_a / 4.0, along_b / 4.0


def _mccormick(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    d = x - y
    return xp.sin(x + y) + d * d - 1.5 * x + 2.5 * y + 1.0


def _mccormick_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    wave, d = xp.cos(x + y), 2.0 * (x - y)
    return wave + d - 1.5, wave - d + 2.5


def _noisy_valley(xp: ArrayOps, x: Tensor, y: Tensor) -> Tensor:
    f = 0.1 * (x * x) + y * y
    for height, u, v in _NOISE:
        f = f + height * (1.0 - xp.cos(u * x + v * y))
    return f


def _noisy_valley_gradient(xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    along_x, along_y = 0.2 * x, 2.0 * y
    for height, u, v in _NOISE:
        wave = height * xp.sin(u * x + v * y)
        along_x, along_y = along_x + u * wave, along_y + v * wave
    return along_x, along_y


FAMILY = (
    Surface(
        key="rastrigin",
        label="Rastrigin",
        latex=r"f(x, y) = 20 + x^2 + y^2 - 10\,(\cos 2\pi x + \cos 2\pi y)",
        value=_rastrigin,
        gradient=_rastrigin_gradient,
        bounds=square(5.12),
        start=(3.3, -2.4),
        minima=((0.0, 0.0),),
        minimum=0.0,
        teaches="An egg box in a bowl: about a hundred local minima. Gradient descent finds the "
        "nearest one, not the best one.",
    ),
    Surface(
        key="ackley",
        label="Ackley",
        latex=r"f(x, y) = 20 + e - 20\,e^{-0.2\sqrt{(x^2 + y^2)/2}}"
        r" - e^{(\cos 2\pi x + \cos 2\pi y)/2}",
        value=_ackley,
        gradient=_ackley_gradient,
        bounds=square(5.0),
        start=(3.4, 2.6),
        minima=((0.0, 0.0),),
        minimum=0.0,
        teaches="Ripples on a funnel: almost flat far out, and a sharp tip at the minimum: the "
        "gradient stays large right up to it.",
    ),
    Surface(
        key="griewank",
        label="Griewank",
        latex=r"f(x, y) = 1 + \tfrac{1}{4000}\,(x^2 + y^2) - \cos x\,\cos\tfrac{y}{\sqrt 2}",
        value=_griewank,
        gradient=_griewank_gradient,
        bounds=square(20.0),
        start=(-14.0, 11.0),
        minima=((0.0, 0.0),),
        minimum=0.0,
        teaches="Rows of holes of almost equal depth: the wide bowl under them is so flat that it "
        "hardly shows in the gradient.",
    ),
    Surface(
        key="levy",
        label="Levy",
        latex=r"\begin{aligned} f(x, y) ={}& \sin^2 \pi u + (u - 1)^2\,(1 + 10 \sin^2(\pi u + 1))"
        r" + (v - 1)^2\,(1 + \sin^2 2\pi v), \\ & u = 1 + \tfrac{x - 1}{4},\quad"
        r" v = 1 + \tfrac{y - 1}{4} \end{aligned}",
        value=_levy,
        gradient=_levy_gradient,
        bounds=square(10.0),
        start=(-7.0, 6.0),
        minima=((1.0, 1.0),),
        minimum=0.0,
        teaches="Parallel ridges across x, gentle waves along y: x is hard to get right, y is "
        "easy.",
    ),
    Surface(
        key="mccormick",
        label="McCormick",
        latex=r"f(x, y) = \sin(x + y) + (x - y)^2 - 1.5\,x + 2.5\,y + 1",
        value=_mccormick,
        gradient=_mccormick_gradient,
        bounds=((-1.5, 4.0), (-3.0, 4.0)),
        start=(3.0, 3.5),
        minima=((0.5 - math.pi / 3.0, -0.5 - math.pi / 3.0),),
        minimum=-math.sqrt(0.75) - math.pi / 3.0,
        teaches="A wavy channel that leads down to the lower left: momentum may carry the path "
        "over the best minimum of the map to lower ones outside it.",
    ),
    Surface(
        key="noisy_valley",
        label="Noisy valley",
        latex=r"f(x, y) = \tfrac{x^2}{10} + y^2 + 0.12\,(1 - \cos 6x)"
        r" + 0.08\,(1 - \cos(9x + 5y)) + 0.08\,(1 - \cos(4x - 11y))",
        value=_noisy_valley,
        gradient=_noisy_valley_gradient,
        bounds=square(4.0),
        start=(-3.6, 2.4),
        minima=((0.0, 0.0),),
        minimum=0.0,
        teaches="A long valley covered with ripples, like a loss measured on few images: short "
        "steps stay in the first ripple, momentum carries the path on.",
    ),
)
