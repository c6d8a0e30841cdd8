"""The few array functions that rules and surfaces use, for plain Python floats.

Update rules and surfaces are written once, over a namespace ``xp``: NumPy for arrays, this one
for single numbers. A single path spends nearly all its time in NumPy's per-call overhead; with
Python floats the same rules run some ten times faster. Where Python raises instead of giving
infinity or NaN (division by zero, overflow), the caller goes on with NumPy.
"""

from __future__ import annotations

import math
from types import SimpleNamespace


def _maximum(a: float, b: float) -> float:
    return a if a >= b or math.isnan(a) else b


def _minimum(a: float, b: float) -> float:
    return a if a <= b or math.isnan(a) else b


def _sign(a: float) -> float:
    if math.isnan(a):
        return a
    return float((a > 0) - (a < 0))


def _where(condition: bool, a: float, b: float) -> float:
    return a if condition else b


float_ops = SimpleNamespace(
    sqrt=math.sqrt,
    exp=math.exp,
    log=math.log,
    sin=math.sin,
    cos=math.cos,
    tan=math.tan,
    tanh=math.tanh,
    abs=abs,
    sign=_sign,
    maximum=_maximum,
    minimum=_minimum,
    power=math.pow,
    where=_where,
)
"""``numpy``'s functions of these names, for floats; NaN passes through as in NumPy."""
