"""What went wrong in a training run, derived from its measurements, with one suggestion."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lrlab.datasets.fashion_mnist import FASHION_MNIST
from lrlab.recipes.plan import RunPlan
from lrlab.text import format_distinct, format_number
from lrlab.training.measurements import EpochRecord, RunHistory

GUESSING_LOSS = math.log(FASHION_MNIST.classes)
"""The loss of a network that gives every class the same probability."""

STUCK_SHARE = 0.9
"""A run whose loss ends above this share of `GUESSING_LOSS` has learned next to nothing."""

JUMP_FACTOR = 1.5
"""A loss this many times the first loss has jumped up; also how many times the learning rate must
exceed the rate at the lowest loss to have climbed."""

ENDED_SHARE = 0.01
"""A learning rate below this share of its peak has effectively ended."""

EARLY_SHARE = 0.8
"""The learning rate ended early if it ended before this share of the run."""

FLAT_SHARE = 0.25
"""The loss is flat after the rate ended if it then falls, per tenth of the run, by less than this
share of what it fell in the tenth before."""

OVERFITTING_RISE = 0.05
"""A run overfits if its validation loss ends at least this share above its minimum."""

FALLING_SHARE = 0.02
"""A loss is still falling if it has fallen by at least this share."""

MAX_DEFAULT_FACTOR = 100
"""A rate that differs from Keras's default by more than this factor is not changed tenfold; the
suggestion is to start again from the default."""

Kind = Literal["diverged", "stuck", "decayed early", "overfits", "still falling"]


@dataclass(frozen=True)
class Diagnosis:
    """A problem or a possible improvement.

    Args:
        kind: see `Kind`.
        what: what was measured, for people.
        suggestion: one thing to try next.
    """

    kind: Kind
    what: str
    suggestion: str


@dataclass(frozen=True)
class _Measurements:
    """A run's points as arrays, and its epochs."""

    plan: RunPlan
    steps: np.ndarray
    losses: np.ndarray
    rates: np.ndarray
    epochs: Sequence[EpochRecord]

    def mean_loss(self, low: float, high: float) -> float:
        """The mean loss of the points at steps from ``low`` to below ``high``; NaN if there are
        none."""
        inside = self.losses[(self.steps >= low) & (self.steps < high)]
        return float(inside.mean()) if inside.size else math.nan


def diagnose_run(history: RunHistory) -> Diagnosis | None:
    """The most serious problem of a run that has ended.

    Returns:
        None if nothing stands out, or nothing was measured.
    """
    points = history.points
    if not points:
        return None
    run = _Measurements(
        history.plan,
        np.array([point.step for point in points], np.float64),
        np.array([point.loss for point in points], np.float64),
        np.array([point.learning_rate for point in points], np.float64),
        history.epochs,
    )
    # The most serious problem comes first.
    checks: tuple[Callable[[_Measurements], Diagnosis | None], ...] = (
        _diverged,
        _stuck,
        _decayed_early,
        _overfits,
        _still_falling,
    )
    return next((diagnosis for check in checks if (diagnosis := check(run)) is not None), None)


def _diverged(run: _Measurements) -> Diagnosis | None:
    not_finite = np.flatnonzero(~np.isfinite(run.losses))
    if not_finite.size:
        step, rate = int(run.steps[not_finite[0]]), float(run.rates[not_finite[0]])
    elif run.epochs and not math.isfinite(run.epochs[-1].val_loss):
        step, rate = int(run.epochs[-1].step), float(run.rates[-1])
    else:
        return None
    what = f"At step {step:,} the loss became infinite or NaN, at a learning rate of "
    what += f"{format_number(rate)}."
    before = run.losses[: not_finite[0]] if not_finite.size else run.losses
    if not before.size:
        return Diagnosis("diverged", what, _smaller(run, rate))
    lowest = int(before.argmin())
    if before[-1] > JUMP_FACTOR * before[lowest]:
        what += (
            f" It had been as low as {format_number(before[lowest])} at step "
            f"{int(run.steps[lowest]):,} and had grown to {format_number(before[-1])}."
        )
    if climbed := _climbed(run, lowest, rate):
        return Diagnosis("diverged", f"{what} {climbed[0]}", climbed[1])
    params = run.plan.recipe.optimizer.params
    unclipped = all(params[name] is None for name in ("clipnorm", "clipvalue"))
    if step > run.plan.steps_per_epoch and unclipped:
        suggestion = (
            "Clip the gradients, with clipnorm = 1: the learning rate worked for a whole epoch."
        )
        return Diagnosis("diverged", what, suggestion)
    return Diagnosis("diverged", what, _smaller(run, rate))


def _climbed(run: _Measurements, lowest: int, rate: float) -> tuple[str, str] | None:
    """A sentence and a suggestion if the rate climbed after the point of the lowest loss.

    Args:
        run: the run.
        lowest: the index of the point with the lowest loss.
        rate: the rate to compare with.
    """
    good_rate = float(run.rates[lowest])
    if not rate > JUMP_FACTOR * good_rate > 0:
        return None
    what = f"The learning rate had climbed: at the lowest loss it was {format_number(good_rate)}."
    return what, f"Keep the learning rate below {format_number(good_rate, 2)}."


