"""The lease: one server dispatches, and only its workers are given runs; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from lrlab.runs.store import Store
from tests.store_runs import queue


def test_a_lease_is_taken_from_nobody_or_from_whom_it_was_seen_to_run_out(store: Store) -> None:
    assert store.lease() is None
    assert not store.renew_lease("a")
    assert store.take_lease("a", None)
    assert not store.take_lease("b", None)
    seen = store.lease()
    assert seen.holder == "a"
    assert store.renew_lease("a")
    assert not store.take_lease("b", seen)
    assert store.take_lease("b", store.lease())
    assert not store.renew_lease("a")
    store.release_lease("a")
    assert store.lease().holder == "b"
    store.release_lease("b")
    assert store.lease() is None


def test_of_many_that_want_the_lease_at_once_one_has_it(store: Store) -> None:
    names = [f"server {number}" for number in range(8)]
    with ThreadPoolExecutor(len(names)) as pool:
        taken = list(pool.map(lambda name: store.take_lease(name, None), names))
    assert sum(taken) == 1
    assert store.lease().holder == names[taken.index(True)]


def test_only_workers_of_the_server_that_dispatches_are_given_runs(store: Store) -> None:
    for server in ("a", "b"):
        store.register_worker(f"worker of {server}", server)
    queue(store)
    assert store.claim("worker of a") is None
    store.take_lease("a", None)
    assert store.claim("worker of b") is None
    assert store.claim("worker of a").worker == "worker of a"
    assert [record.server for record in store.workers()] == [None, "a", "b"]
