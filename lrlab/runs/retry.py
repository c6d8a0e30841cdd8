"""A store that cannot be used for a moment costs a run that moment and nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from lrlab.runs.store import StaleAttempt, StoreUnavailable, WriteRefused

RETRY_LIMIT_SECONDS = 15.0
"""How long a worker waits for its store. The engine is patient for a little longer, so that the
worker itself ends, and with it the run, for the reason that there is."""

RETRY_SECONDS = 0.5
"""The pause between two tries."""

Answer = TypeVar("Answer")

logger = logging.getLogger("lrlab.worker")


def retry_while_unavailable(
    call: Callable[[], Answer], seconds: float = RETRY_LIMIT_SECONDS
) -> Answer | None:
    """Do something with the store, and again for as long as the store cannot be used.

    Where the connection is lost while a write is committed, nobody knows what came of it. If it
    was kept, the store refuses to do it twice, and that is taken for its answer.

    Args:
        call: a read or one transaction.
        seconds: how long the store may be of no use.

    Returns:
        What the call returns; None for a write that turns out to be done already.

    Raises:
        StaleAttempt: the run has moved on.
        WriteRefused: the first try was refused.
        StoreUnavailable: the store could not be used for so long.
    """
    began = time.monotonic()
    tried = False
    while True:
        try:
            return call()
        except StaleAttempt:
            raise
        except WriteRefused:
            if not tried:
                raise
            return None
        except StoreUnavailable as error:
            if time.monotonic() - began > seconds:
                raise
            if not tried:
                logger.warning("waits for the run database: %s", error)
            tried = True
            time.sleep(RETRY_SECONDS)
