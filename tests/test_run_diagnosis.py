"""What went wrong in a run: on made tables, and on real small runs."""

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
    every = np.broadcast_to(np.asarray(rates, float), len(losses))
    return [
        point(step, loss, rate) for step, (loss, rate) in enumerate(zip(losses, every, strict=True))
    ]


def epochs_of(*pairs: tuple[float, float]) -> list[EpochRecord]:
    """Epochs of 32 steps with these training and validation losses."""
    return [
        epoch_record(i, step=32 * i, loss=loss, val_loss=val_loss)
        for i, (loss, val_loss) in enumerate(pairs, start=1)
    ]


def falling(steps: int) -> np.ndarray:
    return 0.4 + 2 * np.exp(-np.arange(steps) / 20)


def test_a_loss_that_grew_until_it_was_lost_asks_for_a_smaller_rate() -> None:
    found = diagnose(plan_of(SGD), points_of([2.3, 2.1, 50.0, math.nan], 0.5), [])
    assert found is not None
    assert (found.kind, found.suggestion) == ("diverged", "Try a ten times smaller rate, 0.05.")
    assert found.what == (
        "At step 3 the loss stopped being a finite number (it became infinity or NaN), at a "
        "learning rate of 0.5. It had been as low as 2.1 at step 1 and had grown to 50."
    )


def test_a_rate_far_from_any_use_is_sent_back_to_the_default() -> None:
    found = diagnose(plan_of(SGD), points_of([math.nan], 1e6), [])
    assert found is not None
    assert found.suggestion == "Start again from Keras's default for this optimizer, 0.01."


def test_a_rate_that_climbed_until_the_loss_was_lost_names_the_one_that_was_sound() -> None:
    losses = [2.3, 1.0, 0.8, 5.0, math.inf]
    found = diagnose(plan_of(SGD), points_of(losses, [0.01, 0.02, 0.04, 0.08, 0.16]), [])
    assert found is not None
    assert "where the loss was lowest it was 0.04" in found.what
    assert found.suggestion == "Keep the learning rate below 0.04."


def test_a_late_divergence_asks_for_clipping_unless_gradients_are_clipped() -> None:
    points = points_of([*falling(60), math.nan])
    found = diagnose(plan_of(SGD), points, epochs_of((1.0, 1.0)))
    assert found is not None and "clipnorm = 1" in found.suggestion
    clipped = {"optimizer": {"name": "sgd", "clipnorm": 1.0}}
    found = diagnose(plan_of(clipped), points, epochs_of((1.0, 1.0)))
    assert found is not None and found.suggestion == "Try a ten times smaller rate, 0.001."


def test_batches_that_differ_by_chance_do_not_count_as_a_fall() -> None:
    noise = np.random.default_rng(6).normal(0, 0.2, 64)
    found = diagnose(plan_of(SGD), points_of(np.r_[3.6, (3.0 + noise)[1:]], 1e-7), [])
    assert found is not None
    began = float(found.what.split("it began at ")[1].split(" ")[0])
    assert abs(began - 3.0) < 0.3
    assert "It never jumped up" in found.what


def test_a_run_shorter_than_ten_steps_is_judged_by_its_last_point() -> None:
    default = float(np.float32(0.01))
    found = diagnose(plan_of(SGD), points_of([3.3, 3.0, 2.8, 2.5], default), [])
    assert found is not None
    assert found.what.startswith("The loss hardly fell: it began at 3.3 and ended at 2.5;")
    # In float32 Keras's default is a little more than in decimals, but not above it.
    assert "above Keras's default" not in found.what
    assert diagnose(plan_of(SGD), points_of([3.3, 3.0, 2.0, 1.5]), []) is None


def test_a_validation_loss_that_is_not_finite_is_a_divergence_too() -> None:
    found = diagnose(plan_of(SGD), points_of(falling(32)), epochs_of((1.0, math.inf)))
    assert found is not None
    assert found.kind == "diverged" and found.what.startswith("At step 32 ")


