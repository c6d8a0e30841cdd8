"""Formats numbers and user-written text for pages, messages and charts."""

from __future__ import annotations

import math
import re

import numpy as np


def format_number(value: float, digits: int = 3) -> str:
    """A number for people: ``0.0999``, ``1.2e-5``, ``45,000``, ``not finite``.

    Args:
        value: the number.
        digits: significant digits; whole numbers below 1e7 are written in full.
    """
    if not np.isfinite(value):
        return "not finite"
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}"
    rounded = float(f"{value:.{digits}g}")
    if 1e-4 <= abs(rounded) < 1e7:
        return f"{rounded:,.10g}"
    mantissa, _, exponent = f"{rounded:.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def format_measure(value: float | None, share: bool, short: bool = False) -> str:
    """A loss or an accuracy: ``0.3215``, ``88.71%``, ``not finite``.

    Args:
        value: the number; ``None`` is shown as a dash.
        share: the value is a share from 0 to 1, such as an accuracy, and is shown in percent.
        short: one digit fewer, for the large figures of the presentation view.
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "not finite"
    return f"{value:.{2 - short}%}" if share else f"{value:.{4 - short}f}"


def escape_markdown(text: str) -> str:
    """Escapes text from any source so that Markdown shows it literally, on one line.

    Punctuation is escaped. Streamlit also turns ``www.``, ``a@b`` and ``:red[...]`` into links,
    emoji, icons and colours; an invisible word joiner inside each prevents that.
    """
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
    return re.sub(r"(?i)(:|@|www)(?=\S)", "\\1\N{WORD JOINER}", escaped)


def format_duration(seconds: float) -> str:
    """A duration for people, at least one second: ``45 s``, ``2 min 05 s``, ``1 h 10 min``."""
    rounded = max(1, round(seconds))
    if rounded < 100:
        return f"{rounded} s"
    if rounded < 3600:
        return f"{rounded // 60} min {rounded % 60:02d} s"
    return f"{rounded // 3600} h {rounded % 3600 // 60:02d} min"


def format_distinct(first: float, last: float) -> tuple[str, str]:
    """Two numbers with the fewest significant digits, 3 to 8, that tell them apart."""
    for digits in range(3, 9):
        texts = format_number(first, digits), format_number(last, digits)
        if texts[0] != texts[1] or first == last:
            return texts
    return texts
