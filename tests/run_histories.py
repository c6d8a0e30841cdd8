"""Ended runs for tests of pages: written to a store as a worker would, without training."""

from __future__ import annotations

import math

import numpy as np

from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.store import State, Store
from lrlab.training.measurements import EpochRecord, EpochSnapshot, Mistakes, Point, RunResult

WORKER = "past"

RESULT = RunResult(
    Mistakes(
        np.arange(2, dtype=np.int32),
        np.full((2, 28, 28), 200, np.uint8),
        np.array([0, 9], np.uint8),
        np.eye(10, dtype=np.float32)[[6, 7]],
    ),
    b"a network",
)
"""The result of every run: its two most confident mistakes, and a network file."""


def learned_by(epoch: int) -> EpochSnapshot:
    """An epoch snapshot of a network that recognises all classes but the first."""
    confusion = np.diag(np.full(10, 50 * epoch))
    confusion[0] = np.roll(confusion[0], 6)
    return EpochSnapshot(epoch, np.full((16, 28, 28), 128 + epoch, np.uint8), 0.25, confusion)


def small_plan(optimizer: str = "adam", rate: float = 0.001, **settings: int) -> RunPlan:
    """A plan of three epochs of ten steps, at a constant learning rate."""
    schedule = {"name": "constant", "learning_rate": rate}
    recipe = Recipe.from_dict({"optimizer": {"name": optimizer}, "schedule": schedule})
    return RunPlan.of(recipe, **({"epochs": 3, "batch_size": 100, "train_size": 1000} | settings))


def train_all(store: Store, losses: list[float], state: State = "finished") -> None:
    """Starts and ends every queued run.

    Args:
        store: the store with the runs.
        losses: loss of each run in the order of run numbers; NaN for a run that diverged.
            Accuracies are ``1 - loss``.
        state: the runs' final state.
    """
    store.register_worker(WORKER)
    waiting = sorted(run.id for run in store.runs() if run.state == "queued")
    loss_of = dict(zip(waiting, losses, strict=True))
    while (run := store.claim(WORKER)) is not None:
        loss = loss_of[run.id]
        attempt, plan = (run.id, run.attempt), run.plan
        rates = plan.recipe.learning_rates(plan.total_steps)
        steps = plan.steps_per_epoch
        for epoch in range(1, plan.epochs + 1):
            at = range(steps * (epoch - 1), steps * epoch)
            store.record_points(*attempt, [Point(s, loss, float(rates[s])) for s in at])
            record = EpochRecord(
                epoch, steps * epoch, loss, 1 - loss, loss, 1 - loss, float(rates[-1]), 1.5
            )
            store.record_epoch(*attempt, record)
            store.record_snapshot(*attempt, learned_by(epoch))
        diverged = not math.isfinite(loss)
        reason = "diverged at step 30" if diverged else "completed all 30 steps"
        if not diverged:
            store.record_result(*attempt, RESULT)
        tested = (None, None) if diverged else (loss, 1 - loss)
        store.finish(*attempt, state, reason, *tested, diverged=diverged)
    store.mark_dead(WORKER, "the day was over")
