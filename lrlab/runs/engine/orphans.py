"""Finds and kills orphan workers: workers on this machine whose server has ended.

A worker normally ends together with its server. A stalled worker does not: it keeps its memory and
possibly a lock on the database. Only Linux reports enough about other processes to identify such a
worker with certainty; on other systems this module does nothing.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Collection
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from lrlab.runs.engine.worker_process import WORKER_ARGUMENTS
from lrlab.runs.settings import DATABASE_VARIABLE, Settings

PROCESSES = Path("/proc")

logger = logging.getLogger("lrlab.runs.engine")


def end_orphans(settings: Settings, spared: Collection[str] = ()) -> None:
    """Kill the workers of this store on this machine whose server has ended.

    Args:
        settings: identify the store.
        spared: names of workers to leave alone, because they may still end normally.
    """
    if sys.platform != "linux":
        return
    for process in PROCESSES.glob("[0-9]*"):
        # The process may have ended, or may belong to another user.
        with suppress(OSError):
            _end_if_orphan(process, settings, spared)


def _end_if_orphan(process: Path, settings: Settings, spared: Collection[str]) -> None:
    if WORKER_ARGUMENTS[1].encode() not in (process / "cmdline").read_bytes():
        return
    # The handle stays with this process even if its id is reused later.
    handle = os.pidfd_open(int(process.name))
    try:
        if _is_orphan(process, settings, spared):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            logger.warning("killed process %s, a worker whose server has ended", process.name)
    finally:
        os.close(handle)


def _is_orphan(process: Path, settings: Settings, spared: Collection[str]) -> bool:
    words = [os.fsdecode(word) for word in (process / "cmdline").read_bytes().split(b"\0")]
    options = dict(pairwise(words))
    name, server_pid = options.get("--name"), options.get("--server-pid")
    database = os.fsencode(f"{DATABASE_VARIABLE}={settings.database_url}")
    return (
        options.get(WORKER_ARGUMENTS[0]) == WORKER_ARGUMENTS[1]
        and name is not None
        and name not in spared
        # A process gets another parent when its parent ends. In another container the same ids
        # mean other processes.
        and server_pid is not None
        and server_pid != _parent_pid(process)
        and (process / "ns/pid").readlink() == (PROCESSES / "self/ns/pid").readlink()
        # A relative path in the URL means the same file only in the same folder.
        and database in (process / "environ").read_bytes().split(b"\0")
        and (process / "cwd").readlink() == Path.cwd()
    )


def _parent_pid(process: Path) -> str:
    """The process id of a process's parent."""
    # The command name, the field before it, is in parentheses and may contain any characters.
    return (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1]
