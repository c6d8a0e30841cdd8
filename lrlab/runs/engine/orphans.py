"""Workers that outlived their server: found among this machine's processes, and ended.

A worker ends with its server by itself, unless it is stalled; then it keeps its memory, and perhaps
the database locked, until somebody wakes it. Only Linux tells enough about other processes to be
sure that one is such a worker; elsewhere nothing is done.
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

from lrlab.runs.engine.worker_process import WORKER
from lrlab.runs.settings import DATABASE_VARIABLE, Settings

PROCESSES = Path("/proc")

logger = logging.getLogger("lrlab.runs.engine")


def end_orphans(settings: Settings, spared: Collection[str] = ()) -> None:
    """End this store's workers on this machine whose server has ended.

    Args:
        settings: name the store.
        spared: names of workers that may yet end by themselves.
    """
    if sys.platform != "linux":
        return
    for process in PROCESSES.glob("[0-9]*"):
        # A process that is gone, or somebody else's, is no matter.
        with suppress(OSError):
            _end_if_orphan(process, settings, spared)


def _end_if_orphan(process: Path, settings: Settings, spared: Collection[str]) -> None:
    if WORKER[1].encode() not in (process / "cmdline").read_bytes():
        return
    # The handle is of the process that is looked at now, whoever has its number later.
    handle = os.pidfd_open(int(process.name))
    try:
        if _is_orphan(process, settings, spared):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            logger.warning("ended process %s, a worker whose server is gone", process.name)
    finally:
        os.close(handle)


def _is_orphan(process: Path, settings: Settings, spared: Collection[str]) -> bool:
    words = [os.fsdecode(word) for word in (process / "cmdline").read_bytes().split(b"\0")]
    options = dict(pairwise(words))
    name, server = options.get("--name"), options.get("--parent")
    database = os.fsencode(f"{DATABASE_VARIABLE}={settings.database_url}")
    return (
        options.get(WORKER[0]) == WORKER[1]
        and name is not None
        and name not in spared
        # A process is its parent's until that ends. In another container numbers mean others.
        and server is not None
        and server != _parent(process)
        and (process / "ns/pid").readlink() == (PROCESSES / "self/ns/pid").readlink()
        # A relative path in the URL means the same file only in the same folder.
        and database in (process / "environ").read_bytes().split(b"\0")
        and (process / "cwd").readlink() == Path.cwd()
    )


def _parent(process: Path) -> str:
    """The number of a process's parent."""
    # The command's name before it stands in brackets and may hold anything.
    return (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1]
