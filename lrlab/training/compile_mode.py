"""The two ways to train a block of steps, and which plan is trained which way.

Importing this module loads nothing heavy, so a page can say beforehand how a run will be trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lrlab.recipes.networks import NETWORKS
from lrlab.recipes.plan import RunPlan


@dataclass(frozen=True)
class CompileMode:
    """A way to train.

    Args:
        key: what a run records.
        label: for people.
        jit_compile: the argument of Keras's ``compile`` under which a plain ``model.fit`` gives
            the same numbers. XLA rounds otherwise than TensorFlow's single operations, so the two
            ways part in the fifth digit of the loss and drift from there.
    """

    key: str
    label: str
    jit_compile: bool


FUSED = CompileMode("fused", "one XLA program for a block of steps", jit_compile=True)
UNFUSED = CompileMode("unfused", "TensorFlow's operations, one by one", jit_compile=False)

COMPILE_MODES: Mapping[str, CompileMode] = MappingProxyType(
    {way.key: way for way in (FUSED, UNFUSED)}
)
"""Each way by its key."""

FUSED_STEPS = 1_000
"""A run of fewer steps is over before compiling would have paid."""


def choose_compile_mode(plan: RunPlan) -> CompileMode:
    """How a plan is trained: the way that was measured to be the fastest for its like.

    The plan alone decides, not what has been compiled already, so a run can be repeated.
    """
    network, optimizer = NETWORKS[plan.network], plan.recipe.optimizer_spec
    slower = network.unfused_because or optimizer.unfused_because
    return UNFUSED if slower or plan.total_steps < FUSED_STEPS else FUSED


BLOCK_STEPS = 50
BLOCK_IMAGES = 1_600
"""A block holds at most this many steps and images: with most plans it takes some 30 ms, so that
on a machine eight times slower measurements still come four times a second."""

SMALL_BLOCK_STEPS = 8
"""The same for steps that take ten times as long (a convolution's, and Muon's five matrix products
for each matrix of weights), and for short runs: what only a block's last step measures would be
too little to see."""


def block_steps(plan: RunPlan) -> int:
    """How many steps of a plan are trained between two reports. It changes no number."""
    slow = NETWORKS[plan.network].slow_steps or plan.recipe.optimizer_spec.slow_steps
    most = SMALL_BLOCK_STEPS if slow or plan.total_steps < FUSED_STEPS else BLOCK_STEPS
    return max(1, min(most, BLOCK_IMAGES // plan.batch_size))
