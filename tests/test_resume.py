"""Resumed runs: after a checkpoint everything is, bit for bit, as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrlab.optimizers import OPTIMIZERS
from lrlab.recipes.plan import RunPlan
from lrlab.training import checkpointer
from lrlab.training.checkpoint_files import Checkpoint, CheckpointFiles
from lrlab.training.compile_mode import FUSED, UNFUSED, CompileMode
from lrlab.training.measurements import Point
from lrlab.training.recorder import RunEnded
from lrlab.training.trainer import Outcome, train
from tests.training_runs import SAMPLE, ListSink, plan_of

ENOUGH = {"train_size": 90, "batch_size": 32, "epochs": 4}
"""Three steps an epoch, the last of them on a smaller batch."""

SCHEDULES: dict[str, dict[str, Any]] = {
    "cosine decay": {"name": "cosine_decay", "initial_learning_rate": 0.01, "decay_steps": 12},
    "1cycle": {"name": "one_cycle", "max_learning_rate": 0.05, "total_steps": 12},
    "plateau": {
        "name": "reduce_lr_on_plateau",
        "learning_rate": 0.01,
        "factor": 0.5,
        "patience": 2,
        "min_delta": 100.0,
        "cooldown": 1,
    },
}


class CutOff(ListSink):
    """Stops the run as soon as it measures something after so many epochs."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def points(self, points: list[Point]) -> bool:
        if points and len(self.epochs) == self._after:
            raise RunEnded("stopped", points[0].step)
        return super().points(points)


@dataclass(frozen=True)
class EachEpochsFiles(CheckpointFiles):
    """Keeps the checkpoint of every epoch, each in a folder called after it."""

    def write(self, checkpoint: Checkpoint) -> None:
        files_in(self.folder / str(checkpoint.epoch)).write(checkpoint)


@dataclass(frozen=True)
class Whole:
    """A run that was never cut off: what it reported, how it ended, where its checkpoints lie."""

    sink: ListSink
    outcome: Outcome
    folder: Path


def files_in(folder: Path) -> CheckpointFiles:
    return CheckpointFiles(folder, 1, {"plan": "this one"})


@pytest.fixture
def run_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[RunPlan, CompileMode], Whole]:
    # Epochs as short as these would pass without a checkpoint.
    monkeypatch.setattr(checkpointer, "MOST_SHARE", 1e9)

    def run(plan: RunPlan, way: CompileMode) -> Whole:
        sink = ListSink()
        files = EachEpochsFiles(tmp_path / "whole", 1, {})
        return Whole(sink, train(plan, sink, SAMPLE, way, files=files), files.folder)

    return run


def assert_same_rest(
    plan: RunPlan, way: CompileMode, folder: Path, whole: Whole, after: int
) -> None:
    """What goes on from the checkpoint in a folder has the epochs but for their seconds, the
    points and the outcome of the whole."""
    start, passed_over = files_in(folder).read()
    assert start is not None
    assert (start.epoch, passed_over) == (after, ())
    rest = ListSink()
    outcome = train(plan, rest, SAMPLE, way, files=files_in(folder), start=start)
    assert outcome == whole.outcome
    history = {name: values[after:] for name, values in whole.sink.history().items()}
    assert rest.history() == history
    assert [record.step for record in rest.epochs] == [
        record.step for record in whole.sink.epochs[after:]
    ]
    assert rest.all_points == whole.sink.all_points[after * plan.steps_per_epoch :]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_goes_on_as_if_never_cut_off(
    optimizer: str, run_whole: Callable[[RunPlan, CompileMode], Whole]
) -> None:
    plan = plan_of({"optimizer": {"name": optimizer}}, **ENOUGH | {"epochs": 2})
    whole = run_whole(plan, UNFUSED)
    assert_same_rest(plan, UNFUSED, whole.folder / "1", whole, after=1)


@pytest.mark.parametrize(
    ("schedule", "way"),
    [("cosine decay", FUSED), ("1cycle", UNFUSED), ("plateau", FUSED)],
    ids=lambda value: value if isinstance(value, str) else value.key,
)
def test_schedules_go_on_after_a_cut_as_if_never_cut_off(
    schedule: str,
    way: CompileMode,
    run_whole: Callable[[RunPlan, CompileMode], Whole],
    tmp_path: Path,
) -> None:
    recipe = {"optimizer": {"name": "nadam", "clipnorm": 1.0}, "schedule": SCHEDULES[schedule]}
    plan = plan_of(recipe, **ENOUGH, seed=5)
    whole = run_whole(plan, way)
    cut_off = train(plan, CutOff(after=2), SAMPLE, way, files=files_in(tmp_path))
    assert cut_off.kind == "stopped"
    assert_same_rest(plan, way, tmp_path, whole, after=2)


def test_a_plateau_remembers_its_patience_and_its_cooldown(
    run_whole: Callable[[RunPlan, CompileMode], Whole],
) -> None:
    recipe = {"optimizer": {"name": "sgd"}, "schedule": SCHEDULES["plateau"]}
    plan = plan_of(recipe, **ENOUGH | {"epochs": 6})
    whole = run_whole(plan, UNFUSED)
    rates = [record.learning_rate for record in whole.sink.epochs]
    # No epoch but the first is good enough: two of patience, one that cools down, two again.
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.01, 0.005, 0.005, 0.0025], rtol=1e-6)
    for after in (2, 3, 4):
        assert_same_rest(plan, UNFUSED, whole.folder / str(after), whole, after)


def test_a_run_cut_off_after_its_last_epoch_goes_on_with_the_test(
    run_whole: Callable[[RunPlan, CompileMode], Whole],
) -> None:
    plan = plan_of({"optimizer": {"name": "sgd"}}, **ENOUGH | {"epochs": 1})
    whole = run_whole(plan, UNFUSED)
    assert_same_rest(plan, UNFUSED, whole.folder / "1", whole, after=1)
