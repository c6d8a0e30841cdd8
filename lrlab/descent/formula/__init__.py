"""Typed formulas: text -> tree -> exact derivative, values, LaTeX.

    from lrlab.descent.formula import derivative, latex, program, read

    tree = read("(1 - x)^2 + 100*(y - x^2)^2")
    f, slope = program(tree, derivative(tree, "x")).run(numpy, x, y)

The names are ``x``, ``y``, ``pi`` and ``e``, the operators ``+ - * / **``, and the functions those
of `FUNCTIONS` in `lrlab.descent.formula.tree`. All numbers are floats. ``^`` means ``**`` and has
the same precedence: it binds more tightly than a minus before it and associates to the right, so
``-x^2^3`` is ``-(x^(2^3))``. A typed formula is never executed: Python only parses it, and only the
parts of Python's syntax tree listed here are accepted.
"""

from __future__ import annotations

from lrlab.descent.formula.program import Program, program
from lrlab.descent.formula.read import read
from lrlab.descent.formula.tree import Node, derivative
from lrlab.descent.formula.typeset import latex

__all__ = ["Node", "Program", "derivative", "latex", "program", "read"]
