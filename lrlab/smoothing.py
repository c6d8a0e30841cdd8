"""Smoothing of a measured curve, as TensorBoard does it."""

from __future__ import annotations

import numpy as np


def smoothed(values: np.ndarray, weight: float) -> np.ndarray:
    """The exponential moving average, corrected for its start at zero.

    Args:
        values: shape ``(n,)``; the average begins anew after a value that is not finite.
        weight: of what came before, from 0 (no smoothing) up to, not including, 1.

    Returns:
        float64, shape ``(n,)``.
    """
    result = np.array(values, np.float64)
    if weight == 0:
        return result
    average, seen = 0.0, 0.0
    for i, value in enumerate(result):
        if not np.isfinite(value):
            average = seen = 0.0
            continue
        average = weight * average + (1 - weight) * value
        seen = weight * seen + (1 - weight)
        result[i] = average / seen
    return result
