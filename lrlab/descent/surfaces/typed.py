"""The surface whose formula the visitor types."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from lrlab.arrays import ArrayOps, Tensor
from lrlab.descent.formula import Program, derivative, latex, program, read
from lrlab.descent.surfaces.base import Surface, square
from lrlab.params import InvalidInput, Param, Value, shown


@dataclass(frozen=True)
class FormulaParam(Param):
    """A parameter that is a formula of x and y."""

    def check(self, value: object, owner: str) -> str:
        """The formula, unchanged.

        Raises:
            InvalidInput: the value is not a formula; the message says what is wrong and where.
        """
        if not isinstance(value, str):
            raise InvalidInput(f"A formula is a text such as x^2 + y^2, not {shown(value)}.")
        read(value)
        return value

    def parse(self, text: str, owner: str) -> str:
        """As `check`, without spaces around the formula."""
        return self.check(text.strip(), owner)

    def text(self, value: Value) -> str:
        """The formula itself."""
        return str(value)

    def allowed(self) -> str:
        """The allowed values, for messages."""
        return "a formula of x and y such as x^2 + sin(3*y)"


@dataclass(frozen=True)
class _FormulaSurface(Surface):
    """A surface whose only parameter is its formula."""

    def with_params(self, **values: object) -> Surface:
        """The surface of another formula.

        Raises:
            InvalidInput: an unknown parameter, or a value that is not a formula.
        """
        surface = super().with_params(**values)
        return replace(surface, latex=_latex(str(surface.chosen["formula"])))


@lru_cache(maxsize=128)
def _programs(formula: str) -> tuple[Program, Program]:
    """The programs of the value and of the gradient."""
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
    teaches="Your own function. LR Lab does not know its minima.",
    params=(
        FormulaParam(
            "formula",
            _EXAMPLE,
            "A formula of x and y. Write * to multiply and ^ for a power; pi, e and the functions "
            "sin, cos, tan, tanh, exp, log, sqrt, abs, min, max are allowed.",
            kind="formula",
            symbol="f",
            label="Formula",
        ),
    ),
    chosen={"formula": _EXAMPLE},
)
"""The surface of an example formula; `formula_surface` gives the surface of another one."""


def formula_surface(text: str) -> Surface:
    """The surface of a formula, on the square from -5 to 5, without known minima.

    Args:
        text: such as ``(1 - x)^2 + 100*(y - x^2)^2``, in the language of
            `lrlab.descent.formula`; at most 200 characters, 64 parts and 10 levels.

    Raises:
        InvalidInput: the text is not a formula; the message says what is wrong and where.
    """
    return FORMULA.with_params(formula=text)
