"""Comparing recipes over seeds: bands and tests equal SciPy's; sentences claim no more."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from lrlab.experiments.comparison import compare, comparison_sentence, seed_band
from lrlab.experiments.comparison.sentences import pair_sentence
from lrlab.experiments.comparison.statistics import Comparison, Pair, seeds_needed
from lrlab.experiments.measures import MEASURES
from lrlab.params import InvalidInput
from tests.measured import epoch_record

ACCURACY = MEASURES["last_val_accuracy"]
LOSS = MEASURES["last_val_loss"]
ADAM = [0.884, 0.889, 0.886, 0.891, 0.887]
SGD = [0.871, 0.873, 0.874, 0.876, 0.872]
CLOSE = [0.885, 0.888, 0.885, 0.892, 0.888]


def seeded(values: Sequence[float], first: int = 1) -> dict[int, float]:
    return dict(enumerate(values, start=first))


def pair_of(a: Sequence[float], b: Sequence[float], first_of_b: int = 1) -> Pair:
    (pair,) = compare({"A": seeded(a), "B": seeded(b, first_of_b)}, ACCURACY).pairs
    return pair


def two(a: Sequence[float], b: Sequence[float], images: int | None = None) -> Comparison:
    return compare({"Adam": seeded(a), "SGD": seeded(b)}, ACCURACY, images)


def test_the_band_of_three_or_more_seeds_is_the_t_interval() -> None:
    band = seed_band(ADAM)
    mean, error = np.mean(ADAM), stats.sem(ADAM)
    assert (band.mean, band.kind, band.values) == (pytest.approx(mean), "interval", 5)
    assert (band.low, band.high) == pytest.approx(stats.t.interval(0.95, 4, mean, error))


def test_the_band_of_fewer_seeds_is_the_range() -> None:
    two_seeds, one = seed_band([0.9, 0.8]), seed_band([0.9])
    assert (two_seeds.low, two_seeds.high, two_seeds.kind) == (0.8, 0.9, "range")
    assert (one.mean, one.low, one.high, one.kind) == (0.9, 0.9, 0.9, "single")


def test_diverged_runs_are_counted_and_left_out() -> None:
    band = seed_band([0.9, math.nan, 0.8, math.inf])
    assert (band.mean, band.values, band.diverged) == (pytest.approx(0.85), 2, 2)
    assert seed_band([math.nan]).kind == "none"


def test_shared_seeds_are_compared_by_scipys_paired_test() -> None:
    pair = pair_of(ADAM, CLOSE)
    expected = stats.ttest_rel(ADAM, CLOSE)
    assert (pair.test, pair.seeds) == ("paired", (5, 5))
    assert pair.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (pair.low, pair.high) == pytest.approx((interval.low, interval.high))


def test_different_seeds_are_compared_by_welchs_test() -> None:
    pair = pair_of(ADAM, SGD, first_of_b=4)
    expected = stats.ttest_ind(ADAM, SGD, equal_var=False)
    assert (pair.test, pair.seeds) == ("welch", (5, 5))
    assert pair.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (pair.low, pair.high) == pytest.approx((interval.low, interval.high))


def test_only_shared_seeds_enter_a_paired_test() -> None:
    pair = pair_of([*ADAM, 0.1], [*SGD, math.nan])
    assert (pair.test, pair.seeds) == ("paired", (5, 5))
    assert pair.difference == pytest.approx(np.mean(ADAM) - np.mean(SGD))


@pytest.mark.parametrize("first_of_b", [1, 100], ids=["paired", "welch"])
def test_equal_recipes_are_rarely_called_different(first_of_b: int) -> None:
    rng = np.random.default_rng(6)
    draws = rng.normal(0.88, 0.004, size=(400, 2, 5))
    distinguishable = [pair_of(a, b, first_of_b).distinguishable for a, b in draws]
    assert 0.03 <= np.mean(distinguishable) <= 0.07


def test_four_equal_recipes_are_rarely_called_different() -> None:
    rng = np.random.default_rng(7)
    false_positives = 0
    for draw in rng.normal(0.88, 0.004, size=(100, 4, 5)):
        comparison = compare({str(i): seeded(values) for i, values in enumerate(draw)}, ACCURACY)
        false_positives += any(pair.distinguishable for pair in comparison.pairs)
    assert false_positives <= 10


def test_p_value_and_interval_agree() -> None:
    rng = np.random.default_rng(8)
    for draw in rng.normal(0.88, 0.004, size=(20, 3, 4)):
        shifted = draw + np.array([0.0, 0.004, 0.012])[:, None]
        results = {str(i): seeded(values) for i, values in enumerate(shifted)}
        for pair in compare(results, ACCURACY).pairs:
            assert pair.distinguishable == (pair.low > 0 or pair.high < 0)


@pytest.mark.parametrize(
    ("test", "gap", "spreads", "seeds"),
    [
        # Cohen, Statistical Power Analysis, 1988: level 0.05, power 0.8.
        ("paired", 1.0, [1.0], 10),
        ("paired", 0.5, [1.0], 34),
        ("welch", 0.5, [1.0, 1.0], 64),
        ("welch", 0.8, [1.0, 1.0], 26),
        ("paired", 1000.0, [1.0], 2),
        ("paired", 0.0, [1.0], None),
    ],
)
def test_the_seeds_needed_match_cohens_tables(
    test: str, gap: float, spreads: list[float], seeds: int | None
) -> None:
    assert seeds_needed(test, gap, spreads) == seeds


def test_the_seeds_needed_give_a_power_of_80_percent() -> None:
    rng = np.random.default_rng(9)
    count = seeds_needed("welch", 0.001, [0.004, 0.002])
    a = rng.normal(0.881, 0.004, size=(2_000, count))
    b = rng.normal(0.880, 0.002, size=(2_000, count))
    significant = stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue < 0.05
    assert np.mean(significant) == pytest.approx(0.8, abs=0.03)


def test_a_clear_difference_is_reported_with_its_size_and_test() -> None:
    sentence = pair_sentence(two(ADAM, SGD).pairs[0], ACCURACY)
    assert sentence.startswith("Adam is better than SGD here: its last validation accuracy is 1.4 ")
    assert "paired t-test over 5 shared seeds, p < 0.001" in sentence


def test_a_lower_loss_is_better() -> None:
    results = {"A": seeded([0.40, 0.41, 0.39]), "B": seeded([0.31, 0.32, 0.31])}
    sentence = comparison_sentence(compare(results, LOSS, images=1250))
    assert sentence.startswith("B is better than A here: its last validation loss is 0.087 lower")
    assert "validation images" not in sentence


def test_a_small_difference_is_not_claimed() -> None:
    sentence = pair_sentence(two(ADAM, CLOSE).pairs[0], ACCURACY)
    assert "Adam and SGD are not distinguishable" in sentence
    assert "may be anything from -" in sentence
    assert "seeds of each would be needed" in sentence


def test_with_one_seed_each_no_recipe_is_called_better() -> None:
    sentence = comparison_sentence(two([0.9], [0.5]))
    assert sentence.startswith("Cannot tell Adam from SGD: with one seed each")
    assert "same 3 seeds or more" in sentence
    assert "a single seed of one" in pair_sentence(pair_of([0.9], [0.8, 0.81]), ACCURACY)


def test_values_without_spread_are_not_tested() -> None:
    identical = pair_of([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    shifted = pair_of([0.5, 0.6, 0.7], [0.4, 0.5, 0.6])
    assert not identical.distinguishable and not shifted.distinguishable
    assert "the same last validation accuracy with every seed" in pair_sentence(identical, ACCURACY)
    assert "Cannot tell A from B" in pair_sentence(shifted, ACCURACY)


def test_divergence_is_reported_first() -> None:
    sentence = comparison_sentence(two([*ADAM[:4], math.nan], SGD))
    assert sentence.startswith(
        "Adam diverged in 1 of 5 runs; the comparison leaves these runs out."
    )
    all_diverged = comparison_sentence(two([math.nan], [math.nan]))
    assert "nothing to compare" in all_diverged
    assert "all runs of one of them diverged" in comparison_sentence(two([math.nan], [0.5]))


def test_the_sampling_error_of_the_validation_images_is_reported() -> None:
    sentence = comparison_sentence(two(ADAM, SGD, images=5_000))
    assert "these 5,000 validation images" in sentence
    assert "0.88 percentage points higher or lower" in sentence


def test_the_best_of_several_recipes_is_distinguished_from_some() -> None:
    results = {"Adam": seeded(ADAM), "Nadam": seeded(CLOSE), "SGD": seeded(SGD)}
    sentence = comparison_sentence(compare(results, ACCURACY))
    assert "Nadam has the best mean last validation accuracy, 88.76%." in sentence
    assert "distinguishable from SGD, not from Adam." in sentence
    assert "corrected for 3 pairs" in sentence


def test_a_recipe_without_runs_is_refused() -> None:
    with pytest.raises(InvalidInput, match="SGD has no finished run"):
        two(ADAM, [])


def test_a_measure_is_taken_from_the_last_or_the_best_epoch() -> None:
    epochs = [
        epoch_record(1, val_accuracy=0.8, val_loss=0.5),
        epoch_record(2, val_accuracy=0.7, val_loss=0.6),
    ]
    values = {key: measure.of(epochs) for key, measure in MEASURES.items()}
    assert values == {
        "last_val_accuracy": 0.7,
        "best_val_accuracy": 0.8,
        "last_val_loss": 0.6,
        "best_val_loss": 0.5,
    }
    assert math.isnan(LOSS.of(epochs, diverged=True))
    assert math.isnan(LOSS.of([]))
    assert math.isnan(MEASURES["best_val_loss"].of([*epochs, epoch_record(3, val_loss=math.nan)]))


def test_equal_means_are_called_the_same() -> None:
    sentence = pair_sentence(pair_of([0.5, 0.7, 0.6], [0.7, 0.5, 0.6]), ACCURACY)
    assert sentence.startswith(
        "A and B are not distinguishable: their mean last validation accuracy"
    )


def test_of_several_recipes_with_one_seed_each_none_is_called_better() -> None:
    results = {"Adam": {1: 0.9}, "Nadam": {1: 0.8}, "SGD": {1: 0.7}}
    sentence = comparison_sentence(compare(results, ACCURACY))
    assert "Whether it is really better is unknown" in sentence


def test_a_single_recipe_is_described_with_its_band() -> None:
    def sentence(values: Sequence[float]) -> str:
        return comparison_sentence(compare({"Adam": seeded(values)}, ACCURACY))

    low, high = (f"{end:.2%}" for end in (seed_band(ADAM).low, seed_band(ADAM).high))
    assert sentence(ADAM) == (
        "Adam: mean last validation accuracy 88.74% over 5 seeds "
        f"(95% interval of the mean {low} to {high})."
    )
    assert "(from 80.00% to 90.00%)" in sentence([0.9, 0.8])
    assert "with one seed. Other seeds may differ." in sentence([0.9])
