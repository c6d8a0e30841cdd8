"""Text -> tree. What is typed is parsed, never run.

First the text is looked through character by character: only numbers, known names, signs and
brackets in an order that makes sense pass, and whatever does not is named with its place. What
is left is a formula in Python's spelling; Python's parser knows which sign binds first, and its
tree is taken over part by part from a short list.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from lrlab.descent.formula.tree import FUNCTIONS, Node, X, Y, make, number
from lrlab.params import InvalidInput, shown

MOST_CHARACTERS = 200
MOST_PARTS = 64
MOST_LEVELS = 10

_NAMES: Mapping[str, Node] = {
    "x": X,
    "y": Y,
    "pi": number(math.pi, "pi"),
    "e": number(math.e, "e"),
}
_OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "^",
}
_CHAINS = ((ast.Add, ast.Sub), (ast.Mult, ast.Div))
"""Signs whose operands stand side by side: a long sum is not a deep one."""

_KNOWN = f"There are x, y, pi, e, and the functions {', '.join(FUNCTIONS)}"
_TOKEN = re.compile(
    r"(?P<space>[ \t]+)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<sign>\*\*|[-+*/^(),])",
    re.ASCII,
)


class _Token(NamedTuple):
    """A piece of the text: its kind, how Python spells it, and where it lies."""

    kind: str
    spelled: str
    start: int
    end: int


def read(text: str) -> Node:
    """The tree of a formula.

    Args:
        text: such as ``x^2 + sin(3*y)``; at most 200 characters, 64 parts (numbers, names,
            operations) and 10 levels of operations in each other, where the terms of a sum and
            the factors of a product are on one level.

    Raises:
        InvalidInput: it is no formula; the message says what is wrong where, with places counted
            in characters from 1.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"A formula is a text such as x^2 + y^2, not {shown(text)}.")
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput(
            f"The formula has {len(text):,} characters; at most {MOST_CHARACTERS} are allowed. "
            "Shorten it."
        )
    tokens = _tokens(text)
    _check_order(tokens, text)
    try:
        tree = ast.parse("".join(token.spelled for token in tokens), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InvalidInput(f"{shown(text)} cannot be read as a formula.") from None
    root = _node(tree, _Source(text, [token for token in tokens for _ in token.spelled]), 1)
    parts = sum(1 for _ in root.parts())
    if parts > MOST_PARTS:
        raise InvalidInput(
            f"The formula has {parts} parts (numbers, names, operations); at most {MOST_PARTS} "
            "are allowed. Shorten it."
        )
    return root


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    start = 0
    while start < len(text):
        match = _TOKEN.match(text, start)
        if match is None:
            raise _refusal(text, start, start + 1, "is not a character that formulas have")
        kind, spelled, end = match.lastgroup, match.group(), match.end()
        if kind == "number":
            value = float(spelled)
            if math.isinf(value):
                raise _refusal(text, start, end, "is too large")
            spelled = repr(value)
        elif kind == "name" and spelled not in _NAMES and spelled not in FUNCTIONS:
            raise _refusal(text, start, end, f"is not known. {_KNOWN}")
        elif spelled == "^":
            spelled = "**"
        if kind != "space":
            tokens.append(_Token(kind, spelled, start, end))
        start = end
    if not tokens:
        raise InvalidInput("The formula is empty. Write one such as x^2 + y^2.")
    return tokens


def _check_order(tokens: list[_Token], text: str) -> None:
    """Refuse tokens that no formula has in this order, at the first that is out of place."""
    brackets: list[tuple[_Token, str]] = []
    function = ""
    wants_operand = True
    for before, token in zip([None, *tokens], tokens, strict=False):
        sign, place = token.spelled, (text, token.start, token.end)
        if function and sign != "(":
            raise _needs_brackets(text, before)
        if not wants_operand:
            if token.kind != "sign" or sign == "(":
                raise _refusal(*place, "needs a sign before it. To multiply, write *")
            if sign == ",":
                if not (brackets and brackets[-1][1]):
                    raise _refusal(*place, "belongs between the arguments of a function only")
                wants_operand = True
            elif sign == ")":
                if not brackets:
                    raise _refusal(*place, "closes a bracket that was not opened")
                brackets.pop()
            else:
                wants_operand = True
        elif sign == "(":
            brackets.append((token, function))
            if len(brackets) > MOST_LEVELS:
                raise _refusal(*place, f"opens one more than {MOST_LEVELS} brackets in each other")
            function = ""
        elif sign in FUNCTIONS:
            function = sign
        elif token.kind != "sign":
            wants_operand = False
        elif sign not in ("+", "-"):
            raise _refusal(*place, "needs a number, a name or a bracket before it")
    if function:
        raise _needs_brackets(text, tokens[-1])
    if wants_operand:
        raise _refusal(text, tokens[-1].start, tokens[-1].end, "needs something after it")
    if brackets:
        opened = brackets[-1][0]
        raise _refusal(text, opened.start, opened.end, "opens a bracket that is not closed")


class _Source(NamedTuple):
    """The text as typed, and the token that each character of Python's spelling comes from."""

    text: str
    tokens: list[_Token]

    def refusal(self, tree: ast.expr, why: str) -> InvalidInput:
        start = self.tokens[tree.col_offset].start
        return _refusal(self.text, start, self.tokens[tree.end_col_offset - 1].end, why)


def _node(tree: ast.expr, source: _Source, level: int) -> Node:
    """A part of Python's tree as a part of the formula; whatever is not listed is refused."""
    if level > MOST_LEVELS:
        raise source.refusal(tree, f"is nested more than {MOST_LEVELS} levels deep")
    match tree:
        case ast.Constant(value=float(value)):
            return number(value)
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _node(operand, source, level + 1)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            node = make("negative", _node(operand, source, level + 1))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            beside = any(isinstance(op, c) and _joined_by(left, c) for c in _CHAINS)
            node = make(
                _OPERATORS[type(op)],
                _node(left, source, level + (not beside)),
                _node(right, source, level + 1),
            )
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            if len(args) != FUNCTIONS[name]:
                takes = f"{FUNCTIONS[name]} argument{'s'[: FUNCTIONS[name] - 1]}"
                raise source.refusal(tree, f"gives {name} {len(args)}; it takes {takes}")
            node = make(name, *(_node(arg, source, level + 1) for arg in args))
        case _:
            raise source.refusal(tree, "is not allowed in a formula")
    if node.value is not None and not math.isfinite(node.value):
        raise source.refusal(tree, "is not a finite number")
    return node


def _joined_by(tree: ast.expr, signs: tuple[type[ast.operator], ...]) -> bool:
    return isinstance(tree, ast.BinOp) and isinstance(tree.op, signs)


def _needs_brackets(text: str, token: _Token) -> InvalidInput:
    name = token.spelled
    return _refusal(text, token.start, token.end, f"needs brackets after it, as in {name}(x)")


def _refusal(text: str, start: int, end: int, why: str) -> InvalidInput:
    """An error that quotes a piece of the text and says where it begins."""
    piece = text[start:end]
    if not _TOKEN.match(piece):
        # Look-alikes and invisible characters are told apart by their number only.
        return InvalidInput(f"{piece!r} (U+{ord(piece):04X}) at character {start + 1} {why}.")
    return InvalidInput(f"`{piece}` at character {start + 1} of the formula {why}.")
