"""Compare recipes over seeds: statistics, and sentences that do not overclaim."""

from __future__ import annotations

from lrlab.experiments.comparison.sentences import (
    comparison_sentence,
    pair_sentence,
    sampling_sentence,
)
from lrlab.experiments.comparison.statistics import (
    LEVEL,
    MAX_SEEDS_NEEDED,
    Band,
    Comparison,
    Pair,
    compare,
    seed_band,
)

__all__ = [
    "LEVEL",
    "MAX_SEEDS_NEEDED",
    "Band",
    "Comparison",
    "Pair",
    "compare",
    "comparison_sentence",
    "pair_sentence",
    "sampling_sentence",
    "seed_band",
]
