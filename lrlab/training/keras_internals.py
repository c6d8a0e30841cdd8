"""Every private part of Keras that training uses and every Keras method it replaces, as of 3.15.

For each part, a docstring or comment says why it is needed and which test fails when Keras changes
it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

from lrlab.arrays import Tensor

__all__ = ["ArrayDataAdapter", "record_gradients"]

# ArrayDataAdapter: draws the order in which ``fit`` trains on an array; Keras has no public way to
# ask for it. tests/test_training.py compares a run with a plain ``model.fit`` step by step.


def record_gradients(
    optimizer: keras.optimizers.Optimizer, record: Callable[[Sequence[Tensor]], None]
) -> None:
    """Replace the optimizer's ``apply``, so that it also records the gradients it is given.

    Keras's training step computes the gradients and passes them on; there is no callback in
    between, and computing them again would double the work.

    Noticed by tests/test_lengths.py, which compares the recorded gradient norm with one computed
    separately.
    """
    apply = optimizer.apply

    def apply_and_record(
        gradients: Sequence[Tensor], variables: Sequence[keras.Variable] | None = None
    ) -> None:
        record(gradients)
        apply(gradients, variables)

    optimizer.apply = apply_and_record
