"""Old runs make room: the oldest ended ones go first, never one that waits or is trained."""

from __future__ import annotations

import pytest

from lrlab.engine import Engine
from lrlab.settings import Settings
from lrlab.store import Store, UnknownRun
from lrlab.training.records import Point
from tests.engine_runs import wait_until
from tests.store_runs import PLAN, bring_to, claim, epoch, queue


def test_beyond_the_number_kept_the_oldest_ended_runs_go_with_what_they_measured(
    store: Store,
) -> None:
    waiting = queue(store, owner="bob")
    claim(store)
    old, attempt = bring_to(store, "running")
    store.record_points(old, attempt, [Point(0, 2.3, 0.1)])
    store.record_epoch(old, attempt, epoch(1))
    store.finish(old, attempt, "finished", "completed")
    kept = [bring_to(store, state)[0] for state in ("stopped", "failed")]
    queued = queue(store, owner="cleo")
    assert store.retire(keep=2) == 1
    assert {run.id for run in store.runs()} == {waiting, queued, *kept}
    assert store.points(old) == store.epochs(old) == []
    assert store.retire(keep=2) == 0
    assert store.retire(keep=0) == 2
    assert {run.id for run in store.runs()} == {waiting, queued}


def test_a_group_goes_with_the_last_of_its_runs_that_is_retired(store: Store) -> None:
    group = store.queue_group({"1": PLAN, "2": PLAN}, owner="ada", name="two", kind="seeds")
    for _ in range(2):
        run_id, attempt = claim(store)
        store.finish(run_id, attempt, "finished", "completed")
    assert store.retire(keep=0, batch=1) == 1
    assert store.group(group).kind == "seeds"
    assert store.retire(keep=0, batch=1) == 1
    with pytest.raises(UnknownRun):
        store.group(group)


def test_of_those_who_had_turns_as_many_are_remembered_as_runs_are_kept(store: Store) -> None:
    for owner in ("ada", "bob", "cleo"):
        queue(store, owner=owner)
        run_id, attempt = claim(store)
        store.finish(run_id, attempt, "finished", "completed")
    store.retire(keep=2)
    ids = {owner: queue(store, owner=owner) for owner in ("cleo", "bob", "ada")}
    begun = []
    while (run := store.claim("worker")) is not None:
        begun.append(run.id)
    assert begun == [ids["ada"], ids["bob"], ids["cleo"]]


def test_the_engine_retires_old_runs(new_store: tuple[Store, str]) -> None:
    store, url = new_store
    store.register_worker("worker")
    ids = [bring_to(store, "finished")[0] for _ in range(3)]
    engine = Engine(store, Settings(database_url=url, python="no-such-python", keep_runs=1))
    engine.start()
    try:
        wait_until(lambda: len(store.runs()) == 1, "the oldest two were gone")
        assert store.run(ids[-1]).state == "finished"
    finally:
        engine.stop()
