"""The queue: order of runs, limits, and codes; on both databases."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlab.params import InvalidInput
from lrlab.runs.limits import AccessCodes, Limits
from lrlab.runs.store import NotAllowed, QueueFull, QueuePosition, Store
from lrlab.runs.store.queue import round_robin
from tests.store_runs import PLAN, bring_to, claim, queue

SEEDS = {f"seed {seed}": replace(PLAN, seed=seed) for seed in (1, 2, 3)}


def start_and_finish_all(store: Store) -> list[int]:
    """Starts and finishes all queued runs one after the other; returns their order."""
    order = []
    while (run := store.claim("worker")) is not None:
        order.append(run.id)
        store.finish(run.id, run.attempt, "finished", "completed")
    return order


# Order of runs


def test_an_owners_oldest_run_is_started_first(store: Store) -> None:
    first, second = queue(store), queue(store)
    assert start_and_finish_all(store) == [first, second]


def test_owners_take_turns_and_the_longest_wait_since_the_last_run_is_next(store: Store) -> None:
    a = [queue(store, owner="ada"), queue(store, owner="ada")]
    b = [queue(store, owner="bob"), queue(store, owner="bob")]
    assert claim(store)[0] == a[0]
    store.finish(a[0], 1, "finished", "completed")
    c = queue(store, owner="cleo")
    assert start_and_finish_all(store) == [b[0], c, a[1], b[1]]


def test_a_group_takes_one_turn_at_a_time(store: Store) -> None:
    group = store.queue_group(SEEDS, owner="ada", name="three", kind="seeds")
    seeds = sorted(run.id for run in store.runs(group=group))
    others = [queue(store, owner="bob"), queue(store, owner="bob")]
    assert start_and_finish_all(store) == [seeds[0], others[0], seeds[1], others[1], seeds[2]]


def test_an_owner_never_has_two_runs_in_progress(store: Store) -> None:
    first, second = queue(store), queue(store)
    assert claim(store)[0] == first
    assert store.claim("worker") is None
    store.finish(first, 1, "finished", "completed")
    assert claim(store)[0] == second


def test_deleting_runs_does_not_change_the_order(store: Store) -> None:
    first = queue(store, owner="ada")
    assert claim(store)[0] == first
    store.finish(first, 1, "finished", "completed")
    store.delete(first, by="ada")
    second, others = queue(store, owner="ada"), queue(store, owner="bob")
    assert start_and_finish_all(store) == [others, second]


OWNERS = st.sampled_from("abcde")


@given(st.lists(OWNERS, max_size=30), st.dictionaries(OWNERS, st.integers(1, 9)))
def test_between_two_runs_of_an_owner_every_other_waiting_owner_has_one(
    owners: list[str], turns: dict[str, int]
) -> None:
    waiting = list(enumerate(owners))
    order = round_robin(waiting, turns)
    assert sorted(order) == [number for number, _ in waiting]
    started_owners = [owners[number] for number in order]
    for owner in set(owners):
        assert [n for n in order if owners[n] == owner] == [n for n, o in waiting if o == owner]
        positions = [position for position, other in enumerate(started_owners) if other == owner]
        for before, after in itertools.pairwise(positions):
            still_waiting = set(started_owners[after:]) - {owner}
            assert still_waiting <= set(started_owners[before:after])
    firsts = list(dict.fromkeys(started_owners))
    assert [turns.get(owner, 0) for owner in firsts] == sorted(turns.get(o, 0) for o in firsts)


# Limits


def test_an_owner_may_have_two_waiting_runs_in_addition_to_the_running_one(store: Store) -> None:
    for _ in range(2):
        queue(store)
    with pytest.raises(QueueFull, match="You have 2 runs or groups waiting"):
        queue(store)
    queue(store, owner="bob")
    claim(store)
    queue(store)
    with pytest.raises(QueueFull):
        queue(store, owner=" ada ")


def test_a_waiting_group_counts_as_one(store: Store) -> None:
    store.queue_group(SEEDS, owner="ada", name="three", kind="seeds")
    queue(store)
    for add in (
        lambda: queue(store),
        lambda: store.queue_group(SEEDS, owner="ada", name="more", kind="seeds"),
    ):
        with pytest.raises(QueueFull, match="You have 2 runs or groups waiting"):
            add()
    assert len(store.runs()) == 4


def test_the_queue_limit_counts_runs_and_a_group_is_queued_entirely_or_not_at_all(
    database_url: str,
) -> None:
    store = Store(database_url, Limits(max_queue=5))
    store.queue_group(SEEDS, owner="ada", name="three", kind="seeds")
    with pytest.raises(QueueFull, match=r"3 runs are waiting and the queue holds 5.* 2 more"):
        store.queue_group(SEEDS, owner="bob", name="three", kind="seeds")
    queue(store, owner="bob")
    queue(store, owner="cleo")
    with pytest.raises(QueueFull, match="room for no more"):
        queue(store, owner="dora")
    assert len(store.runs()) == 5
    store.close()


@pytest.mark.parametrize(
    ("name", "setting"),
    [("epochs", "max_epochs"), ("batch_size", "max_batch_size"), ("train_size", "max_train_size")],
)
def test_a_run_larger_than_this_server_allows_is_refused(
    database_url: str, name: str, setting: str
) -> None:
    store = Store(database_url, Limits(**{setting: 50}))
    small = replace(PLAN, epochs=1, batch_size=1, train_size=10)
    store.queue(replace(small, **{name: 50}), owner="ada", name="fits")
    large = replace(small, **{name: 51})
    with pytest.raises(InvalidInput, match=f"{name} = 51 is not allowed.* at most 50"):
        store.queue(large, owner="ada", name="too large")
    with pytest.raises(InvalidInput, match=f"{name} = 51"):
        store.queue_group({"fits": small, "not": large}, owner="ada", name="two", kind="sweep")
    assert len(store.runs()) == 1
    store.close()


def test_a_group_with_too_many_runs_is_refused(database_url: str) -> None:
    store = Store(database_url, Limits(max_group=2))
    with pytest.raises(InvalidInput, match=r"group of 3 runs is not allowed.* at most 2"):
        store.queue_group(SEEDS, owner="ada", name="three", kind="seeds")
    store.close()


# Codes


@pytest.fixture
def store_with_codes(database_url: str) -> Store:
    opened = Store(database_url, codes=AccessCodes(instructor="chalk dust", classroom="room 12"))
    opened.register_worker("worker")
    yield opened
    opened.close()


def test_without_the_class_code_nothing_is_queued(store_with_codes: Store) -> None:
    for code in ("", "room 1", "room 123", "ROOM 12", "\ud800"):
        with pytest.raises(NotAllowed, match="class code") as refused:
            store_with_codes.queue(PLAN, owner="ada", name="a run", code=code)
        with pytest.raises(NotAllowed):
            store_with_codes.queue_group(SEEDS, owner="ada", name="three", kind="seeds", code=code)
        assert "room 12" not in str(refused.value)
    store_with_codes.queue(PLAN, owner="ada", name="a run", code="room 12")
    store_with_codes.queue(PLAN, owner="bob", name="a run", code="chalk dust")


def test_only_the_owner_or_the_instructor_can_stop_and_delete_a_run(
    store_with_codes: Store,
) -> None:
    run_id = store_with_codes.queue(PLAN, owner="ada", name="a run", code="room 12")
    for code in ("", "room 12", "chalk"):
        with pytest.raises(NotAllowed, match=f"Run {run_id} belongs to another browser"):
            store_with_codes.request_stop(run_id, by="bob", code=code)
        with pytest.raises(NotAllowed, match=f"Run {run_id} belongs to another browser"):
            store_with_codes.delete(run_id, by="bob", code=code)
    assert store_with_codes.run(run_id).state == "queued"
    store_with_codes.request_stop(run_id, by="bob", code="chalk dust")
    assert (
        store_with_codes.run(run_id).reason == "stopped before it began; the instructor stopped it"
    )
    store_with_codes.delete(run_id, by="bob", code="chalk dust")
    assert store_with_codes.runs() == []


def test_a_run_stopped_by_the_instructor_says_so(store_with_codes: Store) -> None:
    run_id = store_with_codes.queue(PLAN, owner="ada", name="a run", code="room 12")
    _, attempt = claim(store_with_codes)
    store_with_codes.request_stop(run_id, by="bob", code="chalk dust")
    store_with_codes.request_stop(run_id, by="ada")
    store_with_codes.finish(run_id, attempt, "stopped", "stopped at step 5")
    assert store_with_codes.run(run_id).reason == "stopped at step 5; the instructor stopped it"


def test_the_instructor_can_clear_the_queue_except_running_runs(store_with_codes: Store) -> None:
    ids = [
        store_with_codes.queue(PLAN, owner=owner, name="a run", code="room 12")
        for owner in ("ada", "ada", "bob")
    ]
    claim(store_with_codes)
    for code in ("", "room 12"):
        with pytest.raises(NotAllowed, match="instructor code"):
            store_with_codes.clear_queue(code)
    assert store_with_codes.clear_queue("chalk dust") == 2
    assert [store_with_codes.run(run_id).state for run_id in ids] == [
        "running",
        "stopped",
        "stopped",
    ]
    assert store_with_codes.run(ids[2]).reason == (
        "stopped before it began; the instructor cleared the queue"
    )
    assert store_with_codes.clear_queue("chalk dust") == 0


def test_without_an_instructor_code_nobody_is_the_instructor(store: Store) -> None:
    run_id = queue(store)
    with pytest.raises(NotAllowed):
        store.delete(run_id, by="bob", code="")
    with pytest.raises(NotAllowed):
        store.clear_queue("")


# Positions


def test_waiting_runs_have_a_position_and_no_estimate_without_measurements(store: Store) -> None:
    ids = [queue(store, owner=owner) for owner in ("ada", "ada", "bob")]
    assert [store.queue_position(run_id).position for run_id in ids] == [1, 3, 2]
    assert store.queue_position(ids[0]) == QueuePosition(1, 0)
    assert store.queue_position(ids[1]).seconds is None
    claim(store)
    assert store.queue_position(ids[0]) is None
    assert store.queue_position(ids[2]).position == 1


def test_the_wait_is_estimated_from_similar_completed_runs(store: Store) -> None:
    store.heartbeat("worker", ready=True)
    run_id, attempt = bring_to(store, "running")
    store.finish(run_id, attempt, "finished", "completed", 0.4, 0.8)
    duration = store.run(run_id).ended - store.run(run_id).started
    mine = [queue(store, owner="ada"), queue(store, owner="ada")]
    other = store.queue(replace(PLAN, batch_size=1024), owner="bob", name="unlike")
    assert store.queue_position(mine[0]) == QueuePosition(2, None)
    store.request_stop(other, by="bob")
    assert store.queue_position(mine[1]).seconds == pytest.approx(duration)


def test_a_run_that_takes_too_long_is_stopped_with_the_reason(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    store.stop_overdue(3600, "a run may take 60 minutes")
    assert not store.stop_requested(run_id, attempt)
    store.stop_overdue(-1, "a run may take no time")
    assert store.stop_requested(run_id, attempt)
    store.stop_overdue(-1, "something else")
    store.finish(run_id, attempt, "stopped", "stopped at step 7")
    assert store.run(run_id).reason == "stopped at step 7; a run may take no time"
