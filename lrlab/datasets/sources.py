"""Finds a valid copy of Fashion-MNIST.

Copies are tried in this order: the folder in ``LRLAB_DATA_DIR``, Keras's cache, the Debian and
Ubuntu package, Keras's download (into Keras's cache, and only on request), the sample bundled with
LR Lab. A damaged or incomplete copy is skipped with a warning in the result.

Importing this module loads neither TensorFlow, Keras nor scikit-learn, and `find_source` keeps no
images in memory, so pages can use it.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import urllib.request
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from http.client import HTTPException
from pathlib import Path

import numpy as np

from lrlab.datasets.dataset import FileSet, IdxFile
from lrlab.datasets.fashion_mnist import FULL_SET, SAMPLE_SET

DATA_VARIABLE = "LRLAB_DATA_DIR"
PACKAGE_FOLDER = Path("/usr/share/datasets/fashion-mnist")
SAMPLE_FOLDER = Path(__file__).parent / "sample"
DOWNLOAD_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""The address from which Keras 3.15 downloads the four files."""
DOWNLOAD_TIMEOUT = 10.0
"""Seconds without a response or without more data after which a download fails."""
FETCH_HINT = (
    "python -m lrlab data (needs the internet), or on Debian and Ubuntu: "
    "apt-get install dataset-fashion-mnist"
)
"""How to get the full dataset, for messages."""
CHUNK_BYTES = 1 << 20


class NoData(RuntimeError):
    """There is no valid copy of Fashion-MNIST; the message says what to do."""


@dataclass(frozen=True)
class DataSource:
    """The copy of Fashion-MNIST in use.

    Args:
        key: ``folder``, ``keras``, ``package`` or ``sample``.
        label: the display name.
        path: the folder that contains its four files.
        files: the descriptions of these files.
        warnings: why copies before this one were skipped, for people.
    """

    key: str
    label: str
    path: Path
    files: FileSet = FULL_SET
    warnings: tuple[str, ...] = ()

    @property
    def train_images(self) -> int:
        """Images in the training files, including those for validation."""
        return self.files.train_images.shape[0]

    @property
    def test_images(self) -> int:
        """Images in the test files."""
        return self.files.test_images.shape[0]

    @property
    def largest_train_size(self) -> int:
        """The largest possible training set, without the images for validation."""
        return self.files.largest_train_size

    @property
    def description(self) -> str:
        """One line for people: the copy and its size."""
        sizes = f"{self.train_images:,} training and {self.test_images:,} test images"
        return f"{self.label}: {sizes}"

    def read(self, file: IdxFile) -> np.ndarray:
        """Reads the array of a file: uint8, shape ``file.shape``.

        Raises:
            OSError, EOFError, zlib.error: the file has become unreadable since it was checked.
        """
        with gzip.open(self.path / file.name) as stream:
            return np.frombuffer(stream.read(), np.uint8, offset=file.header).reshape(file.shape)


def keras_folder() -> Path:
    """Keras 3.15's folder for Fashion-MNIST, in ``KERAS_HOME`` or else in the home folder."""
    home = Path("~").expanduser()
    base = home if os.access(home, os.W_OK) else Path("/tmp")
    keras_home = Path(os.environ.get("KERAS_HOME", base / ".keras")).expanduser()
    return keras_home / "datasets" / "fashion-mnist"


def find_source(download: bool = False) -> DataSource:
    """The first valid copy of Fashion-MNIST, in the order in the module's docstring.

    Args:
        download: download the full dataset to Keras's cache if there is no valid full copy. Pages
            do not use this.

    Raises:
        NoData: even the bundled sample is damaged, so the installation is broken.
    """
    keras = DataSource("keras", "Fashion-MNIST from Keras's cache", keras_folder())
    package = DataSource(
        "package", "Fashion-MNIST from the package dataset-fashion-mnist", PACKAGE_FOLDER
    )
    copies = [keras, package]
    folder = os.environ.get(DATA_VARIABLE, "").strip()
    if folder:
        label = f"Fashion-MNIST from the folder in {DATA_VARIABLE}"
        copies.insert(0, DataSource("folder", label, Path(folder).expanduser()))

    warnings: list[str] = []
    for copy in copies:
        problems = find_problems(copy.path, copy.files)
        if not problems:
            return replace(copy, warnings=tuple(warnings))
        if copy.key == "folder" or not _is_empty(copy.path):
            warnings.append(f"Not used: {copy.label} ({copy.path}). {' '.join(problems)}")
    if download:
        problem = _download(keras.path)
        if problem is None:
            return replace(keras, warnings=tuple(warnings))
        warnings.append(problem)

    problems = find_problems(SAMPLE_FOLDER, SAMPLE_SET)
    if problems:
        raise NoData(
            "There is no valid copy of Fashion-MNIST; even the bundled sample is damaged. "
            f"{' '.join(problems)} Install LR Lab again or get the full dataset: {FETCH_HINT}"
        )
    label = "Bundled sample of Fashion-MNIST"
    return DataSource("sample", label, SAMPLE_FOLDER, SAMPLE_SET, tuple(warnings))


def _is_empty(folder: Path) -> bool:
    """Whether there is nothing: a download that failed leaves an empty folder."""
    try:
        return not any(folder.iterdir())
    except FileNotFoundError:
        return True
    except OSError:
        return False


def find_problems(folder: Path, files: FileSet) -> list[str]:
    """The problems of a copy: one sentence for each missing or damaged file."""
    problems = (_find_problem(folder / file.name, file) for file in files.files)
    return [problem for problem in problems if problem]


def _find_problem(path: Path, file: IdxFile) -> str | None:
    try:
        status = path.stat()
        return _check_content(path, file, status.st_size, status.st_mtime_ns)
    except FileNotFoundError:
        return f"{file.name} is missing."
    except OSError as error:
        return f"{file.name} cannot be read: {error.strerror or error}."


@lru_cache(maxsize=32)
def _check_content(path: Path, file: IdxFile, packed_size: int, modified_ns: int) -> str | None:
    # packed_size and modified_ns are only cache keys, so that a changed file is checked again.
    # Pages check on every visit, and unpacking 47 MB takes a third of a second.
    size, digest = 0, hashlib.sha256()
    try:
        with gzip.open(path) as stream:
            while size <= file.size and (chunk := stream.read(CHUNK_BYTES)):
                size += len(chunk)
                digest.update(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return f"{file.name} is damaged: it is not a complete gzip file."
    if size != file.size:
        size_text = f"more than {file.size:,}" if size > file.size else f"{size:,}"
        return f"{file.name} is damaged: it has {size_text} bytes instead of {file.size:,}."
    if digest.hexdigest() != file.sha256:
        return f"{file.name} is damaged: its sha256 differs from that of the published data."
    return None


def _download(folder: Path) -> str | None:
    """Downloads the missing files to a folder and returns the error message if that fails.

    A file gets its final name only when it is complete and valid, so failed or simultaneous
    downloads leave no partial files.
    """
    for file in FULL_SET.files:
        path = folder / file.name
        if _find_problem(path, file) is None:
            continue
        part = path.with_name(f"{file.name}.{os.getpid()}.part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                url = DOWNLOAD_URL + file.name
                with (
                    urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT) as response,
                    part.open("wb") as target,
                ):
                    shutil.copyfileobj(response, target)
                problem = _find_problem(part, file)
                if problem:
                    return f"The download of Fashion-MNIST is not used. {problem}"
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        except (OSError, HTTPException) as error:
            return f"Fashion-MNIST could not be downloaded to {folder}: {error}"
    return None
