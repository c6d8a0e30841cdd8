"""What keeps a worker's memory small. TensorFlow gives little of what it takes back."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

UNUSED = ("jax", "pandas", "scipy", "sklearn")
"""What Keras imports where it finds it, and no training uses: 130 MB, and JAX's 100."""

STATM = Path("/proc/self/statm")
MEGABYTE = 1 << 20


def block_unused_imports() -> None:
    """Makes imports of `UNUSED` fail in this process, which Keras is prepared for.

    For a process that does nothing but train, before it imports Keras.
    """
    sys.modules.update(dict.fromkeys(UNUSED))


def limit_memory(megabytes: int) -> None:
    """Makes the system refuse this process more memory of its own than this, where it can: one
    run cannot take what the others and the server need. TensorFlow aborts when it is refused.

    Args:
        megabytes: what it may ask for, whether used or not.
    """
    if sys.platform == "linux":
        import resource

        limit = megabytes * MEGABYTE
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def release_freed_memory() -> None:
    """Returns what was freed to the system; the C library by itself keeps most of it.

    Compiling a program frees some 80 MB of what it took, a run a few.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def private_megabytes() -> float:
    """The memory that this process takes for itself now, in MB; 0 where the system does not tell.

    TensorFlow's code, some 370 MB, is not in it: workers share it, and how much of it counts as
    theirs depends on what else has run.
    """
    try:
        resident, shared = map(int, STATM.read_text().split()[1:3])
    except FileNotFoundError:
        return 0.0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
