"""A linear warm-up and a linear cool-down for any schedule that is not reactive."""

from __future__ import annotations

from collections.abc import Mapping

from lrlab.arrays import ScheduleOps, Tensor
from lrlab.params import InvalidInput, Value, number_of
from lrlab.schedules.base import Schedule, steps_param


def ramp(
    xp: ScheduleOps,
    t: Tensor,
    *,
    warmup_steps: Tensor,
    cooldown_steps: Tensor,
    cooldown_end: Tensor,
) -> Tensor:
    """The factor from 0 to 1 by which the schedule's learning rate is multiplied at steps ``t``.

    It rises linearly to 1 over the first ``warmup_steps`` steps and falls linearly to 0 over the
    last ``cooldown_steps`` steps before step ``cooldown_end``. A length of 0 omits that part.
    """
    rising = xp.minimum((t + 1) / xp.maximum(warmup_steps, 1.0), 1.0)
    falling = xp.clip((cooldown_end - t) / xp.maximum(cooldown_steps, 1.0), 0.0, 1.0)
    return xp.minimum(rising, xp.where(cooldown_steps > 0, falling, 1.0))


def _check(values: Mapping[str, Value]) -> None:
    steps, end = number_of(values, "cooldown_steps"), number_of(values, "cooldown_end")
    if steps > end:
        raise InvalidInput(
            f"ramp: cooldown_steps = {steps} is not allowed with cooldown_end = {end}, because the "
            f"cool-down would start before step 0. Use at most {end} steps or a later end."
        )


RAMP = Schedule(
    key="ramp",
    label="Warm-up and cool-down",
    params=(
        steps_param(
            "warmup_steps",
            0,
            "The number of steps in which the learning rate rises from near 0; 0 for no warm-up.",
            "w",
            0.0,
            low=0,
        ),
        steps_param(
            "cooldown_steps",
            0,
            "The number of steps in which the learning rate falls to 0; 0 for no cool-down.",
            "k",
            0.0,
            low=0,
        ),
        steps_param("cooldown_end", 1000, "The step at which the cool-down reaches 0.", "e", 100.0),
    ),
    latex=r"""\eta_t \to \eta_t\;\min\!\left(1,\ \frac{t+1}{w},\ \frac{e-t}{k}\right)""",
    rate=ramp,
    reference="Goyal et al., Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour, 2017; "
    "Zhai et al., Scaling Vision Transformers, 2022",
    when="Use a warm-up if the first steps would diverge: with large learning rates, large batches "
    "or adaptive optimizers. Use a cool-down to let the run settle at the end.",
    check=_check,
)
"""Described like a schedule, but its values are factors for another schedule's learning rate."""
