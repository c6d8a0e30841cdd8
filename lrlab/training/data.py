"""Fashion-MNIST: which copy is used, and whether it is sound.

The copies are looked for in this order: the folder named by ``LRLAB_DATA_DIR``, Keras's cache,
the Debian and Ubuntu package, Keras's download (into Keras's cache, and only when asked for), the
sample bundled with LR Lab. A copy that is damaged or incomplete is passed over, and the result
says so.

Importing this module loads neither TensorFlow, Keras nor scikit-learn, and `find_source` keeps no
image, so a page can ask it.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import shutil
import urllib.request
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from http.client import HTTPException
from pathlib import Path

import numpy as np

DATA_VARIABLE = "LRLAB_DATA_DIR"
PACKAGE_FOLDER = Path("/usr/share/datasets/fashion-mnist")
SAMPLE_FOLDER = Path(__file__).parent / "sample"
DOWNLOAD_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Where Keras 3.15 itself downloads the four files from."""
DOWNLOAD_TIMEOUT = 10.0
"""Seconds without an answer, or without the next bytes, after which a download is given up."""
FETCH_HINT = (
    "python -m lrlab data (needs the internet), or on Debian and Ubuntu: "
    "apt-get install dataset-fashion-mnist"
)
"""How to get the full set, for messages."""
VALIDATION_SHARE = 0.25
PIXELS = 28
CHUNK = 1 << 20


class NoData(RuntimeError):
    """There is no sound copy of Fashion-MNIST; the message says what to do."""


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


def _file_set(train: int, test: int, sha256: tuple[str, str, str, str]) -> FileSet:
    return FileSet(
        IdxFile("train-images-idx3-ubyte.gz", (train, PIXELS, PIXELS), sha256[0]),
        IdxFile("train-labels-idx1-ubyte.gz", (train,), sha256[1]),
        IdxFile("t10k-images-idx3-ubyte.gz", (test, PIXELS, PIXELS), sha256[2]),
        IdxFile("t10k-labels-idx1-ubyte.gz", (test,), sha256[3]),
    )


