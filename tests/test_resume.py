"""Resumed runs: after the checkpoint they are bit for bit the same as uninterrupted runs."""

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

SMALL = {"train_size": 90, "batch_size": 32, "epochs": 4}
"""Three steps per epoch, the last one with a smaller batch."""

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


class InterruptingSink(ListSink):
    """Interrupts the run at its first report after ``after`` epochs."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def points(self, points: list[Point]) -> bool:
        if points and len(self.epochs) == self._after:
            raise RunEnded("stopped", points[0].step)
        return super().points(points)


@dataclass(frozen=True)
class FilesOfEveryEpoch(CheckpointFiles):
    """Keeps the checkpoint of every epoch, each in a folder named after the epoch."""

    def write(self, checkpoint: Checkpoint) -> None:
        files_in(self.folder / str(checkpoint.epoch)).write(checkpoint)


@dataclass(frozen=True)
class FullRun:
    """An uninterrupted run: its reports, its outcome and the folder with its checkpoints."""

    sink: ListSink
    outcome: Outcome
    folder: Path


def files_in(folder: Path) -> CheckpointFiles:
    return CheckpointFiles(folder, 1, {"plan": "this one"})


@pytest.fixture
def run_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[RunPlan, CompileMode], FullRun]:
    # Without this, epochs as short as these would write no checkpoint.
    monkeypatch.setattr(checkpointer, "MAX_WRITE_SHARE", 1e9)

    def run(plan: RunPlan, mode: CompileMode) -> FullRun:
        sink = ListSink()
        files = FilesOfEveryEpoch(tmp_path / "whole", 1, {})
        return FullRun(sink, train(plan, sink, SAMPLE, mode, files=files), files.folder)

    return run


def assert_resumes_identically(
    plan: RunPlan, mode: CompileMode, folder: Path, full_run: FullRun, after: int
) -> None:
    """Asserts that a run resumed from the checkpoint in a folder has the epochs (except their
    seconds), the points and the outcome of the uninterrupted run."""
    start, problems = files_in(folder).read()
    assert start is not None
    assert (start.epoch, problems) == (after, ())
    resumed = ListSink()
    outcome = train(plan, resumed, SAMPLE, mode, files=files_in(folder), start=start)
    assert outcome == full_run.outcome
    history = {name: values[after:] for name, values in full_run.sink.history().items()}
    assert resumed.history() == history
    assert [record.step for record in resumed.epochs] == [
        record.step for record in full_run.sink.epochs[after:]
    ]
    assert resumed.all_points == full_run.sink.all_points[after * plan.steps_per_epoch :]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_resumes_identically(
    optimizer: str, run_in_full: Callable[[RunPlan, CompileMode], FullRun]
) -> None:
    plan = plan_of({"optimizer": {"name": optimizer}}, **SMALL | {"epochs": 2})
    full_run = run_in_full(plan, UNFUSED)
    assert_resumes_identically(plan, UNFUSED, full_run.folder / "1", full_run, after=1)


@pytest.mark.parametrize(
    ("schedule", "mode"),
    [("cosine decay", FUSED), ("1cycle", UNFUSED), ("plateau", FUSED)],
    ids=lambda value: value if isinstance(value, str) else value.key,
)
def test_schedules_resume_identically(
    schedule: str,
    mode: CompileMode,
    run_in_full: Callable[[RunPlan, CompileMode], FullRun],
    tmp_path: Path,
) -> None:
    recipe = {"optimizer": {"name": "nadam", "clipnorm": 1.0}, "schedule": SCHEDULES[schedule]}
    plan = plan_of(recipe, **SMALL, seed=5)
    full_run = run_in_full(plan, mode)
    interrupted = train(plan, InterruptingSink(after=2), SAMPLE, mode, files=files_in(tmp_path))
    assert interrupted.kind == "stopped"
    assert_resumes_identically(plan, mode, tmp_path, full_run, after=2)


def test_a_plateau_schedule_restores_its_patience_and_cooldown(
    run_in_full: Callable[[RunPlan, CompileMode], FullRun],
) -> None:
    recipe = {"optimizer": {"name": "sgd"}, "schedule": SCHEDULES["plateau"]}
    plan = plan_of(recipe, **SMALL | {"epochs": 6})
    full_run = run_in_full(plan, UNFUSED)
    rates = [record.learning_rate for record in full_run.sink.epochs]
    # Only the first epoch improves enough: then patience (2), cooldown (1), patience (2).
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.01, 0.005, 0.005, 0.0025], rtol=1e-6)
    for after in (2, 3, 4):
        assert_resumes_identically(plan, UNFUSED, full_run.folder / str(after), full_run, after)


def test_a_run_interrupted_after_its_last_epoch_resumes_with_the_test(
    run_in_full: Callable[[RunPlan, CompileMode], FullRun],
) -> None:
    plan = plan_of({"optimizer": {"name": "sgd"}}, **SMALL | {"epochs": 1})
    full_run = run_in_full(plan, UNFUSED)
    assert_resumes_identically(plan, UNFUSED, full_run.folder / "1", full_run, after=1)
