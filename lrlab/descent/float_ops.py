"""The array functions of update rules and surfaces, for plain Python floats.

With arrays, a single trajectory would spend nearly all its time in NumPy's overhead per call; with
Python floats the same rules run about ten times faster. Where Python raises an error instead of
returning infinity or NaN (division by zero, overflow), the caller continues with NumPy.

Names and meanings are those of NumPy, see `lrlab.arrays.ArrayOps`. NaN propagates.
"""

from __future__ import annotations

import builtins
import math

sqrt = math.sqrt
exp = math.exp
log = math.log
sin = math.sin
cos = math.cos
tan = math.tan
tanh = math.tanh
power = math.pow
abs = builtins.abs


def sign(a: float) -> float:
    """-1, 0 or 1."""
    if math.isnan(a):
        return a
    return float((a > 0) - (a < 0))


def maximum(a: float, b: float) -> float:
    """The larger of two numbers."""
    return a if a >= b or math.isnan(a) else b


def minimum(a: float, b: float) -> float:
    """The smaller of two numbers."""
    return a if a <= b or math.isnan(a) else b


def where(condition: bool, a: float, b: float) -> float:
    """``a`` if the condition holds, else ``b``."""
    return a if condition else b
