"""Invalid and unusual values, texts and files that replace sensible input."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from typing import Any

import numpy as np

JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 10**400, -0.0, 1e-320, 1e308, -1e308),
    *(math.nan, math.inf, -math.inf, 0.5, "", " ", "off", "nan", "1e999", "0x10", "1_0", "٣"),
    *("\0", "\ud800", "\u202e", "'; drop table runs; --", "<script>", "$x$", "../../etc/passwd"),
    *("x" * 5_000, "9" * 5_000, b"bytes", [], {}, (), [[]], [math.nan], [10**400], {"a": {}}),
    *({"name": "adam"}, {1: 2}, {None: None}, object, np.float32(1), np.int64(3), np.array([1])),
)
"""Values that replace sensible ones."""

NUMBERS_OF_ANY_KIND = tuple(
    junk for junk in JUNK if isinstance(junk, int | float | np.number) and junk is not True
)

JUNK_STEPS = tuple(junk for junk in JUNK if not isinstance(junk, np.ndarray))

ODD_JSON = ("[" * 5_000, '{"recipe": ' * 2_000, "1e999", "9" * 5_000, "nul", '"', "{}{}", "")
"""File contents that are not valid JSON, or barely."""

PIECES = (
    *"xyeπ0123456789.+-*/^(),= '\"\\#@!&|<>[]{}:;?%~`_\n\t",
    *("sin(", "exp(", "sqrt", "pi", "1e308", "**", "lambda x: x", "__import__('os')", "x.y"),
    *("é", "\0", "\ud800", "²", "((((", "))))", "log(0)", "if", "1e-320", "x" * 300),
)
"""Fragments from which formulas and texts are assembled."""


def damaged(value: Any, rng: random.Random) -> Any:
    """A copy of a JSON value with one part replaced, removed or added."""
    if rng.random() < 0.15:
        return rng.choice(JUNK)
    if isinstance(value, Mapping) and value:
        copy = dict(value)
        key = rng.choice(list(copy))
        if rng.random() < 0.15:
            del copy[key]
        elif rng.random() < 0.15:
            copy[rng.choice(("extra", "name", 7, "", None))] = rng.choice(JUNK)
        else:
            copy[key] = damaged(copy[key], rng)
        return copy
    if isinstance(value, list | tuple) and value:
        copy = list(value)
        copy[rng.randrange(len(copy))] = damaged(copy[0], rng)
        return copy
    return rng.choice(JUNK)


def text_of(rng: random.Random, max_pieces: int = 12) -> str:
    """A text of up to ``max_pieces`` random `PIECES`."""
    return "".join(rng.choices(PIECES, k=rng.randint(0, max_pieces)))


def damaged_json(value: Any, rng: random.Random) -> str:
    """A damaged copy as JSON, or one of `ODD_JSON` if it cannot be written as JSON."""
    try:
        return json.dumps(damaged(value, rng))
    except (TypeError, ValueError):
        return rng.choice(ODD_JSON)
