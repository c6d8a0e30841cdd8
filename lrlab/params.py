"""Hyperparameters described as data, and the checks derived from the descriptions.

Widgets, validation, formulas, Keras code and tests all read these descriptions. They are the only
place that defines which values a hyperparameter allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal, TypeAlias, TypeVar

import numpy as np

Kind = Literal["float", "int", "bool", "ints", "floats", "formula"]
"""The type of a value: a number, a whole number, a switch, a list of (whole) numbers, or a formula
in x and y (see `lrlab.descent.surfaces.typed.FormulaParam`)."""

Scale = Literal["linear", "log", "doubling", "memory"]
"""How a slider's stops are spaced. ``memory`` is logarithmic in one minus the value, which suits
the betas: 0.9 and 0.99 are as far apart as 0.99 and 0.999."""

Value: TypeAlias = bool | int | float | str | tuple[float, ...] | None
"""A parameter's value, see `Kind`; ``None`` means that an optional parameter is not used."""

Json: TypeAlias = bool | int | float | str | list[float] | None
"""A `Value` in JSON, where a tuple becomes a list."""

OFF = "off"
"""The text for an optional parameter that is not used."""


class InvalidInput(ValueError):
    """Invalid input. The message names the parameter, its value and the allowed values."""


@dataclass(frozen=True)
class Param:
    """One hyperparameter, under its Keras name.

    Args:
        name: Keras's argument name, such as ``beta_1``.
        default: Keras's default, or LR Lab's own if Keras has none.
        help: one sentence that a first-year student understands.
        kind: the type of the value (see `Kind`).
        symbol: the LaTeX symbol used in the formula.
        low, high: the allowed range, ends included unless ``open_low`` / ``open_high``.
        slider: the range of the slider; typed values may go beyond it, up to ``low`` and
            ``high``. ``None`` means no slider, only a text field.
        scale: how the slider's stops are spaced.
        optional: ``None`` is allowed and means "not used".
        steps: the value counts optimizer steps and can be stretched to the run's length;
            ``share`` is then its default share of the run, in percent.
        needs: an optional parameter that must be in use for this one to have an effect.
        label: a readable title, for a parameter that is not a Keras argument.
        rate: the value is a learning rate, so it scales with the schedule's peak.
        group: the heading of the collapsed section it belongs to; empty if it is always visible.
    """

    name: str
    default: Value
    help: str
    kind: Kind = "float"
    symbol: str = ""
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    slider: tuple[float, float] | None = None
    scale: Scale = "linear"
    optional: bool = False
    steps: bool = False
    share: Value = None
    needs: str = ""
    label: str = ""
    group: str = ""
    rate: bool = False

    def check(self, value: object, owner: str) -> Value:
        """Checks a value and converts it to the parameter's type.

        Args:
            value: the value to check. Whole numbers are accepted as floats and whole floats as
                integers, because JSON and URLs do not distinguish them.
            owner: the owner of the parameter for the message, such as ``"optimizer adam"``.

        Returns:
            A ``float``, ``int``, ``bool``, ``None`` or a tuple of numbers.

        Raises:
            InvalidInput: the value has the wrong type, is not finite or is out of range.
        """
        if value is None and self.optional:
            return None
        if self.kind == "bool":
            if not isinstance(value, bool):
                raise self._error(value, owner)
            return value
        if self.kind in ("ints", "floats"):
            if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
                raise self._error(value, owner)
            return tuple(self._check_item(item, owner, value) for item in value)
        return self._check_item(value, owner, value)

    def check_number(self, value: object, owner: str) -> float:
        """Like `check`, for a parameter whose value is always a number.

        Raises:
            InvalidInput: as in `check`.
            TypeError: the value is ``None``.
        """
        return as_number(self.check(value, owner), self.name)

    def parse_number(self, text: str, owner: str) -> float:
        """Like `parse`, for a parameter whose value is always a number.

        Raises:
            InvalidInput: as in `parse`.
            TypeError: the value is ``None``.
        """
        return as_number(self.parse(text, owner), self.name)

    def _check_item(self, item: object, owner: str, value: object) -> float:
        """Checks one number; the error shows ``value``, the whole list for a list parameter."""
        integral = self.kind in ("int", "ints")
        if isinstance(item, bool) or not isinstance(item, Real):
            raise self._error(value, owner)
        try:
            number = float(item)
        except OverflowError:
            raise self._error(value, owner) from None
        too_low = number < self.low or (self.open_low and number == self.low)
        too_high = number > self.high or (self.open_high and number == self.high)
        fractional = integral and not (isinstance(item, Integral) or number.is_integer())
        if not math.isfinite(number) or too_low or too_high or fractional:
            raise self._error(value, owner)
        if not integral:
            return number
        return int(item) if isinstance(item, Integral) else int(number)

    def _error(self, value: object, owner: str) -> InvalidInput:
        return InvalidInput(
            f"{owner}: {self.name} = {shown(value)} is not allowed. It must be {self.allowed()}."
        )

    def parse(self, text: str, owner: str) -> Value:
        """Parses and checks a value typed by a user or taken from a link.

        Args:
            text: ``0.001``, ``3e-4``, ``off``, ``true``, or ``1000, 2000`` for a list.
            owner: as in `check`.

        Raises:
            InvalidInput: the text is not a value of this kind, or the value is not allowed.
        """
        text = text.strip()
        if self.optional and text.lower() == OFF:
            return None
        if self.kind == "bool":
            return self.check({"true": True, "false": False}.get(text.lower(), text), owner)
        try:
            if self.kind in ("ints", "floats"):
                value: object = [_parse_number(part) for part in text.split(",") if part.strip()]
            else:
                value = _parse_number(text)
        except ValueError:
            raise self._error(text, owner) from None
        return self.check(value, owner)

    def text(self, value: Value) -> str:
        """The value as short text that `parse` reads back: ``1e-5``, ``0.9``, ``off``, ``5, 7``."""
        if value is None:
            return OFF
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, tuple):
            return ", ".join(number_text(item) for item in value)
        return value if isinstance(value, str) else number_text(value)

    def grid(self) -> list[float | int]:
        """The slider's stops in ascending order, including the default; empty without a slider."""
        if self.slider is None:
            return []
        low, high = self.slider
        if self.scale == "log":
            stops = _log_stops(low, high, coarse=self.kind == "int")
        elif self.scale == "memory":
            stops = [1.0 - stop for stop in _log_stops(1.0 - high, 1.0 - low)]
        elif self.scale == "doubling":
            stops = [low * 2**i for i in range(math.floor(math.log2(high / low)) + 1)]
        else:
            stops = _linear_stops(low, high)
        default = {self.default} if isinstance(self.default, int | float) else set()
        if self.kind == "int":
            return sorted({round(stop) for stop in stops} | default)
        return sorted({float(f"{stop:.10g}") for stop in stops} | default)

    def spaced(self, low: float, high: float, count: int) -> np.ndarray:
        """``count`` values from ``low`` to ``high``, spaced like the slider's stops; float64."""
        if self.scale == "log":
            return np.geomspace(low, high, count)
        if self.scale == "memory":
            return 1.0 - np.geomspace(1.0 - low, 1.0 - high, count)
        return np.linspace(low, high, count)

    def allowed(self) -> str:
        """A description of the allowed values: ``a number from 0 to below 1``."""
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


