"""Copies of Fashion-MNIST that are cut short or have a byte changed are never used."""

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


def harm(path: Path, chance: random.Random) -> None:
    """Cut a file short, change a byte of it, or add one."""
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    kind = chance.choice(("cut", "change", "add"))
    if kind == "cut":
        content = content[:place]
    elif kind == "change":
        content[place] ^= chance.randint(1, 255)
    else:
        content.insert(place, chance.randrange(256))
    path.write_bytes(content)


def count_unseen(times: int, seed: int = 1) -> int:
    """Harm a copy of the bundled sample again and again.

    Returns:
        How often it was found sound although a file's content had become another.
    """
    chance = random.Random(seed)
    unseen = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(times):
            file = chance.choice(SAMPLE_SET.files)
            for each in SAMPLE_SET.files:
                shutil.copy(SAMPLE_FOLDER / each.name, folder / each.name)
            harm(folder / file.name, chance)
            os.utime(folder / file.name, ns=(chance.getrandbits(60), chance.getrandbits(60)))
            unseen += not find_problems(folder, SAMPLE_SET) and _differs(folder / file.name)
    return unseen


def _differs(path: Path) -> bool:
    """Whether the unpacked bytes differ: gzip's header has bytes that change nothing."""
    return gzip.decompress(path.read_bytes()) != gzip.decompress(
        (SAMPLE_FOLDER / path.name).read_bytes()
    )


def main() -> bool:
    """Harm copies; whether each was found out."""
    unseen = count_unseen(TIMES)
    return report(
        f"A copy of Fashion-MNIST, damaged {TIMES} times",
        [Figure("Damaged copies taken for sound ones", unseen, 0, "")],
    )