@pytest.mark.parametrize(
    ("losses", "rate", "words", "suggestion"),
    [
        (np.full(64, 2.4), 0.001, "seems too low", "a ten times larger rate, 0.01."),
        (np.full(64, 2.4), 1e-7, "seems too low", "Keras's default for this optimizer, 0.01."),
        (np.full(64, 2.3), 0.1, "above Keras's default", "a ten times smaller rate, 0.01."),
        (np.r_[2.3, 900.0, np.full(62, 2.3)], 0.01, "jumped to 900", "smaller rate, 0.001."),
    ],
)
def test_a_loss_that_did_not_fall_tells_too_high_from_too_low(
    losses: np.ndarray, rate: float, words: str, suggestion: str
) -> None:
    found = diagnose(plan_of(SGD), points_of(losses, rate), [])
    assert found is not None
    assert found.kind == "stuck"
    assert words in found.what
    assert found.suggestion.endswith(suggestion)


def test_a_rate_that_ended_while_the_loss_fell_is_named_with_its_step() -> None:
    losses = np.r_[np.linspace(2.3, 1.0, 40), np.full(60, 1.0)]
    rates = np.r_[np.full(40, 0.1), np.full(60, 0.0001)]
    found = diagnose(plan_of(SGD), points_of(losses, rates), [])
    assert found is not None
    assert found.kind == "decayed early"
    assert "from step 40 of 100 on it was below 1 % of its peak, 0.1" in found.what
    assert found.suggestion == "Stretch the schedule's lengths to the whole run."


def test_a_plateau_that_cut_too_soon_is_asked_for_patience() -> None:
    plateau = {"optimizer": {"name": "sgd"}, "schedule": {"name": "reduce_lr_on_plateau"}}
    losses = np.r_[np.linspace(2.3, 1.0, 40), np.full(60, 1.0)]
    rates = np.r_[np.full(40, 0.1), np.full(60, 0.0001)]
    found = diagnose(plan_of(plateau), points_of(losses, rates), [])
    assert found is not None and "more patience" in found.suggestion


def test_a_rate_that_ended_once_the_loss_was_flat_is_no_fault() -> None:
    losses = np.r_[np.linspace(2.3, 0.5, 20), np.full(80, 0.5)]
    rates = np.r_[np.full(60, 0.1), np.full(40, 0.0001)]
    assert diagnose(plan_of(SGD), points_of(losses, rates), []) is None


def test_overfitting_is_named_with_its_epoch_and_size() -> None:
    epochs = epochs_of((0.6, 0.6), (0.4, 0.5), (0.2, 0.6), (0.1, 0.75))
    found = diagnose(plan_of(SGD), points_of(falling(128)), epochs)
    assert found is not None
    assert found.kind == "overfits"
    assert found.what == (
        "It overfits: since epoch 2 the validation loss rose from 0.5 to 0.75, by 50%, while the "
        "training loss fell from 0.4 to 0.1."
    )
    assert found.suggestion == "Train for 2 epochs."


def test_overfitting_from_the_first_epoch_on_asks_for_a_smaller_rate() -> None:
    found = diagnose(plan_of(SGD), points_of(falling(64)), epochs_of((0.6, 0.5), (0.2, 0.9)))
    assert found is not None and "three times smaller rate, 0.0033" in found.suggestion


def test_losses_that_rise_together_are_no_overfitting() -> None:
    epochs = epochs_of((0.4, 0.5), (0.6, 0.7))
    assert diagnose(plan_of(SGD), points_of(falling(64)), epochs) is None


def test_a_run_that_was_still_falling_is_asked_to_go_on() -> None:
    epochs = epochs_of((0.9, 0.9), (0.7, 0.8), (0.6, 0.7))
    found = diagnose(plan_of(SGD), points_of(falling(96)), epochs)
    assert found is not None
    assert (found.kind, found.suggestion) == ("still falling", "Train longer, for 6 epochs.")
    assert "from 0.8 to 0.7" in found.what


def test_a_sound_run_and_an_empty_one_have_no_diagnosis() -> None:
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
def test_real_runs_get_the_diagnosis_that_they_were_made_for(
    recipe: dict[str, Any], settings: dict[str, int], kind: str
) -> None:
    plan, sink = plan_of(recipe, **({"train_size": 640} | settings)), ListSink()
    train(plan, sink, SAMPLE)
    found = diagnose(plan, sink.all_points, sink.epochs)
    assert found is not None
    assert found.kind == kind, found
