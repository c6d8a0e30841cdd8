"""Typed formulas: invalid ones are refused with the position, and nothing is ever executed."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from lrlab.descent.formula import read
from lrlab.descent.surfaces import formula_surface
from lrlab.params import InvalidInput
from tests.test_formula import TEXTBOOK

# (formula, text that the message must quote, position of the error counted from 1)
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
    ("ｘ + y", "'ｘ' (U+FF58)", 1),  # fullwidth x, which Python would treat as x
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
def test_an_invalid_formula_is_refused_with_its_position(
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
def test_a_formula_that_is_not_text_is_refused(other: Any) -> None:
    with pytest.raises(InvalidInput, match="text"):
        formula_surface(other)


def test_a_formula_at_the_limits_is_accepted() -> None:
    assert read("x" + " " * 199).op == "x"
    assert sum(1 for _ in read("+".join(["x"] * 32)).parts()) == 63
    assert read("-".join(["x"] * 32)).op == "-"
    assert read("sin(" * 9 + "x" + ")" * 9).op == "sin"
    assert read("(" * 10 + "x" + ")" * 10).op == "x"


ESCAPE = """
import sys
from tests.test_formula_refused import BAD, random_texts
from lrlab.params import InvalidInput
from lrlab.descent.surfaces import formula_surface
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


def test_no_formula_is_executed() -> None:
    # An audit hook sees everything that Python runs, imports, opens or starts. It cannot be
    # removed, so this needs a new process. "compile" is the event of ast.parse itself.
    process = subprocess.run(
        [sys.executable, "-c", ESCAPE], capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == "['compile']"


PIECES = [
    *["x", "y", "pi", "e", "+", "-", "*", "/", "**", "^", "(", ")", ",", " ", "1", "2.5", "1e3"],
    *["sin", "cos", "exp", "log", "max", "min", "sqrt", "(x)", "(x, y)", "sin(x)", "9**9**9"],
    *["__import__", "eval", "lambda", "for", "in", "if", ".", "[", "]", "{", "}", ":=", "=", "'"],
    *['"', "f'", "#", "\n", "\t", "\\", "\0", "ｘ", "\u200b", "\ud800", "@", "//", "0x", "_", "~"],
]


def random_texts(count: int) -> list[str]:
    """Random texts: of formula pieces, of any pieces, of any characters, and valid formulas with
    some pieces inserted, removed or replaced."""
    rng = random.Random(3)
    texts = []
    for i in range(count):
        length = rng.randint(0, 12)
        if i % 4 == 0:
            texts.append("".join(rng.choices(PIECES[:25], k=length)))
        elif i % 4 == 1:
            texts.append("".join(rng.choices(PIECES, k=length)))
        elif i % 4 == 2:
            texts.append("".join(chr(rng.randrange(0x110000)) for _ in range(length)))
        else:
            text = rng.choice(list(TEXTBOOK.values()))
            for _ in range(rng.randint(1, 3)):
                at = rng.randrange(len(text))
                piece = rng.choice(["", *PIECES[:25], rng.choice(PIECES)])
                text = text[:at] + piece + text[at + rng.randint(0, 1) :]
            texts.append(text)
    return texts


def test_ten_thousand_random_texts_are_accepted_or_refused() -> None:
    points, accepted = np.array([[0.0, 0.0], [1.0, -2.0], [1e200, -1e-200]]), 0
    for text in random_texts(10_000):
        try:
            surface = formula_surface(text)
        except InvalidInput as refused:
            message = str(refused)
            assert "at character " in message or "is empty" in message or "are allowed" in message
            continue
        accepted += 1
        assert surface.at(points).shape == (3,)
        assert surface.gradient_at(points).shape == (3, 2)
    assert accepted > 200
