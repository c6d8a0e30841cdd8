"""The Sweep and Range test pages: planning, watching and using results, without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from lrlab.experiments.range_test import range_test_plan
from lrlab.experiments.sweep import SweepAxis, sweep
from lrlab.runs.store import Store
from lrlab.training.measurements import Point
from lrlab.ui.app.server import server
from tests.app_visit import ME, SOMEBODY, assert_no_errors, button, page_text, serving, visit
from tests.run_histories import WORKER, small_plan, train_all

LINK = {"optimizer": "momentum", "schedule": "constant", "momentum.learning_rate": "0.01"}


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """A server with an ended sweep over two hyperparameters and an ended range test."""
    url = f"sqlite:///{tmp_path_factory.mktemp('sweep') / 'runs.db'}"
    store = Store(url)
    plan = small_plan("momentum", 0.01)
    axes = [
        SweepAxis.of("learning_rate", (0.001, 0.01, 0.1)),
        SweepAxis.of("optimizer.momentum", (0.0, 0.9)),
    ]
    plans = sweep(plan, axes)
    groups = {"sweep": store.queue_group(plans, owner=ME, name="my sweep", kind="sweep")}
    train_all(store, [0.5, 0.4, 0.3, 0.2, 0.6, float("nan")])
    test = range_test_plan(small_plan("adam"))
    groups["range"] = store.queue_group(
        {"my test": test}, owner=ME, name="my test", kind="range_test"
    )
    store.register_worker("later")
    run = store.claim("later")
    rates = test.recipe.learning_rates(test.total_steps)
    losses = [2.0 if r < 1e-4 else 0.5 if r < 0.1 else 90.0 for r in rates]
    points = [
        Point(step, loss, float(rate))
        for step, (loss, rate) in enumerate(zip(losses, rates, strict=True))
    ]
    store.record_points(run.id, run.attempt, points)
    store.finish(run.id, run.attempt, "finished", "completed")
    store.mark_dead("later", f"as {WORKER}")
    store.close()
    with serving(url):
        yield groups


def chart_descriptions(session: AppTest) -> str:
    return "\n".join(
        json.loads(item.proto.spec)["description"] for item in session.get("vega_lite_chart")
    )


def test_a_sweep_is_described_and_drawn(groups: dict[str, int]) -> None:
    session = visit("sweep", LINK)
    assert_no_errors(session)
    text = page_text(session)
    assert "Best: Momentum, learning_rate 0.01, momentum 0.9" in text
    assert "1 of 6 runs diverged" in text
    assert "Cannot tell the best from the next best: with one seed each" in text
    descriptions = chart_descriptions(session)
    assert "against learning_rate" in descriptions and "against momentum" in descriptions
    assert "Heat map" in descriptions


def test_using_the_best_changes_the_recipe_and_keeps_the_planned_run(
    groups: dict[str, int],
) -> None:
    link = LINK | {"momentum.momentum": "0.5", "epochs": "7"}
    session = button(visit("sweep", link), "Use the best in the recipe")
    assert_no_errors(session)
    assert session.select_slider(key="momentum.momentum").value == "0.9"
    assert session.number_input(key="seed").value == 1
    assert session.select_slider(key="epochs").value == "7"


def test_a_sweep_is_started_as_one_group(groups: dict[str, int]) -> None:
    session = visit("sweep", LINK | {"train_size": "1000", "epochs": "1"})
    key = "sweep.momentum.constant"
    session.text_input(key=f"{key}.learning_rate.From").set_value("0.001")
    session.text_input(key=f"{key}.learning_rate.To").set_value("0.1")
    session.number_input(key=f"{key}.learning_rate.count").set_value(3)
    session.multiselect(key=f"{key}.optimizers").set_value(["momentum", "adam"])
    session.number_input(key="sweep.seeds").set_value(2).run()
    button(session, "Start 12 runs")
    assert_no_errors(session)
    store = server().store
    newest = store.groups()[0]
    assert (newest.kind, newest.owner) == ("sweep", ME)
    assert newest.name == "Sweep of learning_rate: Momentum, Adam"
    plans = [run.plan for run in store.runs(group=newest.id)]
    rates = {plan.recipe.schedule.params["learning_rate"] for plan in plans}
    assert rates == {0.001, 0.01, 0.1}
    assert {plan.seed for plan in plans} == {1, 2}
    button(session, "Stop all")
    for run in store.runs(group=newest.id):
        store.request_stop(run.id, by=ME)


def test_invalid_values_are_reported_and_nothing_can_be_started(
    groups: dict[str, int],
) -> None:
    session = visit("sweep", LINK)
    key = "sweep.momentum.constant.learning_rate"
    session.segmented_control(key=f"{key}.how").set_value("these values").run()
    session.text_input(key=f"{key}.list").set_value("0.1, -3").run()
    assert [item.message for item in session.exception] == []
    assert "-3" in session.error[0].value
    assert not any(item.label.startswith("Start") for item in session.button)
    assert session.selectbox(key="sweep.shown").value is not None


def test_a_learning_rate_suggested_by_a_range_test_can_be_used(groups: dict[str, int]) -> None:
    link = {"optimizer": "sgd", "schedule": "constant", "sgd.learning_rate": "0.5"}
    session = visit("range_test", link)
    assert_no_errors(session)
    assert "Suggested learning rate" in page_text(session)
    assert "growing learning rate" in chart_descriptions(session)
    use_button = next(item for item in session.button if item.label.startswith("Use "))
    rate = use_button.label.split(":")[0].removeprefix("Use ")
    use_button.click().run()
    assert_no_errors(session)
    assert session.selectbox(key="optimizer").value == "adam"
    assert float(session.select_slider(key="adam.learning_rate").value) == float(rate)


def test_a_range_test_is_started_for_the_recipes_optimizer(groups: dict[str, int]) -> None:
    session = visit("range_test", {"optimizer": "lion", "train_size": "1000"}, SOMEBODY)
    assert "You have no range tests yet" in page_text(session)
    start_button = next(item for item in session.button if item.label.startswith("Start the test"))
    start_button.click().run()
    assert_no_errors(session)
    run = server().store.runs(SOMEBODY)[0]
    server().store.request_stop(run.id, by=SOMEBODY)
    assert run.plan.recipe.optimizer.name == "lion"
    assert run.plan.recipe.schedule.params["initial_learning_rate"] == 1e-5


def test_an_invalid_range_is_reported(groups: dict[str, int]) -> None:
    session = visit("range_test")
    session.text_input(key="range.low").set_value("1").run()
    session.text_input(key="range.high").set_value("0.1").run()
    assert "must be higher" in session.error[0].value
