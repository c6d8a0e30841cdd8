"""Which copy of Fashion-MNIST is used, and which images a run gets from it."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from keras.src.backend.config import keras_home
from sklearn.model_selection import train_test_split

from lrlab.datasets import sources
from lrlab.datasets.fashion_mnist import FULL_SET, SAMPLE_SET
from lrlab.datasets.sources import SAMPLE_FOLDER, DataSource, NoData, find_source
from lrlab.datasets.split import (
    load_images,
    mean_and_deviation,
    standardisation_table,
    stratified_order,
)
from lrlab.params import InvalidInput
from tools.make_sample import CLASSES, make_sample, sample_contents

SAMPLE = DataSource("sample", "Bundled sample of Fashion-MNIST", SAMPLE_FOLDER, SAMPLE_SET)
LABELS = FULL_SET.test_labels


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No copy of the full data and nothing to download; returns Keras's cache folder."""
    cache, empty = tmp_path / "keras", tmp_path / "empty"
    empty.mkdir()
    monkeypatch.delenv("LRLAB_DATA_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(cache))
    monkeypatch.setattr(sources, "PACKAGE_FOLDER", tmp_path / "package")
    monkeypatch.setattr(sources, "DOWNLOAD_URL", empty.as_uri() + "/")
    return cache / "datasets" / "fashion-mnist"


def link_copy(source: DataSource, folder: Path) -> Path:
    """Creates a folder with links to the source's files."""
    folder.mkdir(parents=True)
    for file in source.files.files:
        (folder / file.name).symlink_to(source.path / file.name)
    return folder


def test_an_empty_cache_folder_causes_no_warning(full_data: DataSource, bare_machine: Path) -> None:
    link_copy(full_data, sources.PACKAGE_FOLDER)
    bare_machine.mkdir(parents=True)
    assert find_source().warnings == ()
    (bare_machine / LABELS.name).write_bytes(b"cut short")
    assert "Not used: Fashion-MNIST from Keras's cache" in find_source().warnings[0]


def test_the_configured_folder_precedes_keras_cache_which_precedes_the_package(
    full_data: DataSource, bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link_copy(full_data, sources.PACKAGE_FOLDER)
    assert find_source().key == "package"
    link_copy(full_data, bare_machine)
    assert find_source().key == "keras"
    named = link_copy(full_data, tmp_path / "named")
    monkeypatch.setenv("LRLAB_DATA_DIR", str(named))
    source = find_source()
    assert (source.key, source.path, source.warnings) == ("folder", named, ())
    assert (source.train_images, source.test_images) == (60_000, 10_000)
    assert source.largest_train_size == 45_000


def test_the_cache_folder_is_the_one_keras_uses() -> None:
    assert sources.keras_folder() == Path(keras_home()) / "datasets" / "fashion-mnist"


def test_without_a_full_copy_the_sample_is_used(bare_machine: Path) -> None:
    source = find_source()
    assert source == SAMPLE
    assert source.description == (
        "Bundled sample of Fashion-MNIST: 5,000 training and 1,000 test images"
    )
    assert source.largest_train_size == 3_750


def damage_header(path: Path) -> None:
    path.write_bytes(b"<html>" + path.read_bytes())


def damage_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1_000])


def damage_value(path: Path) -> None:
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[100] ^= 1
    path.write_bytes(gzip.compress(content))


def damage_length(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))


