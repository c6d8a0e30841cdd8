"""Retries while the run database is unavailable, so that a short outage only delays a run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from lrlab.runs.store import StaleAttempt, StoreUnavailable, WriteRefused

RETRY_LIMIT_SECONDS = 15.0
"""How long a worker waits for its store. This is a little shorter than the engine's timeout for
the worker's heartbeat, so the worker ends first and reports the real cause."""

RETRY_SECONDS = 0.5
"""The pause between two tries."""

Result = TypeVar("Result")

logger = logging.getLogger("lrlab.worker")


def retry_while_unavailable(
    call: Callable[[], Result], seconds: float = RETRY_LIMIT_SECONDS
) -> Result | None:
    """Call a function that uses the store, and retry while the store is unavailable.

    If the connection is lost during a commit, the write may or may not have succeeded. If it
    succeeded, the store refuses the retry; this function treats that as success.

    Args:
        call: a read or one transaction.
        seconds: how long to retry.

    Returns:
        What the call returns; None for a write that an earlier try had already done.

    Raises:
        StaleAttempt: the attempt has ended in the meantime.
        WriteRefused: the first try was refused.
        StoreUnavailable: the store was unavailable for longer than ``seconds``.
    """
    began = time.monotonic()
    retrying = False
    while True:
        try:
            return call()
        except StaleAttempt:
            raise
        except WriteRefused:
            if not retrying:
                raise
            return None
        except StoreUnavailable as error:
            if time.monotonic() - began > seconds:
                raise
            if not retrying:
                logger.warning("waiting for the run database: %s", error)
            retrying = True
            time.sleep(RETRY_SECONDS)
