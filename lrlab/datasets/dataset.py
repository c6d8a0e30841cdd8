"""What a dataset is to LR Lab: images of classes, described as data."""

from __future__ import annotations

import math
from dataclasses import dataclass

VALIDATION_SHARE = 0.25
"""Share of the training files' images that is held back for validation, as in the notebook."""


@dataclass(frozen=True)
class IdxFile:
    """What is known of one gzip-compressed IDX file of unsigned bytes.

    Args:
        name: the file's name, the same in every copy.
        shape: the shape of the array in it.
        sha256: of the content, not of the gzip file: Keras's download and the Debian package hold
            the same bytes in differently packed files.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def header(self) -> int:
        """Bytes before the array: a magic number and each dimension, four bytes apiece."""
        return 4 + 4 * len(self.shape)

    @property
    def size(self) -> int:
        """Bytes of the whole content."""
        return self.header + math.prod(self.shape)


@dataclass(frozen=True)
class FileSet:
    """The four files that make up one copy."""

    train_images: IdxFile
    train_labels: IdxFile
    test_images: IdxFile
    test_labels: IdxFile

    @property
    def files(self) -> tuple[IdxFile, ...]:
        """All four, the small ones first, so that trouble shows early."""
        return (self.test_labels, self.train_labels, self.test_images, self.train_images)

    @property
    def largest_train_size(self) -> int:
        """The most images a run can train on: all but those held back for validation."""
        images = self.train_images.shape[0]
        return images - math.ceil(images * VALIDATION_SHARE)


@dataclass(frozen=True)
class Dataset:
    """A dataset that runs can train on.

    Args:
        key, label: its name in code and for people.
        image_shape: rows and columns of an image.
        class_names: what the images show, in the order of their labels.
        files: the complete set of files.
    """

    key: str
    label: str
    image_shape: tuple[int, int]
    class_names: tuple[str, ...]
    files: FileSet

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @property
    def train_size(self) -> int:
        """Training images of the complete set, without those held back for validation."""
        return self.files.largest_train_size
