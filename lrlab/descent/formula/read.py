"""Text -> tree. A typed formula is parsed, never executed.

First the text is split into tokens. Only numbers, known names, operators and brackets in a valid
order are accepted; the error for anything else says where it is. The tokens, in Python's notation,
then go through Python's parser, which knows the precedence of operators. Its syntax tree is
converted node by node, and only a short list of node types is accepted.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from lrlab.descent.formula.tree import FUNCTIONS, Node, X, Y, number, operation
from lrlab.params import InvalidInput, shown

MAX_CHARACTERS = 200
MAX_PARTS = 64
MAX_LEVELS = 10

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
"""Operators whose chains count as one level: a long sum is not deeply nested."""

_KNOWN = f"Allowed are x, y, pi, e and the functions {', '.join(FUNCTIONS)}"
_TOKEN = re.compile(
    r"(?P<space>[ \t]+)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<operator>\*\*|[-+*/^(),])",
    re.ASCII,
)


class _Token(NamedTuple):
    """A token: its kind, its text in Python's notation, and its place in the typed text."""

    kind: str
    python: str
    start: int
    end: int


def read(text: str) -> Node:
    """The tree of a formula.

    Args:
        text: such as ``x^2 + sin(3*y)``; at most 200 characters, 64 parts (numbers, names,
            operations) and 10 levels of nested operations, where the terms of a sum and the
            factors of a product are on one level.

    Raises:
        InvalidInput: the text is not a formula. The message says what is wrong and where, with
            characters counted from 1.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(
            f"The formula has {len(text):,} characters; at most {MAX_CHARACTERS} are allowed. "
            "Shorten it."
        )
    tokens = _tokens(text)
    _check_order(tokens, text)
    try:
        tree = ast.parse("".join(token.python for token in tokens), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InvalidInput(f"{shown(text)} cannot be read as a formula.") from None
    root = _node(tree, _Source(text, [token for token in tokens for _ in token.python]), 1)
    parts = sum(1 for _ in root.parts())
    if parts > MAX_PARTS:
        raise InvalidInput(
            f"The formula has {parts} parts (numbers, names, operations); at most {MAX_PARTS} "
            "are allowed. Shorten it."
        )
    return root


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    start = 0
    while start < len(text):
        match = _TOKEN.match(text, start)
        if match is None:
            raise _refusal(text, start, start + 1, "is not allowed in a formula")
        kind, python, end = match.lastgroup or "", match.group(), match.end()
        if kind == "number":
            value = float(python)
            if math.isinf(value):
                raise _refusal(text, start, end, "is too large")
            python = repr(value)
        elif kind == "name" and python not in _NAMES and python not in FUNCTIONS:
            raise _refusal(text, start, end, f"is not known. {_KNOWN}")
        elif python == "^":
            python = "**"
        if kind != "space":
            tokens.append(_Token(kind, python, start, end))
        start = end
    if not tokens:
        raise InvalidInput("The formula is empty. Write one such as x^2 + y^2.")
    return tokens


def _check_order(tokens: list[_Token], text: str) -> None:
    """Raise `InvalidInput` at the first token that no formula can have in its place."""
    brackets: list[tuple[_Token, bool]] = []  # each open bracket, and whether it is a function's
    function: _Token | None = None  # the function whose bracket must come next
    needs_operand = True
    for token in tokens:
        symbol, place = token.python, (text, token.start, token.end)
        if function and symbol != "(":
            raise _needs_brackets(text, function)
        if not needs_operand:
            if token.kind != "operator" or symbol == "(":
                raise _refusal(*place, "needs an operator before it. To multiply, write *")
            if symbol == ",":
                if not (brackets and brackets[-1][1]):
                    raise _refusal(*place, "is only allowed between the arguments of a function")
                needs_operand = True
            elif symbol == ")":
                if not brackets:
                    raise _refusal(*place, "closes a bracket that was not opened")
                brackets.pop()
            else:
                needs_operand = True
        elif symbol == "(":
            brackets.append((token, function is not None))
            if len(brackets) > MAX_LEVELS:
                raise _refusal(*place, f"nests brackets more than {MAX_LEVELS} levels deep")
            function = None
        elif symbol in FUNCTIONS:
            function = token
        elif token.kind != "operator":
            needs_operand = False
        elif symbol not in ("+", "-"):
            raise _refusal(*place, "needs a number, a name or a bracket before it")
    if function:
        raise _needs_brackets(text, function)
    if needs_operand:
        raise _refusal(text, tokens[-1].start, tokens[-1].end, "needs something after it")
    if brackets:
        bracket = brackets[-1][0]
        raise _refusal(text, bracket.start, bracket.end, "opens a bracket that is not closed")


class _Source(NamedTuple):
    """The typed text, and for each character of its Python notation the token it belongs to."""

    text: str
    tokens: list[_Token]

    def refusal(self, tree: ast.expr, why: str) -> InvalidInput:
        """The error for a part of Python's tree."""
        start = self.tokens[tree.col_offset].start
        # The parser sets end_col_offset on every node; only its type allows None.
        end = self.tokens[(tree.end_col_offset or 0) - 1].end
        return _refusal(self.text, start, end, why)


def _node(tree: ast.expr, source: _Source, level: int) -> Node:
    """Convert a part of Python's tree; types that are not listed here are refused."""
    if level > MAX_LEVELS:
        raise source.refusal(tree, f"is nested more than {MAX_LEVELS} levels deep")
    match tree:
        case ast.Constant(value=float(value)):
            return number(value)
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _node(operand, source, level + 1)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            node = operation("negative", _node(operand, source, level + 1))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            in_chain = any(isinstance(op, c) and _joined_by(left, c) for c in _CHAINS)
            node = operation(
                _OPERATORS[type(op)],
                _node(left, source, level + (not in_chain)),
                _node(right, source, level + 1),
            )
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            if len(args) != FUNCTIONS[name]:
                count = "1 argument" if FUNCTIONS[name] == 1 else f"{FUNCTIONS[name]} arguments"
                raise source.refusal(tree, f"passes {len(args)} to {name}, which takes {count}")
            node = operation(name, *(_node(arg, source, level + 1) for arg in args))
        case _:
            raise source.refusal(tree, "is not allowed")
    if node.value is not None and not math.isfinite(node.value):
        raise source.refusal(tree, "is not a finite number")
    return node


def _joined_by(tree: ast.expr, operators: tuple[type[ast.operator], ...]) -> bool:
    return isinstance(tree, ast.BinOp) and isinstance(tree.op, operators)


def _needs_brackets(text: str, token: _Token) -> InvalidInput:
    name = token.python
    return _refusal(text, token.start, token.end, f"needs brackets after it, as in {name}(x)")


def _refusal(text: str, start: int, end: int, why: str) -> InvalidInput:
    """An error that quotes a piece of the text and says where it starts."""
    piece = text[start:end]
    if not _TOKEN.match(piece):
        # Only the code point identifies look-alikes and invisible characters.
        return InvalidInput(f"{piece!r} (U+{ord(piece):04X}) at character {start + 1} {why}.")
    return InvalidInput(f"`{piece}` at character {start + 1} of the formula {why}.")
