"""The learning-rate schedules: `SCHEDULES` maps each key to its description."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lrlab.schedules import constant, cosine, cyclical, decay, language_models, plateau, ramp
from lrlab.schedules.base import Schedule

SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        schedule.key: schedule
        for family in (constant, decay, cosine, language_models, cyclical, plateau)
        for schedule in family.FAMILY
    }
)
"""Key -> schedule. To add a schedule, add its description to the ``FAMILY`` of its module."""

RAMP = ramp.RAMP
"""The warm-up and cool-down that can be applied to any schedule that is not reactive."""

__all__ = ["RAMP", "SCHEDULES", "Schedule"]
