"""The surface that people type as a formula."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from lrlab.arrays import ArrayOps, Tensor
from lrlab.descent.formula import Program, derivative, latex, program, read
from lrlab.descent.surfaces.base import Surface, square
from lrlab.params import Param, Value


@dataclass(frozen=True)
class FormulaParam(Param):
    """A parameter that is a formula of x and y."""

    def check(self, value: Tensor, owner: str) -> str:
        """The formula as it was given.

        Raises:
            InvalidInput: it is none; the message says where.
        """
        read(value)
        return value

    def parse(self, text: str, owner: str) -> str:
        """As `check`; blanks around the formula are dropped."""
        return self.check(text.strip(), owner)

    def text(self, value: Value) -> str:
        """The formula itself."""
        return str(value)

    def allowed(self) -> str:
        """What may be given, in words."""
        return "a formula of x and y such as x^2 + sin(3*y)"


@dataclass(frozen=True)
class _FormulaSurface(Surface):
    """A surface whose only parameter is its formula."""

    def with_params(self, **given: Tensor) -> Surface:
        """The surface of another formula.

        Raises:
            InvalidInput: an unknown parameter, or a bad formula.
        """
        surface = super().with_params(**given)
        return replace(surface, latex=_latex(str(surface.chosen["formula"])))


@lru_cache(maxsize=128)
def _programs(formula: str) -> tuple[Program, Program]:
    """What computes the value, and what computes the gradient."""
    tree = read(formula)
    return program(tree), program(derivative(tree, "x"), derivative(tree, "y"))


def _latex(formula: str) -> str:
    return "f(x, y) = " + latex(read(formula))


def _value(xp: ArrayOps, x: Tensor, y: Tensor, *, formula: str) -> Tensor:
    return _programs(formula)[0].run(xp, x, y)[0]


def _gradient(xp: ArrayOps, x: Tensor, y: Tensor, *, formula: str) -> tuple[Tensor, Tensor]:
    return _programs(formula)[1].run(xp, x, y)


_EXAMPLE = "0.2*x^2 + 0.1*y^2 + sin(2*x)*cos(y)"

FORMULA: Surface = _FormulaSurface(
    key="formula",
    label="Your own f(x, y)",
    latex=_latex(_EXAMPLE),
    value=_value,
    gradient=_gradient,
    bounds=square(5.0),
    start=(3.0, 2.0),
    minima=(),
    minimum=None,
    teaches="Your own function. Where it has a minimum is for you to find out.",
    params=(
        FormulaParam(
            "formula",
            _EXAMPLE,
            "A formula of x and y. Write * to multiply and ^ for a power; there are pi, e, "
            "and sin, cos, tan, tanh, exp, log, sqrt, abs, min, max.",
            kind="formula",
            symbol="f",
            label="Formula",
        ),
    ),
    chosen={"formula": _EXAMPLE},
)
"""The surface of an example formula; `formula_surface` gives that of another."""


def formula_surface(text: str) -> Surface:
    """The surface of a formula: the square from -5 to 5 each way, nothing known of its minima.

    Args:
        text: such as ``(1 - x)^2 + 100*(y - x^2)^2``, in the language of `lrlab.descent.formula`; at most
            200 characters, 64 parts and 10 levels.

    Raises:
        InvalidInput: it is no formula; the message says what is wrong where.
    """
    return FORMULA.with_params(formula=text)
