"""Checkpoint files: only complete, undamaged checkpoints are read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lrlab.training.checkpoint_files import (
    NEWEST,
    OLDER,
    Checkpoint,
    CheckpointFiles,
    remove_checkpoints,
    runs_with_checkpoints,
)

FINGERPRINT = {"plan": {"epochs": 3, "rate": 0.1}, "way": "fused"}


def files_in(folder: Path, run_id: int = 7) -> CheckpointFiles:
    return CheckpointFiles(folder, run_id, FINGERPRINT)


def checkpoint(epoch: int) -> Checkpoint:
    variables = (np.full((30, 20), epoch, np.float32), np.array(epoch * 10, np.int64))
    return Checkpoint(epoch, variables, {"best": float("inf"), "wait": epoch})


def write(folder: Path, *epochs: int) -> CheckpointFiles:
    files = files_in(folder)
    for epoch in epochs:
        files.write(checkpoint(epoch))
    return files


def assert_is_checkpoint(restored: Checkpoint | None, epoch: int) -> None:
    expected = checkpoint(epoch)
    assert restored is not None
    assert (restored.epoch, restored.callback) == (epoch, expected.callback)
    for restored_array, expected_array in zip(restored.variables, expected.variables, strict=True):
        assert restored_array.dtype == expected_array.dtype
        np.testing.assert_array_equal(restored_array, expected_array)


def test_the_newest_checkpoint_is_read_and_two_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "when needed"
    files = write(folder, 1, 2, 3)
    restored, problems = files.read()
    assert_is_checkpoint(restored, 3)
    assert problems == ()
    assert sorted(path.name for path in folder.iterdir()) == [f"7{NEWEST}", f"7{OLDER}"]
    (folder / f"7{NEWEST}").unlink()
    assert_is_checkpoint(files.read()[0], 2)


def test_without_files_there_is_no_checkpoint(tmp_path: Path) -> None:
    assert files_in(tmp_path / "nowhere").read() == (None, ())
    assert runs_with_checkpoints(tmp_path / "nowhere") == set()


def test_a_truncated_or_changed_file_is_skipped(tmp_path: Path) -> None:
    files = write(tmp_path, 1, 2)
    newest = tmp_path / f"7{NEWEST}"
    complete = newest.read_bytes()
    positions = [0, 1, 64, 65, 66, 100, 300, len(complete) // 2, len(complete) - 1]
    damaged = [complete[:position] for position in positions]
    damaged += [
        complete[:position] + bytes([complete[position] ^ 1]) + complete[position + 1 :]
        for position in positions
    ]
    for content in [*damaged, complete + b"\n"]:
        newest.write_bytes(content)
        restored, problems = files.read()
        assert_is_checkpoint(restored, 1)
        assert problems == ("its latest checkpoint is damaged",)


def test_two_damaged_files_give_no_checkpoint_and_two_messages(tmp_path: Path) -> None:
    files = write(tmp_path, 1, 2)
    for end in (NEWEST, OLDER):
        (tmp_path / f"7{end}").write_bytes(b"")
    assert files.read() == (
        None,
        ("its latest checkpoint is damaged", "its previous checkpoint is damaged"),
    )


@pytest.mark.parametrize("other", [{"way": "unfused"}, {"plan": {"epochs": 4, "rate": 0.1}}])
def test_a_checkpoint_of_another_training_is_skipped(
    tmp_path: Path, other: dict[str, object]
) -> None:
    write(tmp_path, 1)
    restored, problems = CheckpointFiles(tmp_path, 7, FINGERPRINT | other).read()
    assert restored is None
    assert problems == ("its latest checkpoint was written for other data, settings or versions",)


def test_a_file_that_cannot_be_read_is_skipped(tmp_path: Path) -> None:
    files = write(tmp_path, 1, 2)
    newest = tmp_path / f"7{NEWEST}"
    newest.unlink()
    newest.mkdir()
    restored, problems = files.read()
    assert_is_checkpoint(restored, 1)
    assert problems == ("its latest checkpoint cannot be read (Is a directory)",)


def test_each_run_has_its_own_files(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    files_in(tmp_path, 77).write(checkpoint(1))
    (tmp_path / "notes.txt").write_text("somebody's")
    assert runs_with_checkpoints(tmp_path) == {7, 77}
    remove_checkpoints(tmp_path, 7)
    remove_checkpoints(tmp_path, 7)
    assert runs_with_checkpoints(tmp_path) == {77}
    assert (tmp_path / "notes.txt").exists()


WRITER = """
import os, signal, sys
from pathlib import Path
from tests.test_checkpoint import checkpoint, files_in

folder, fatal = Path(sys.argv[1]), int(sys.argv[2])
seen = 0

def count(event, arguments):
    # Called before a file in the folder, or the folder itself, is opened, renamed or removed.
    global seen
    if event in ("open", "os.rename", "os.remove") and str(folder) in str(arguments[0]):
        seen += 1
        if seen == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
files_in(folder).write(checkpoint(3))
"""


def test_a_writer_killed_at_any_step_leaves_an_undamaged_checkpoint(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    epochs = []
    for fatal in range(1, 10):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(fatal)]
        process = subprocess.run(command, cwd=Path(__file__).parents[1], check=False)
        newest, problems = files_in(tmp_path).read()
        assert newest is not None
        assert problems == ()
        epochs.append(newest.epoch)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        write(tmp_path, 1, 2)
    # Killed before opening the file, before each rename, and before syncing the folder.
    assert epochs == [2, 2, 2, 3, 3]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_checkpoint_that_does_not_fit_leaves_the_existing_ones(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from tests.test_checkpoint import checkpoint, files_in\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "files_in(Path(sys.argv[1])).write(checkpoint(3))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[1],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "OSError: [Errno 27] File too large" in process.stderr
    assert_is_checkpoint(files_in(tmp_path).read()[0], 2)
    assert len(list(tmp_path.iterdir())) == 2
