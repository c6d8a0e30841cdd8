"""A formula's tree -> LaTeX."""

from __future__ import annotations

from lrlab.descent.formula.tree import Node
from lrlab.params import number_text

_SUM, _PRODUCT, _POWER, _WHOLE = range(4)
"""How tightly a piece of LaTeX binds, from loosest to tightest."""


def latex(node: Node) -> str:
    """The formula in LaTeX, with only the brackets it needs."""
    return _typeset(node)[0]


def _typeset(node: Node) -> tuple[str, int]:
    """The LaTeX of a part, and how tightly it binds."""
    if node.op in ("x", "y"):
        return node.op, _WHOLE
    if node.op == "number" and node.value is not None:
        return _number(node.value, node.name)
    args = [_typeset(arg) for arg in node.args]
    match node.op:
        case "+" | "-":
            # a - (b + c) needs brackets, a + (b + c) does not.
            left, right = args[0][0], _right(args[1], _SUM + (node.op == "-"))
            return f"{left} {node.op} {right}", _SUM
        case "*":
            left, right = _bracketed(args[0], _PRODUCT), _right(args[1], _PRODUCT)
            sign = r"\cdot " if right[0].isdigit() else r"\,"
            return f"{left}{sign}{right}", _PRODUCT
        case "/":
            return rf"\frac{{{args[0][0]}}}{{{args[1][0]}}}", _PRODUCT
        case "^":
            return f"{_bracketed(args[0], _WHOLE)}^{{{args[1][0]}}}", _POWER
        case "negative":
            return f"-{_right(args[0], _PRODUCT)}", _PRODUCT
        case "sqrt":
            return rf"\sqrt{{{args[0][0]}}}", _WHOLE
        case "abs":
            return rf"\left|{args[0][0]}\right|", _WHOLE
        case "log":
            return rf"\ln\left({args[0][0]}\right)", _WHOLE
    return rf"\{node.op}\left({', '.join(text for text, _ in args)}\right)", _WHOLE


def _number(value: float, name: str) -> tuple[str, int]:
    if name:
        return {"pi": r"\pi"}.get(name, name), _WHOLE
    mantissa, _, exponent = number_text(value).partition("e")
    if not exponent:
        return mantissa, _WHOLE
    if mantissa == "1":
        return f"10^{{{exponent}}}", _POWER
    return rf"{mantissa}\cdot 10^{{{exponent}}}", _PRODUCT


def _bracketed(piece: tuple[str, int], minimum: int) -> str:
    """The LaTeX of a piece, in brackets if it binds less tightly than ``minimum``."""
    text, tightness = piece
    return text if tightness >= minimum else rf"\left({text}\right)"


def _right(piece: tuple[str, int], minimum: int) -> str:
    """As `_bracketed`, but a piece that starts with a minus always gets brackets."""
    return _bracketed(piece, _WHOLE + 1 if piece[0].startswith("-") else minimum)
