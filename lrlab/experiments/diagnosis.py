"""What went wrong in a training run: plain words from measured numbers, and one suggestion."""

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

GUESSING = math.log(FASHION_MNIST.classes)
"""The loss of a network that gives every class the same probability."""

STUCK = 0.9
"""A run whose loss ends above this share of `GUESSING` has learned next to nothing."""

JUMPED = 1.5
"""A loss of so many times the first has jumped up."""

FADED = 0.01
"""A learning rate below this share of its peak has ended."""

EARLY = 0.8
"""A rate that ended before this share of the run ended early."""

SLOWED = 0.25
"""A loss that then falls, in each tenth of the run, by less than this share of what it fell before
has all but come to rest."""

OVERFITS = 0.05
"""So far, as a share, the validation loss has risen over its lowest."""

FALLING = 0.02
"""So much, as a share, the loss has fallen where it was still falling."""

FAR = 100
"""A rate so many times above or below Keras's default is not worth a step of ten towards it."""

Kind = Literal["diverged", "stuck", "decayed early", "overfits", "still falling"]


@dataclass(frozen=True)
class Diagnosis:
    """What went wrong, or could go better.

    Args:
        kind: see `Kind`.
        what: what was measured, in plain words.
        suggestion: one thing to try next.
    """

    kind: Kind
    what: str
    suggestion: str


@dataclass(frozen=True)
class _Seen:
    """A run's points as arrays, and its epochs."""

    plan: RunPlan
    steps: np.ndarray
    losses: np.ndarray
    rates: np.ndarray
    epochs: Sequence[EpochRecord]

    def mean_loss(self, low: float, high: float) -> float:
        """Over the points of the steps from ``low`` up to, not including, ``high``; NaN if there
        are none."""
        inside = self.losses[(self.steps >= low) & (self.steps < high)]
        return float(inside.mean()) if inside.size else math.nan


def diagnose_run(history: RunHistory) -> Diagnosis | None:
    """What went wrong in a run that has ended, the gravest thing alone.

    Returns:
        None where nothing stands out, or nothing was measured.
    """
    points = history.points
    if not points:
        return None
    seen = _Seen(
        history.plan,
        np.array([point.step for point in points], np.float64),
        np.array([point.loss for point in points], np.float64),
        np.array([point.learning_rate for point in points], np.float64),
        history.epochs,
    )
    looks: tuple[Callable[[_Seen], Diagnosis | None], ...] = (
        _diverged,
        _stuck,
        _decayed_early,
        _overfits,
        _still_falling,
    )
    return next((found for look in looks if (found := look(seen)) is not None), None)


def _diverged(seen: _Seen) -> Diagnosis | None:
    lost = np.flatnonzero(~np.isfinite(seen.losses))
    if lost.size:
        at, rate = int(seen.steps[lost[0]]), float(seen.rates[lost[0]])
    elif seen.epochs and not math.isfinite(seen.epochs[-1].val_loss):
        at, rate = int(seen.epochs[-1].step), float(seen.rates[-1])
    else:
        return None
    what = f"At step {at:,} the loss stopped being a finite number (it became infinity or NaN), at "
    what += f"a learning rate of {format_number(rate)}."
    before = seen.losses[: lost[0]] if lost.size else seen.losses
    if not before.size:
        return Diagnosis("diverged", what, _smaller(seen, rate))
    best = int(before.argmin())
    if before[-1] > JUMPED * before[best]:
        what += (
            f" It had been as low as {format_number(before[best])} at step {int(seen.steps[best]):,} and "
            f"had grown to {format_number(before[-1])}."
        )
    if climbed := _climbed(seen, best, rate):
        return Diagnosis("diverged", f"{what} {climbed[0]}", climbed[1])
    hyper = seen.plan.recipe.optimizer.params
    unclipped = all(hyper[name] is None for name in ("clipnorm", "clipvalue"))
    if at > seen.plan.steps_per_epoch and unclipped:
        suggestion = "Clip the gradients, with clipnorm = 1: for an epoch the rate was sound."
        return Diagnosis("diverged", what, suggestion)
    return Diagnosis("diverged", what, _smaller(seen, rate))


def _climbed(seen: _Seen, best: int, rate: float) -> tuple[str, str] | None:
    """Words and a suggestion where the rate has climbed since the point of the lowest loss."""
    sound = float(seen.rates[best])
    if not rate > JUMPED * sound > 0:
        return None
    what = f"The rate had climbed: where the loss was lowest it was {format_number(sound)}."
    return what, f"Keep the learning rate below {format_number(sound, 2)}."


