"""Recipes over seeds: bands and tests are SciPy's, and no sentence claims more than they give."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from lrlab.experiments.comparison import (
    Comparison,
    Pair,
    band_of,
    compare,
    comparison_sentence,
    pair_sentence,
)
from lrlab.experiments.comparison.statistics import seeds_needed
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


def test_a_band_is_the_t_interval_from_three_seeds_on() -> None:
    band = band_of(ADAM)
    mean, error = np.mean(ADAM), stats.sem(ADAM)
    assert (band.mean, band.kind, band.values) == (pytest.approx(mean), "interval", 5)
    assert (band.low, band.high) == pytest.approx(stats.t.interval(0.95, 4, mean, error))


def test_the_band_of_fewer_seeds_is_what_was_seen() -> None:
    two_seeds, one = band_of([0.9, 0.8]), band_of([0.9])
    assert (two_seeds.low, two_seeds.high, two_seeds.kind) == (0.8, 0.9, "range")
    assert (one.mean, one.low, one.high, one.kind) == (0.9, 0.9, 0.9, "single")


def test_runs_that_diverged_are_counted_and_left_out() -> None:
    band = band_of([0.9, math.nan, 0.8, math.inf])
    assert (band.mean, band.values, band.diverged) == (pytest.approx(0.85), 2, 2)
    assert band_of([math.nan]).kind == "none"


def test_shared_seeds_are_compared_in_pairs_as_scipy_does() -> None:
    pair = pair_of(ADAM, CLOSE)
    expected = stats.ttest_rel(ADAM, CLOSE)
    assert (pair.test, pair.seeds) == ("paired", (5, 5))
    assert pair.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (pair.low, pair.high) == pytest.approx((interval.low, interval.high))


def test_other_seeds_are_compared_by_welchs_test() -> None:
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
def test_recipes_that_are_the_same_are_seldom_called_different(first_of_b: int) -> None:
    random = np.random.default_rng(6)
    draws = random.normal(0.88, 0.004, size=(400, 2, 5))
    found = [pair_of(a, b, first_of_b).distinguishable for a, b in draws]
    assert 0.03 <= np.mean(found) <= 0.07


def test_four_recipes_that_are_the_same_are_seldom_called_different() -> None:
    random = np.random.default_rng(7)
    wrong = 0
    for draw in random.normal(0.88, 0.004, size=(100, 4, 5)):
        comparison = compare({str(i): seeded(values) for i, values in enumerate(draw)}, ACCURACY)
        wrong += any(pair.distinguishable for pair in comparison.pairs)
    assert wrong <= 10


def test_p_and_interval_agree_on_what_is_distinguishable() -> None:
    random = np.random.default_rng(8)
    for draw in random.normal(0.88, 0.004, size=(20, 3, 4)):
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
def test_the_seeds_needed_are_those_of_the_tables(
    test: str, gap: float, spreads: list[float], seeds: int | None
) -> None:
    assert seeds_needed(test, gap, spreads) == seeds


def test_with_the_seeds_asked_for_a_difference_is_found_four_times_in_five() -> None:
    random = np.random.default_rng(9)
    count = seeds_needed("welch", 0.001, [0.004, 0.002])
    a = random.normal(0.881, 0.004, size=(2_000, count))
    b = random.normal(0.880, 0.002, size=(2_000, count))
    found = stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue < 0.05
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)


def test_a_clear_difference_is_said_with_its_size_and_test() -> None:
    said = pair_sentence(two(ADAM, SGD).pairs[0], ACCURACY)
    assert said.startswith("Adam is better than SGD here: its last validation accuracy is 1.4 ")
    assert "paired t-test over 5 shared seeds, p < 0.001" in said


def test_a_lower_loss_is_the_better_one() -> None:
    results = {"A": seeded([0.40, 0.41, 0.39]), "B": seeded([0.31, 0.32, 0.31])}
    said = comparison_sentence(compare(results, LOSS, images=1250))
    assert said.startswith("B is better than A here: its last validation loss is 0.087 lower")
    assert "validation images" not in said


def test_a_small_difference_is_not_claimed() -> None:
    said = pair_sentence(two(ADAM, CLOSE).pairs[0], ACCURACY)
    assert "Adam and SGD are not distinguishable" in said
    assert "may be anything from -" in said
    assert "seeds of each would be needed" in said


def test_one_seed_each_tells_nothing() -> None:
    said = comparison_sentence(two([0.9], [0.5]))
    assert said.startswith("Cannot tell Adam from SGD: with one seed each")
    assert "same 3 seeds or more" in said
    assert "a single seed of one" in pair_sentence(pair_of([0.9], [0.8, 0.81]), ACCURACY)


def test_numbers_without_any_spread_are_not_tested() -> None:
    same = pair_of([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    apart = pair_of([0.5, 0.6, 0.7], [0.4, 0.5, 0.6])
    assert not same.distinguishable and not apart.distinguishable
    assert "the same last validation accuracy with every seed" in pair_sentence(same, ACCURACY)
    assert "Cannot tell A from B" in pair_sentence(apart, ACCURACY)


def test_divergence_is_said_first() -> None:
    said = comparison_sentence(two([*ADAM[:4], math.nan], SGD))
    assert said.startswith("Adam diverged in 1 of 5 runs; the comparison leaves these runs out.")
    all_lost = comparison_sentence(two([math.nan], [math.nan]))
    assert "nothing to compare" in all_lost
    assert "no run that did not diverge" in comparison_sentence(two([math.nan], [0.5]))


def test_the_sampling_error_of_the_validation_images_is_named() -> None:
    said = comparison_sentence(two(ADAM, SGD, images=5_000))
    assert "these 5,000 validation images" in said
    assert "0.88 percentage points higher or lower" in said


def test_of_many_recipes_the_best_is_told_from_some() -> None:
    results = {"Adam": seeded(ADAM), "Nadam": seeded(CLOSE), "SGD": seeded(SGD)}
    said = comparison_sentence(compare(results, ACCURACY))
    assert "Nadam has the best mean last validation accuracy, 88.76%." in said
    assert "distinguishable from SGD, not from Adam." in said
    assert "corrected for 3 pairs" in said


def test_a_recipe_without_runs_is_refused() -> None:
    with pytest.raises(InvalidInput, match="SGD has no finished run"):
        two(ADAM, [])


def test_a_measure_takes_the_last_or_the_best_epoch() -> None:
    epochs = [
        epoch_record(1, val_accuracy=0.8, val_loss=0.5),
        epoch_record(2, val_accuracy=0.7, val_loss=0.6),
    ]
    found = {key: measure.of(epochs) for key, measure in MEASURES.items()}
    assert found == {
        "last_val_accuracy": 0.7,
        "best_val_accuracy": 0.8,
        "last_val_loss": 0.6,
        "best_val_loss": 0.5,
    }
    assert math.isnan(LOSS.of(epochs, diverged=True))
    assert math.isnan(LOSS.of([]))
    assert math.isnan(MEASURES["best_val_loss"].of([*epochs, epoch_record(3, val_loss=math.nan)]))


def test_equal_means_are_called_the_same() -> None:
    said = pair_sentence(pair_of([0.5, 0.7, 0.6], [0.7, 0.5, 0.6]), ACCURACY)
    assert said.startswith("A and B are not distinguishable: their mean last validation accuracy")


def test_of_many_recipes_with_one_seed_each_none_is_called_better() -> None:
    results = {"Adam": {1: 0.9}, "Nadam": {1: 0.8}, "SGD": {1: 0.7}}
    said = comparison_sentence(compare(results, ACCURACY))
    assert "Whether it is really better cannot be told" in said


def test_one_recipe_is_described_with_its_band() -> None:
    def said(values: Sequence[float]) -> str:
        return comparison_sentence(compare({"Adam": seeded(values)}, ACCURACY))

    low, high = (f"{end:.2%}" for end in (band_of(ADAM).low, band_of(ADAM).high))
    assert said(ADAM) == (
        "Adam: mean last validation accuracy 88.74% over 5 seeds "
        f"(95 % interval of the mean {low} to {high})."
    )
    assert "(from 80.00% to 90.00%)" in said([0.9, 0.8])
    assert "with one seed. Other seeds may differ." in said([0.9])
