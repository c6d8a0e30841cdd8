"""Every optimizer and every schedule, cut off and resumed: the rest is bit for bit the same."""

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
"""Three steps an epoch, the last of them on a smaller batch."""
CUT_AFTER = 2
"""Epochs after which a run is cut off."""
IMPATIENT = {"patience": 1, "min_delta": 100.0, "cooldown": 1}
"""A plateau in every epoch: its schedule has something to remember."""


class Told:
    """Keeps what a run reports; has it stopped in the epoch after so many, if any."""

    def __init__(self, stop_after: int = -1) -> None:
        self.steps: list[Point] = []
        self.epochs: list[tuple[float, ...]] = []
        self._stop_after = stop_after

    def started(self, phase: str) -> None:
        """The run enters a phase."""

    def points(self, points: list[Point]) -> bool:
        """New points; whether the run is to stop."""
        self.steps += points
        return len(self.epochs) == self._stop_after

    def epoch(self, record: EpochRecord) -> None:
        """An epoch has ended."""
        measured = (record.loss, record.accuracy, record.val_loss, record.val_accuracy)
        self.epochs.append((*measured, record.learning_rate))

    def learned(self, learned: EpochSnapshot) -> None:
        """What the network has learned."""

    def result(self, result: RunResult) -> None:
        """All epochs are trained."""


def plan_of(optimizer: str, schedule: str) -> RunPlan:
    """A small run whose schedule is stretched to its length."""
    plan = resolve_plan({"optimizer": optimizer, "schedule": schedule, **SETTINGS})
    recipe = plan.recipe.to_dict()
    if plan.recipe.schedule_spec.reactive:
        recipe["schedule"] |= IMPATIENT
    return RunPlan.from_dict(plan.to_dict() | {"recipe": Recipe.from_dict(recipe).to_dict()})


def differs(plan: RunPlan, folder: Path) -> bool:
    """Whether a run that was cut off and resumed measures anything that a whole one does not."""
    from lrlab.training.trainer import train

    whole, cut, rest = Told(), Told(stop_after=CUT_AFTER), Told()
    files = CheckpointFiles(folder, 1, {})
    outcome = train(plan, whole, SAMPLE)
    train(plan, cut, SAMPLE, files=files)
    start, passed_over = files.read()
    assert start is not None and not passed_over and start.epoch == CUT_AFTER
    again = train(plan, rest, SAMPLE, start=start)
    done = CUT_AFTER * plan.steps_per_epoch
    return (rest.steps, rest.epochs, again) != (
        whole.steps[done:],
        whole.epochs[CUT_AFTER:],
        outcome,
    )


def main() -> bool:
    """Cut off and resume each; whether all have the same measurements as whole runs."""
    pairs = [(optimizer, "cosine_decay") for optimizer in OPTIMIZERS]
    pairs += [("nadam", schedule) for schedule in SCHEDULES if schedule != "cosine_decay"]
    different = 0
    for optimizer, schedule in pairs:
        with tempfile.TemporaryDirectory() as folder:
            if differs(plan_of(optimizer, schedule), Path(folder)):
                print(f"  {optimizer} with {schedule} goes on otherwise")
                different += 1
    return report(
        f"All optimizers with a cosine, Nadam with all schedules: {len(pairs)} runs resumed",
        [Figure("Runs that measured anything else than a whole one", different, 0, "")],
    )
