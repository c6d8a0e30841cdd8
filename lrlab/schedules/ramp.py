"""A linear warm-up and a linear cool-down around any schedule."""

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
    """The share, from 0 to 1, of the schedule's rate that is used at the steps ``t``.

    The first ``warmup_steps`` updates climb to the whole rate, the last ``cooldown_steps`` before
    step ``cooldown_end`` fall towards 0, which that step reaches. 0 leaves either out.
    """
    climbed = xp.minimum((t + 1) / xp.maximum(warmup_steps, 1.0), 1.0)
    left = xp.clip((cooldown_end - t) / xp.maximum(cooldown_steps, 1.0), 0.0, 1.0)
    return xp.minimum(climbed, xp.where(cooldown_steps > 0, left, 1.0))


def _check(values: Mapping[str, Value]) -> None:
    steps, end = number_of(values, "cooldown_steps"), number_of(values, "cooldown_end")
    if steps > end:
        raise InvalidInput(
            f"ramp: cooldown_steps = {steps} is not allowed with cooldown_end = {end}. The "
            f"cool-down would begin before step 0: it must be at most {end} steps, or end later."
        )


RAMP = Schedule(
    key="ramp",
    label="Warm-up and cool-down",
    params=(
        steps_param(
            "warmup_steps",
            0,
            "The rate climbs to the schedule's for this many steps; 0 for no warm-up.",
            "w",
            0.0,
            low=0,
        ),
        steps_param(
            "cooldown_steps",
            0,
            "The rate falls to 0 for this many steps at the end; 0 for no cool-down.",
            "k",
            0.0,
            low=0,
        ),
        steps_param("cooldown_end", 1000, "The step at which the cool-down ends.", "e", 100.0),
    ),
    latex=r"""\eta_t \to \eta_t\;\min\!\left(1,\ \frac{t+1}{w},\ \frac{e-t}{k}\right)""",
    rate=ramp,
    reference="Goyal et al., Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour, 2017; "
    "Zhai et al., Scaling Vision Transformers, 2022",
    when="A warm-up where the first steps would diverge: large rates, large batches, adaptive "
    "optimizers. A cool-down where the end of the run should settle.",
    check=_check,
)
"""Described as a schedule is; its values are shares of the rate of the schedule it is put
around."""
