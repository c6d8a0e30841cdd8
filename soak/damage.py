"""Copies of Fashion-MNIST that are truncated or altered are never used."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import tempfile
from pathlib import Path

from bench.report import Figure, report
from lrlab.datasets.fashion_mnist import SAMPLE_SET
from lrlab.datasets.sources import SAMPLE_FOLDER, find_problems

TIMES = 300


def damage(path: Path, rng: random.Random) -> None:
    """Truncates a file, changes one byte, or inserts one."""
    content = bytearray(path.read_bytes())
    position = rng.randrange(len(content))
    kind = rng.choice(("cut", "change", "add"))
    if kind == "cut":
        content = content[:position]
    elif kind == "change":
        content[position] ^= rng.randint(1, 255)
    else:
        content.insert(position, rng.randrange(256))
    path.write_bytes(content)


def count_undetected(times: int, seed: int = 1) -> int:
    """Damages copies of the bundled sample.

    Args:
        times: number of damaged copies.
        seed: seed of the random damage.

    Returns:
        How often no problem was found although the content of a file had changed.
    """
    rng = random.Random(seed)
    undetected = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(times):
            file = rng.choice(SAMPLE_SET.files)
            for each in SAMPLE_SET.files:
                shutil.copy(SAMPLE_FOLDER / each.name, folder / each.name)
            damage(folder / file.name, rng)
            os.utime(folder / file.name, ns=(rng.getrandbits(60), rng.getrandbits(60)))
            undetected += not find_problems(folder, SAMPLE_SET) and _differs(folder / file.name)
    return undetected


def _differs(path: Path) -> bool:
    """Whether the unpacked bytes differ; some bytes of a gzip header do not affect the content."""
    return gzip.decompress(path.read_bytes()) != gzip.decompress(
        (SAMPLE_FOLDER / path.name).read_bytes()
    )


def main() -> bool:
    """Damages copies; returns whether each damaged copy was detected."""
    undetected = count_undetected(TIMES)
    return report(
        f"A copy of Fashion-MNIST, damaged {TIMES} times",
        [Figure("Damaged copies not detected", undetected, 0, "")],
    )
