"""The queue: who may join it, whose run is next, who may end it; on both databases."""

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


def begin_all(store: Store) -> list[int]:
    """Begin and end what is queued, one after the other; the order in which it went."""
    order = []
    while (run := store.claim("worker")) is not None:
        order.append(run.id)
        store.finish(run.id, run.attempt, "finished", "completed")
    return order


# Whose run is next


def test_the_oldest_run_of_an_owner_is_begun_first(store: Store) -> None:
    first, second = queue(store), queue(store)
    assert begin_all(store) == [first, second]


def test_owners_take_turns_and_who_waited_longest_since_the_last_is_next(store: Store) -> None:
    a = [queue(store, owner="ada"), queue(store, owner="ada")]
    b = [queue(store, owner="bob"), queue(store, owner="bob")]
    assert claim(store)[0] == a[0]
    store.finish(a[0], 1, "finished", "completed")
    c = queue(store, owner="cleo")
    assert begin_all(store) == [b[0], c, a[1], b[1]]


def test_a_group_takes_one_turn_at_a_time(store: Store) -> None:
    group = store.queue_group(SEEDS, owner="ada", name="three", kind="seeds")
    seeds = sorted(run.id for run in store.runs(group=group))
    others = [queue(store, owner="bob"), queue(store, owner="bob")]
    assert begin_all(store) == [seeds[0], others[0], seeds[1], others[1], seeds[2]]


def test_nobody_has_two_runs_going_on(store: Store) -> None:
    first, second = queue(store), queue(store)
    assert claim(store)[0] == first
    assert store.claim("worker") is None
    store.finish(first, 1, "finished", "completed")
    assert claim(store)[0] == second


def test_deleting_runs_brings_nobody_forward(store: Store) -> None:
    first = queue(store, owner="ada")
    assert claim(store)[0] == first
    store.finish(first, 1, "finished", "completed")
    store.delete(first, by="ada")
    again, others = queue(store, owner="ada"), queue(store, owner="bob")
    assert begin_all(store) == [others, again]


OWNERS = st.sampled_from("abcde")


@given(st.lists(OWNERS, max_size=30), st.dictionaries(OWNERS, st.integers(1, 9)))
def test_between_two_runs_of_one_owner_everybody_else_who_waits_has_one(
    owners: list[str], turns: dict[str, int]
) -> None:
    waiting = list(enumerate(owners))
    order = round_robin(waiting, turns)
    assert sorted(order) == [number for number, _ in waiting]
    begun = [owners[number] for number in order]
    for owner in set(owners):
        assert [n for n in order if owners[n] == owner] == [n for n, o in waiting if o == owner]
        at = [position for position, other in enumerate(begun) if other == owner]
        for before, after in itertools.pairwise(at):
            still_waiting = set(begun[after:]) - {owner}
            assert still_waiting <= set(begun[before:after])
    firsts = list(dict.fromkeys(begun))
    assert [turns.get(owner, 0) for owner in firsts] == sorted(turns.get(o, 0) for o in firsts)


# Who may join


def test_an_owner_may_have_two_waiting_beside_the_one_that_runs(store: Store) -> None:
    for _ in range(2):
        queue(store)
    with pytest.raises(QueueFull, match="You have 2 runs or groups waiting"):
        queue(store)
    queue(store, owner="bob")
    claim(store)
    queue(store)
    with pytest.raises(QueueFull):
        queue(store, owner=" ada ")


def test_a_group_counts_as_one_that_waits(store: Store) -> None:
    store.queue_group(SEEDS, owner="ada", name="three", kind="seeds")
    queue(store)
    for late in (
        lambda: queue(store),
        lambda: store.queue_group(SEEDS, owner="ada", name="more", kind="seeds"),
    ):
        with pytest.raises(QueueFull, match="You have 2 runs or groups waiting"):
            late()
    assert len(store.runs()) == 4


