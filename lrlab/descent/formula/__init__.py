"""The formulas that people type: text -> tree -> exact derivative, numbers, LaTeX.

    from lrlab.descent.formula import derivative, latex, program, read

    tree = read("(1 - x)^2 + 100*(y - x^2)^2")
    f, slope = program(tree, derivative(tree, "x")).run(numpy, x, y)

Names are ``x``, ``y``, ``pi`` and ``e``; operators ``+ - * / **``; functions those of
`lrlab.descent.formula.tree.FUNCTIONS`. All numbers are floats. ``^`` is another way to write ``**`` and
binds alike: more tightly than a minus before it, and from the right, so that ``-x^2^3`` is
``-(x^(2^3))``. Nothing that is typed is ever run: Python parses it, and of Python's tree only
what is listed here is taken over.
"""

from __future__ import annotations

from lrlab.descent.formula.program import Program, program
from lrlab.descent.formula.read import MOST_CHARACTERS, read
from lrlab.descent.formula.tree import Node, derivative
from lrlab.descent.formula.typeset import latex

__all__ = ["MOST_CHARACTERS", "Node", "Program", "derivative", "latex", "program", "read"]
