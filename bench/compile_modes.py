"""Which way of training is the fastest: ``python -m bench ways``, not part of ``make bench``.

Every optimizer on the MLP, and one on the CNN, by turns as the notebook cell, fused and unfused;
`lrlab.training.compile_mode` says what follows.
"""

from __future__ import annotations

from bench.training import SLOW_TRAIN_SIZE, measure, plan_for, trainers
from lrlab import OPTIMIZERS
from lrlab.training.compile_mode import COMPILE_MODES


def main() -> bool:
    """Print the table; there is no target to miss."""
    print("\nWays of training: an epoch with validation, by turns")
    cases = [("nadam", "cnn"), *((optimizer, "mlp") for optimizer in OPTIMIZERS)]
    for optimizer, network in cases:
        # Fresh processes: TensorFlow keeps what it has compiled.
        with trainers("cell", "lab") as pair:
            plan = plan_for(optimizer, network, SLOW_TRAIN_SIZE)
            for measured in measure(plan, list(COMPILE_MODES.values()), *pair):
                print(measured, flush=True)
    return True
