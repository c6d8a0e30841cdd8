"""Formulas that people type: read or refused with the place, exact gradients, nothing run."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lrlab import SURFACES, Recipe, trace
from lrlab.charts import path_table
from lrlab.formula import Node, derivative, latex, program, read
from lrlab.outcome_map import outcome_map
from lrlab.params import InvalidInput
from lrlab.relief import BANDS, relief
from lrlab.scalar import scalar
from lrlab.surfaces import FORMULA, formula_surface
from lrlab.words import path_sentence
from tests.test_relief import pixels

EXAMPLES = 300
THOROUGH = settings(max_examples=EXAMPLES, deadline=None, derandomize=True)


def value_and_gradient(tree: Node, xp: Any, x: Any, y: Any) -> tuple[Any, ...]:
    """f, df/dx and df/dy."""
    return program(tree, derivative(tree, "x"), derivative(tree, "y")).run(xp, x, y)


def descent(learning_rate: float = 0.1, name: str = "sgd") -> Recipe:
    return Recipe.from_dict(
        {
            "optimizer": {"name": name},
            "schedule": {"name": "constant", "learning_rate": learning_rate},
        }
    )


# Formulas made at random, with a few numbers that are likely to make trouble.
NUMBERS = st.sampled_from(["0", "1", "2", "3.5", "0.25", "1e-3", ".5", "10", "pi", "e"])
LEAVES = st.one_of(st.sampled_from(["x", "y"]), NUMBERS)
ONE_ARGUMENT = ["sin", "cos", "tan", "tanh", "exp", "log", "sqrt", "abs"]


def _bigger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
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
    text = draw(st.recursive(LEAVES, _bigger, max_leaves=8))
    try:
        return text, read(text)
    except InvalidInput as refused:
        # By chance a part may be no finite number (log(0)), or the formula too large.
        assume(not any(said in str(refused) for said in ("finite", "at most", "more than")))
        raise


PLACES = st.tuples(*[st.floats(-3, 3, allow_nan=False)] * 2)


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
def test_signs_bind_as_in_mathematics_and_numbers_are_floats(text: str, value: float) -> None:
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
"""The surfaces as one would type them; Goldstein-Price has more parts than a formula may have."""


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
@given(trees(), PLACES)
def test_the_value_is_the_one_python_computes(
    formula: tuple[str, Node], at: tuple[float, float]
) -> None:
    text, tree = formula
    names = {name: getattr(math, name) for name in [*ONE_ARGUMENT[:-1], "pi", "e"]}
    names |= {"abs": abs, "min": min, "max": max, "x": at[0], "y": at[1]}
    try:
        expected = eval(text.replace("^", "**"), {"__builtins__": {}}, names)
        assume(math.isfinite(expected))
    except (ArithmeticError, ValueError, TypeError):
        # No number: Python's own powers may be complex, which no function then takes.
        assume(False)
    (value,) = program(tree).run(scalar, *at)
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


@THOROUGH
@given(trees(), PLACES)
def test_the_gradient_is_the_slope(formula: tuple[str, Node], at: tuple[float, float]) -> None:
    text, tree = formula
    f = program(tree)

    def along(axis: int, h: float) -> float:
        moved = [np.float64(part) + h * (i == axis) for i, part in enumerate(at)]
        return float(f.run(np, *moved)[0])

    with np.errstate(all="ignore"):
        here, *gradient = value_and_gradient(tree, np, *map(np.float64, at))
        assume(math.isfinite(here) and abs(here) < 1e4)
        for axis, exact in enumerate(gradient):
            h = 1e-4
            wide = (along(axis, h) - along(axis, -h)) / (2 * h)
            near = (along(axis, h / 2) - along(axis, -h / 2)) / h
            left, right = (here - along(axis, -h)) / h, (along(axis, h) - here) / h
            unit = 1 + abs(near)
            # Only where differences themselves are to be trusted: no kink, no pole nearby.
            if not (abs(wide - near) < 1e-4 * unit and abs(left - right) < 1e-2 * unit):
                continue
            # 0 to a power that varies has no derivative, even where differences find one.
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
        floats = value_and_gradient(tree, scalar, *at)
    except (ArithmeticError, ValueError):
        # Here floats give up and the walk goes on with arrays.
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
def test_where_a_formula_has_no_value_it_has_no_gradient(
    text: str, at: tuple[float, float]
) -> None:
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
def test_kinks_and_infinities_stay_where_they_are(
    text: str, at: tuple[float, float], gradient: tuple[float, float]
) -> None:
    assert formula_surface(text).gradient_at(np.array(at)).tolist() == list(gradient)


def test_a_formula_is_evaluated_on_arrays_of_any_shape() -> None:
    for text in ("x*y", "x", "3", "2*x"):
        surface = formula_surface(text)
        assert surface.at(np.ones((4, 5, 2))).shape == (4, 5)
        assert surface.gradient_at(np.ones((4, 5, 2))).shape == (4, 5, 2)


def test_a_part_that_occurs_twice_is_computed_once() -> None:
    twice = read("sin(x*y) + sin(x*y)")
    assert len(program(twice).steps) == 3
    # Value and gradient of a whole product of factors share what they have in common.
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


# What is wrong, the part to be quoted, and where it begins, counted from 1.
BAD = [
    ("", "empty", None),
    (" \t ", "empty", None),
    ("x +", "`+`", 3),
    ("* x", "`*`", 1),
    ("x y", "`y`", 3),
    ("2x", "`x`", 2),
    ("2(x + 1)", "`(`", 2),
    ("(x)(y)", "`(`", 4),
    ("x(3)", "`(`", 2),
    ("1..2", "`.2`", 3),
    ("x**", "`**`", 2),
    ("x***y", "`*`", 4),
    ("x^^y", "`^`", 3),
    ("x // y", "`/`", 4),
    ("x @ y", "'@'", 3),
    ("x % 2", "'%'", 3),
    ("x << 2", "'<'", 3),
    ("x < y", "'<'", 3),
    ("~x", "'~'", 1),
    ("()", "`)`", 2),
    ("(x", "`(`", 1),
    ("x)", "`)`", 2),
    ("x, y", "`,`", 2),
    ("(x, y)", "`,`", 3),
    ("sin x", "`sin`", 1),
    ("x + sin", "`sin`", 5),
    ("sin()", "`)`", 5),
    ("sin(x, y)", "`sin(x, y)`", 1),
    ("1 + max(x)", "`max(x)`", 5),
    ("max(x,)", "`)`", 7),
    ("max(*x)", "`*`", 5),
    ("max(**x)", "`**`", 5),
    ("sin(x=1)", "'='", 6),
    ("foo(x)", "`foo`", 1),
    ("X + y", "`X`", 1),
    ("z", "`z`", 1),
    ("x + __import__", "`__import__`", 5),
    ("__import__('os').system('true')", "`__import__`", 1),
    ("x.__class__", "'.'", 2),
    ("sin.__globals__", "'.'", 4),
    ("().__class__.__bases__", "'.'", 3),
    ("eval", "`eval`", 1),
    ("exec(x)", "`exec`", 1),
    ("x if y else 1", "`if`", 3),
    ("x and y", "`and`", 3),
    ("not x", "`not`", 1),
    ("x in y", "`in`", 3),
    ("x is y", "`is`", 3),
    ("True", "`True`", 1),
    ("None", "`None`", 1),
    ("...", "'.'", 1),
    ("lambda: x", "`lambda`", 1),
    ("(lambda x: x)(1)", "`lambda`", 2),
    ("[x for x in y]", "'['", 1),
    ("(x for x in y)", "`for`", 4),
    ("{x}", "'{'", 1),
    ("x[0]", "'['", 2),
    ("(x := 1)", "':'", 4),
    ("x = 1", "'='", 3),
    ("await x", "`await`", 1),
    ("(yield x)", "`yield`", 2),
    ("'x'", '"\'"', 1),
    ('"x"', "'\"'", 1),
    ("f'{x}'", "`f`", 1),
    ("b'x'", "`b`", 1),
    ("`x`", "'`'", 1),
    ("x # y", "'#'", 3),
    ("x; y", "';'", 2),
    ("x\\\n+ y", "'\\\\'", 2),
    ("x\ny", "'\\n'", 2),
    ("x\r\n", "'\\r'", 2),
    ("x\x0c", "'\\x0c'", 2),
    ("x\x00y", "'\\x00'", 2),
    ("x\ud800", "'\\ud800'", 2),
    ("0x10", "`x10`", 2),
    ("1_000", "`_000`", 2),
    ("3j", "`j`", 2),
    ("0b1", "`b1`", 2),
    ("9**9**9", "`9**9**9`", 1),
    ("x + 9^9^9^9", "`9^9^9`", 7),
    ("10^400", "`10^400`", 1),
    ("1e999", "`1e999`", 1),
    ("x*(1/0)", "`1/0`", 4),
    ("x + log(0)", "`log(0)`", 5),
    ("sqrt(-1)", "`sqrt(-1)`", 1),
    ("(-8)^(1/3)", "`(-8)^(1/3)`", 1),
    ("ｘ + y", "'ｘ' (U+FF58)", 1),  # fullwidth x, which Python would take for x
    ("x + у", "'у' (U+0443)", 5),  # Cyrillic
    ("𝐬𝐢𝐧(x)", "'𝐬' (U+1D42C)", 1),  # bold
    ("x + ª", "'ª' (U+00AA)", 5),
    ("x²", "'²' (U+00B2)", 2),
    ("x · y", "'·' (U+00B7)", 3),
    ("x − y", "'−' (U+2212)", 3),
    ("x\u200b", "'\\u200b' (U+200B)", 2),
    ("x + \u202ey", "'\\u202e' (U+202E)", 5),
    ("\ufeffx", "'\\ufeff' (U+FEFF)", 1),
    ("x\u00a0+ y", "'\\xa0' (U+00A0)", 2),
    ("x\u0301", "'\u0301' (U+0301)", 2),
    ("٣ + x", "'٣' (U+0663)", 1),  # an Arabic digit
    ("x" * 201, "201 characters", None),
    ("x" * 1_000_000, "1,000,000 characters", None),
    ("(" * 1_000_000, "1,000,000 characters", None),
    ("+".join(["x"] * 40), "79 parts", None),
    ("(" * 11 + "x" + ")" * 11, "`(`", 11),
    ("(" * 200, "`(`", 11),
    ("-" * 199 + "x", "10 levels", 11),
    ("sin(" * 10 + "x" + ")" * 10, "`x`", 41),
    ("^".join(["x"] * 11), "`x`", 19),
]


@pytest.mark.parametrize(("text", "quoted", "place"), BAD, ids=[ascii(bad[0])[:40] for bad in BAD])
def test_a_bad_formula_is_refused_and_the_place_named(
    text: str, quoted: str, place: int | None
) -> None:
    with pytest.raises(InvalidInput) as refused:
        formula_surface(text)
    message = str(refused.value)
    assert quoted in message
    assert len(message) < 500
    assert message.encode("utf-8")
    if place is not None:
        assert f"at character {place} " in message


@pytest.mark.parametrize("other", [None, 3, 1.5, b"x", ["x"], {"x": 1}, True])
def test_what_is_no_text_is_refused(other: Any) -> None:
    with pytest.raises(InvalidInput, match="text"):
        formula_surface(other)


def test_a_formula_up_to_the_limits_is_taken() -> None:
    assert read("x" + " " * 199).op == "x"
    assert sum(1 for _ in read("+".join(["x"] * 32)).parts()) == 63
    assert read("-".join(["x"] * 32)).op == "-"
    assert read("sin(" * 9 + "x" + ")" * 9).op == "sin"
    assert read("(" * 10 + "x" + ")" * 10).op == "x"


ESCAPE = """
import sys
from tests.test_formula import BAD, random_texts
from lrlab.params import InvalidInput
from lrlab.surfaces import formula_surface
import numpy as np

