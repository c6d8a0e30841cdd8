"""Sweeps: the runs of a grid, their cells, the best cell and the sentences about it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from lrlab.experiments.measures import MEASURES
from lrlab.experiments.sweep import SweepAxis, axis_value, sweep, sweepable_params, with_axis_values
from lrlab.experiments.sweep_results import (
    SweepResult,
    best_sentence,
    find_best_cell,
    sweep_result,
    sweep_sentence,
)
from lrlab.params import InvalidInput
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.limits import DEFAULT_LIMITS
from lrlab.runs.store import Store

LOSS = MEASURES["last_val_loss"]
ADAM = Recipe.from_dict({"optimizer": {"name": "adam"}})
COSINE = Recipe.from_dict(
    {
        "optimizer": {"name": "adam"},
        "schedule": {
            "name": "cosine_decay",
            "initial_learning_rate": 0.001,
            "decay_steps": 100,
            "warmup_target": 0.01,
            "warmup_steps": 20,
        },
    }
)
RATES = SweepAxis.of("learning_rate", (1e-3, 1e-4, 1e-2))
BETAS = SweepAxis.of("optimizer.beta_1", (0.5, 0.9))


def plan_of(recipe: Recipe = ADAM) -> RunPlan:
    return RunPlan.of(recipe, train_size=1_000, epochs=4)


def result_of(values: dict[float, list[float]], **options: Any) -> SweepResult:
    """The result of a sweep over the learning rate with several seeds."""
    seeds = range(len(next(iter(values.values()))))
    runs = sweep(plan_of(), [SweepAxis.of("learning_rate", values)], seeds=seeds, **options)
    results = [values[axis_value(plan, "learning_rate")][plan.seed] for plan in runs.values()]
    return sweep_result(zip(runs.values(), results, strict=True), LOSS)


def test_a_sweep_has_every_optimizer_value_and_seed_in_order() -> None:
    runs = sweep(plan_of(), [RATES, BETAS], ("nadam", "adam"), seeds=(1, 2))
    assert len(runs) == 2 * 3 * 2 * 2
    assert list(runs)[:3] == [
        "Nadam, learning_rate 0.0001, beta_1 0.5, seed 1",
        "Nadam, learning_rate 0.0001, beta_1 0.5, seed 2",
        "Nadam, learning_rate 0.0001, beta_1 0.9, seed 1",
    ]
    last = list(runs.values())[-1]
    assert last.recipe.optimizer.params["beta_1"] == 0.9
    assert last.recipe.schedule.params["learning_rate"] == 0.01
    assert (last.recipe.optimizer.name, last.seed, last.epochs) == ("adam", 2, 4)


def test_the_learning_rate_axis_scales_the_whole_schedule() -> None:
    plan = plan_of(COSINE)
    for name, run in sweep(plan, [SweepAxis.of("learning_rate", (0.1, 0.002))]).items():
        peak = axis_value(run, "learning_rate")
        assert f"learning_rate {peak:g}," in name
        expected = COSINE.learning_rates(plan.total_steps) * peak / 0.01
        np.testing.assert_allclose(run.recipe.learning_rates(plan.total_steps), expected)


def test_a_reactive_schedule_starts_at_the_learning_rate() -> None:
    plateau = Recipe.from_dict(
        {"optimizer": {"name": "sgd"}, "schedule": {"name": "reduce_lr_on_plateau"}}
    )
    (run,) = sweep(plan_of(plateau), [SweepAxis.of("learning_rate", [0.3])]).values()
    assert run.recipe.schedule.params["learning_rate"] == 0.3


def test_another_optimizer_keeps_the_schedule_and_has_its_own_defaults() -> None:
    (run,) = sweep(plan_of(COSINE), [SweepAxis.of("schedule.alpha", [0.5])], ["sgd"]).values()
    assert run.recipe.optimizer == Recipe.from_dict({"optimizer": {"name": "sgd"}}).optimizer
    assert run.recipe.schedule.params["alpha"] == 0.5
    (run,) = sweep(plan_of(), [SweepAxis.of("optimizer.clipnorm", [None])], ["sgd"]).values()
    assert run.recipe.schedule.params["learning_rate"] == 0.01


def test_every_parameter_except_lists_can_be_swept_and_read_back() -> None:
    ramped = with_axis_values(ADAM, {"ramp.warmup_steps": 10}, 128)
    for recipe in (ADAM, COSINE, ramped):
        for key, param in sweepable_params(recipe).items():
            value = {"float": 0.5, "int": 30, "bool": True}[param.kind]
            changed = with_axis_values(recipe, {key: value}, 128)
            assert axis_value(RunPlan.of(changed, train_size=1_000, epochs=4), key) == value, key
    boundaries = {"optimizer": {"name": "sgd"}, "schedule": {"name": "piecewise_constant_decay"}}
    assert "schedule.boundaries" not in sweepable_params(Recipe.from_dict(boundaries))


@pytest.mark.parametrize(
    ("key", "ends", "values"),
    [
        ("learning_rate", (1e-4, 1e-2, 3), (1e-4, 1e-3, 1e-2)),
        ("optimizer.beta_1", (0.9, 0.999, 3), (0.9, 0.99, 0.999)),
        ("schedule.alpha", (0.0, 1.0, 3), (0.0, 0.5, 1.0)),
        ("schedule.warmup_steps", (1, 4, 9), (1, 2, 3, 4)),
        ("learning_rate", (3e-5, 0.03123, 3), (3e-5, 9.7e-4, 0.03123)),
        ("learning_rate", (1e-3, 1.1e-3, 3), (1e-3, 1.05e-3, 1.1e-3)),
    ],
)
def test_a_range_is_spaced_like_the_slider(
    key: str, ends: tuple[float, float, int], values: tuple[float, ...]
) -> None:
    assert SweepAxis.between(COSINE, key, *ends).values == values


@pytest.mark.parametrize(
    ("key", "ends", "message"),
    [
        ("learning_rate", (0.1, 0.01, 3), "from a lower to a higher"),
        ("learning_rate", (0.1, 0.2, 1), "two values or more"),
        ("ramp.warmup_steps", (0, 10, 3), "must start above 0"),
        ("optimizer.rho", (0.1, 0.2, 3), "has no 'optimizer.rho'"),
        ("learning_rate", (0.1, 1e9, 3), "a number above 0"),
    ],
)
def test_an_invalid_range_is_refused(
    key: str, ends: tuple[float, float, int], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        SweepAxis.between(ADAM, key, *ends)


@pytest.mark.parametrize(
    ("axes", "optimizers", "message"),
    [
        ([], (), "not none"),
        ([RATES, RATES], (), "different hyperparameters"),
        ([RATES, BETAS, SweepAxis.of("optimizer.beta_2", [0.9])], (), "one or two"),
        ([BETAS], ("sgd",), "has no 'optimizer.beta_1'"),
        ([SweepAxis.of("optimizer.beta_1", [1.5])], (), "beta_1 = 1.5 is not allowed"),
        ([RATES], ("adum",), "no optimizer 'adum'"),
    ],
)
def test_an_invalid_sweep_is_refused(
    axes: list[SweepAxis], optimizers: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        sweep(plan_of(), axes, optimizers)


def test_too_many_runs_are_refused_with_their_number() -> None:
    large_axis = SweepAxis.between(ADAM, "learning_rate", 1e-5, 1, 51)
    max_runs = DEFAULT_LIMITS.max_group
    with pytest.raises(InvalidInput, match=rf"at most {max_runs} .* 204 .*51 learning_rate"):
        sweep(plan_of(), [large_axis], ("adam", "sgd"), seeds=(1, 2))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "no values"),
        ([0.1, "0.2"], r"learning_rate = '0\.2' is not allowed"),
        ([0.1, {}], "learning_rate = {} is not allowed"),
        ([0.1, 10**400], "learning_rate = 10"),
        ([0.1, math.nan], "learning_rate = nan"),
    ],
)
def test_an_axis_without_values_or_with_an_invalid_value_is_refused(
    values: list[Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        SweepAxis.of("learning_rate", values)


def test_long_names_are_unique_and_fit_the_store(tmp_path: Any) -> None:
    ftrl = Recipe.from_dict({"optimizer": {"name": "ftrl"}})
    keys = ("l2_shrinkage_regularization_strength", "l1_regularization_strength")
    axes = [SweepAxis.of(f"optimizer.{key}", (0.12345678, 0.22345678)) for key in keys]
    runs = sweep(plan_of(ftrl), axes, seeds=(2**31 - 1, 2**31 - 2))
    assert len(runs) == 8
    store = Store(f"sqlite:///{tmp_path / 'runs.db'}")
    group = store.queue_group(runs, owner="me", name="a sweep", kind="sweep")
    assert len(store.runs(group=group)) == 8
    store.close()


def test_the_axes_are_recognised_from_the_plans_of_the_runs() -> None:
    both = sweep(plan_of(COSINE), [RATES, BETAS], ("adam", "nadam"), seeds=(1, 2))
    result = sweep_result([(plan, None) for plan in both.values()], LOSS)
    assert (result.axes, result.cells) == (("learning_rate", "optimizer.beta_1"), ())
    # A warm-up is the only axis even if it is so long that it lowers the peak rate.
    warm = sweep(plan_of(), [SweepAxis.of("ramp.warmup_steps", (0, 100, 200, 300))])
    assert sweep_result([(plan, 1.0) for plan in warm.values()], LOSS).axes == (
        "ramp.warmup_steps",
    )


def test_a_cell_combines_its_seeds() -> None:
    result = result_of({1e-3: [0.4, 0.5], 1e-2: [0.3, math.nan]})
    assert [cell.axis_values for cell in result.cells] == [(1e-3,), (1e-2,)]
    first, second = (cell.band for cell in result.cells)
    assert (first.mean, first.low, first.high) == (pytest.approx(0.45), 0.4, 0.5)
    assert (second.mean, second.diverged) == (0.3, 1)


def test_the_best_cell_has_the_fewest_diverged_runs() -> None:
    best = find_best_cell(
        result_of({1e-3: [0.5, 0.5], 1e-2: [0.3, math.nan], 1e-1: [math.nan] * 2})
    )
    assert best is not None
    assert best.cell.axis_values == (1e-3,)
    assert best.at_edge == ("learning_rate",)


def test_of_equal_cells_the_smallest_learning_rate_is_best() -> None:
    result = result_of({1e-4: [0.9], 1e-3: [0.3], 1e-2: [0.3], 1e-1: [0.8]})
    best = find_best_cell(result)
    assert best is not None and best.runner_up is not None
    assert (best.cell.axis_values, best.runner_up.axis_values, best.at_edge) == (
        (1e-3,),
        (1e-2,),
        (),
    )
    assert sweep_sentence(result) == (
        "Best: Adam, learning_rate 0.001, last validation loss 0.3 (one seed)."
    )
    assert best_sentence(result) == (
        "Next best: Adam, learning_rate 0.01. The best and the next best reached the same last "
        "validation loss with the seeds trained so far."
    )


def test_with_one_seed_the_best_is_not_distinguished_from_the_next() -> None:
    sentence = best_sentence(result_of({1e-4: [0.9], 1e-3: [0.3], 1e-2: [0.4]}))
    assert sentence == (
        "Next best: Adam, learning_rate 0.01. Cannot tell the best from the next best: with one "
        "seed each, a difference of 0.1 may be chance. Train both with the same 3 seeds or more."
    )


@pytest.mark.parametrize(
    ("next_best", "message"),
    [
        ([0.41, 0.42, 0.40, 0.43], "The best is better than the next best here: its last val"),
        ([0.33, 0.30, 0.32, 0.36], "The best and the next best are not distinguishable: the best"),
    ],
)
def test_the_best_is_compared_with_the_next_by_scipys_paired_test(
    next_best: list[float], message: str
) -> None:
    best = [0.31, 0.33, 0.30, 0.34]
    sentence = best_sentence(result_of({1e-3: next_best, 1e-2: best, 1e-1: [0.9, 0.8, 0.9, 0.8]}))
    p = stats.ttest_rel(best, next_best).pvalue
    shown = "< 0.001" if p < 0.001 else f"= {p:.2g}"
    assert sentence.startswith(f"Next best: Adam, learning_rate 0.001. {message}")
    assert f"paired t-test over 4 shared seeds, p {shown}" in sentence
    assert ("would be needed" in sentence) == (p >= 0.05)


def test_the_best_of_ten_equal_cells_is_rarely_called_better() -> None:
    rng = np.random.default_rng(6)
    rates = np.arange(1, 11) / 1000
    draws = rng.normal(0.4, 0.01, size=(100, 10, 3)) + rng.normal(0, 0.02, size=(100, 1, 3))
    sentences = [best_sentence(result_of(dict(zip(rates, draw, strict=True)))) for draw in draws]
    assert sum("is better than" in each for each in sentences) <= 100 * 0.05


def test_the_best_is_not_compared_with_cells_that_diverged_more_often() -> None:
    diverged = math.nan
    best = find_best_cell(
        result_of({1e-3: [0.5, 0.5], 1e-2: [0.2, diverged], 1e-1: [diverged, diverged]})
    )
    assert best is not None and best.runner_up is None
    sentence = best_sentence(
        result_of({1e-3: [0.5, diverged], 1e-2: [0.2, diverged], 1e-1: [diverged, diverged]})
    )
    assert "the next best diverged in 1 of 2 runs" in sentence


def test_the_highest_accuracy_is_the_best() -> None:
    runs = sweep(plan_of(), [RATES]).values()
    result = sweep_result(zip(runs, (0.7, 0.9, 0.8), strict=True), MEASURES["best_val_accuracy"])
    assert "learning_rate 0.001, best validation accuracy 90.00%" in sweep_sentence(result)


def test_a_sweep_in_progress_reports_the_best_so_far() -> None:
    sentence = sweep_sentence(result_of({1e-4: [0.9], 1e-3: [0.4], 1e-2: [0.3]}), under_way=True)
    assert sentence == "Best so far: Adam, learning_rate 0.01, last validation loss 0.3 (one seed)."


def test_a_sweep_in_which_all_runs_diverged_says_so() -> None:
    result = result_of({1e-3: [math.nan], 1e-2: [math.nan]})
    assert find_best_cell(result) is None
    assert sweep_sentence(result).endswith("2 of 2 runs diverged.")
    assert best_sentence(result) == ""
