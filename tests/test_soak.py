"""Short forms of the soak's fault injection."""

from __future__ import annotations

from pathlib import Path

import pytest

from soak.damage import count_unseen
from soak.hostile import find_surprises
from soak.kills import kill_writers, problems_in, stall_writers
from soak.writes import Found, kill_at_changes


def test_a_killed_writer_loses_nothing_that_was_acknowledged(database_url: str) -> None:
    acknowledged, lost = kill_writers(database_url, times=12)
    assert acknowledged > 0
    assert lost == 0


def test_a_database_whose_writers_were_killed_and_stalled_is_sound(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    kill_writers(url, times=5, seed=2)
    assert stall_writers(url, times=5) == 0
    assert problems_in(url) == []


def test_a_stalled_writer_that_wakes_up_writes_nothing_to_a_run_that_moved_on(
    database_url: str,
) -> None:
    assert stall_writers(database_url, times=5, seed=3) == 0


def test_a_worker_killed_at_a_change_of_a_file_loses_nothing_and_the_next_makes_the_run_whole(
    database_url: str, tmp_path: Path
) -> None:
    try:
        found = kill_at_changes(database_url, tmp_path / "checkpoints", range(7, 10_000, 67))
    except PermissionError as error:
        pytest.skip(str(error))
    assert found.kills >= 2 and found.acknowledged >= 5
    assert found == Found(found.kills, found.acknowledged)


def test_made_up_input_meets_the_documented_error_or_none() -> None:
    surprises = find_surprises(inputs=1_500)
    assert {name: found for name, found in surprises.items() if found} == {}


def test_a_damaged_copy_of_the_images_is_found_out() -> None:
    assert count_unseen(times=15) == 0