FULL_SET = _file_set(
    60_000,
    10_000,
    (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)
"""Fashion-MNIST as Zalando published it in August 2017."""

SAMPLE_SET = _file_set(
    5_000,
    1_000,
    (
        "444ed5f7ce17397f236f5eba17dd507d3f6912f04edd3e4f1701cdf82f2cc0c5",
        "35d691216f65485d010cc635af5574a9dc04aa5060de9be64ab6e5cb5ead38e9",
        "7cee33c3c6414b1b86c25e665a6c4f41584269de3b7cc9768b1d351922845eef",
        "3128d790775889812b73c4f13923559c8b9e281d112c6ea7862acf60a206a909",
    ),
)
"""The bundled sample, as ``tools/make_sample.py`` makes it."""


@dataclass(frozen=True)
class DataSource:
    """The copy of Fashion-MNIST in use.

    Args:
        key: ``folder``, ``keras``, ``package`` or ``sample``.
        label: which copy it is, for people.
        path: the folder that holds its four files.
        files: what is known of them.
        warnings: for people: why copies that come before this one were passed over.
    """

    key: str
    label: str
    path: Path
    files: FileSet = FULL_SET
    warnings: tuple[str, ...] = ()

    @property
    def train_images(self) -> int:
        """Images in the training files, before the validation part is split off."""
        return self.files.train_images.shape[0]

    @property
    def test_images(self) -> int:
        """Images in the test files."""
        return self.files.test_images.shape[0]

    @property
    def largest_train_size(self) -> int:
        """The most images a run can train on: what the split leaves beside validation."""
        return self.train_images - math.ceil(self.train_images * VALIDATION_SHARE)

    @property
    def description(self) -> str:
        """One line for people: which copy this is and how much it holds."""
        sizes = f"{self.train_images:,} training and {self.test_images:,} test images"
        return f"{self.label}: {sizes}"

    def read(self, file: IdxFile) -> np.ndarray:
        """One file's array: uint8, of ``file.shape``.

        Raises:
            OSError, EOFError, zlib.error: the file cannot be read any more.
        """
        with gzip.open(self.path / file.name) as stream:
            return np.frombuffer(stream.read(), np.uint8, offset=file.header).reshape(file.shape)


def keras_folder() -> Path:
    """Where Keras 3.15 keeps Fashion-MNIST: below ``KERAS_HOME``, else below the home folder."""
    home = Path("~").expanduser()
    base = home if os.access(home, os.W_OK) else Path("/tmp")
    keras_home = Path(os.environ.get("KERAS_HOME", base / ".keras")).expanduser()
    return keras_home / "datasets" / "fashion-mnist"


def find_source(download: bool = False) -> DataSource:
    """The first sound copy of Fashion-MNIST, in the order the module's docstring gives.

    Args:
        download: fetch the full set into Keras's cache when no full copy is sound. A page leaves
            this off.

    Raises:
        NoData: not even the bundled sample is sound: the installation is broken.
    """
    keras = DataSource("keras", "Fashion-MNIST from Keras's cache", keras_folder())
    package = DataSource(
        "package", "Fashion-MNIST from the package dataset-fashion-mnist", PACKAGE_FOLDER
    )
    copies = [keras, package]
    named = os.environ.get(DATA_VARIABLE, "").strip()
    if named:
        label = f"Fashion-MNIST from the folder in {DATA_VARIABLE}"
        copies.insert(0, DataSource("folder", label, Path(named).expanduser()))

    warnings: list[str] = []
    for copy in copies:
        problems = find_problems(copy.path, copy.files)
        if not problems:
            return replace(copy, warnings=tuple(warnings))
        if copy.key == "folder" or copy.path.is_dir():
            warnings.append(f"Not used: {copy.label} ({copy.path}). {' '.join(problems)}")
    if download:
        failure = _download(keras.path)
        if failure is None:
            return replace(keras, warnings=tuple(warnings))
        warnings.append(failure)

    problems = find_problems(SAMPLE_FOLDER, SAMPLE_SET)
    if problems:
        raise NoData(
            "There is no sound copy of Fashion-MNIST, not even the bundled sample. "
            f"{' '.join(problems)} Install LR Lab again, or get the full set: {FETCH_HINT}"
        )
    label = "Bundled sample of Fashion-MNIST"
    return DataSource("sample", label, SAMPLE_FOLDER, SAMPLE_SET, tuple(warnings))


def find_problems(folder: Path, files: FileSet) -> list[str]:
    """What is wrong with a copy: a sentence for each missing or damaged file, in plain words."""
    found = (_find_problem(folder / file.name, file) for file in files.files)
    return [problem for problem in found if problem]


def _find_problem(path: Path, file: IdxFile) -> str | None:
    try:
        state = path.stat()
        return _check_content(path, file, state.st_size, state.st_mtime_ns)
    except FileNotFoundError:
        return f"{file.name} is missing."
    except OSError as error:
        return f"{file.name} cannot be read: {error.strerror or error}."


@lru_cache(maxsize=32)
def _check_content(path: Path, file: IdxFile, packed_size: int, changed: int) -> str | None:
    # The packed size and the time of the last change are there for the cache: a page asks on
    # every visit, and unpacking 47 MB takes a third of a second.
    size, digest = 0, hashlib.sha256()
    try:
        with gzip.open(path) as stream:
            while size <= file.size and (chunk := stream.read(CHUNK)):
                size += len(chunk)
                digest.update(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return f"{file.name} is damaged: it is not a complete gzip file."
    if size != file.size:
        held = f"more than {file.size:,}" if size > file.size else f"{size:,}"
        return f"{file.name} is damaged: it holds {held} bytes where {file.size:,} belong."
    if digest.hexdigest() != file.sha256:
        return f"{file.name} is damaged: its sha256 is not that of the published data."
    return None


def _download(folder: Path) -> str | None:
    """Fetches what the folder lacks; says why when that fails.

    Each file gets its name only when it is complete and sound, so a broken download, or two at
    once, leave nothing half done.
    """
    for file in FULL_SET.files:
        path = folder / file.name
        if _find_problem(path, file) is None:
            continue
        part = path.with_name(f"{file.name}.{os.getpid()}.part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                address = DOWNLOAD_URL + file.name
                with (
                    urllib.request.urlopen(address, timeout=DOWNLOAD_TIMEOUT) as answer,
                    part.open("wb") as target,
                ):
                    shutil.copyfileobj(answer, target)
                problem = _find_problem(part, file)
                if problem:
                    return f"The download of Fashion-MNIST is not used. {problem}"
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        except (OSError, HTTPException) as error:
            return f"Fashion-MNIST could not be downloaded to {folder}: {error}"
    return None
