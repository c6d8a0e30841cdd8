"""Keeps a worker's memory small, because TensorFlow returns little of the memory it frees."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

UNUSED_PACKAGES = ("jax", "pandas", "scipy", "sklearn")
"""Packages that Keras imports if they are installed and that training does not use: 130 MB, and
another 100 MB for JAX."""

STATM = Path("/proc/self/statm")
MEGABYTE = 1 << 20


def block_unused_imports() -> None:
    """Makes imports of `UNUSED_PACKAGES` fail in this process; Keras handles that.

    Call it before Keras is imported, in a process that only trains.
    """
    for package in UNUSED_PACKAGES:
        # None blocks an import (see Python's import system); typeshed allows only modules.
        sys.modules[package] = None  # type: ignore[assignment]


def limit_memory(megabytes: int) -> None:
    """Limits this process's private memory on Linux, so that one run cannot take the memory of the
    other runs and the server. TensorFlow aborts when an allocation fails.

    Args:
        megabytes: the limit for allocated memory, used or not, in MB.
    """
    if sys.platform == "linux":
        import resource

        limit = megabytes * MEGABYTE
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def release_freed_memory() -> None:
    """Returns freed memory to the system; the C library would keep most of it.

    Compiling a program frees some 80 MB, a run a few MB.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def private_megabytes() -> float:
    """The private memory of this process in MB; 0 if the system does not report it.

    It excludes TensorFlow's code, some 370 MB, which workers share; how much of that is counted
    for one of them depends on the other processes.
    """
    try:
        resident, shared = map(int, STATM.read_text().split()[1:3])
    except FileNotFoundError:
        return 0.0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
