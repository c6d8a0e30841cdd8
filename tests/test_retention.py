"""Old runs are deleted: the oldest ended ones first, never a waiting or running one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from lrlab.runs.engine import Engine
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store, UnknownRun
from lrlab.training.measurements import Mistakes, Point, RunResult
from tests.engine_runs import wait_until
from tests.store_runs import PLAN, bring_to, claim, epoch, queue

PLENTY = 10**9
"""Bytes; more than the runs of any test need."""

NO_MISTAKES = Mistakes(*[np.empty(0)] * 4)


def finish_a_run(store: Store, content: int, points: int = 0) -> int:
    """Adds a finished run whose network takes ``content`` incompressible bytes."""
    run_id, attempt = bring_to(store, "running")
    store.record_points(
        run_id, attempt, [Point(step, 1.0, 0.1, 2.0, 3.0) for step in range(points)]
    )
    network = np.random.default_rng(run_id).bytes(content)
    store.record_result(run_id, attempt, RunResult(NO_MISTAKES, network))
    store.finish(run_id, attempt, "finished", "completed")
    return run_id


def bytes_used(url: str) -> int:
    """The bytes that the database actually uses for measurements."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            pages, size = (
                connection.scalar(text(f"pragma {name}")) for name in ("page_count", "page_size")
            )
            return pages * size
        tables = ("metrics", "artifacts")
        sizes = [text(f"select pg_total_relation_size('{table}')") for table in tables]
        return sum(connection.scalar(size) for size in sizes)


def test_beyond_the_maximum_number_the_oldest_ended_runs_and_their_data_are_deleted(
    store: Store,
) -> None:
    waiting = queue(store, owner="bob")
    claim(store)
    old, attempt = bring_to(store, "running")
    store.record_points(old, attempt, [Point(0, 2.3, 0.1)])
    store.record_epoch(old, attempt, epoch(1))
    store.finish(old, attempt, "finished", "completed")
    kept_runs = [bring_to(store, state)[0] for state in ("stopped", "failed")]
    queued = queue(store, owner="cleo")
    assert store.delete_old_runs(2, PLENTY) == 1
    assert {run.id for run in store.runs()} == {waiting, queued, *kept_runs}
    assert store.points(old) == store.epochs(old) == []
    assert store.delete_old_runs(2, PLENTY) == 0
    assert store.delete_old_runs(0, PLENTY) == 2
    assert {run.id for run in store.runs()} == {waiting, queued}


def test_beyond_the_maximum_size_the_oldest_ended_runs_are_deleted_and_running_ones_do_not_count(
    store: Store,
) -> None:
    ids = [finish_a_run(store, 100_000) for _ in range(3)]
    running, attempt = bring_to(store, "running")
    store.record_result(running, attempt, RunResult(NO_MISTAKES, bytes(500_000)))
    waiting = queue(store, owner="cleo")
    assert store.delete_old_runs(10, 350_000) == 0
    assert store.delete_old_runs(10, 250_000) == 1
    assert {run.id for run in store.runs()} == {running, waiting, *ids[1:]}
    assert store.keras_file(ids[0]) is None
    assert store.delete_old_runs(10, 50_000) == 2
    assert {run.id for run in store.runs()} == {running, waiting}


def test_the_size_of_a_run_is_about_the_growth_of_the_database(
    store: Store, database_url: str
) -> None:
    before = bytes_used(database_url)
    ids = [finish_a_run(store, 200_000, points=1_000) for _ in range(5)]
    total_size = sum(store.run(run_id).size for run_id in ids)
    assert total_size == pytest.approx(bytes_used(database_url) - before, rel=0.25)


def test_space_of_deleted_runs_is_reused(new_store: tuple[Store, str]) -> None:
    store, url = new_store
    store.register_worker("worker")
    finish_a_run(store, 200_000, points=400)
    finish_a_run(store, 200_000, points=400)
    full = bytes_used(url)
    for _ in range(5):
        assert store.delete_old_runs(1, PLENTY) == 1
        finish_a_run(store, 200_000, points=400)
    assert bytes_used(url) < full * 1.1


def test_a_group_is_deleted_with_the_last_of_its_runs(store: Store) -> None:
    group = store.queue_group({"1": PLAN, "2": PLAN}, owner="ada", name="two", kind="seeds")
    for _ in range(2):
        run_id, attempt = claim(store)
        store.finish(run_id, attempt, "finished", "completed")
    assert store.delete_old_runs(0, PLENTY, batch=1) == 1
    assert store.group(group).kind == "seeds"
    assert store.delete_old_runs(0, PLENTY, batch=1) == 1
    with pytest.raises(UnknownRun):
        store.group(group)


def test_as_many_owners_turns_are_remembered_as_runs_are_kept(store: Store) -> None:
    for owner in ("ada", "bob", "cleo"):
        queue(store, owner=owner)
        run_id, attempt = claim(store)
        store.finish(run_id, attempt, "finished", "completed")
    store.delete_old_runs(2, PLENTY)
    ids = {owner: queue(store, owner=owner) for owner in ("cleo", "bob", "ada")}
    started = []
    while (run := store.claim("worker")) is not None:
        started.append(run.id)
    assert started == [ids["ada"], ids["bob"], ids["cleo"]]


@pytest.mark.parametrize("limit", [{"keep_runs": 1}, {"keep_mb": 1}])
def test_the_engine_deletes_old_runs(new_store: tuple[Store, str], limit: dict[str, Any]) -> None:
    store, url = new_store
    store.register_worker("worker")
    ids = [finish_a_run(store, 600_000) for _ in range(3)]
    engine = Engine(store, Settings(database_url=url, python="no-such-python", **limit))
    engine.start()
    try:
        wait_until(lambda: [run.id for run in store.runs()] == ids[2:], "the oldest two were gone")
    finally:
        engine.stop()
