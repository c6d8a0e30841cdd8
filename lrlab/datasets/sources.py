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
"""Where Keras 3.15 itself downloads the four files from."""
DOWNLOAD_TIMEOUT = 10.0
"""Seconds without an answer, or without the next bytes, after which a download is given up."""
FETCH_HINT = (
    "python -m lrlab data (needs the internet), or on Debian and Ubuntu: "
    "apt-get install dataset-fashion-mnist"
)
"""How to get the full set, for messages."""
CHUNK = 1 << 20


class NoData(RuntimeError):
    """There is no sound copy of Fashion-MNIST; the message says what to do."""


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
        return self.files.largest_train_size

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
