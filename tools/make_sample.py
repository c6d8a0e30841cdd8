"""Makes the sample bundled in ``lrlab/training/sample`` from the full Fashion-MNIST.

The sample is the first 500 training and the first 100 test images of each class, in published
order, so making it again gives the same bytes. Run from the project's folder:

    python -m tools.make_sample
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import sys
from pathlib import Path

import numpy as np

from lrlab.datasets.dataset import IdxFile
from lrlab.datasets.fashion_mnist import FULL_SET, SAMPLE_SET
from lrlab.datasets.sources import FETCH_HINT, SAMPLE_FOLDER, DataSource, find_source

CLASSES = 10
UNSIGNED_BYTE = 0x08
"""Type code for unsigned bytes in an IDX header."""


def pick(labels: np.ndarray, count: int) -> np.ndarray:
    """Indices of the first ``count / CLASSES`` images of each class, in their published order."""
    first = [np.flatnonzero(labels == label)[: count // CLASSES] for label in range(CLASSES)]
    return np.sort(np.concatenate(first))


def idx_content(array: np.ndarray) -> bytes:
    """A uint8 array as the content of an IDX file: type and rank, dimensions, then the bytes."""
    header = struct.pack(f">HBB{array.ndim}I", 0, UNSIGNED_BYTE, array.ndim, *array.shape)
    return header + array.tobytes()


def sample_contents(full: DataSource) -> dict[IdxFile, bytes]:
    """The unpacked content of each of the sample's four files, taken from the full set."""
    contents = {}
    for images, labels, sample_images, sample_labels in (
        (
            FULL_SET.train_images,
            FULL_SET.train_labels,
            SAMPLE_SET.train_images,
            SAMPLE_SET.train_labels,
        ),
        (
            FULL_SET.test_images,
            FULL_SET.test_labels,
            SAMPLE_SET.test_images,
            SAMPLE_SET.test_labels,
        ),
    ):
        all_labels = full.read(labels)
        chosen = pick(all_labels, sample_labels.shape[0])
        contents[sample_images] = idx_content(full.read(images)[chosen])
        contents[sample_labels] = idx_content(all_labels[chosen])
    return contents


def make_sample(full: DataSource, folder: Path) -> None:
    """Writes the sample's four files to ``folder`` and prints each size and sha256."""
    for file, content in sample_contents(full).items():
        packed = gzip.compress(content, compresslevel=9, mtime=0)
        (folder / file.name).write_bytes(packed)
        print(f"{file.name}: {len(packed):,} bytes, content {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    source = find_source()
    if source.files is not FULL_SET:
        sys.exit(f"The sample is made from the full Fashion-MNIST, which is not here: {FETCH_HINT}")
    make_sample(source, SAMPLE_FOLDER)
