"""A hyperparameter described as data, and the checks that follow from the description.

Widgets, validation, formulas, Keras code and tests all read these descriptions; nothing else
in LR Lab says what a hyperparameter may be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal

Kind = Literal["float", "int", "bool", "ints", "floats"]
"""What a value is: a number, a whole number, a switch, or a list of (whole) numbers."""


class InvalidInput(ValueError):
    """Input that LR Lab refuses; the message names the parameter, its value and what is allowed."""


@dataclass(frozen=True)
class Param:
    """One hyperparameter, named as Keras names it.

    Args:
        name: Keras's argument name, such as ``beta_1``.
        default: Keras's default where Keras has one, else LR Lab's own.
        help: one sentence a first-year student understands.
        kind: what a value is (see `Kind`).
        symbol: the LaTeX symbol used in the formula.
        low, high: the allowed range, ends included unless ``open_low`` / ``open_high``.
        slider: the range a slider offers; typing may go beyond it, up to ``low`` and ``high``.
        log: the quantity spans orders of magnitude, so its slider is logarithmic.
        optional: ``None`` is allowed and means "not used".
        steps: the value counts optimizer steps and can be stretched to the run's length;
            ``fraction`` is then its default share of the run.
    """

    name: str
    default: Any
    help: str
    kind: Kind = "float"
    symbol: str = ""
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    slider: tuple[float, float] = (0.0, 1.0)
    log: bool = False
    optional: bool = False
    steps: bool = False
    fraction: Any = None

    def check(self, value: Any, owner: str) -> Any:
        """The value in its own type, or an error for people.

        Args:
            value: what was given; whole numbers pass as floats, because JSON and URLs do not
                tell them apart.
            owner: whose parameter this is, for the message, such as ``"optimizer adam"``.

        Returns:
            A ``float``, ``int``, ``bool``, ``None`` or a tuple of numbers.

        Raises:
            InvalidInput: the value has the wrong type, is not finite or is out of range.
        """
        if value is None and self.optional:
            return None
        if self.kind == "bool":
            if not isinstance(value, bool):
                raise self._refusal(value, owner)
            return value
        if self.kind in ("ints", "floats"):
            if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
                raise self._refusal(value, owner)
            return tuple(self._number(item, owner, value) for item in value)
        return self._number(value, owner, value)

    def _number(self, item: Any, owner: str, whole: Any) -> float | int:
        integral = self.kind in ("int", "ints")
        if isinstance(item, bool) or not isinstance(item, Real):
            raise self._refusal(whole, owner)
        try:
            number = float(item)
        except OverflowError:
            raise self._refusal(whole, owner) from None
        too_low = number < self.low or (self.open_low and number == self.low)
        too_high = number > self.high or (self.open_high and number == self.high)
        fractional = integral and not (isinstance(item, Integral) or number.is_integer())
        if not math.isfinite(number) or too_low or too_high or fractional:
            raise self._refusal(whole, owner)
        return int(item) if integral else number

    def _refusal(self, value: Any, owner: str) -> InvalidInput:
        return InvalidInput(
            f"{owner}: {self.name} = {shown(value)} is not allowed. It must be {self.allowed()}."
        )

    def allowed(self) -> str:
        """What may be given, in words: ``a number from 0 to below 1``."""
        noun = {
            "float": "a number",
            "int": "a whole number",
            "bool": "true or false",
            "ints": "a list of whole numbers",
            "floats": "a list of numbers",
        }[self.kind]
        if self.kind in ("ints", "floats") and math.isfinite(self.low):
            noun += ", each"
        parts = [noun]
        if math.isfinite(self.low):
            if math.isfinite(self.high):
                parts.append(f"above {self.low:g}" if self.open_low else f"from {self.low:g}")
                parts.append(f"to below {self.high:g}" if self.open_high else f"to {self.high:g}")
            else:
                parts.append(f"above {self.low:g}" if self.open_low else f"{self.low:g} or more")
        elif math.isfinite(self.high):
            parts.append(f"below {self.high:g}" if self.open_high else f"{self.high:g} or less")
        elif self.kind in ("float", "floats"):
            parts.append("that is finite")
        return " ".join(parts) + (", or none" if self.optional else "")


def shown(value: Any) -> str:
    """A value as a message shows it: its ``repr``, cut where it would flood the page."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def check_all(params: Iterable[Param], given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Every parameter with its checked value, defaults filled in.

    Raises:
        InvalidInput: a value is refused, or a name is unknown.
    """
    params = tuple(params)
    known = {param.name for param in params}
    for name in given:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise InvalidInput(f"{owner} has no parameter {shown(name)}. It has: {names}.")
    return {
        param.name: param.check(given[param.name], owner) if param.name in given else param.default
        for param in params
    }


def lookup(registry: Mapping[str, Any], key: Any, what: str) -> Any:
    """``registry[key]``, or an error that lists the keys there are.

    Raises:
        InvalidInput: there is no such key.
    """
    if not isinstance(key, str) or key not in registry:
        raise InvalidInput(
            f"There is no {what} {shown(key)}. Choose one of: {', '.join(registry)}."
        )
    return registry[key]
