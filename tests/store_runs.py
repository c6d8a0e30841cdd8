"""Runs in a store for tests, brought to a state without training."""

from __future__ import annotations

from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.limits import Limits
from lrlab.runs.store import State, Store
from lrlab.training.measurements import EpochRecord

HIGH_LIMITS = Limits(max_waiting=100)
"""Limits for tests in which one browser queues many runs."""

PLAN = RunPlan.of(Recipe.from_dict({"optimizer": {"name": "nadam"}}), epochs=3)


def queue(store: Store, name: str = "first", owner: str = "ada") -> int:
    return store.queue(PLAN, owner=owner, name=name)


def claim(store: Store) -> tuple[int, int]:
    run = store.claim("worker")
    assert run is not None
    return run.id, run.attempt


def bring_to(store: Store, state: State) -> tuple[int, int]:
    """Creates a run in this state; returns its number and its attempt."""
    run_id = queue(store)
    if state == "queued":
        return run_id, 0
    _, attempt = claim(store)
    if state != "running":
        store.finish(run_id, attempt, state, "as asked")
    return run_id, attempt


def epoch(number: int, loss: float = 0.5) -> EpochRecord:
    return EpochRecord(
        epoch=number,
        step=number * 10,
        loss=loss,
        accuracy=0.8,
        val_loss=0.6,
        val_accuracy=0.75,
        learning_rate=1e-3,
        seconds=2.5,
    )
