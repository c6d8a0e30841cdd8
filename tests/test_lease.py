"""The lease: only one server's workers are given runs; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from lrlab.runs.store import Store
from tests.store_runs import queue


def test_a_lease_can_only_be_taken_if_it_is_free_or_unchanged_since_it_was_read(
    store: Store,
) -> None:
    assert store.lease() is None
    assert not store.renew_lease("a")
    assert store.take_lease("a", None)
    assert not store.take_lease("b", None)
    read_earlier = store.lease()
    assert read_earlier.holder == "a"
    assert store.renew_lease("a")
    assert not store.take_lease("b", read_earlier)
    assert store.take_lease("b", store.lease())
    assert not store.renew_lease("a")
    store.release_lease("a")
    assert store.lease().holder == "b"
    store.release_lease("b")
    assert store.lease() is None


def test_of_several_servers_that_take_the_lease_at_once_one_gets_it(store: Store) -> None:
    names = [f"server {number}" for number in range(8)]
    with ThreadPoolExecutor(len(names)) as pool:
        successes = list(pool.map(lambda name: store.take_lease(name, None), names))
    assert sum(successes) == 1
    assert store.lease().holder == names[successes.index(True)]


def test_only_workers_of_the_server_with_the_lease_are_given_runs(store: Store) -> None:
    for server in ("a", "b"):
        store.register_worker(f"worker of {server}", server)
    queue(store)
    assert store.claim("worker of a") is None
    store.take_lease("a", None)
    assert store.claim("worker of b") is None
    assert store.claim("worker of a").worker == "worker of a"
    assert [record.server for record in store.workers()] == [None, "a", "b"]
