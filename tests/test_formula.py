"""Typed formulas: parsed as in mathematics, with exact values and gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lrlab import SURFACES
from lrlab.descent import float_ops
from lrlab.descent.formula import Node, derivative, latex, program, read
from lrlab.descent.surfaces import FORMULA, formula_surface
from lrlab.params import InvalidInput

EXAMPLES = 300
THOROUGH = settings(max_examples=EXAMPLES, deadline=None, derandomize=True)


def value_and_gradient(tree: Node, xp: Any, x: Any, y: Any) -> tuple[Any, ...]:
    """f, df/dx and df/dy."""
    return program(tree, derivative(tree, "x"), derivative(tree, "y")).run(xp, x, y)


# Random formulas, with some numbers that are likely to cause problems.
NUMBERS = st.sampled_from(["0", "1", "2", "3.5", "0.25", "1e-3", ".5", "10", "pi", "e"])
LEAVES = st.one_of(st.sampled_from(["x", "y"]), NUMBERS)
ONE_ARGUMENT = ["sin", "cos", "tan", "tanh", "exp", "log", "sqrt", "abs"]


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds("(-{})".format, inner),
        st.builds("{}({})".format, st.sampled_from(ONE_ARGUMENT), inner),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner),
        st.builds("({})^{}".format, inner, st.sampled_from(["2", "3", "4", "-1", "0.5", "0"])),
        st.builds("({})^({})".format, inner, inner),
    )


@st.composite
def trees(draw: st.DrawFn) -> tuple[str, Node]:
    """A formula as text and as a tree."""
    text = draw(st.recursive(LEAVES, _combined, max_leaves=8))
    try:
        return text, read(text)
    except InvalidInput as error:
        # A random part may not be a finite number (log(0)), or the formula may be too large.
        assume(not any(reason in str(error) for reason in ("finite", "at most", "more than")))
        raise


POINTS = st.tuples(*[st.floats(-3, 3, allow_nan=False)] * 2)


@pytest.mark.parametrize(
    ("text", "at", "value", "gradient"),
    [
        ("(1 - x)**2 + 100*(y - x**2)**2", (-1.0, 2.0), 104.0, (396.0, 200.0)),
        ("x^2 + sin(3*y)", (2.0, 0.0), 4.0, (4.0, 3.0)),
        ("x^3*y", (2.0, 5.0), 40.0, (60.0, 8.0)),
        ("x/y", (1.0, 4.0), 0.25, (0.25, -0.0625)),
        ("x^y", (2.0, 3.0), 8.0, (12.0, 8 * math.log(2))),
        ("2^y", (0.0, 3.0), 8.0, (0.0, 8 * math.log(2))),
        ("x^-2", (2.0, 0.0), 0.25, (-0.25, 0.0)),
        ("x^0", (0.0, 0.0), 1.0, (0.0, 0.0)),
        ("cos(x) + tan(y)", (0.0, 0.0), 1.0, (0.0, 1.0)),
        ("exp(2*x) - log(y)", (0.0, 0.5), 1 + math.log(2), (2.0, -2.0)),
        ("sqrt(x) + abs(y)", (4.0, -3.0), 5.0, (0.25, -1.0)),
        ("tanh(x) * pi + e", (0.0, 0.0), math.e, (math.pi, 0.0)),
        ("max(x, y) + min(2*x, 3*y)", (1.0, 2.0), 4.0, (2.0, 1.0)),
        ("3", (1.0, 1.0), 3.0, (0.0, 0.0)),
        ("-x", (1.0, 1.0), -1.0, (-1.0, 0.0)),
        ("+x - -y", (1.0, 2.0), 3.0, (1.0, 1.0)),
    ],
)
def test_value_and_gradient_are_the_known_ones(
    text: str, at: tuple[float, float], value: float, gradient: tuple[float, float]
) -> None:
    surface = formula_surface(text)
    assert surface.at(np.array(at)) == pytest.approx(value)
    assert surface.gradient_at(np.array(at)) == pytest.approx(np.array(gradient))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2^2", -4.0),
        ("2^3^2", 512.0),
        ("2**3**2", 512.0),
        ("2*3^2", 18.0),
        ("2^-1", 0.5),
        ("-2^-2", -0.25),
        ("1 - 2 - 3", -4.0),
        ("8/4/2", 1.0),
        ("1e3 + .5 + 2.", 1002.5),
        ("007", 7.0),
        ("9" * 150, float("9" * 150)),
    ],
)
def test_operator_precedence_is_that_of_mathematics_and_numbers_are_floats(
    text: str, value: float
) -> None:
    tree = read(text)
    assert tree.value == value
    assert type(tree.value) is float


TEXTBOOK = {
    "rosenbrock": "(1 - x)^2 + 100*(y - x^2)^2",
    "beale": "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2",
    "himmelblau": "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    "booth": "(x + 2*y - 7)^2 + (2*x + y - 5)^2",
    "matyas": "0.26*(x^2 + y^2) - 0.48*x*y",
    "three_hump_camel": "2*x^2 - 1.05*x^4 + x^6/6 + x*y + y^2",
    "styblinski_tang": "(x^4 - 16*x^2 + 5*x + y^4 - 16*y^2 + 5*y)/2",
    "rastrigin": "20 + x^2 + y^2 - 10*(cos(2*pi*x) + cos(2*pi*y))",
    "ackley": "20 + e - 20*exp(-0.2*sqrt((x^2+y^2)/2)) - exp((cos(2*pi*x) + cos(2*pi*y))/2)",
    "quadratic_bowl": "(x^2 + 10*y^2)/2",
    "saddle": "x^2 - y^2",
    "griewank": "1 + (x^2 + y^2)/4000 - cos(x)*cos(y/sqrt(2))",
    "mccormick": "sin(x + y) + (x - y)^2 - 1.5*x + 2.5*y + 1",
    "levy": "sin(pi*(x+3)/4)^2 + ((x-1)/4)^2*(1 + 10*sin(pi*(x+3)/4 + 1)^2)"
    " + ((y-1)/4)^2*(1 + sin(pi*(y+3)/2)^2)",
    "noisy_valley": "x^2/10 + y^2 + 0.12*(1 - cos(6*x)) + 0.08*(1 - cos(9*x + 5*y))"
    " + 0.08*(1 - cos(4*x - 11*y))",
}
"""The surfaces as typed formulas, without Goldstein-Price, which has more parts than allowed."""


@pytest.mark.parametrize("key", sorted(TEXTBOOK))
def test_a_surface_typed_as_a_formula_is_the_same_surface(key: str) -> None:
    surface, typed = SURFACES[key], formula_surface(TEXTBOOK[key])
    points = np.random.default_rng(1).uniform(*np.array(surface.bounds).T, (500, 2))
    assert typed.at(points) == pytest.approx(surface.at(points), rel=1e-9, abs=1e-9)
    assert typed.gradient_at(points) == pytest.approx(
        surface.gradient_at(points), rel=1e-9, abs=1e-8
    )


def test_goldstein_price_is_the_product_of_its_typed_factors() -> None:
    surface = SURFACES["goldstein_price"]
    a = formula_surface("1 + (x + y + 1)^2*(19 - 14*x + 3*x^2 - 14*y + 6*x*y + 3*y^2)")
    b = formula_surface("30 + (2*x - 3*y)^2*(18 - 32*x + 12*x^2 + 48*y - 36*x*y + 27*y^2)")
    points = np.random.default_rng(1).uniform(-2, 2, (500, 2))
    f, g = a.at(points)[:, None], b.at(points)[:, None]
    assert surface.at(points) == pytest.approx((f * g)[:, 0], rel=1e-9)
    slopes = a.gradient_at(points) * g + f * b.gradient_at(points)
    assert surface.gradient_at(points) == pytest.approx(slopes, rel=1e-9, abs=1e-6)


def test_every_surface_is_compared_with_its_formula() -> None:
    assert {*TEXTBOOK, "goldstein_price"} == set(SURFACES) - {FORMULA.key}


@THOROUGH
@given(trees(), POINTS)
def test_the_value_equals_pythons(formula: tuple[str, Node], at: tuple[float, float]) -> None:
    text, tree = formula
    names = {name: getattr(math, name) for name in [*ONE_ARGUMENT[:-1], "pi", "e"]}
    names |= {"abs": abs, "min": min, "max": max, "x": at[0], "y": at[1]}
    try:
        expected = eval(text.replace("^", "**"), {"__builtins__": {}}, names)
        assume(math.isfinite(expected))
    except (ArithmeticError, ValueError, TypeError):
        # Not a real number: Python's powers may be complex, which no function accepts.
        assume(False)
    (value,) = program(tree).run(float_ops, *at)
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


@THOROUGH
@given(trees(), POINTS)
def test_the_gradient_equals_finite_differences(
    formula: tuple[str, Node], at: tuple[float, float]
) -> None:
    text, tree = formula
    f = program(tree)

    def value_beside(axis: int, h: float) -> float:
        moved = [np.float64(part) + h * (i == axis) for i, part in enumerate(at)]
        return float(f.run(np, *moved)[0])

    with np.errstate(all="ignore"):
        value, *gradient = value_and_gradient(tree, np, *map(np.float64, at))
        assume(math.isfinite(value) and abs(value) < 1e4)
        for axis, exact in enumerate(gradient):
            h = 1e-4
            wide = (value_beside(axis, h) - value_beside(axis, -h)) / (2 * h)
            near = (value_beside(axis, h / 2) - value_beside(axis, -h / 2)) / h
            left, right = (value - value_beside(axis, -h)) / h, (value_beside(axis, h) - value) / h
            unit = 1 + abs(near)
            # Only where the differences are reliable: no kink and no pole nearby.
            if not (abs(wide - near) < 1e-4 * unit and abs(left - right) < 1e-2 * unit):
                continue
            # 0 to a variable power has no derivative, even if the differences suggest one.
            if math.isnan(exact) and ")^(" in text:
                continue
            assert exact == pytest.approx((4 * near - wide) / 3, abs=1e-3 * unit)


SPECIAL = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-160, 1e160, -700.0, 800.0])


@THOROUGH
@given(trees(), st.tuples(*[SPECIAL | st.floats(-3, 3, allow_nan=False)] * 2))
@example(("max(x, y)", read("max(log(x), y)")), (-1.0, 0.0))
@example(("min", read("min(x^2, exp(x))")), (800.0, 0.0))
def test_floats_and_arrays_agree(formula: tuple[str, Node], at: tuple[float, float]) -> None:
    tree = formula[1]
    with np.errstate(all="ignore"):
        arrays = value_and_gradient(tree, np, *(np.full(3, part) for part in at))
    try:
        floats = value_and_gradient(tree, float_ops, *at)
    except (ArithmeticError, ValueError):
        # A trajectory switches from floats to arrays in this case.
        return
    for one, many in zip(floats, arrays, strict=True):
        assert type(one) is float
        assert np.broadcast_to(many, 3) == pytest.approx(np.full(3, one), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("log(x)", (-1.0, 0.0)),
        ("max(log(x), x)", (-1.0, 0.0)),
        ("sqrt(x)", (-1.0, 0.0)),
        ("x^0.5", (-1.0, 0.0)),
        ("x^y", (-1.0, 0.5)),
    ],
)
def test_without_a_value_there_is_no_gradient(text: str, at: tuple[float, float]) -> None:
    surface = formula_surface(text)
    assert np.isnan(surface.at(np.array(at)))
    assert np.isnan(surface.gradient_at(np.array(at))[0])


@pytest.mark.parametrize(
    ("text", "at", "gradient"),
    [
        ("sqrt(y) + x", (1.0, 0.0), (1.0, math.inf)),
        ("min(x^2, exp(x))", (800.0, 0.0), (1600.0, 0.0)),
        ("abs(x) + y", (0.0, 0.0), (0.0, 1.0)),
        ("max(0, x)", (0.0, 0.0), (0.0, 0.0)),
        ("max(x, 0)", (0.0, 0.0), (1.0, 0.0)),
    ],
)
def test_gradients_at_kinks_and_infinities(
    text: str, at: tuple[float, float], gradient: tuple[float, float]
) -> None:
    assert formula_surface(text).gradient_at(np.array(at)).tolist() == list(gradient)


def test_a_formula_is_evaluated_on_arrays_of_any_shape() -> None:
    for text in ("x*y", "x", "3", "2*x"):
        surface = formula_surface(text)
        assert surface.at(np.ones((4, 5, 2))).shape == (4, 5)
        assert surface.gradient_at(np.ones((4, 5, 2))).shape == (4, 5, 2)


def test_a_repeated_part_is_computed_once() -> None:
    twice = read("sin(x*y) + sin(x*y)")
    assert len(program(twice).steps) == 3
    # The value and the gradient of a product share their common parts.
    chain = read("*".join(["sin(x)"] * 15))
    assert len(program(chain, derivative(chain, "x")).steps) < 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "(1 - x)**2 + 100*(y - x**2)**2",
            r"\left(1 - x\right)^{2} + 100\,\left(y - x^{2}\right)^{2}",
        ),
        ("x - (y - 1)", r"x - \left(y - 1\right)"),
        ("x + (y - 1)", "x + y - 1"),
        ("x - -y", r"x - \left(-y\right)"),
        ("(-x)^2", r"\left(-x\right)^{2}"),
        ("-x^2", "-x^{2}"),
        ("(x^2)^3", r"\left(x^{2}\right)^{3}"),
        ("x/(y + 1)", r"\frac{x}{y + 1}"),
        ("(x/y)^2", r"\left(\frac{x}{y}\right)^{2}"),
        ("2*pi*x", r"2\,\pi\,x"),
        ("x*3", r"x\cdot 3"),
        ("e^-x", "e^{-x}"),
        ("1e-5*x", r"10^{-5}\,x"),
        ("2.5e20", r"2.5\cdot 10^{20}"),
        ("log(abs(x))", r"\ln\left(\left|x\right|\right)"),
        ("sqrt(max(x, 2))", r"\sqrt{\max\left(x, 2\right)}"),
    ],
)
def test_a_formula_is_shown_as_mathematics(text: str, expected: str) -> None:
    assert latex(read(text)) == expected
    assert formula_surface(text).latex == f"f(x, y) = {expected}"
