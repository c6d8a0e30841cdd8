"""Watching runs in progress: measurements are read once for many watchers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from lrlab.runs.store import Store
from lrlab.training.measurements import Point
from lrlab.ui.app import polling
from lrlab.ui.app.polling import BETWEEN_TURNS, CROWDED, FEW_WATCHERS, is_crowded, may_rerun
from lrlab.ui.runs.run_cache import cached_run, current_run
from tests.store_runs import bring_to


@pytest.fixture
def watchers() -> Iterator[dict[str, float]]:
    """Session -> time of its last update, as the page server keeps it."""
    sessions = polling._watchers()
    sessions.clear()
    polling._turns.clear()
    yield sessions
    sessions.clear()


def within_one_interval(call: Callable[[], object]) -> object:
    """The result of a call that starts and ends within one update interval of a crowd."""
    while True:
        interval = int(time.monotonic() / CROWDED.progress)
        result = call()
        if int(time.monotonic() / CROWDED.progress) == interval:
            return result


def point_counts_around_a_new_point(store: Store) -> tuple[int, int]:
    """The number of points shown before and after another one is recorded."""
    run_id, attempt = bring_to(store, "running")
    store.record_points(run_id, attempt, [Point(0, 2.3, 0.1)])
    before = cached_run(store, store.run(run_id))
    store.record_points(run_id, attempt, [Point(1, 2.2, 0.1)])
    after = cached_run(store, store.run(run_id))
    store.finish(run_id, attempt, "finished", "completed")
    assert len(cached_run(store, store.run(run_id)).history.points) == 2
    return len(before.history.points), len(after.history.points)


def test_a_few_watchers_see_each_point_at_once(store: Store, watchers: dict[str, float]) -> None:
    watchers.update({f"session {i}": time.monotonic() for i in range(FEW_WATCHERS)})

    assert point_counts_around_a_new_point(store) == (1, 2)


def test_a_crowd_shares_one_read_per_interval_and_sees_the_end_at_once(
    store: Store, watchers: dict[str, float]
) -> None:
    watchers.update({f"session {i}": time.monotonic() for i in range(FEW_WATCHERS + 1)})

    assert within_one_interval(lambda: point_counts_around_a_new_point(store)) == (1, 1)


def test_a_crowd_reads_a_run_once_per_interval_and_a_few_watchers_each_time(
    store: Store, watchers: dict[str, float]
) -> None:
    run_id, attempt = bring_to(store, "running")

    def phases(phase: str) -> tuple[str, str]:
        before = current_run(store, run_id).phase
        store.record_phase(run_id, attempt, phase)
        return before, current_run(store, run_id).phase

    assert phases("compiling")[1] == "compiling"
    watchers.update({f"session {i}": time.monotonic() for i in range(FEW_WATCHERS + 1)})
    before, after = within_one_interval(lambda: phases("training"))
    assert before == after


def test_a_session_without_recent_updates_is_not_a_watcher(watchers: dict[str, float]) -> None:
    now = time.monotonic()
    watchers.update({f"session {i}": now - 60 for i in range(30)})
    watchers["still here"] = now

    assert not is_crowded()
    assert set(watchers) == {"still here"}


def test_a_crowds_pages_are_redrawn_one_after_the_other(watchers: dict[str, float]) -> None:
    watchers.update({f"session {i}": time.monotonic() for i in range(FEW_WATCHERS)})
    assert may_rerun()
    assert may_rerun()

    watchers["one more"] = time.monotonic()
    began = time.monotonic()
    assert may_rerun()
    while not may_rerun():
        continue
    assert time.monotonic() - began >= BETWEEN_TURNS
