"""Compare recipes over seeds: statistics, and sentences that do not overclaim."""

from __future__ import annotations

from lrlab.experiments.comparison.sentences import comparison_sentence
from lrlab.experiments.comparison.statistics import Band, compare, seed_band

__all__ = ["Band", "compare", "comparison_sentence", "seed_band"]
