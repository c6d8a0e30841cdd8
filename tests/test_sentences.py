"""Generated sentences agree with the numbers they describe."""

from __future__ import annotations

import pytest

from lrlab.descent.hyperparameter_map import hyperparameter_map
from lrlab.descent.race import race
from lrlab.descent.sentences import map_sentence, race_sentence, trajectory_sentence
from lrlab.descent.trajectory import trace
from lrlab.recipes.plan import PRESETS, RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.recipes.sentences import curve_sentence, reactive_sentence
from lrlab.text import (
    escape_markdown,
    format_distinct,
    format_duration,
    format_measure,
    format_number,
)


def plan_of(**schedule: object) -> RunPlan:
    recipe = Recipe.from_dict({"optimizer": {"name": "sgd"}, "schedule": schedule})
    return RunPlan.of(recipe, epochs=1, batch_size=10, train_size=1000)


def constant(rate: float, optimizer: str = "sgd") -> Recipe:
    return Recipe.from_dict(
        {
            "optimizer": {"name": optimizer},
            "schedule": {"name": "constant", "learning_rate": rate},
        }
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0999, "0.0999"),
        (0.09994321, "0.0999"),
        (1.2e-5, "1.2e-5"),
        (45_000.0, "45,000"),
        (-3.0, "-3"),
        (0.0, "0"),
        (1234.56, "1,230"),
        (1e30, "1e30"),
        (float("nan"), "not finite"),
        (float("-inf"), "not finite"),
    ],
)
def test_a_number_has_a_sensible_number_of_digits(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("value", "share", "text", "short"),
    [
        (0.88714, True, "88.71%", "88.7%"),
        (0.32154, False, "0.3215", "0.322"),
        (float("nan"), False, "not finite", "not finite"),
        (None, True, "–", "–"),
    ],
)
def test_a_measure_has_the_necessary_digits(
    value: float | None, share: bool, text: str, short: str
) -> None:
    assert (format_measure(value, share), format_measure(value, share, short=True)) == (text, short)


def test_two_numbers_that_differ_are_written_differently() -> None:
    assert format_distinct(0.1, 0.0999) == ("0.1", "0.0999")
    assert format_distinct(0.1, 0.09999) == ("0.1", "0.09999")
    assert format_distinct(0.1, 0.1) == ("0.1", "0.1")


def test_the_sentence_says_that_the_notebooks_second_exercise_hardly_moves() -> None:
    sentence = curve_sentence(PRESETS["Exercise 2: SGD, decay"])
    assert "2,814 steps" in sentence
    assert "0.1 → 0.0999" in sentence
    assert "hardly moves" in sentence


def test_the_sentence_says_that_a_constant_rate_stays_the_same() -> None:
    sentence = curve_sentence(plan_of(name="constant", learning_rate=0.02))
    assert "0.02" in sentence and "same at every step" in sentence and "→" not in sentence


def test_a_decay_is_described_by_its_first_and_last_rate() -> None:
    sentence = curve_sentence(
        plan_of(
            name="polynomial_decay",
            initial_learning_rate=0.1,
            end_learning_rate=0.01,
            decay_steps=99,
        )
    )
    assert "0.1 → 0.01." in sentence and "hardly" not in sentence


def test_a_warm_up_is_described_with_its_peak() -> None:
    sentence = curve_sentence(
        plan_of(
            name="cosine_decay",
            initial_learning_rate=0.001,
            warmup_target=0.5,
            warmup_steps=20,
            decay_steps=80,
        )
    )
    assert "0.001 → 0.5 at step 20 →" in sentence


def test_arrival_is_reported_with_its_step() -> None:
    trajectory = trace(constant(0.1), "quadratic_bowl", steps=400)
    gaps = trajectory.values - trajectory.surface.minimum
    first = int((gaps <= 1e-3 * gaps[0]).argmax())
    sentence = trajectory_sentence(trajectory)
    assert "arrived" in sentence and f"step {first:,}" in sentence


def test_divergence_is_reported_with_its_step() -> None:
    trajectory = trace(constant(1.0), "rosenbrock", steps=100)
    sentence = trajectory_sentence(trajectory)
    assert trajectory.diverged_at is not None
    assert "Diverges" in sentence and f"step {trajectory.diverged_at:,}" in sentence


def test_unlimited_descent_is_not_called_a_mistake() -> None:
    trajectory = trace(constant(0.5), "saddle", start=(0.0, 0.1), steps=2000)
    sentence = trajectory_sentence(trajectory)
    assert trajectory.diverged_at is not None
    assert (
        "no minimum" in sentence
        and f"{trajectory.diverged_at:,}" in sentence
        and "too high" not in sentence
    )


