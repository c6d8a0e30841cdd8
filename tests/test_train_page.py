"""The Train page: starting, watching, opening, reusing and deleting runs, without a browser."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lrlab.recipes.plan import PRESETS, RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.store import ENDED, RESUMABLE, State, Store
from lrlab.text import escape_markdown
from lrlab.training.measurements import EpochRecord, Point
from lrlab.ui.app.server import server
from tests.app_visit import ME, PAGES, SOMEBODY, button, button_labels, page_text, serving, visit

PLAN = RunPlan.of(
    Recipe.from_dict(
        {
            "optimizer": {"name": "rmsprop", "rho": 0.7},
            "schedule": {
                "name": "exponential_decay",
                "initial_learning_rate": 0.02,
                "decay_steps": 33,
            },
        }
    ),
    "cnn",
    epochs=3,
    batch_size=100,
    seed=9,
    train_size=1000,
)


def add_ended_run(store: Store, name: str, owner: str, state: State, loss: float) -> int:
    """Adds a run that ended in this state after its first epoch."""
    run_id = store.queue(PLAN, owner=owner, name=name)
    run = store.claim("past")
    source = "a copy of Fashion-MNIST"
    store.record_setup(run_id, run.attempt, data_source=source, compile_mode="fused")
    store.record_phase(run_id, run.attempt, "training")
    rates = PLAN.recipe.learning_rates(10)
    points = [Point(step, loss, float(rates[step])) for step in range(10)]
    store.record_points(run_id, run.attempt, points)
    store.record_epoch(run_id, run.attempt, EpochRecord(1, 10, loss, 0.7, loss, 0.6, 0.02, 1.5))
    test_results = (0.5, 0.8125) if state == "finished" and math.isfinite(loss) else (None, None)
    diverged = state == "finished" and not math.isfinite(loss)
    reason = f"{state} on purpose"
    store.finish(run_id, run.attempt, state, reason, *test_results, diverged=diverged)
    return run_id


@pytest.fixture(scope="module")
def ended_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """A server with ended runs; name -> run number."""
    url = f"sqlite:///{tmp_path_factory.mktemp('train') / 'runs.db'}"
    store = Store(url)
    store.register_worker("past")
    runs = {
        state: add_ended_run(store, f"my {state} run", ME, state, 0.4) for state in sorted(ENDED)
    }
    runs["diverged"] = add_ended_run(store, "my diverged run", ME, "finished", float("nan"))
    runs["another's"] = add_ended_run(store, "a run of somebody else", SOMEBODY, "finished", 0.3)
    store.mark_dead("past", "the day was over")
    store.close()
    with serving(url):
        yield runs


def run_numbers(session: AppTest) -> list[int]:
    """The run numbers in the list, from top to bottom."""
    return session.dataframe[0].value["run"].tolist()


def open_run(run_id: int) -> AppTest:
    """A session in which this run is open."""
    session = visit("train")
    session.session_state["run"] = run_id
    return session.run()


def assert_no_exception(session: AppTest) -> None:
    assert [item.message for item in session.exception] == []


@pytest.mark.parametrize("state", sorted(ENDED))
def test_an_ended_run_shows_its_state_its_reason_and_its_measurements(
    ended_runs: dict[str, int], state: str
) -> None:
    session = open_run(ended_runs[state])
    assert_no_exception(session)
    text = page_text(session)
    assert f"my {state} run" in text
    assert f"{state} on purpose".capitalize() in text
    assert "a copy of Fashion-MNIST" in text
    values = {item.label: item.value for item in session.metric}
    assert values["Training loss"] == "0.4000"
    assert values["Validation accuracy"] == "60.00%"
    assert values["Test accuracy"] == ("81.25%" if state == "finished" else "–")
    assert "Stop" not in button_labels(session)


def test_a_diverged_run_shows_values_that_are_not_finite(ended_runs: dict[str, int]) -> None:
    session = open_run(ended_runs["diverged"])
    assert_no_exception(session)
    values = {item.label: item.value for item in session.metric}
    assert values["Training loss"] == "not finite"


def test_a_visitor_without_runs_sees_a_message(ended_runs: dict[str, int]) -> None:
    session = visit("train", browser="0" * 32)
    assert_no_exception(session)
    assert "no runs yet" in page_text(session)


def test_somebody_elses_run_can_be_opened_but_not_stopped_or_deleted(
    ended_runs: dict[str, int],
) -> None:
    session = open_run(ended_runs["another's"])
    assert_no_exception(session)
    assert "a run of somebody else" in page_text(session)
    assert "Delete" not in button_labels(session) and "Stop" not in button_labels(session)


def test_only_ones_own_stopped_or_interrupted_runs_can_be_resumed(
    ended_runs: dict[str, int],
) -> None:
    resumable = {
        name
        for name in (*ENDED, "another's")
        if "Resume" in button_labels(open_run(ended_runs[name]))
    }
    assert resumable == RESUMABLE


def test_a_resumed_run_is_queued_again(ended_runs: dict[str, int]) -> None:
    session = button(open_run(ended_runs["interrupted"]), "Resume")
    assert_no_exception(session)
    store = server().store
    assert store.run(ended_runs["interrupted"]).state == "queued"
    assert "Stop" in button_labels(session) and "Resume" not in button_labels(session)
    store.request_stop(ended_runs["interrupted"], by=ME)
    assert "Resume" in button_labels(open_run(ended_runs["interrupted"]))


def test_the_settings_of_a_run_can_be_used_again(ended_runs: dict[str, int]) -> None:
    session = button(open_run(ended_runs["another's"]), "Use these settings")
    assert_no_exception(session)
    assert session.selectbox(key="optimizer").value == "rmsprop"
    assert session.select_slider(key="rmsprop.rho").value == "0.7"
    assert session.selectbox(key="network").value == "cnn"
    assert session.number_input(key="seed").value == 9
    button(session, "Start")
    started = server().store.runs(ME)[0]
    server().store.request_stop(started.id, by=ME)
    assert started.plan == PLAN


def test_the_home_page_starts_its_recipe_and_opens_the_run(
    ended_runs: dict[str, int],
) -> None:
    link = {"optimizer": "adam", "adam.beta_1": "0.5", "epochs": "3", "seed": "7"}
    session = button(visit("home", link), "Train this recipe")
    assert_no_exception(session)
    run = server().store.runs(ME)[0]
    server().store.request_stop(run.id, by=ME)
    plan = run.plan
    assert (plan.epochs, plan.seed, plan.recipe.optimizer.params["beta_1"]) == (3, 7, 0.5)
    assert session.title[0].value == "Train"
    assert f"Run {run.id}: " in page_text(session)


@pytest.mark.parametrize("title", PRESETS)
def test_a_preset_sets_all_values_of_its_exercise(ended_runs: dict[str, int], title: str) -> None:
    link = {"optimizer": "sgd", "sgd.clipnorm": "3", "epochs": "7", "network": "cnn"}
    session = button(visit("train", link), title)
    assert_no_exception(session)
    button(session, "Start")
    started = server().store.runs(ME)[0]
    server().store.request_stop(started.id, by=ME)
    assert started.plan == PRESETS[title]


def test_start_queues_the_plan_on_the_page_and_stop_ends_it(ended_runs: dict[str, int]) -> None:
    link = {"optimizer": "adam", "schedule": "constant", "adam.learning_rate": "0.002"}
    link |= {"epochs": "3", "batch_size": "64", "seed": "5", "train_size": "2000"}
    session = button(visit("train", link), "Start")
    assert_no_exception(session)
    run = server().store.runs(ME)[0]
    assert (run.owner, run.name) == (ME, "Adam, 0.002")
    plan = run.plan
    assert (plan.epochs, plan.batch_size, plan.seed, plan.train_size) == (3, 64, 5, 2000)
    assert plan.recipe.schedule.params["learning_rate"] == 0.002
    assert f"Run {run.id}: " in page_text(session)
    assert run_numbers(session)[0] == run.id
    button(session, "Stop")
    assert_no_exception(session)
    after = server().store.run(run.id)
    assert after.state == "stopped" or after.stop_requested is not None


def test_a_stretched_schedule_is_queued_in_steps(ended_runs: dict[str, int]) -> None:
    link = {"schedule": "cosine_decay", "epochs": "2", "batch_size": "100", "train_size": "1000"}
    button(visit("train", link), "Start")
    run = server().store.runs(ME)[0]
    server().store.request_stop(run.id, by=ME)
    assert run.plan.recipe.schedule.params["decay_steps"] == 20


def test_a_deleted_run_is_not_shown(ended_runs: dict[str, int]) -> None:
    run_id = server().store.queue(PLAN, owner=ME, name="doomed")
    server().store.request_stop(run_id, by=ME)
    session = button(open_run(run_id), "Delete")
    assert_no_exception(session)
    assert run_id not in run_numbers(session)
    assert "doomed" not in page_text(session)


@pytest.fixture
def no_store(tmp_path: Path) -> Iterator[None]:
    """A server whose database cannot be opened."""
    folder = tmp_path / "a folder.db"
    folder.mkdir()
    with serving(f"sqlite:///{folder}"):
        yield


@pytest.mark.parametrize("page", PAGES)
def test_an_unusable_store_affects_only_pages_with_runs(no_store: None, page: str) -> None:
    session = visit(page)
    assert_no_exception(session)
    assert session.selectbox(key="optimizer").value == "nadam"
    if page in ("train", "runs", "sweep", "range_test", "present"):
        assert escape_markdown("a folder.db") in session.error[0].value
    else:
        assert not session.error


@pytest.mark.parametrize(("page", "label"), [("train", "Start"), ("home", "Train this recipe")])
def test_starting_without_a_store_shows_the_reason(no_store: None, page: str, label: str) -> None:
    session = button(visit(page), label)
    assert_no_exception(session)
    assert any(escape_markdown("a folder.db") in item.value for item in session.error)