def _stuck(seen: _Seen) -> Diagnosis | None:
    total = seen.steps[-1] + 1
    # A tenth of a short run may lie between its last two points.
    last = seen.mean_loss(min(0.9 * total, seen.steps[-1]), total)
    if last < STUCK * GUESSING:
        return None
    # Over a tenth as well: single batches differ by more than a rate that is too low changes.
    first = seen.mean_loss(0, max(0.1 * total, seen.steps[0] + 1))
    peak = float(seen.rates.max())
    what = "The loss hardly fell" if last < first else "The loss did not fall"
    what += f": it began at {format_number(first)} and ended at {format_number(last)}; "
    what += f"guessing among {FASHION_MNIST.classes} classes gives {format_number(GUESSING)}."
    top = float(seen.losses.max())
    if top > JUMPED * seen.losses[0]:
        what += f" On the way it jumped to {format_number(top)}, so the learning rate is too high."
        if climbed := _climbed(seen, int(seen.losses.argmin()), peak):
            return Diagnosis("stuck", f"{what} {climbed[0]}", climbed[1])
        return Diagnosis("stuck", what, _smaller(seen, peak))
    usual = seen.plan.recipe.optimizer_spec.learning_rate
    # What training used is float32, a little off what was planned.
    if peak > usual and not math.isclose(peak, usual, rel_tol=1e-6):
        what += f" The learning rate, {format_number(peak)}, is above Keras's default for this optimizer."
        return Diagnosis("stuck", what, _smaller(seen, peak))
    what += f" It never jumped up, so the learning rate, {format_number(peak)}, seems too low."
    if 10 * peak < usual / FAR:
        return Diagnosis("stuck", what, _default(usual))
    return Diagnosis("stuck", what, f"Try a ten times larger rate, {format_number(10 * peak, 2)}.")


def _decayed_early(seen: _Seen) -> Diagnosis | None:
    peak, total = seen.rates.max(), seen.steps[-1] + 1
    alive = np.flatnonzero(seen.rates >= FADED * peak)
    since = int(seen.steps[alive[-1]]) + 1
    if since > EARLY * total:
        return None
    window = 0.1 * total
    earlier, then = (
        seen.mean_loss(since - 2 * window, since - window),
        seen.mean_loss(since - window, since),
    )
    last = seen.mean_loss(total - window, total)
    fell, falls = earlier - then, (then - last) * window / (total - since)
    # Written so that an empty window, which has no mean, gives no diagnosis.
    if not (fell > FALLING * earlier and falls < SLOWED * fell):
        return None
    reactive = seen.plan.recipe.schedule_spec.reactive
    what = (
        f"The learning rate ended too early: from step {since:,} of {total:,.0f} on it was below "
        f"1 % of its peak, {format_number(peak)}. The loss was still falling then, from "
        f"{format_number(earlier)} to {format_number(then)} within a tenth of the run, and ended at "
        f"{format_number(last)}."
    )
    suggestion = (
        "Give it more patience, or a factor closer to 1."
        if reactive
        else "Stretch the schedule's lengths to the whole run."
    )
    return Diagnosis("decayed early", what, suggestion)


def _overfits(seen: _Seen) -> Diagnosis | None:
    if len(seen.epochs) < 2:
        return None
    best, last = min(seen.epochs, key=lambda epoch: epoch.val_loss), seen.epochs[-1]
    rise = last.val_loss / best.val_loss - 1
    if rise < OVERFITS or last.loss >= best.loss:
        return None
    since = best.epoch
    what = (
        f"It overfits: since epoch {since} the validation loss rose from "
        f"{format_number(best.val_loss)} to {format_number(last.val_loss)}, by {rise:.0%}, while the "
        f"training loss fell from {format_number(best.loss)} to {format_number(last.loss)}."
    )
    if since > 1:
        return Diagnosis("overfits", what, f"Train for {since} epochs.")
    return Diagnosis("overfits", what, _smaller(seen, float(seen.rates.max()), "three"))


def _still_falling(seen: _Seen) -> Diagnosis | None:
    if len(seen.epochs) < 2:
        return None
    before, last = seen.epochs[-2:]
    lowest = min(epoch.val_loss for epoch in seen.epochs)
    if last.val_loss > lowest or last.val_loss > (1 - FALLING) * before.val_loss:
        return None
    texts = format_distinct(before.val_loss, last.val_loss)
    what = (
        f"It was still getting better: in the last epoch the validation loss fell from {texts[0]} "
        f"to {texts[1]}."
    )
    return Diagnosis("still falling", what, f"Train longer, for {2 * last.epoch} epochs.")


def _smaller(seen: _Seen, rate: float, times: Literal["ten", "three"] = "ten") -> str:
    lower = rate / {"ten": 10, "three": 3}[times]
    usual = seen.plan.recipe.optimizer_spec.learning_rate
    if lower > FAR * usual:
        return _default(usual)
    return f"Try a {times} times smaller rate, {format_number(lower, 2)}."


def _default(rate: float) -> str:
    return f"Start again from Keras's default for this optimizer, {format_number(rate)}."