def test_a_trajectory_that_hardly_moves_is_reported() -> None:
    sentence = trajectory_sentence(trace(constant(1e-6), "himmelblau", steps=10))
    assert "hardly moved" in sentence


def test_the_distance_to_the_nearest_minimum_is_reported() -> None:
    trajectory = trace(constant(1e-3), "rosenbrock", steps=50)
    assert "away from the nearest global minimum" in trajectory_sentence(trajectory)


def test_leaving_the_map_is_reported_and_is_not_divergence() -> None:
    trajectory = trace(constant(0.05, "momentum"), "booth", steps=300)
    assert trajectory.left_map_at is not None and trajectory.diverged_at is None
    sentence = trajectory_sentence(trajectory)
    assert (
        f"leaves the map at step {trajectory.left_map_at:,}" in sentence
        and "Diverges" not in sentence
    )


def test_a_trajectory_that_starts_at_the_minimum_has_arrived() -> None:
    assert "arrived" in trajectory_sentence(
        trace(constant(0.01), "booth", start=(1.0, 3.0), steps=5)
    )


def test_a_map_is_described_by_its_best_pair_and_its_share_of_divergence() -> None:
    result = hyperparameter_map(
        constant(0.01, "momentum"), "rosenbrock", "learning_rate", "momentum", steps=50, cells=8
    )
    sentence = map_sentence(result)
    diverged = int((result.diverged_at >= 0).sum())
    assert "64 pairs of learning_rate and momentum" in sentence
    assert f"{format_number(diverged / 64 * 100, 2)}% diverge" in sentence
    assert format_number(result.values[result.diverged_at < 0].min()) in sentence


def test_a_race_is_described_by_its_winner_and_the_diverged_recipes() -> None:
    recipes = {"slow": constant(1e-3), "fast": constant(1e-2), "lost": constant(1.0)}
    runners = race(recipes, "rosenbrock", rate=1e-3, steps=30)
    assert race_sentence(runners, fair=False).startswith("After 30 steps, slow is lowest")
    both = {
        "slow": runners["slow"],
        "lost": race(recipes, "rosenbrock", rate=1.0, steps=30)["lost"],
    }
    sentence = race_sentence(both, fair=False)
    assert "slow is lowest" in sentence and "Diverged: lost" in sentence
    assert "All diverge" in race_sentence({"lost": both["lost"]}, fair=False)


def test_a_fair_race_is_described_with_the_winners_learning_rate() -> None:
    runners = race({"a": constant(1e-3), "b": constant(1e-3, "adam")}, "booth", steps=40)
    winner = min(runners, key=lambda label: runners[label].trajectory.values[-1])
    sentence = race_sentence(runners, fair=True)
    assert f"{winner} is lowest" in sentence and format_number(runners[winner].rate) in sentence


@pytest.mark.parametrize(("epochs", "can_be_cut"), [(2, False), (40, True)])
def test_a_reactive_schedule_is_described_without_predicting_its_curve(
    epochs: int, can_be_cut: bool
) -> None:
    recipe = Recipe.from_dict(
        {
            "optimizer": {"name": "sgd"},
            "schedule": {"name": "reduce_lr_on_plateau", "learning_rate": 0.25, "patience": 5},
        }
    )
    sentence = reactive_sentence(RunPlan.of(recipe, epochs=epochs))
    assert "cannot be drawn ahead" in sentence and "0.25" in sentence
    assert ("stays constant" in sentence) is not can_be_cut


def test_escaping_removes_markup_and_keeps_all_characters() -> None:
    text = "**b** <i> $x$ `c` :red[r] :material/home: www.a.org a@b.org https://a.org\n# h ηₜ"
    shown = escape_markdown(text)
    assert "\n" not in shown
    unescaped = shown.replace("\\", "").replace("\N{WORD JOINER}", "")
    assert unescaped == text.replace("\n", " ")
    for sign in "*<>$`[]#_~!|":
        assert f"\\{sign}" in escape_markdown(f"a{sign}b")
    for linked in (":material", "www\\.", "@b", ":/", ":red"):
        assert linked not in shown


def test_durations_are_formatted_concisely() -> None:
    seconds = (0.2, 45, 99.4, 125, 3599, 4200)
    expected = ["1 s", "45 s", "99 s", "2 min 05 s", "59 min 59 s", "1 h 10 min"]
    assert [format_duration(value) for value in seconds] == expected
