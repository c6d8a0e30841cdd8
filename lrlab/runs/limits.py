"""The server's limits for visitors, and the access codes."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from lrlab.params import InvalidInput
from lrlab.recipes.plan import FULL_TRAIN_SIZE, RunPlan

MAX_NAME_LENGTH = 100
"""The most characters in the name of a run, group or owner."""


@dataclass(frozen=True)
class Limits:
    """How many runs may wait, and how large a run may be. All limits are inclusive.

    Args:
        max_waiting: runs or groups that one browser may have waiting; a whole group counts as one.
        max_queue: runs that may wait in total; each run of a group counts. It bounds how long the
            last of them waits. Browser identities can be forged, so against a script only this
            limit and the class code help.
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
        """Reject a run that is too large for this server.

        Raises:
            InvalidInput: the run is too large; the message says what is allowed.
        """
        for name in ("epochs", "batch_size", "train_size"):
            value, maximum = getattr(plan, name), getattr(self, f"max_{name}")
            if value > maximum:
                raise InvalidInput(
                    f"run: {name} = {value} is not allowed. On this server it must be at most "
                    f"{maximum}."
                )

    def check_group(self, runs: int) -> None:
        """Reject a group that is empty or too large.

        Args:
            runs: the number of runs in the group.

        Raises:
            InvalidInput: the number is not allowed; the message says what is allowed.
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
    """Secret codes that give people more rights. An empty code is not set; nobody can enter it.

    Args:
        instructor: whoever has it can stop and delete any run, clear the queue, and queue runs.
        classroom: if set, it or the instructor's code is needed to queue runs.
    """

    instructor: str = field(default="", repr=False)
    classroom: str = field(default="", repr=False)

    def is_instructor(self, code: str) -> bool:
        """Whether this is the instructor's code."""
        return _matches(code, self.instructor)

    def may_queue(self, code: str) -> bool:
        """Whether this code allows queueing runs."""
        return not self.classroom or _matches(code, self.classroom) or self.is_instructor(code)


NO_ACCESS_CODES = AccessCodes()
"""Anyone may queue runs; nobody may stop or delete other people's runs."""


def _matches(entered: str, code: str) -> bool:
    # Compared in constant time, so that the duration does not reveal where the texts differ.
    texts = (text.encode("utf-8", "surrogatepass") for text in (entered, code))
    return bool(code) and hmac.compare_digest(*texts)
