"""The constant learning rate."""

from __future__ import annotations

from lrlab.arrays import ScheduleOps, Tensor
from lrlab.schedules.base import LEARNING_RATE, Schedule, rate_param


def constant(xp: ScheduleOps, t: Tensor, *, learning_rate: Tensor) -> Tensor:
    """The same learning rate at every step."""
    return learning_rate + xp.zeros_like(t)


CONSTANT = Schedule(
    key="constant",
    label="Constant",
    params=(rate_param(LEARNING_RATE, 0.001, "The learning rate at every step.", r"\eta"),),
    latex=r"\eta_t = \eta",
    rate=constant,
    reference="The learning rate of each optimizer's own paper",
    when="The first experiment: change one thing at a time.",
)

FAMILY = (CONSTANT,)
