"""Checks for what owners write about a run: its name, tags and notes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lrlab.params import InvalidInput, shown
from lrlab.runs.limits import MAX_NAME_LENGTH

MAX_TAGS = 10
"""Maximum number of tags per run."""

MAX_TAG_LENGTH = 30
"""Maximum characters per tag."""

MAX_NOTES_LENGTH = 4_000
"""Maximum characters in a run's notes."""


def checked_label(value: str, what: str) -> str:
    """A name or owner, checked and without surrounding spaces.

    Raises:
        InvalidInput: it is empty, too long or not printable.
    """
    label = value.strip()
    if not 0 < len(label) <= MAX_NAME_LENGTH or not label.isprintable():
        raise InvalidInput(
            f"The {what} of a run or group must have 1 to {MAX_NAME_LENGTH} printable characters "
            f"on one line, not {value[: MAX_NAME_LENGTH + 1]!r}."
        )
    return label


def annotation_columns(tags: Sequence[str] | None, notes: str | None) -> dict[str, str]:
    """Column -> value for the tags and notes; a None argument is left out.

    Raises:
        InvalidInput: there are too many tags, a tag is not allowed, or the notes are too long or
            contain control characters.
    """
    values: dict[str, str] = {}
    if tags is not None:
        values["tags"] = json.dumps(_checked_tags(tags))
    if notes is not None:
        text = notes.strip()
        if len(text) > MAX_NOTES_LENGTH:
            raise InvalidInput(
                f"The notes have {len(text):,} characters; {MAX_NOTES_LENGTH:,} are allowed. "
                "Shorten them."
            )
        if not all(character.isprintable() or character in "\n\t" for character in text):
            raise InvalidInput("The notes contain a control character. Enter plain text.")
        values["notes"] = text
    return values


def _checked_tags(tags: Sequence[str]) -> list[str]:
    unique = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(unique) > MAX_TAGS:
        raise InvalidInput(
            f"A run may have at most {MAX_TAGS} tags, not {len(unique)}. Remove some."
        )
    for tag in unique:
        if len(tag) > MAX_TAG_LENGTH or not tag.isprintable() or "," in tag:
            raise InvalidInput(
                f"The tag {shown(tag[: MAX_TAG_LENGTH + 1])} is not allowed. A tag has 1 to "
                f"{MAX_TAG_LENGTH} printable characters and no comma."
            )
    return unique
