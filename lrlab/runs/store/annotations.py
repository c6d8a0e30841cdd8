"""What people write about a run, checked: its name, tags and notes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lrlab.params import InvalidInput, shown
from lrlab.runs.limits import NAME_LENGTH

MAX_TAGS = 10
"""The most tags of a run."""

MAX_TAG = 30
"""The most characters of a tag."""

MAX_NOTES = 4_000
"""The most characters of a run's notes."""


def checked_label(value: str, what: str) -> str:
    """A name or an owner without spaces around it.

    Raises:
        InvalidInput: it is empty, too long, or not printable.
    """
    label = value.strip()
    if not 0 < len(label) <= NAME_LENGTH or not label.isprintable():
        raise InvalidInput(
            f"The {what} of a run or group must have 1 to {NAME_LENGTH} printable characters in "
            f"one line, not {value[: NAME_LENGTH + 1]!r}."
        )
    return label


def described(tags: Sequence[str] | None, notes: str | None) -> dict[str, Any]:
    """The columns that hold tags and notes; those that are None are left out.

    Raises:
        InvalidInput: too many tags, a tag that is none, or notes that are too long.
    """
    values: dict[str, Any] = {}
    if tags is not None:
        values["tags"] = json.dumps(_checked(tags))
    if notes is not None:
        text = notes.strip()
        if len(text) > MAX_NOTES:
            raise InvalidInput(
                f"The notes have {len(text):,} characters; {MAX_NOTES:,} are allowed. Shorten them."
            )
        if not all(sign.isprintable() or sign in "\n\t" for sign in text):
            raise InvalidInput("The notes hold a control character. Type them as plain text.")
        values["notes"] = text
    return values


def _checked(tags: Sequence[str]) -> list[str]:
    kept = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(kept) > MAX_TAGS:
        raise InvalidInput(f"A run may have {MAX_TAGS} tags, not {len(kept)}. Leave some out.")
    for tag in kept:
        if len(tag) > MAX_TAG or not tag.isprintable() or "," in tag:
            raise InvalidInput(
                f"The tag {shown(tag[: MAX_TAG + 1])} is not allowed. A tag has 1 to {MAX_TAG} "
                "printable characters and no comma."
            )
    return kept
