"""Every optimizer and schedule, interrupted and resumed: the rest is bit for bit the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.report import Figure, report
from lrlab import OPTIMIZERS, SCHEDULES, Recipe
from lrlab.controls.draft import resolve_plan
from lrlab.datasets.fashion_mnist import SAMPLE_SET
from lrlab.datasets.sources import SAMPLE_FOLDER, DataSource
from lrlab.recipes.plan import RunPlan
from lrlab.training.checkpoint_files import CheckpointFiles
from lrlab.training.measurements import EpochRecord, EpochSnapshot, Point, RunResult

SAMPLE = DataSource("sample", "Bundled sample of Fashion-MNIST", SAMPLE_FOLDER, SAMPLE_SET)
SETTINGS = {"epochs": "4", "batch_size": "32", "train_size": "90"}
"""Three steps per epoch, the last one with a smaller batch."""
CUT_AFTER = 2
"""Epochs after which a run is interrupted."""
IMPATIENT = {"patience": 1, "min_delta": 100.0, "cooldown": 1}
"""Makes every epoch a plateau, so that the schedule has state to restore."""


class ListSink:
    """Keeps what a run reports; requests a stop after ``stop_after`` epochs, if not negative."""

    def __init__(self, stop_after: int = -1) -> None:
        self.steps: list[Point] = []
        self.epochs: list[tuple[float, ...]] = []
        self._stop_after = stop_after

    def started(self, phase: str) -> None:
        """Ignores the phase."""

    def points(self, points: list[Point]) -> bool:
        """Keeps the points; returns whether to stop the run."""
        self.steps += points
        return len(self.epochs) == self._stop_after

    def epoch(self, record: EpochRecord) -> None:
        """Keeps what was measured in the epoch."""
        measured = (record.loss, record.accuracy, record.val_loss, record.val_accuracy)
        self.epochs.append((*measured, record.learning_rate))

    def snapshot(self, snapshot: EpochSnapshot) -> None:
        """What the network has learned."""

    def result(self, result: RunResult) -> None:
        """Ignores the result."""


def plan_of(optimizer: str, schedule: str) -> RunPlan:
    """A small run whose schedule is scaled to its length."""
    plan = resolve_plan({"optimizer": optimizer, "schedule": schedule, **SETTINGS})
    recipe = plan.recipe.to_dict()
    if plan.recipe.schedule_spec.reactive:
        recipe["schedule"] |= IMPATIENT
    return RunPlan.from_dict(plan.to_dict() | {"recipe": Recipe.from_dict(recipe).to_dict()})


def differs(plan: RunPlan, folder: Path) -> bool:
    """Whether an interrupted and resumed run measures anything else than an uninterrupted one."""
    from lrlab.training.trainer import train

    uninterrupted, interrupted, resumed = ListSink(), ListSink(stop_after=CUT_AFTER), ListSink()
    files = CheckpointFiles(folder, 1, {})
    outcome = train(plan, uninterrupted, SAMPLE)
    train(plan, interrupted, SAMPLE, files=files)
    start, problems = files.read()
    assert start is not None and not problems and start.epoch == CUT_AFTER
    resumed_outcome = train(plan, resumed, SAMPLE, start=start)
    steps_before_cut = CUT_AFTER * plan.steps_per_epoch
    return (resumed.steps, resumed.epochs, resumed_outcome) != (
        uninterrupted.steps[steps_before_cut:],
        uninterrupted.epochs[CUT_AFTER:],
        outcome,
    )


def main() -> bool:
    """Interrupts and resumes each; returns whether all measure the same as uninterrupted runs."""
    pairs = [(optimizer, "cosine_decay") for optimizer in OPTIMIZERS]
    pairs += [("nadam", schedule) for schedule in SCHEDULES if schedule != "cosine_decay"]
    different = 0
    for optimizer, schedule in pairs:
        with tempfile.TemporaryDirectory() as folder:
            if differs(plan_of(optimizer, schedule), Path(folder)):
                print(f"  {optimizer} with {schedule} differs after resuming")
                different += 1
    return report(
        f"All optimizers with a cosine, Nadam with all schedules: {len(pairs)} runs resumed",
        [Figure("Runs that differ from an uninterrupted one", different, 0, "")],
    )
