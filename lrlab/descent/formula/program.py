"""Trees -> a list of operations that computes their values, with each common part computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from lrlab.arrays import ArrayOps, Tensor
from lrlab.descent.formula.tree import OPERATIONS, Node

MAX_MULTIPLIED_POWER = 64
"""Whole exponents up to this size are computed by multiplication, which is faster than ``power``
and needs no logarithm."""


@dataclass(frozen=True)
class Program:
    """Operations in the order in which they are computed.

    Args:
        initial: the initial content of all slots: x, y, constants, and ``None`` for results.
        steps: for each operation the slot of its result, its function, and the slots of its
            arguments.
        results: the slots of the requested trees.
    """

    initial: tuple[float | None, ...]
    steps: tuple[tuple[int, Callable[..., Tensor], tuple[int, ...]], ...]
    results: tuple[int, ...]

    def run(self, xp: ArrayOps, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
        """Compute the values of the requested trees.

        Args:
            xp: `numpy`, or `lrlab.descent.float_ops`.
            x, y: arrays of one shape, or floats.

        Returns:
            For each tree an array of that shape, or a float. A tree that does not depend on x and
            y gives a plain float.

        Raises:
            ArithmeticError, ValueError: with floats, where arrays would give infinity or NaN.
        """
        slots: list[Tensor] = list(self.initial)
        slots[0], slots[1] = x, y
        for slot, function, arguments in self.steps:
            slots[slot] = function(xp, *[slots[i] for i in arguments])
        return tuple(slots[i] for i in self.results)


def program(*roots: Node) -> Program:
    """The program that computes the values of these trees together."""
    initial: list[float | None] = [None, None]
    steps: list[tuple[int, Callable[..., Tensor], tuple[int, ...]]] = []
    constants: dict[float, int] = {}
    computed: dict[tuple[str, tuple[int, ...]], int] = {}

    @cache
    def slot_of(node: Node) -> int:
        if node.op in ("x", "y"):
            return int(node.op == "y")
        if node.value is not None:
            if node.value not in constants:
                constants[node.value] = len(initial)
                initial.append(node.value)
            return constants[node.value]
        arguments = tuple(slot_of(arg) for arg in node.args)
        key = node.op, arguments
        if key not in computed:
            computed[key] = len(initial)
            initial.append(None)
            steps.append((computed[key], *_instruction(node, arguments)))
        return computed[key]

    results = tuple(slot_of(root) for root in roots)
    return Program(tuple(initial), tuple(steps), results)


def _instruction(
    node: Node, arguments: tuple[int, ...]
) -> tuple[Callable[..., Tensor], tuple[int, ...]]:
    """The function of an operation, and the slots of its arguments."""
    if node.op == "^":
        n = node.args[1].value
        if n is not None and n.is_integer() and abs(n) <= MAX_MULTIPLIED_POWER:
            return partial(_whole_power, int(n)), arguments[:1]
    return OPERATIONS[node.op], arguments


def _whole_power(n: int, xp: ArrayOps, a: Tensor) -> Tensor:
    """``a ** n`` by repeated squaring; 1 for n = 0 whatever ``a`` is, as for floats in general."""
    if n < 0:
        return 1.0 / _whole_power(-n, xp, a)
    result: Tensor = None
    while n:
        if n & 1:
            result = a if result is None else result * a
        n >>= 1
        if n:
            a = a * a
    return 1.0 if result is None else result
