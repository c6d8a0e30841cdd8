"""Looking at runs under way: what was measured is read once for all who look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from lrlab.runs.store import Store
from lrlab.training.measurements import Point
from lrlab.ui.app import polling
from lrlab.ui.app.polling import BETWEEN_TURNS, CROWDED, FEW_WATCHERS, is_crowded, may_rerun
from lrlab.ui.runs.run_cache import cached_run, run_now
from tests.store_runs import bring_to


@pytest.fixture
def watchers() -> Iterator[dict[str, float]]:
    """When each session last looked."""
    known = polling._watchers()
    known.clear()
    polling._turns.clear()
    yield known
    known.clear()


def between_two_looks(call: Callable[[], object]) -> object:
    """What a call gives that begins and ends between two looks of a class."""
    while True:
        look = int(time.monotonic() / CROWDED.progress)
        found = call()
        if int(time.monotonic() / CROWDED.progress) == look:
            return found


def look_at_a_run_that_goes_on(store: Store) -> tuple[int, int]:
    """Points seen before and after one more is measured."""
    run_id, attempt = bring_to(store, "running")
    store.record_points(run_id, attempt, [Point(0, 2.3, 0.1)])
    before = cached_run(store, store.run(run_id))
    store.record_points(run_id, attempt, [Point(1, 2.2, 0.1)])
    after = cached_run(store, store.run(run_id))
    store.finish(run_id, attempt, "finished", "completed")
    assert len(cached_run(store, store.run(run_id)).history.points) == 2
    return len(before.history.points), len(after.history.points)


def test_a_few_watchers_see_each_point_as_soon_as_they_look(
    store: Store, watchers: dict[str, float]
) -> None:
    watchers.update({f"session {i}": time.monotonic() for i in range(FEW_WATCHERS)})

    assert look_at_a_run_that_goes_on(store) == (1, 2)


def test_a_class_shares_what_was_read_since_the_last_look_and_sees_the_end_at_once(
    store: Store, watchers: dict[str, float]
) -> None:
    watchers.update({f"session {i}": time.monotonic() for i in range(FEW_WATCHERS + 1)})

    assert between_two_looks(lambda: look_at_a_run_that_goes_on(store)) == (1, 1)


def test_a_class_reads_a_run_once_a_look_and_a_few_read_it_each_time(
    store: Store, watchers: dict[str, float]
) -> None:
    run_id, attempt = bring_to(store, "running")

    def phases(phase: str) -> tuple[str, str]:
        before = run_now(store, run_id).phase
        store.record_phase(run_id, attempt, phase)
        return before, run_now(store, run_id).phase

    assert phases("compiling")[1] == "compiling"
    watchers.update({f"session {i}": time.monotonic() for i in range(FEW_WATCHERS + 1)})
    before, after = between_two_looks(lambda: phases("training"))
    assert before == after


def test_who_has_not_looked_for_long_is_no_watcher(watchers: dict[str, float]) -> None:
    now = time.monotonic()
    watchers.update({f"session {i}": now - 60 for i in range(30)})
    watchers["still here"] = now

    assert not is_crowded()
    assert set(watchers) == {"still here"}


def test_a_class_draws_its_pages_anew_one_after_the_other(watchers: dict[str, float]) -> None:
    watchers.update({f"session {i}": time.monotonic() for i in range(FEW_WATCHERS)})
    assert may_rerun()
    assert may_rerun()

    watchers["one more"] = time.monotonic()
    began = time.monotonic()
    assert may_rerun()
    while not may_rerun():
        continue
    assert time.monotonic() - began >= BETWEEN_TURNS
