"""The two compile modes for a block of steps, and which plan uses which.

Importing this module loads neither TensorFlow nor Keras, so pages can show how a run was
compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lrlab.recipes.networks import NETWORKS
from lrlab.recipes.plan import RunPlan


@dataclass(frozen=True)
class CompileMode:
    """How the training steps are compiled.

    Args:
        key: stored with a run.
        label: text for people.
        jit_compile: the argument of Keras's ``compile`` with which a plain ``model.fit`` gives the
            same numbers. XLA rounds differently from TensorFlow's single operations, so the two
            modes differ in the fifth digit of the loss and drift apart from there.
    """

    key: str
    label: str
    jit_compile: bool


FUSED = CompileMode("fused", "Trained with XLA, a block of steps as one program.", jit_compile=True)
UNFUSED = CompileMode(
    "unfused", "Trained without XLA: TensorFlow ran the operations one by one.", jit_compile=False
)

COMPILE_MODES: Mapping[str, CompileMode] = MappingProxyType(
    {mode.key: mode for mode in (FUSED, UNFUSED)}
)
"""Key -> compile mode."""

MIN_FUSED_STEPS = 1_000
"""Shorter runs end before XLA's compile time would pay off."""


def choose_compile_mode(plan: RunPlan) -> CompileMode:
    """The compile mode that measured fastest for plans like this one.

    It depends on the plan alone, not on what is already compiled, so a run can be repeated.
    """
    unfused = NETWORKS[plan.network].faster_unfused or plan.total_steps < MIN_FUSED_STEPS
    return UNFUSED if unfused else FUSED


MAX_BLOCK_STEPS = 50
MAX_BLOCK_IMAGES = 1_600
"""The most steps and images in a block. With most plans such a block takes about 30 ms, so even a
machine eight times slower reports measurements four times a second."""

SMALL_BLOCK_STEPS = 8
"""The most steps in a block if steps take ten times as long (a convolution, or Muon with its five
matrix products for each weight matrix), and in short runs, where larger blocks would leave too few
of the values that are measured only at a block's last step."""


def block_steps(plan: RunPlan) -> int:
    """The number of steps between two reports of a run. It does not affect the numbers."""
    slow = NETWORKS[plan.network].slow_steps or plan.recipe.optimizer_spec.slow_steps
    short = plan.total_steps < MIN_FUSED_STEPS
    max_steps = SMALL_BLOCK_STEPS if slow or short else MAX_BLOCK_STEPS
    return max(1, min(max_steps, MAX_BLOCK_IMAGES // plan.batch_size))