def append_byte(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"\0"))


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (damage_header, "is damaged: it is not a complete gzip file."),
        (damage_end, "is damaged: it is not a complete gzip file."),
        (damage_value, "is damaged: its sha256 differs from that of the published data."),
        (damage_length, "is damaged: it has 10,007 bytes instead of 10,008."),
        (append_byte, "is damaged: it has more than 10,008 bytes instead of 10,008."),
        (Path.unlink, "is missing."),
    ],
)
def test_a_damaged_copy_is_reported_and_the_next_one_used(
    damage: object,
    problem: str,
    full_data: DataSource,
    bare_machine: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert callable(damage)
    named = link_copy(full_data, tmp_path / "named")
    labels = named / LABELS.name
    labels.unlink()
    labels.write_bytes((full_data.path / LABELS.name).read_bytes())
    damage(labels)
    link_copy(full_data, bare_machine)
    monkeypatch.setenv("LRLAB_DATA_DIR", str(named))
    source = find_source()
    assert source.key == "keras"
    (warning,) = source.warnings
    assert f"({named}). {LABELS.name} {problem}" in warning
    assert "LRLAB_DATA_DIR" in warning


def test_a_repaired_file_is_checked_again(full_data: DataSource, bare_machine: Path) -> None:
    link_copy(full_data, bare_machine)
    labels = bare_machine / LABELS.name
    labels.unlink()
    labels.write_bytes(b"not yet")
    assert find_source().key == "sample"
    labels.write_bytes((full_data.path / LABELS.name).read_bytes())
    assert find_source().key == "keras"


def test_the_same_content_compressed_differently_is_accepted(
    full_data: DataSource, bare_machine: Path
) -> None:
    link_copy(full_data, bare_machine)
    labels = bare_machine / LABELS.name
    content = gzip.decompress(labels.read_bytes())
    labels.unlink()
    labels.write_bytes(gzip.compress(content, compresslevel=1))
    assert find_source().key == "keras"


def test_a_configured_folder_that_does_not_exist_is_reported(
    bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRLAB_DATA_DIR", str(tmp_path / "nowhere"))
    (warning,) = find_source().warnings
    assert "LRLAB_DATA_DIR" in warning
    assert "nowhere" in warning
    assert "is missing" in warning


def test_a_download_is_stored_in_keras_cache(
    full_data: DataSource, bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "DOWNLOAD_URL", full_data.path.as_uri() + "/")
    source = find_source(download=True)
    assert (source.key, source.path) == ("keras", bare_machine)
    assert {path.name for path in bare_machine.iterdir()} == {file.name for file in FULL_SET.files}
    assert find_source() == source


def address_of(server: socket.socket) -> str:
    host, port = server.getsockname()
    return f"http://{host}:{port}/"


def test_nothing_is_downloaded_unless_requested(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        monkeypatch.setattr(sources, "DOWNLOAD_URL", address_of(server))
        assert find_source().key == "sample"
        with pytest.raises(BlockingIOError):
            server.accept()
    assert not bare_machine.exists()


def test_after_a_failed_download_the_sample_is_used_and_the_reason_reported(
    bare_machine: Path,
) -> None:
    source = find_source(download=True)
    assert source.key == "sample"
    (warning,) = source.warnings
    assert "could not be downloaded" in warning
    assert list(bare_machine.iterdir()) == []


def test_a_download_from_a_silent_server_times_out(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "DOWNLOAD_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(sources, "DOWNLOAD_URL", address_of(server))
        source = find_source(download=True)
    assert source.key == "sample"
    assert "timed out" in source.warnings[0]


def test_a_damaged_download_is_not_kept(
    bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty" / LABELS.name).write_bytes(b"<html>Please log in.</html>")
    source = find_source(download=True)
    assert source.key == "sample"
    assert "is damaged" in source.warnings[0]
    assert list(bare_machine.iterdir()) == []


def test_a_missing_sample_is_reported(
    bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "SAMPLE_FOLDER", tmp_path / "empty")
    with pytest.raises(NoData, match=r"is missing.*Install LR Lab again"):
        find_source()


def test_the_sample_is_small_and_balanced() -> None:
    assert sum(path.stat().st_size for path in SAMPLE_FOLDER.iterdir()) <= 3_000_000
    for file, each in ((SAMPLE_SET.train_labels, 500), (SAMPLE_SET.test_labels, 100)):
        assert np.bincount(SAMPLE.read(file)).tolist() == [each] * CLASSES


def test_the_sample_equals_the_output_of_its_script(full_data: DataSource, tmp_path: Path) -> None:
    make_sample(full_data, tmp_path)
    assert sources.find_problems(tmp_path, SAMPLE_SET) == []
    contents = sample_contents(full_data)
    for file in SAMPLE_SET.files:
        assert gzip.decompress((SAMPLE_FOLDER / file.name).read_bytes()) == contents[file]


def test_the_full_set_is_split_as_in_the_notebook(full_data: DataSource) -> None:
    images = load_images(full_data, 45_000)
    expected = train_test_split(
        full_data.read(FULL_SET.train_images), full_data.read(FULL_SET.train_labels), random_state=1
    )
    parts = (
        values[rows]
        for values in (images.images, images.labels)
        for rows in (images.train_rows, images.validation_rows)
    )
    for part, expected_part in zip(parts, expected, strict=True):
        assert part.dtype == np.uint8
        np.testing.assert_array_equal(part, expected_part)
    assert (len(images.train_rows), len(images.validation_rows)) == (45_000, 15_000)
    test_images = full_data.read(FULL_SET.test_images)
    np.testing.assert_array_equal(images.images[images.test_rows], test_images)


def test_a_smaller_training_set_is_the_start_of_a_larger_one_with_the_same_other_sets() -> None:
    small, large, full = (load_images(SAMPLE, size) for size in (200, 1_000, 3_750))
    np.testing.assert_array_equal(small.train_rows, large.train_rows[:200])
    np.testing.assert_array_equal(small.validation_rows, full.validation_rows)
    np.testing.assert_array_equal(small.test_rows, full.test_rows)


def test_every_prefix_of_the_shuffle_is_stratified() -> None:
    labels = np.random.default_rng(0).choice(4, size=1_000, p=[0.1, 0.2, 0.3, 0.4])
    order = stratified_order(labels)
    assert sorted(order) == list(range(1_000))
    shares = np.bincount(labels) / len(labels)
    for size in range(1, 1_001):
        counts = np.bincount(labels[order[:size]], minlength=4)
        assert np.all(np.abs(counts - size * shares) < 2)


def test_a_training_set_larger_than_the_source_is_refused_with_both_numbers() -> None:
    with pytest.raises(InvalidInput) as refusal:
        load_images(SAMPLE, 45_000)
    message = str(refusal.value)
    assert "train_size = 45000 is not allowed" in message
    assert "choose 3750 or fewer" in message
    assert "python -m lrlab data" in message


def test_the_table_standardises_exactly_as_the_notebook() -> None:
    images = load_images(SAMPLE, 3_750)
    pixels = images.images[images.train_rows]
    others = images.images[images.test_rows]
    pixels[:, 3, 4] = 7
    table = standardisation_table(*mean_and_deviation(pixels))
    mean, deviation = pixels.mean(axis=0), pixels.std(axis=0)
    deviation[deviation == 0] = 1
    expected = ((others - mean) / deviation).astype(np.float32)
    rows, columns = np.indices((28, 28))
    np.testing.assert_array_equal(table[rows, columns, others], expected)
    assert table[3, 4, 7] == 0
    assert table[3, 4, 9] == 2


def test_finding_the_source_loads_no_heavy_library() -> None:
    program = (
        "import sys; from lrlab.datasets.sources import find_source; find_source();"
        "print(sorted({'tensorflow', 'keras', 'sklearn', 'scipy'} & sys.modules.keys()))"
    )
    root = Path(__file__).parent.parent
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == "[]"
