"""Whether recipes differ at all, judged over seeds, and said without overclaiming."""

from __future__ import annotations

from lrlab.experiments.comparison.sentences import (
    comparison_sentence,
    pair_sentence,
    sampling_sentence,
)
from lrlab.experiments.comparison.statistics import (
    LEVEL,
    MOST_SEEDS,
    Band,
    Comparison,
    Pair,
    band_of,
    compare,
)

__all__ = [
    "LEVEL",
    "MOST_SEEDS",
    "Band",
    "Comparison",
    "Pair",
    "band_of",
    "compare",
    "comparison_sentence",
    "pair_sentence",
    "sampling_sentence",
]
