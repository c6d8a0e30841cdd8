"""The optimizers: `OPTIMIZERS` maps each key to its description.

To add an optimizer, add its description to the ``FAMILY`` of its module.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lrlab.optimizers import adagrad, adam, adamw, ftrl, layerwise, lion, rmsprop, sgd
from lrlab.optimizers.base import Optimizer

OPTIMIZERS: Mapping[str, Optimizer] = MappingProxyType(
    {
        optimizer.key: optimizer
        for family in (sgd, adagrad, rmsprop, adam, ftrl, adamw, lion, layerwise)
        for optimizer in family.FAMILY
    }
)
