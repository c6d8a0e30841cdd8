"""Training in blocks, fused by XLA and unfused, compared step by step with plain ``model.fit``."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from lrlab.recipes.plan import PRESETS, RunPlan
from lrlab.training.compile_mode import (
    FUSED,
    MIN_FUSED_STEPS,
    UNFUSED,
    CompileMode,
    choose_compile_mode,
)
from lrlab.training.compiled_programs import MAX_PROGRAMS, CompiledPrograms
from lrlab.training.trainer import train
from tests.training_runs import SAMPLE, ListSink, StepLosses, plain_fit, plan_of

NADAM = {"optimizer": {"name": "nadam"}}
CYCLING_ADAM = {
    "optimizer": {"name": "adam", "clipnorm": 1.0},
    "schedule": {"name": "cosine_decay_restarts", "initial_learning_rate": 0.01},
    "ramp": {"warmup_steps": 10},
}
PLATEAU = {
    "optimizer": {"name": "momentum"},
    "schedule": {
        "name": "reduce_lr_on_plateau",
        "learning_rate": 0.2,
        "patience": 1,
        "min_delta": 0.5,
    },
}


def run(plan: RunPlan, mode: CompileMode) -> ListSink:
    sink = ListSink()
    outcome = train(plan, sink, SAMPLE, mode)
    assert (outcome.kind, outcome.compile_mode) == ("completed", mode.key)
    return sink


@pytest.mark.parametrize("mode", [FUSED, UNFUSED], ids=lambda mode: mode.key)
@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        # Two blocks; the second has three whole batches and one of 4 images.
        (NADAM, {"train_size": 356}),
        # No smaller last batch; all blocks have the same size.
        (CYCLING_ADAM, {"train_size": 1_024, "batch_size": 64, "epochs": 3}),
        # Each epoch is a single batch, smaller than ``batch_size``.
        (PLATEAU, {"train_size": 90, "batch_size": 100, "epochs": 5}),
    ],
    ids=["nadam", "adam with a schedule", "a plateau callback"],
)
def test_every_step_equals_the_step_of_a_plain_model_fit(
    recipe: dict[str, Any], settings: dict[str, int], mode: CompileMode
) -> None:
    plan = plan_of(recipe, seed=3, **settings)
    sink, steps = run(plan, mode), StepLosses(plan)
    history, _ = plain_fit(plan, mode.jit_compile, steps)

    for name, expected in sink.history().items():
        np.testing.assert_allclose(history[name], expected, rtol=0, atol=1e-5, err_msg=name)
    assert [point.step for point in sink.all_points] == list(range(plan.total_steps))
    losses = [point.loss for point in sink.all_points]
    # The batch's loss is computed from Keras's running mean, in float32.
    np.testing.assert_allclose(losses, steps.losses, rtol=0, atol=3e-4)
    if not plan.recipe.schedule_spec.reactive:
        rates = [point.learning_rate for point in sink.all_points]
        planned = plan.recipe.learning_rates(plan.total_steps)
        np.testing.assert_allclose(rates, planned, rtol=0, atol=2e-6 * planned.max())


def test_a_plateau_lowers_the_learning_rate_of_a_fused_run() -> None:
    sink = run(plan_of(PLATEAU, train_size=90, batch_size=100, epochs=5), FUSED)
    rates = [record.learning_rate for record in sink.epochs]
    assert rates[0] == pytest.approx(0.2)
    assert all(after <= before for before, after in pairwise(rates))
    assert rates[-1] < 0.1


def test_runs_that_differ_in_seed_or_learning_rate_share_a_program_but_no_state() -> None:
    def with_rate(rate: float, seed: int) -> RunPlan:
        schedule = {"name": "constant", "learning_rate": rate}
        return plan_of(NADAM | {"schedule": schedule}, seed=seed, train_size=320)

    first = run(with_rate(1e-3, seed=1), FUSED)
    other = run(with_rate(1e-2, seed=2), FUSED)
    repeated = run(with_rate(1e-3, seed=1), FUSED)
    assert [sink.phases.count("compiling") for sink in (other, repeated)] == [0, 0]
    assert repeated.history() == first.history()
    assert other.history() != first.history()
    assert [record.learning_rate for record in other.epochs] == pytest.approx([1e-2, 1e-2])


def test_schedules_share_a_program() -> None:
    def decaying(schedule: dict[str, Any]) -> RunPlan:
        return plan_of({"optimizer": {"name": "sgd"}, "schedule": schedule}, train_size=320)

    plans = [
        decaying({"name": "exponential_decay", "initial_learning_rate": 0.1, "decay_steps": 5}),
        decaying({"name": "cosine_decay", "initial_learning_rate": 0.05, "decay_steps": 20}),
    ]
    sinks = [run(plan, FUSED) for plan in plans]
    assert "compiling" not in sinks[1].phases
    for plan, sink in zip(plans, sinks, strict=True):
        rates = [point.learning_rate for point in sink.all_points]
        planned = plan.recipe.learning_rates(plan.total_steps)
        np.testing.assert_allclose(rates, planned, rtol=0, atol=2e-6 * planned.max())


def test_a_fused_run_that_diverges_ends_at_that_step_within_its_block() -> None:
    schedule = {"name": "piecewise_constant_decay", "boundaries": [39], "values": [0.01, 1e6]}
    recipe = {"optimizer": {"name": "sgd"}, "schedule": schedule}
    plan = plan_of(recipe, epochs=3)
    fused, unfused = ListSink(), ListSink()
    outcome = train(plan, fused, SAMPLE, FUSED)
    assert outcome.kind == "diverged"
    assert outcome.steps == train(plan, unfused, SAMPLE, UNFUSED).steps
    assert [point.step for point in fused.all_points] == list(range(outcome.steps + 1))
    *before, last = [point.loss for point in fused.all_points]
    assert np.isfinite(before).all()
    assert not np.isfinite(last)
    assert len(fused.epochs) == 1


def test_a_stopped_fused_run_keeps_its_measurements() -> None:
    sink = ListSink(stop=lambda sink: len(sink.all_points) > 32)
    outcome = train(plan_of(NADAM, train_size=320, epochs=40), sink, SAMPLE, FUSED)
    assert outcome.kind == "stopped"
    assert 32 < outcome.steps < 400
    assert [point.step for point in sink.all_points] == list(range(outcome.steps))


def test_the_number_of_compiled_programs_is_limited() -> None:
    programs = CompiledPrograms()

    def find(beta: float) -> object:
        plan = plan_of({"optimizer": {"name": "nadam", "beta_1": beta}}, train_size=320)
        return programs.find(plan, SAMPLE, UNFUSED)

    first, second = find(0.0), find(0.1)
    assert find(0.0) is first
    for number in range(2, MAX_PROGRAMS + 1):
        find(number / 10)
    assert find(0.0) is first
    assert find(0.1) is not second


def test_the_compile_mode_depends_only_on_the_plan() -> None:
    assert {choose_compile_mode(plan) for plan in PRESETS.values()} == {FUSED}
    assert choose_compile_mode(plan_of(NADAM, train_size=45_000, network="cnn")) is UNFUSED
    steps = {"train_size": 1_000, "batch_size": 10}
    assert choose_compile_mode(plan_of(NADAM, epochs=MIN_FUSED_STEPS // 100, **steps)) is FUSED
    assert (
        choose_compile_mode(plan_of(NADAM, epochs=MIN_FUSED_STEPS // 100 - 1, **steps)) is UNFUSED
    )
