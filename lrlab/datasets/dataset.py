"""The description of an image classification dataset and its files."""

from __future__ import annotations

import math
from dataclasses import dataclass

VALIDATION_SHARE = 0.25
"""Share of the images in the training files that is used for validation, as in the notebook."""


@dataclass(frozen=True)
class IdxFile:
    """The description of a gzip-compressed IDX file of unsigned bytes.

    Args:
        name: the file's name, the same in every copy.
        shape: the shape of the array in it.
        sha256: the checksum of the uncompressed content. The gzip files of Keras's download and
            of the Debian package differ, but their content is the same.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def header(self) -> int:
        """Bytes before the array: four for a magic number and four for each dimension."""
        return 4 + 4 * len(self.shape)

    @property
    def size(self) -> int:
        """Bytes of the uncompressed content."""
        return self.header + math.prod(self.shape)


@dataclass(frozen=True)
class FileSet:
    """The four files of a copy."""

    train_images: IdxFile
    train_labels: IdxFile
    test_images: IdxFile
    test_labels: IdxFile

    @property
    def files(self) -> tuple[IdxFile, ...]:
        """All four files, the small ones first, so that checks find damage early."""
        return (self.test_labels, self.train_labels, self.test_images, self.train_images)

    @property
    def largest_train_size(self) -> int:
        """The largest possible training set: all training images except those for validation."""
        images = self.train_images.shape[0]
        return images - math.ceil(images * VALIDATION_SHARE)


@dataclass(frozen=True)
class Dataset:
    """A dataset that runs can train on.

    Args:
        image_shape: rows and columns of an image.
        class_names: the names of the classes, in the order of their labels.
        files: the files of the full dataset.
    """

    image_shape: tuple[int, int]
    class_names: tuple[str, ...]
    files: FileSet

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    @property
    def train_size(self) -> int:
        """Training images of the full dataset, without those for validation."""
        return self.files.largest_train_size