seen, watching = set(), []
sys.addaudithook(lambda event, args: seen.add(event) if watching else None)
texts = [bad[0] for bad in BAD] + random_texts(2_000) + ["x^2 + sin(3*y)"]
surface = formula_surface("x*y")
watching.append(True)
for text in texts:
    try:
        surface = formula_surface(text)
    except InvalidInput:
        continue
    surface.at(np.ones((3, 2)))
    surface.gradient_at(np.ones((3, 2)))
watching.clear()
print(sorted(seen))
"""


def test_nothing_that_is_typed_is_run() -> None:
    # An audit hook sees whatever Python runs, imports, opens or starts; it cannot be taken out
    # again, hence the process of its own. "compile" is what ast.parse itself is called.
    done = subprocess.run(
        [sys.executable, "-c", ESCAPE], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['compile']"


PIECES = [
    *["x", "y", "pi", "e", "+", "-", "*", "/", "**", "^", "(", ")", ",", " ", "1", "2.5", "1e3"],
    *["sin", "cos", "exp", "log", "max", "min", "sqrt", "(x)", "(x, y)", "sin(x)", "9**9**9"],
    *["__import__", "eval", "lambda", "for", "in", "if", ".", "[", "]", "{", "}", ":=", "=", "'"],
    *['"', "f'", "#", "\n", "\t", "\\", "\0", "ｘ", "\u200b", "\ud800", "@", "//", "0x", "_", "~"],
]


def random_texts(how_many: int) -> list[str]:
    """Texts of formula pieces, of all sorts of pieces, of any characters, and good formulas with a
    few pieces put in, taken out or put in place of others."""
    chance = random.Random(3)
    made = []
    for i in range(how_many):
        length = chance.randint(0, 12)
        if i % 4 == 0:
            made.append("".join(chance.choices(PIECES[:25], k=length)))
        elif i % 4 == 1:
            made.append("".join(chance.choices(PIECES, k=length)))
        elif i % 4 == 2:
            made.append("".join(chr(chance.randrange(0x110000)) for _ in range(length)))
        else:
            text = chance.choice(list(TEXTBOOK.values()))
            for _ in range(chance.randint(1, 3)):
                at = chance.randrange(len(text))
                piece = chance.choice(["", *PIECES[:25], chance.choice(PIECES)])
                text = text[:at] + piece + text[at + chance.randint(0, 1) :]
            made.append(text)
    return made


def test_ten_thousand_random_texts_are_read_or_refused() -> None:
    points, taken = np.array([[0.0, 0.0], [1.0, -2.0], [1e200, -1e-200]]), 0
    for text in random_texts(10_000):
        try:
            surface = formula_surface(text)
        except InvalidInput as refused:
            said = str(refused)
            assert "at character " in said or "is empty" in said or "are allowed" in said
            continue
        taken += 1
        assert surface.at(points).shape == (3,)
        assert surface.gradient_at(points).shape == (3, 2)
    assert taken > 200


def test_a_formula_walks_like_the_surface_it_spells() -> None:
    recipe = descent(0.001, "adam")
    surface = SURFACES["rosenbrock"]
    typed = trace(recipe, formula_surface(TEXTBOOK["rosenbrock"]), surface.start, steps=300)
    built_in = trace(recipe, surface, steps=300)
    assert typed.points == pytest.approx(built_in.points, abs=1e-9)


def test_a_formula_surface_can_be_mapped() -> None:
    result = outcome_map(
        descent(name="momentum"),
        formula_surface("x^2 + y^2"),
        "learning_rate",
        "momentum",
        steps=5,
        cells=4,
        arrivals=True,
    )
    assert result.values.shape == (4, 4)
    assert (result.arrived_at == -1).all()


def test_the_formula_is_the_surfaces_parameter() -> None:
    surface = FORMULA.with_params(formula="x*y")
    assert dict(surface.chosen) == {"formula": "x*y"}
    assert surface.with_params(formula="x").latex == "f(x, y) = x"
    assert (surface.key, surface.minima, surface.minimum) == ("formula", (), None)
    (param,) = FORMULA.params
    assert param.parse(" x + y ", "surface formula") == "x + y"
    with pytest.raises(InvalidInput, match="character 3"):
        param.parse("x + ", "surface formula")
    with pytest.raises(InvalidInput, match="no parameter"):
        FORMULA.with_params(kappa=1.0)


def test_nothing_is_claimed_about_minima_nobody_knows() -> None:
    settles = path_sentence(trace(descent(), formula_surface("x^2 + y^2"), steps=50))
    assert "f went from 13 to" in settles and "minim" not in settles
    falls = path_sentence(trace(descent(), formula_surface("-x^2 - y^2"), steps=200))
    assert "Runs down and away" in falls and "no minimum" not in falls
    rises = path_sentence(trace(descent(3.0), formula_surface("x^2 + y^2"), steps=200))
    assert "Diverges" in rises and "too high" in rises


def test_a_path_that_meets_no_gradient_says_so() -> None:
    path = trace(descent(1.5), formula_surface("log(x) + y^2"), (1.0, 1.0), steps=20)
    said = path_sentence(path)
    assert "Cannot go on after step 1: at (-0.5, -2)" in said and "too high" not in said


def test_a_path_below_the_maps_minimum_has_not_arrived_there() -> None:
    path = trace(descent(0.1), "mccormick", (-3.0, -4.5), steps=300)
    assert path.values[-1] < SURFACES["mccormick"].minimum
    assert "lower than anywhere on the map" in path_sentence(path)
    assert np.isnan(path_table(path, "a")["gap"].iloc[-1])


@pytest.mark.parametrize(
    "text", ["3", "0*x", "log(-1 - x^2)", "exp(exp(x*y))", "1e308*x", "max(0, x - 4.97)", "1/x"]
)
def test_any_formula_can_be_drawn(text: str) -> None:
    uri, levels = relief(formula_surface(text), size=60)
    assert uri.startswith("data:image/png")
    assert len(levels) == BANDS - 1


def test_where_a_formula_has_no_value_the_map_is_grey() -> None:
    drawn = pixels(relief(formula_surface("log(x)"), size=60)[0])
    grey = (drawn == 128).all(axis=-1)
    assert grey[:, :30].all() and not grey[:, 30:].any()
