"""Numbers and texts of people, formatted for pages, messages and charts."""

from __future__ import annotations

import math
import re

import numpy as np


def format_number(value: float, digits: int = 3) -> str:
    """A number with sensible digits: ``0.0999``, ``1.2e-5``, ``45,000``, ``not finite``."""
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
    """A loss or an accuracy as it stands alone: ``0.3215``, ``88.71%``, ``not finite``.

    Args:
        value: the number; a dash stands for None.
        share: whether it is a share, such as an accuracy.
        short: with a digit less, to be read from afar.
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "not finite"
    return f"{value:.{2 - short}%}" if share else f"{value:.{4 - short}f}"


def escape_markdown(text: str) -> str:
    """A text that Markdown shows as it stands, on one line, whoever wrote it.

    Punctuation is escaped. What Streamlit turns into links, emoji, icons and colours afterwards,
    ``www.``, ``a@b``, ``:red[...]``, is parted by an invisible word joiner.
    """
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
    return re.sub(r"(?i)(:|@|www)(?=\S)", "\\1\N{WORD JOINER}", escaped)


def format_duration(seconds: float) -> str:
    """A time that one waits, in words: ``45 s``, ``2 min 05 s``, ``1 h 10 min``."""
    whole = max(1, round(seconds))
    if whole < 100:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def format_distinct(first: float, last: float) -> tuple[str, str]:
    """Two numbers with just so many digits that a difference between them shows."""
    for digits in range(3, 9):
        texts = format_number(first, digits), format_number(last, digits)
        if texts[0] != texts[1] or first == last:
            return texts
    return texts