def test_the_whole_queue_counts_runs_and_takes_a_group_whole_or_not_at_all(
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
def guarded(database_url: str) -> Store:
    opened = Store(database_url, codes=AccessCodes(instructor="chalk dust", classroom="room 12"))
    opened.register_worker("worker")
    yield opened
    opened.close()


def test_without_the_class_code_nothing_is_queued(guarded: Store) -> None:
    for code in ("", "room 1", "room 123", "ROOM 12", "\ud800"):
        with pytest.raises(NotAllowed, match="class code") as refused:
            guarded.queue(PLAN, owner="ada", name="a run", code=code)
        with pytest.raises(NotAllowed):
            guarded.queue_group(SEEDS, owner="ada", name="three", kind="seeds", code=code)
        assert "room 12" not in str(refused.value)
    guarded.queue(PLAN, owner="ada", name="a run", code="room 12")
    guarded.queue(PLAN, owner="bob", name="a run", code="chalk dust")


def test_only_its_owner_or_the_instructor_stops_and_deletes_a_run(guarded: Store) -> None:
    run_id = guarded.queue(PLAN, owner="ada", name="a run", code="room 12")
    for code in ("", "room 12", "chalk"):
        with pytest.raises(NotAllowed, match=f"Run {run_id} is another browser's"):
            guarded.request_stop(run_id, by="bob", code=code)
        with pytest.raises(NotAllowed, match=f"Run {run_id} is another browser's"):
            guarded.delete(run_id, by="bob", code=code)
    assert guarded.run(run_id).state == "queued"
    guarded.request_stop(run_id, by="bob", code="chalk dust")
    assert guarded.run(run_id).reason == "stopped before it began; the instructor stopped it"
    guarded.delete(run_id, by="bob", code="chalk dust")
    assert guarded.runs() == []


def test_a_running_run_that_the_instructor_stopped_says_so(guarded: Store) -> None:
    run_id = guarded.queue(PLAN, owner="ada", name="a run", code="room 12")
    _, attempt = claim(guarded)
    guarded.request_stop(run_id, by="bob", code="chalk dust")
    guarded.request_stop(run_id, by="ada")
    guarded.finish(run_id, attempt, "stopped", "stopped at step 5")
    assert guarded.run(run_id).reason == "stopped at step 5; the instructor stopped it"


def test_the_instructor_clears_the_queue_and_leaves_what_runs(guarded: Store) -> None:
    ids = [
        guarded.queue(PLAN, owner=owner, name="a run", code="room 12")
        for owner in ("ada", "ada", "bob")
    ]
    claim(guarded)
    for code in ("", "room 12"):
        with pytest.raises(NotAllowed, match="instructor code"):
            guarded.clear_queue(code)
    assert guarded.clear_queue("chalk dust") == 2
    assert [guarded.run(run_id).state for run_id in ids] == ["running", "stopped", "stopped"]
    assert guarded.run(ids[2]).reason == (
        "stopped before it began; the instructor cleared the queue"
    )
    assert guarded.clear_queue("chalk dust") == 0


def test_without_a_code_nobody_is_the_instructor(store: Store) -> None:
    run_id = queue(store)
    with pytest.raises(NotAllowed):
        store.delete(run_id, by="bob", code="")
    with pytest.raises(NotAllowed):
        store.clear_queue("")


# Places


def test_those_who_wait_know_their_place_and_nothing_unmeasured_is_guessed(store: Store) -> None:
    ids = [queue(store, owner=owner) for owner in ("ada", "ada", "bob")]
    assert [store.place(run_id).number for run_id in ids] == [1, 3, 2]
    assert store.place(ids[0]) == QueuePosition(1, 0)
    assert store.place(ids[1]).seconds is None
    claim(store)
    assert store.place(ids[0]) is None
    assert store.place(ids[2]).number == 1


def test_the_wait_is_estimated_from_completed_runs_of_the_like(store: Store) -> None:
    store.beat("worker", ready=True)
    run_id, attempt = bring_to(store, "running")
    store.finish(run_id, attempt, "finished", "completed", 0.4, 0.8)
    took = store.run(run_id).ended - store.run(run_id).started
    mine = [queue(store, owner="ada"), queue(store, owner="ada")]
    other = store.queue(replace(PLAN, batch_size=1024), owner="bob", name="unlike")
    assert store.place(mine[0]) == QueuePosition(2, None)
    store.request_stop(other, by="bob")
    assert store.place(mine[1]).seconds == pytest.approx(took)


def test_a_run_that_takes_too_long_is_asked_to_stop_and_says_why(store: Store) -> None:
    run_id, attempt = bring_to(store, "running")
    store.stop_overdue(3600, "a run may take 60 minutes")
    assert not store.stop_requested(run_id, attempt)
    store.stop_overdue(-1, "a run may take no time")
    assert store.stop_requested(run_id, attempt)
    store.stop_overdue(-1, "something else")
    store.finish(run_id, attempt, "stopped", "stopped at step 7")
    assert store.run(run_id).reason == "stopped at step 7; a run may take no time"