def _parse_number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number: ``1e-5``, ``0.9``, ``10``."""
    if isinstance(value, int):
        return str(value)
    mantissa, _, exponent = repr(float(value)).partition("e")
    return mantissa.removesuffix(".0") + (f"e{int(exponent)}" if exponent else "")


def _linear_stops(low: float, high: float, max_stops: int = 100) -> list[float]:
    """Round numbers from ``low`` to ``high``, both included, at most about ``max_stops``."""
    rough = (high - low) / max_stops
    decade = 10.0 ** math.floor(math.log10(rough))
    step = next(decade * lead for lead in (1, 2, 5, 10) if decade * lead >= rough * (1 - 1e-9))
    inside = [step * i for i in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]
    return sorted({low, high, *inside})


def _log_stops(low: float, high: float, coarse: bool = False) -> list[float]:
    leads = (1, 2, 3, 5, 7) if coarse else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    stops = [float(f"{lead}e{decade}") for decade in decades for lead in leads]
    inside = [stop for stop in stops if low <= stop <= high]
    return sorted({low, high, *inside})


def shown(value: object) -> str:
    """The ``repr`` of a value for messages, shortened to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def check_all(
    params: Iterable[Param], values: Mapping[str, object], owner: str
) -> dict[str, Value]:
    """Checks values by parameter name and fills in defaults for missing ones.

    Raises:
        InvalidInput: a value is not allowed, or a name is unknown.
    """
    params = tuple(params)
    known = {param.name for param in params}
    for name in values:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise InvalidInput(f"{owner} has no parameter {shown(name)}. It has: {names}.")
    return {
        param.name: param.check(values[param.name], owner)
        if param.name in values
        else param.default
        for param in params
    }


def number_of(values: Mapping[str, Value], name: str) -> float:
    """The value of a parameter that must be a number.

    Raises:
        TypeError: the value is not a number, for example ``None``.
    """
    return as_number(values[name], name)


def as_number(value: Value, name: str) -> float:
    """The value as a number; ``name`` is the parameter's, for the message.

    Raises:
        TypeError: the value is not a number, for example ``None``.
    """
    if not isinstance(value, int | float):
        raise TypeError(f"{name} = {shown(value)} is not a number")
    return value


def numbers_of(values: Mapping[str, Value], name: str) -> tuple[float, ...]:
    """The value of a parameter that must be a list of numbers.

    Raises:
        TypeError: the value is not a list.
    """
    value = values[name]
    if not isinstance(value, tuple):
        raise TypeError(f"{name} = {shown(value)} is not a list of numbers")
    return value


T = TypeVar("T")


def lookup(registry: Mapping[str, T], key: object, what: str) -> T:
    """The registry's entry for a key.

    Args:
        registry: the entries by key.
        key: the key to look up, not yet checked.
        what: the kind of entry for the message, such as ``"optimizer"``.

    Raises:
        InvalidInput: the key is unknown; the message lists the known keys.
    """
    if not isinstance(key, str) or key not in registry:
        raise InvalidInput(
            f"There is no {what} {shown(key)}. Choose one of: {', '.join(registry)}."
        )
    return registry[key]
