"""The learning-rate schedules: `SCHEDULES` maps each key to its description."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lrlab.schedules import constant, cosine, cyclical, decay, plateau, ramp, warmup
from lrlab.schedules.base import Schedule

SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        schedule.key: schedule
        for family in (constant, decay, cosine, warmup, cyclical, plateau)
        for schedule in family.FAMILY
    }
)
"""Each schedule by its key. Adding one is one entry in its module's ``FAMILY``."""

RAMP = ramp.RAMP
"""The warm-up and cool-down that can be put around any of them."""

__all__ = ["RAMP", "SCHEDULES", "Schedule"]
