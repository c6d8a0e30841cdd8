"""Made-up values, texts and files: what is put in the place of something sensible."""

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
"""What is put in the place of something sensible."""

NUMBERS_OF_ANY_KIND = tuple(
    junk for junk in JUNK if isinstance(junk, int | float | np.number) and junk is not True
)

JUNK_STEPS = tuple(junk for junk in JUNK if not isinstance(junk, np.ndarray))

ODD_JSON = ("[" * 5_000, '{"recipe": ' * 2_000, "1e999", "9" * 5_000, "nul", '"', "{}{}", "")
"""Files that are no JSON, or hardly."""

PIECES = (
    *"xyeπ0123456789.+-*/^(),= '\"\\#@!&|<>[]{}:;?%~`_\n\t",
    *("sin(", "exp(", "sqrt", "pi", "1e308", "**", "lambda x: x", "__import__('os')", "x.y"),
    *("é", "\0", "\ud800", "²", "((((", "))))", "log(0)", "if", "1e-320", "x" * 300),
)
"""What formulas and texts are put together from."""


def damaged(value: Any, chance: random.Random) -> Any:
    """A copy of a value of JSON's kind with something in it replaced, dropped or added."""
    if chance.random() < 0.15:
        return chance.choice(JUNK)
    if isinstance(value, Mapping) and value:
        copy = dict(value)
        key = chance.choice(list(copy))
        if chance.random() < 0.15:
            del copy[key]
        elif chance.random() < 0.15:
            copy[chance.choice(("extra", "name", 7, "", None))] = chance.choice(JUNK)
        else:
            copy[key] = damaged(copy[key], chance)
        return copy
    if isinstance(value, list | tuple) and value:
        copy = list(value)
        copy[chance.randrange(len(copy))] = damaged(copy[0], chance)
        return copy
    return chance.choice(JUNK)


def text_of(chance: random.Random, most: int = 12) -> str:
    """A text put together from `PIECES`."""
    return "".join(chance.choices(PIECES, k=chance.randint(0, most)))


def damaged_json(value: Any, chance: random.Random) -> str:
    """A damaged copy as JSON, or what only nearly is."""
    try:
        return json.dumps(damaged(value, chance))
    except (TypeError, ValueError):
        return chance.choice(ODD_JSON)
