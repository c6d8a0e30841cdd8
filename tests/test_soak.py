"""Shorter versions of the fault injection in soak/."""

from __future__ import annotations

from pathlib import Path

import pytest

from soak.damage import count_undetected
from soak.hostile import find_undocumented_errors
from soak.kills import kill_writers, problems_in, stall_writers
from soak.writes import KillResults, kill_at_changes


def test_a_killed_writer_loses_nothing_that_was_acknowledged(database_url: str) -> None:
    acknowledged, lost = kill_writers(database_url, times=12)
    assert acknowledged > 0
    assert lost == 0


def test_killing_and_stalling_writers_leaves_the_database_intact(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    kill_writers(url, times=5, seed=2)
    assert stall_writers(url, times=5) == 0
    assert problems_in(url) == []


def test_a_stalled_writer_writes_nothing_after_its_attempt_ended(
    database_url: str,
) -> None:
    assert stall_writers(database_url, times=5, seed=3) == 0


def test_a_worker_killed_at_a_file_change_loses_nothing_and_the_next_completes_the_run(
    database_url: str, tmp_path: Path
) -> None:
    try:
        results = kill_at_changes(database_url, tmp_path / "checkpoints", range(7, 10_000, 67))
    except PermissionError as error:
        pytest.skip(str(error))
    assert results.kills >= 2 and results.acknowledged >= 5
    assert results == KillResults(results.kills, results.acknowledged)


def test_invalid_input_raises_only_documented_errors() -> None:
    errors = find_undocumented_errors(inputs=1_500)
    assert {name: messages for name, messages in errors.items() if messages} == {}


def test_a_damaged_copy_of_the_images_is_detected() -> None:
    assert count_undetected(times=15) == 0
