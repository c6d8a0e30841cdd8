"""What a server lets its visitors ask for, and the codes that open more."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from lrlab.params import InvalidInput
from lrlab.recipes.plan import FULL_TRAIN_SIZE, RunPlan

NAME_LENGTH = 100
"""The most characters of a run's or group's name, and of an owner."""


@dataclass(frozen=True)
class Limits:
    """What may wait in the queue, and how large a run may be. All ends are included.

    Args:
        max_waiting: what one browser may have waiting; a run by itself is one, and so is a whole
            group, since it is one thing that was asked for.
        max_queue: runs that may wait in all. Each run of a group counts: what this bounds is how
            long the last of them waits, and against a script that makes browsers up nothing else
            does.
        max_group: runs in a group.
        max_epochs, max_batch_size, max_train_size: of a run.
    """

    max_waiting: int = 2
    max_queue: int = 60
    max_group: int = 40
    max_epochs: int = 100
    max_batch_size: int = 4096
    max_train_size: int = FULL_TRAIN_SIZE

    def check(self, plan: RunPlan) -> None:
        """Refuse a run that is too large for this server.

        Raises:
            InvalidInput: it is; the message says what is allowed.
        """
        for name in ("epochs", "batch_size", "train_size"):
            value, most = getattr(plan, name), getattr(self, f"max_{name}")
            if value > most:
                raise InvalidInput(
                    f"run: {name} = {value} is not allowed. On this server it must be at most "
                    f"{most}."
                )

    def check_group(self, runs: int) -> None:
        """Refuse a group that is empty or has too many runs.

        Raises:
            InvalidInput: it has; the message says what is allowed.
        """
        if not runs:
            raise InvalidInput("A group needs at least one run.")
        if runs > self.max_group:
            raise InvalidInput(
                f"A group of {runs} runs is not allowed. On this server it must have at most "
                f"{self.max_group}."
            )


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class AccessCodes:
    """What a person can know to be allowed more. An empty code is one that nobody has.

    Args:
        instructor: lets stop and delete everybody's runs, clear the queue, and queue runs.
        classroom: without it no run can be queued; empty where everybody may.
    """

    instructor: str = field(default="", repr=False)
    classroom: str = field(default="", repr=False)

    def is_instructor(self, given: str) -> bool:
        """Whether this is the instructor's code."""
        return _same(given, self.instructor)

    def may_queue(self, given: str) -> bool:
        """Whether somebody with this code may queue runs."""
        return not self.classroom or _same(given, self.classroom) or self.is_instructor(given)


NO_ACCESS_CODES = AccessCodes()
"""Everybody may queue runs, and nobody may touch those of others."""


def _same(given: str, code: str) -> bool:
    # How long this takes tells nothing about where they differ.
    texts = (text.encode("utf-8", "surrogatepass") for text in (given, code))
    return bool(code) and hmac.compare_digest(*texts)
