"""Trees -> a list of operations that computes them, each shared part once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from lrlab.descent.formula.tree import OPERATIONS, Node

LARGEST_WHOLE_POWER = 64
"""Up to here a whole exponent is worked out by multiplying, which is faster and knows no log."""


@dataclass(frozen=True)
class Program:
    """Operations in the order they are done.

    Args:
        blank: a list of places to start from: x, y, numbers, and room for results.
        steps: for each operation its place, what it does, and the places it reads.
        results: the places of what was asked for.
    """

    blank: tuple[Any, ...]
    steps: tuple[tuple[int, Callable[..., Any], tuple[int, ...]], ...]
    results: tuple[int, ...]

    def run(self, xp: Any, x: Any, y: Any) -> tuple[Any, ...]:
        """The values of what was asked for.

        Args:
            xp: `numpy`, or `lrlab.descent.float_ops`.
            x, y: arrays of one shape, or floats.

        Returns:
            An array of that shape, or a float, for each; a number does not depend on x and y and
            is given as it is.

        Raises:
            ArithmeticError, ValueError: from floats, where arrays would give infinity or NaN.
        """
        places = list(self.blank)
        places[0], places[1] = x, y
        for place, apply, reads in self.steps:
            places[place] = apply(xp, *[places[i] for i in reads])
        return tuple(places[i] for i in self.results)


def program(*roots: Node) -> Program:
    """What computes these trees together."""
    blank: list[Any] = [None, None]
    steps: list[tuple[int, Callable[..., Any], tuple[int, ...]]] = []
    known: dict[tuple, int] = {}

    @cache
    def place(node: Node) -> int:
        if node.op in ("x", "y"):
            return int(node.op == "y")
        if node.value is not None:
            key, fresh = ("number", node.value), node.value
        else:
            key, fresh = (node.op, *map(place, node.args)), None
        if key not in known:
            known[key] = len(blank)
            blank.append(fresh)
            if node.value is None:
                steps.append((known[key], *_instruction(node, key[1:])))
        return known[key]

    results = tuple(place(root) for root in roots)
    return Program(tuple(blank), tuple(steps), results)


def _instruction(node: Node, reads: tuple[int, ...]) -> tuple[Callable[..., Any], tuple[int, ...]]:
    if node.op == "^":
        n = node.args[1].value
        if n is not None and n.is_integer() and abs(n) <= LARGEST_WHOLE_POWER:
            return partial(_whole_power, int(n)), reads[:1]
    return OPERATIONS[node.op], reads


def _whole_power(n: int, xp: Any, a: Any) -> Any:
    """``a ** n`` by repeated squaring; 1 for n = 0 whatever a is, as elsewhere in floats."""
    if n < 0:
        return 1.0 / _whole_power(-n, xp, a)
    result: Any = None
    while n:
        if n & 1:
            result = a if result is None else result * a
        n >>= 1
        if n:
            a = a * a
    return 1.0 if result is None else result
