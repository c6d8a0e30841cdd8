"""Which compile mode is fastest: ``python -m bench compile_modes``, not part of ``make bench``.

Trains every optimizer on the MLP, and one on the CNN, alternately as the notebook cell, fused and
unfused. `lrlab.training.compile_mode` draws the conclusions.
"""

from __future__ import annotations

from bench.training import SLOW_TRAIN_SIZE, measure, plan_for, trainers
from lrlab import OPTIMIZERS
from lrlab.training.compile_mode import COMPILE_MODES


def main() -> bool:
    """Prints the table; there are no targets, so the result is always True."""
    print("\nCompile modes: an epoch with validation, measured alternately")
    cases = [("nadam", "cnn"), *((optimizer, "mlp") for optimizer in OPTIMIZERS)]
    for optimizer, network in cases:
        # New processes, because TensorFlow caches compiled programs.
        with trainers("cell", "lab") as pair:
            plan = plan_for(optimizer, network, SLOW_TRAIN_SIZE)
            for measured in measure(plan, list(COMPILE_MODES.values()), *pair):
                print(measured, flush=True)
    return True