def _stuck(run: _Measurements) -> Diagnosis | None:
    total = run.steps[-1] + 1
    # In a short run the last tenth may contain no point, so the last point always counts.
    last = run.mean_loss(min(0.9 * total, run.steps[-1]), total)
    if last < STUCK_SHARE * GUESSING_LOSS:
        return None
    # The start is averaged too: batches differ by more than a rate that is too low changes.
    first = run.mean_loss(0, max(0.1 * total, run.steps[0] + 1))
    peak = float(run.rates.max())
    what = "The loss hardly fell" if last < first else "The loss did not fall"
    what += f": it began at {format_number(first)} and ended at {format_number(last)}; "
    what += f"guessing among {FASHION_MNIST.classes} classes gives {format_number(GUESSING_LOSS)}."
    highest = float(run.losses.max())
    if highest > JUMP_FACTOR * run.losses[0]:
        what += f" It jumped to {format_number(highest)}, so the learning rate is too high."
        if climbed := _climbed(run, int(run.losses.argmin()), peak):
            return Diagnosis("stuck", f"{what} {climbed[0]}", climbed[1])
        return Diagnosis("stuck", what, _smaller(run, peak))
    default = run.plan.recipe.optimizer_spec.learning_rate
    # Training uses float32, so the measured rate is slightly off the planned one.
    if peak > default and not math.isclose(peak, default, rel_tol=1e-6):
        what += f" The learning rate, {format_number(peak)}, is above Keras's default for this "
        what += "optimizer."
        return Diagnosis("stuck", what, _smaller(run, peak))
    what += f" It never jumped up, so the learning rate, {format_number(peak)}, seems too low."
    if 10 * peak < default / MAX_DEFAULT_FACTOR:
        return Diagnosis("stuck", what, _default(default))
    return Diagnosis(
        "stuck", what, f"Try a ten times larger learning rate, {format_number(10 * peak, 2)}."
    )


def _decayed_early(run: _Measurements) -> Diagnosis | None:
    peak, total = run.rates.max(), run.steps[-1] + 1
    active = np.flatnonzero(run.rates >= ENDED_SHARE * peak)
    end = int(run.steps[active[-1]]) + 1
    if end > EARLY_SHARE * total:
        return None
    window = 0.1 * total
    earlier = run.mean_loss(end - 2 * window, end - window)
    at_end = run.mean_loss(end - window, end)
    last = run.mean_loss(total - window, total)
    fall_before, fall_after = earlier - at_end, (at_end - last) * window / (total - end)
    # An empty window has a mean of NaN; with this condition it gives no diagnosis.
    if not (fall_before > FALLING_SHARE * earlier and fall_after < FLAT_SHARE * fall_before):
        return None
    what = (
        f"The learning rate decayed too early: from step {end:,} of {total:,.0f} on, it was below "
        f"1% of its peak, {format_number(peak)}. The loss was still falling at that point, from "
        f"{format_number(earlier)} to {format_number(at_end)} within a tenth of the run, and ended "
        f"at {format_number(last)}."
    )
    suggestion = (
        "Increase the patience, or use a factor closer to 1."
        if run.plan.recipe.schedule_spec.reactive
        else "Stretch the schedule's step counts to the whole run."
    )
    return Diagnosis("decayed early", what, suggestion)


def _overfits(run: _Measurements) -> Diagnosis | None:
    if len(run.epochs) < 2:
        return None
    best, last = min(run.epochs, key=lambda epoch: epoch.val_loss), run.epochs[-1]
    rise = last.val_loss / best.val_loss - 1
    if rise < OVERFITTING_RISE or last.loss >= best.loss:
        return None
    what = (
        f"It overfits: after epoch {best.epoch}, the validation loss rose from "
        f"{format_number(best.val_loss)} to {format_number(last.val_loss)}, by {rise:.0%}, while "
        f"the training loss fell from {format_number(best.loss)} to {format_number(last.loss)}."
    )
    if best.epoch > 1:
        return Diagnosis("overfits", what, f"Train for {best.epoch} epochs.")
    return Diagnosis("overfits", what, _smaller(run, float(run.rates.max()), "three"))


def _still_falling(run: _Measurements) -> Diagnosis | None:
    if len(run.epochs) < 2:
        return None
    before, last = run.epochs[-2:]
    lowest = min(epoch.val_loss for epoch in run.epochs)
    if last.val_loss > lowest or last.val_loss > (1 - FALLING_SHARE) * before.val_loss:
        return None
    texts = format_distinct(before.val_loss, last.val_loss)
    what = (
        f"It was still improving: in the last epoch the validation loss fell from {texts[0]} to "
        f"{texts[1]}."
    )
    return Diagnosis("still falling", what, f"Train longer, for {2 * last.epoch} epochs.")


def _smaller(run: _Measurements, rate: float, times: Literal["ten", "three"] = "ten") -> str:
    lower = rate / {"ten": 10, "three": 3}[times]
    default = run.plan.recipe.optimizer_spec.learning_rate
    if lower > MAX_DEFAULT_FACTOR * default:
        return _default(default)
    return f"Try a {times} times smaller learning rate, {format_number(lower, 2)}."


def _default(rate: float) -> str:
    return f"Start again from Keras's default for this optimizer, {format_number(rate)}."
