"""Checkpoint files: whatever happens to one, what is read was written whole."""

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

BELONGS_TO = {"plan": {"epochs": 3, "rate": 0.1}, "way": "fused"}


def files_in(folder: Path, run_id: int = 7) -> CheckpointFiles:
    return CheckpointFiles(folder, run_id, BELONGS_TO)


def checkpoint(epoch: int) -> Checkpoint:
    variables = (np.full((30, 20), epoch, np.float32), np.array(epoch * 10, np.int64))
    return Checkpoint(epoch, variables, {"best": float("inf"), "wait": epoch})


def write(folder: Path, *epochs: int) -> CheckpointFiles:
    files = files_in(folder)
    for epoch in epochs:
        files.write(checkpoint(epoch))
    return files


def assert_is(found: Checkpoint | None, epoch: int) -> None:
    expected = checkpoint(epoch)
    assert found is not None
    assert (found.epoch, found.callback) == (epoch, expected.callback)
    for ours, theirs in zip(found.variables, expected.variables, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_the_last_one_written_is_read_and_two_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "when needed"
    files = write(folder, 1, 2, 3)
    found, passed_over = files.read()
    assert_is(found, 3)
    assert passed_over == ()
    assert sorted(path.name for path in folder.iterdir()) == [f"7{NEWEST}", f"7{OLDER}"]
    (folder / f"7{NEWEST}").unlink()
    assert_is(files.read()[0], 2)


def test_no_file_is_no_checkpoint(tmp_path: Path) -> None:
    assert files_in(tmp_path / "nowhere").read() == (None, ())
    assert runs_with_checkpoints(tmp_path / "nowhere") == set()


def test_a_file_cut_anywhere_or_with_any_byte_changed_is_passed_over(tmp_path: Path) -> None:
    files = write(tmp_path, 1, 2)
    newest = tmp_path / f"7{NEWEST}"
    whole = newest.read_bytes()
    places = [0, 1, 64, 65, 66, 100, 300, len(whole) // 2, len(whole) - 1]
    damaged = [whole[:place] for place in places]
    damaged += [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in places]
    for content in [*damaged, whole + b"\n"]:
        newest.write_bytes(content)
        found, passed_over = files.read()
        assert_is(found, 1)
        assert passed_over == ("its last checkpoint is damaged",)


def test_two_damaged_files_leave_none_and_say_so(tmp_path: Path) -> None:
    files = write(tmp_path, 1, 2)
    for end in (NEWEST, OLDER):
        (tmp_path / f"7{end}").write_bytes(b"")
    assert files.read() == (
        None,
        ("its last checkpoint is damaged", "its last but one checkpoint is damaged"),
    )


@pytest.mark.parametrize("other", [{"way": "unfused"}, {"plan": {"epochs": 4, "rate": 0.1}}])
def test_a_checkpoint_of_another_training_is_passed_over(
    tmp_path: Path, other: dict[str, object]
) -> None:
    write(tmp_path, 1)
    found, passed_over = CheckpointFiles(tmp_path, 7, BELONGS_TO | other).read()
    assert found is None
    assert passed_over == ("its last checkpoint was written for other data, settings or versions",)


def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    files = write(tmp_path, 1, 2)
    newest = tmp_path / f"7{NEWEST}"
    newest.unlink()
    newest.mkdir()
    found, passed_over = files.read()
    assert_is(found, 1)
    assert passed_over == ("its last checkpoint cannot be read (Is a directory)",)


def test_runs_have_files_of_their_own(tmp_path: Path) -> None:
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
    # Before a file in the folder, or the folder itself, is opened, renamed or removed.
    global seen
    if event in ("open", "os.rename", "os.remove") and str(folder) in str(arguments[0]):
        seen += 1
        if seen == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
files_in(folder).write(checkpoint(3))
"""


def test_a_writer_killed_at_any_of_its_steps_leaves_a_sound_checkpoint(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    found = []
    for fatal in range(1, 10):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(fatal)]
        done = subprocess.run(command, cwd=Path(__file__).parents[1], check=False)
        checkpoint_found, passed_over = files_in(tmp_path).read()
        assert checkpoint_found is not None
        assert passed_over == ()
        found.append(checkpoint_found.epoch)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        write(tmp_path, 1, 2)
    # Killed before it opened the file, before each renaming, and before the folder was synced.
    assert found == [2, 2, 2, 3, 3]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_checkpoint_that_does_not_fit_leaves_what_there_was(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from tests.test_checkpoint import checkpoint, files_in\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "files_in(Path(sys.argv[1])).write(checkpoint(3))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[1],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "OSError: [Errno 27] File too large" in done.stderr
    assert_is(files_in(tmp_path).read()[0], 2)
    assert len(list(tmp_path.iterdir())) == 2
