"""A formula as a tree, and its exact derivative as another tree."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from lrlab.arrays import ArrayOps, Tensor


@dataclass(frozen=True, eq=False)
class Node:
    """One part of a formula. It is equal only to itself, which makes lookups cheap.

    Args:
        op: ``"x"``, ``"y"``, ``"number"``, or a key of `OPERATIONS`.
        args: the arguments of the operation.
        value: the part's value if it does not contain x or y; it may be infinite or NaN.
        name: the name of a named number: ``"pi"``, ``"e"``.
    """

    op: str
    args: tuple[Node, ...] = ()
    value: float | None = None
    name: str = ""

    def parts(self) -> Iterator[Node]:
        """This part and all parts inside it."""
        yield self
        for arg in self.args:
            yield from arg.parts()


def _pick(xp: ArrayOps, a: Tensor, b: Tensor, at_least: Tensor, below: Tensor) -> Tensor:
    """``at_least`` where a >= b, ``below`` where a < b, NaN where a or b is NaN."""
    return xp.where(a >= b, at_least, xp.where(a < b, below, math.nan))


OPERATIONS: Mapping[str, Callable[..., Tensor]] = {
    "+": lambda xp, a, b: a + b,
    "-": lambda xp, a, b: a - b,
    "*": lambda xp, a, b: a * b,
    "/": lambda xp, a, b: a / b,
    "^": lambda xp, a, b: xp.power(a, b),
    "negative": lambda xp, a: -a,
    "sin": lambda xp, a: xp.sin(a),
    "cos": lambda xp, a: xp.cos(a),
    "tan": lambda xp, a: xp.tan(a),
    "tanh": lambda xp, a: xp.tanh(a),
    "exp": lambda xp, a: xp.exp(a),
    "log": lambda xp, a: xp.log(a),
    "sqrt": lambda xp, a: xp.sqrt(a),
    "abs": lambda xp, a: xp.abs(a),
    "min": lambda xp, a, b: xp.minimum(a, b),
    "max": lambda xp, a, b: xp.maximum(a, b),
    "sign": lambda xp, a: xp.sign(a),
    "pick": _pick,
}
"""Operation -> its function for arrays and floats (see `lrlab.descent.float_ops`)."""

FUNCTIONS: Mapping[str, int] = {
    **dict.fromkeys(("sin", "cos", "tan", "tanh", "exp", "log", "sqrt", "abs"), 1),
    **dict.fromkeys(("min", "max"), 2),
}
"""The functions allowed in formulas -> their number of arguments; ``log`` is the natural one."""


def number(value: float, name: str = "") -> Node:
    """A number, with its name if it has one."""
    return Node("number", value=value, name=name)


def operation(op: str, *args: Node) -> Node:
    """Apply an operation to parts; if their values are known, its value is computed at once."""
    if any(arg.value is None for arg in args):
        return Node(op, args)
    with np.errstate(all="ignore"):
        value = OPERATIONS[op](np, *(np.float64(arg.value) for arg in args))
    return Node(op, args, float(value))


X, Y = Node("x"), Node("y")
ZERO, ONE = number(0.0), number(1.0)


def derivative(root: Node, variable: str) -> Node:
    """The exact partial derivative of a formula.

    Parts that do not depend on the variable drop out, so they cannot cause 0 times infinity.
    Where the formula has no value, such as ``log(x)`` for negative x, the derivative has none
    either. At a kink the derivative is that of one side: 0 for ``abs`` at 0, and that of the first
    argument for ``min`` and ``max`` of equal arguments.

    Args:
        root: the formula.
        variable: ``"x"`` or ``"y"``.
    """

    @cache
    def slope(node: Node) -> Node:
        if node.op == variable:
            return ONE
        slopes = [slope(arg) for arg in node.args]
        if all(each is ZERO for each in slopes):
            return ZERO
        return _RULES[node.op](node, *node.args, *slopes)

    return slope(root)


def _plus(a: Node, b: Node) -> Node:
    if a is ZERO:
        return b
    return a if b is ZERO else operation("+", a, b)


def _minus(a: Node, b: Node) -> Node:
    if a is ZERO:
        return operation("negative", b)
    return a if b is ZERO else operation("-", a, b)


def _times(a: Node, b: Node) -> Node:
    if a is ZERO or b is ZERO:
        return ZERO
    if a.value == 1:
        return b
    return a if b.value == 1 else operation("*", a, b)


def _power_rule(f: Node, a: Node, b: Node, da: Node, db: Node) -> Node:
    by_base, by_exponent = ZERO, ZERO
    if da is not ZERO and b.value != 0:
        by_base = _times(_times(b, operation("^", a, operation("-", b, ONE))), da)
    if db is not ZERO:
        by_exponent = _times(_times(f, operation("log", a)), db)
    return _plus(by_base, by_exponent)


def _log_rule(f: Node, a: Node, da: Node) -> Node:
    return operation("pick", a, ZERO, operation("/", da, a), number(math.nan))


_RULES: Mapping[str, Callable[..., Node]] = {
    "+": lambda f, a, b, da, db: _plus(da, db),
    "-": lambda f, a, b, da, db: _minus(da, db),
    "*": lambda f, a, b, da, db: _plus(_times(da, b), _times(a, db)),
    "/": lambda f, a, b, da, db: operation("/", _minus(da, _times(f, db)), b),
    "^": _power_rule,
    "negative": lambda f, a, da: operation("negative", da),
    "sin": lambda f, a, da: _times(operation("cos", a), da),
    "cos": lambda f, a, da: _times(operation("negative", operation("sin", a)), da),
    "tan": lambda f, a, da: _times(operation("+", ONE, operation("*", f, f)), da),
    "tanh": lambda f, a, da: _times(operation("-", ONE, operation("*", f, f)), da),
    "exp": lambda f, a, da: _times(f, da),
    "log": _log_rule,
    "sqrt": lambda f, a, da: operation("/", da, operation("+", f, f)),
    "abs": lambda f, a, da: _times(operation("sign", a), da),
    "min": lambda f, a, b, da, db: operation("pick", b, a, da, db),
    "max": lambda f, a, b, da, db: operation("pick", a, b, da, db),
}
"""Operation -> its derivative from the operation, its arguments and their derivatives."""
