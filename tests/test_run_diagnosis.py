"""Diagnosis of runs, on made-up measurements and on real small runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from lrlab.experiments.diagnosis import Diagnosis, diagnose_run
from lrlab.recipes.plan import RunPlan
from lrlab.training.measurements import EpochRecord, Point, RunHistory
from lrlab.training.trainer import train
from tests.measured import epoch_record, point
from tests.training_runs import SAMPLE, ListSink, plan_of

SGD = {"optimizer": {"name": "sgd"}}


def constant(optimizer: str, rate: float) -> dict[str, Any]:
    schedule = {"name": "constant", "learning_rate": rate}
    return {"optimizer": {"name": optimizer}, "schedule": schedule}


def diagnose(
    plan: RunPlan, points: Sequence[Point], epochs: Sequence[EpochRecord]
) -> Diagnosis | None:
    return diagnose_run(RunHistory(plan, points, epochs))


def points_of(losses: Sequence[float], rates: Sequence[float] | float = 0.01) -> list[Point]:
    all_rates = np.broadcast_to(np.asarray(rates, float), len(losses))
    return [
        point(step, loss, rate)
        for step, (loss, rate) in enumerate(zip(losses, all_rates, strict=True))
    ]


def epochs_of(*pairs: tuple[float, float]) -> list[EpochRecord]:
    """Epochs of 32 steps with these training and validation losses."""
    return [
        epoch_record(i, step=32 * i, loss=loss, val_loss=val_loss)
        for i, (loss, val_loss) in enumerate(pairs, start=1)
    ]


def falling(steps: int) -> np.ndarray:
    return 0.4 + 2 * np.exp(-np.arange(steps) / 20)


def test_for_a_loss_that_grew_until_divergence_a_lower_learning_rate_is_suggested() -> None:
    diagnosis = diagnose(plan_of(SGD), points_of([2.3, 2.1, 50.0, math.nan], 0.5), [])
    assert diagnosis is not None
    assert (diagnosis.kind, diagnosis.suggestion) == (
        "diverged",
        "Try a ten times smaller learning rate, 0.05.",
    )
    assert diagnosis.what == (
        "At step 3 the loss became infinite or NaN, at a learning rate of 0.5. "
        "It had been as low as 2.1 at step 1 and had grown to 50."
    )


def test_for_an_unusable_learning_rate_the_default_is_suggested() -> None:
    diagnosis = diagnose(plan_of(SGD), points_of([math.nan], 1e6), [])
    assert diagnosis is not None
    assert diagnosis.suggestion == "Start again from Keras's default for this optimizer, 0.01."


def test_for_a_rising_learning_rate_the_last_good_one_is_named() -> None:
    losses = [2.3, 1.0, 0.8, 5.0, math.inf]
    diagnosis = diagnose(plan_of(SGD), points_of(losses, [0.01, 0.02, 0.04, 0.08, 0.16]), [])
    assert diagnosis is not None
    assert "at the lowest loss it was 0.04" in diagnosis.what
    assert diagnosis.suggestion == "Keep the learning rate below 0.04."


def test_for_a_late_divergence_clipping_is_suggested_unless_already_used() -> None:
    points = points_of([*falling(60), math.nan])
    diagnosis = diagnose(plan_of(SGD), points, epochs_of((1.0, 1.0)))
    assert diagnosis is not None and "clipnorm = 1" in diagnosis.suggestion
    clipped = {"optimizer": {"name": "sgd", "clipnorm": 1.0}}
    diagnosis = diagnose(plan_of(clipped), points, epochs_of((1.0, 1.0)))
    assert diagnosis is not None
    assert diagnosis.suggestion == "Try a ten times smaller learning rate, 0.001."


def test_random_differences_between_batches_do_not_count_as_a_fall() -> None:
    noise = np.random.default_rng(6).normal(0, 0.2, 64)
    diagnosis = diagnose(plan_of(SGD), points_of(np.r_[3.6, (3.0 + noise)[1:]], 1e-7), [])
    assert diagnosis is not None
    first_loss = float(diagnosis.what.split("it began at ")[1].split(" ")[0])
    assert abs(first_loss - 3.0) < 0.3
    assert "It never jumped up" in diagnosis.what


def test_a_run_shorter_than_ten_steps_is_judged_by_its_last_point() -> None:
    default = float(np.float32(0.01))
    diagnosis = diagnose(plan_of(SGD), points_of([3.3, 3.0, 2.8, 2.5], default), [])
    assert diagnosis is not None
    assert diagnosis.what.startswith("The loss hardly fell: it began at 3.3 and ended at 2.5;")
    # Keras's default in float32 is slightly more than 0.01, but does not count as above it.
    assert "above Keras's default" not in diagnosis.what
    assert diagnose(plan_of(SGD), points_of([3.3, 3.0, 2.0, 1.5]), []) is None


def test_a_validation_loss_that_is_not_finite_is_a_divergence() -> None:
    diagnosis = diagnose(plan_of(SGD), points_of(falling(32)), epochs_of((1.0, math.inf)))
    assert diagnosis is not None
    assert diagnosis.kind == "diverged" and diagnosis.what.startswith("At step 32 ")


@pytest.mark.parametrize(
    ("losses", "rate", "reason", "suggestion"),
    [
        (np.full(64, 2.4), 0.001, "seems too low", "a ten times larger learning rate, 0.01."),
        (np.full(64, 2.4), 1e-7, "seems too low", "Keras's default for this optimizer, 0.01."),
        (
            np.full(64, 2.3),
            0.1,
            "above Keras's default",
            "a ten times smaller learning rate, 0.01.",
        ),
        (
            np.r_[2.3, 900.0, np.full(62, 2.3)],
            0.01,
            "jumped to 900",
            "a ten times smaller learning rate, 0.001.",
        ),
    ],
)
def test_for_a_loss_that_did_not_fall_too_high_and_too_low_rates_are_distinguished(
    losses: np.ndarray, rate: float, reason: str, suggestion: str
) -> None:
    diagnosis = diagnose(plan_of(SGD), points_of(losses, rate), [])
    assert diagnosis is not None
    assert diagnosis.kind == "stuck"
    assert reason in diagnosis.what
    assert diagnosis.suggestion.endswith(suggestion)


def test_a_schedule_that_ends_while_the_loss_falls_is_reported_with_its_step() -> None:
    losses = np.r_[np.linspace(2.3, 1.0, 40), np.full(60, 1.0)]
    rates = np.r_[np.full(40, 0.1), np.full(60, 0.0001)]
    diagnosis = diagnose(plan_of(SGD), points_of(losses, rates), [])
    assert diagnosis is not None
    assert diagnosis.kind == "decayed early"
    assert "from step 40 of 100 on, it was below 1% of its peak, 0.1" in diagnosis.what
    assert diagnosis.suggestion == "Stretch the schedule's step counts to the whole run."


def test_for_a_plateau_schedule_that_ends_early_more_patience_is_suggested() -> None:
    plateau = {"optimizer": {"name": "sgd"}, "schedule": {"name": "reduce_lr_on_plateau"}}
    losses = np.r_[np.linspace(2.3, 1.0, 40), np.full(60, 1.0)]
    rates = np.r_[np.full(40, 0.1), np.full(60, 0.0001)]
    diagnosis = diagnose(plan_of(plateau), points_of(losses, rates), [])
    assert diagnosis is not None and "Increase the patience" in diagnosis.suggestion


def test_a_schedule_that_ends_when_the_loss_is_flat_is_fine() -> None:
    losses = np.r_[np.linspace(2.3, 0.5, 20), np.full(80, 0.5)]
    rates = np.r_[np.full(60, 0.1), np.full(40, 0.0001)]
    assert diagnose(plan_of(SGD), points_of(losses, rates), []) is None


def test_overfitting_is_reported_with_its_epoch_and_size() -> None:
    epochs = epochs_of((0.6, 0.6), (0.4, 0.5), (0.2, 0.6), (0.1, 0.75))
    diagnosis = diagnose(plan_of(SGD), points_of(falling(128)), epochs)
    assert diagnosis is not None
    assert diagnosis.kind == "overfits"
    assert diagnosis.what == (
        "It overfits: after epoch 2, the validation loss rose from 0.5 to 0.75, by 50%, while the "
        "training loss fell from 0.4 to 0.1."
    )
    assert diagnosis.suggestion == "Train for 2 epochs."


def test_for_overfitting_from_the_first_epoch_a_lower_learning_rate_is_suggested() -> None:
    diagnosis = diagnose(plan_of(SGD), points_of(falling(64)), epochs_of((0.6, 0.5), (0.2, 0.9)))
    assert diagnosis is not None
    assert "three times smaller learning rate, 0.0033" in diagnosis.suggestion


def test_losses_that_rise_together_are_not_overfitting() -> None:
    epochs = epochs_of((0.4, 0.5), (0.6, 0.7))
    assert diagnose(plan_of(SGD), points_of(falling(64)), epochs) is None


def test_for_a_loss_that_still_falls_more_epochs_are_suggested() -> None:
    epochs = epochs_of((0.9, 0.9), (0.7, 0.8), (0.6, 0.7))
    diagnosis = diagnose(plan_of(SGD), points_of(falling(96)), epochs)
    assert diagnosis is not None
    assert (diagnosis.kind, diagnosis.suggestion) == (
        "still falling",
        "Train longer, for 6 epochs.",
    )
    assert "from 0.8 to 0.7" in diagnosis.what


def test_a_good_run_and_an_empty_one_have_no_diagnosis() -> None:
    epochs = epochs_of((0.5, 0.5), (0.4, 0.42), (0.38, 0.418))
    assert diagnose(plan_of(SGD), points_of(falling(96)), epochs) is None
    assert diagnose(plan_of(SGD), [], []) is None


@pytest.mark.parametrize(
    ("recipe", "settings", "kind"),
    [
        (constant("sgd", 1e6), {}, "diverged"),
        (constant("adam", 1e-7), {}, "stuck"),
        (constant("adam", 3.0), {}, "stuck"),
        (constant("adam", 1e-3), {}, "still falling"),
        (constant("adam", 3e-3), {"epochs": 20, "train_size": 200}, "overfits"),
    ],
    ids=["far too high", "far too low", "too high", "short", "long"],
)
def test_real_runs_get_the_expected_diagnosis(
    recipe: dict[str, Any], settings: dict[str, int], kind: str
) -> None:
    plan, sink = plan_of(recipe, **({"train_size": 640} | settings)), ListSink()
    train(plan, sink, SAMPLE)
    diagnosis = diagnose(plan, sink.all_points, sink.epochs)
    assert diagnosis is not None
    assert diagnosis.kind == kind, diagnosis
