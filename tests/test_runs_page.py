"""The Runs page: finding, looking at, describing and comparing runs, without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lrlab.recipes.plan import seed_plans
from lrlab.runs.store import Store
from lrlab.ui.app.server import server
from lrlab.ui.runs.comparison import BAND
from tests.app_visit import ME, SOMEBODY, button, said, serving, visit
from tests.run_histories import small_plan, train_all
from tests.store_runs import ROOMY

NOTE = "tried on a Monday"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[int]]]:
    """A server with runs and groups of earlier days; the numbers of the runs by name."""
    url = f"sqlite:///{tmp_path_factory.mktemp('runs') / 'runs.db'}"
    store = Store(url, ROOMY)
    ids = {"adam": [store.queue(small_plan(), owner=ME, name="my Adam")]}
    ids["sgd"] = [store.queue(small_plan("sgd", 0.01), owner=ME, name="my SGD")]
    ids["lost"] = [store.queue(small_plan("sgd", 1e3), owner=ME, name="too fast")]
    ids["theirs"] = [store.queue(small_plan("lion"), owner=SOMEBODY, name="their Lion")]
    for optimizer in ("nadam", "rmsprop"):
        plans = seed_plans(small_plan(optimizer), 3)
        group = store.queue_group(plans, owner=ME, name=f"{optimizer} seeds", kind="seeds")
        ids[optimizer] = sorted(run.id for run in store.runs(group=group))
    ids["many"] = [
        store.queue(small_plan("sgd", rate), owner=SOMEBODY, name="one of many")
        for rate in range(1, 8)
    ]
    train_all(store, [0.3, 0.4, float("nan"), 0.2, 0.31, 0.32, 0.33, 0.51, 0.52, 0.54, *[0.6] * 7])
    store.describe(ids["adam"][0], by=ME, tags=["baseline"], notes=NOTE)
    store.close()
    with serving(url):
        yield ids


def assert_well(session: AppTest) -> None:
    assert [item.message for item in session.exception] == []
    assert [item.value for item in session.error] == []


def run_detail(*ids: int, browser: str = ME) -> AppTest:
    """A session that came by a link to these runs."""
    session = visit("runs", {"runs": ",".join(map(str, ids))}, browser)
    assert_well(session)
    return session


def listed(session: AppTest) -> pd.DataFrame:
    return session.dataframe[0].value


def table(session: AppTest, column: str) -> pd.DataFrame:
    """The table below the list that has this column, by it."""
    found = next(item.value for item in session.dataframe[1:] if column in item.value)
    return found.set_index(column)


def charts(session: AppTest) -> list[dict]:
    return [json.loads(item.proto.spec) for item in session.get("vega_lite_chart")]


def test_the_list_has_a_row_for_each_run_and_each_group(runs: dict[str, list[int]]) -> None:
    session = visit("runs")
    assert_well(session)
    rows = listed(session).set_index("name")
    assert rows.loc["my SGD", "recipe"] == "SGD, 0.01"
    assert list(rows.index) == ["rmsprop seeds", "nadam seeds", "too fast", "my SGD", "my Adam"]
    assert rows.loc["my Adam", "last"] == pytest.approx(0.7)
    assert rows.loc["nadam seeds", "best"] == pytest.approx(0.68)
    assert rows.loc["nadam seeds", "state"] == "3 finished"
    assert rows.loc["too fast", "state"] == "diverged"
    assert len(rows.loc["my Adam", "curve"]) == 3
    session.toggle(key="runs.together").set_value(False).run()
    assert len(listed(session)) == 9


def test_the_filters_find_runs_by_text_state_tag_and_owner(runs: dict[str, list[int]]) -> None:
    session = visit("runs")
    session.text_input(key="runs.find").set_value("monday").run()
    assert listed(session)["name"].tolist() == ["my Adam"]
    session.text_input(key="runs.find").set_value("").run()
    session.selectbox(key="runs.tag").set_value("baseline").run()
    assert listed(session)["name"].tolist() == ["my Adam"]
    session.selectbox(key="runs.state").set_value("failed").run()
    assert "No run matches" in said(session)
    session.selectbox(key="runs.tag").set_value("any")
    session.selectbox(key="runs.state").set_value("any").run()
    session.segmented_control(key="runs.whose").set_value("All").run()
    assert "their Lion" in listed(session)["name"].tolist()


def test_a_link_opens_a_run_and_its_owner_describes_it(runs: dict[str, list[int]]) -> None:
    run_id = runs["sgd"][0]
    session = visit("runs", {"run": str(run_id)})
    assert_well(session)
    assert f"Run {run_id}: my SGD" in said(session)
    session.text_input(key=f"about.{run_id}.name").set_value("renamed")
    session.text_area(key=f"about.{run_id}.notes").set_value("slow but sure")
    button(session, "Save")
    assert_well(session)
    after = server().store.run(run_id)
    assert (after.name, after.notes) == ("renamed", "slow but sure")
    assert f"Run {run_id}: renamed" in said(session.run())
    server().store.describe(run_id, by=ME, name="my SGD", notes="")


def test_a_group_is_renamed_and_its_runs_are_tagged_together(runs: dict[str, list[int]]) -> None:
    first, *others = runs["rmsprop"]
    store = server().store
    store.describe(first, by=ME, tags=["mine"], notes="only here")
    session = run_detail(*runs["rmsprop"])
    group = store.run(first).group
    key = f"about.group.{group}"
    session.text_input(key=f"{key}.name").set_value("steady")
    session.text_input(key=f"{key}.tags").set_value("mine, late,")
    button(session, "Save")
    assert_well(session)
    assert store.group(group).name == "steady"
    assert store.run(first).tags == ("mine", "late")
    assert {store.run(run_id).tags for run_id in others} == {("late",)}
    assert [store.run(run_id).notes for run_id in (first, *others)] == ["only here", "", ""]
    store.rename_group(group, by=ME, name="rmsprop seeds")
    for run_id in runs["rmsprop"]:
        store.describe(run_id, by=ME, tags=[], notes="")


def test_somebody_else_cannot_rename_a_group(runs: dict[str, list[int]]) -> None:
    assert not run_detail(*runs["rmsprop"], browser=SOMEBODY).text_area


def test_a_name_that_is_not_allowed_is_told(runs: dict[str, list[int]]) -> None:
    run_id = runs["sgd"][0]
    session = visit("runs", {"run": str(run_id)})
    session.text_input(key=f"about.{run_id}.name").set_value("x" * 101)
    button(session, "Save")
    assert "1 to 100 printable characters" in session.error[0].value
    assert server().store.run(run_id).name == "my SGD"


def test_somebody_else_cannot_describe_a_run(runs: dict[str, list[int]]) -> None:
    session = run_detail(runs["adam"][0], browser=SOMEBODY)
    assert NOTE in said(session)
    assert not session.text_area


def test_a_link_to_a_run_that_is_gone_says_so(runs: dict[str, list[int]]) -> None:
    session = run_detail(9999)
    assert "There is no run 9999" in session.warning[0].value


def test_a_link_that_names_no_runs_is_told(runs: dict[str, list[int]]) -> None:
    session = visit("runs", {"runs": "3,x"})
    assert [item.message for item in session.exception] == []
    assert "numbers of runs" in said(session)


def test_two_recipes_are_compared_in_words_curves_numbers_and_settings(
    runs: dict[str, list[int]],
) -> None:
    session = run_detail(*runs["nadam"], *runs["rmsprop"])
    told = said(session)
    assert "nadam seeds is better than rmsprop seeds" in told and "paired t-test" in told
    assert BAND in told
    titles = {chart["description"].split(" against")[0] for chart in charts(session)}
    curves = {"Training loss", "Validation loss", "Validation accuracy", "Learning rate"}
    assert curves <= titles
    numbers = table(session, "Measured")
    assert list(numbers.columns) == ["nadam seeds", "rmsprop seeds"]
    assert numbers.loc["Last validation accuracy", "nadam seeds"] == "68.00%"
    assert numbers.loc["Finished runs", "rmsprop seeds"] == "3 of 3"
    assert numbers.loc["Largest difference from the planned rate", "nadam seeds"] == "0"
    differing = table(session, "Setting")
    assert differing.loc["Optimizer"].tolist() == ["Nadam", "RMSprop"]
    assert "Epochs" not in differing.index


def test_single_runs_are_not_called_better(runs: dict[str, list[int]]) -> None:
    told = said(run_detail(runs["adam"][0], runs["sgd"][0]))
    assert "Cannot tell" in told and "may be chance" in told
    assert BAND not in told


def test_a_diverged_run_is_compared_as_what_it_is(runs: dict[str, list[int]]) -> None:
    session = run_detail(runs["adam"][0], runs["lost"][0])
    assert "too fast diverged" in said(session)
    assert table(session, "Measured").loc["Last validation loss", "too fast"] == "diverged"


def test_axes_and_smoothing_are_chosen(runs: dict[str, list[int]]) -> None:
    session = run_detail(runs["adam"][0], runs["sgd"][0])
    assert any("training loss (log)" in json.dumps(item) for item in charts(session))
    session.segmented_control(key="compare.unit").set_value("seconds")
    session.pills(key="compare.log").set_value(["the others"])
    session.slider(key="compare.smoothing").set_value(0.9).run()
    assert_well(session)
    drawn = {item["description"].split(" against")[0]: json.dumps(item) for item in charts(session)}
    assert "against seconds" in drawn["Training loss"]
    assert "(log)" in drawn["Learning rate"] and "(log)" not in drawn["Training loss"]


def test_more_recipes_than_colours_are_not_drawn(runs: dict[str, list[int]]) -> None:
    session = run_detail(*runs["many"])
    assert "Tick fewer" in session.info[0].value
    assert not charts(session)


def test_the_seeds_of_one_recipe_are_one_view_and_each_can_be_opened(
    runs: dict[str, list[int]],
) -> None:
    session = run_detail(*runs["nadam"])
    told = said(session)
    assert "nadam seeds" in told and BAND in told
    assert "3 finished" in session.get("progress")[0].proto.text
    look_at = next(item for item in session.segmented_control if item.label == "Look at")
    look_at.set_value(runs["nadam"][1]).run()
    assert_well(session)
    assert f"Run {runs['nadam'][1]}: " in said(session)


def test_several_seeds_are_started_as_one_group(runs: dict[str, list[int]]) -> None:
    link = {"optimizer": "adam", "schedule": "constant", "seed": "7", "train_size": "1000"}
    session = visit("train", link)
    session.number_input(key="start.seeds").set_value(3).run()
    button(session, "Start 3 runs")
    assert_well(session)
    store = server().store
    started = [run for run in store.runs(ME) if run.state in ("queued", "running")]
    assert sorted(run.plan.seed for run in started) == [7, 8, 9]
    assert len({run.group for run in started}) == 1
    assert "3 seeds" in said(session)
    button(session, "Stop all")
    assert_well(session)
    after = [store.run(run.id) for run in started]
    assert all(run.state == "stopped" or run.stop_requested for run in after)


def test_a_seed_too_large_for_so_many_is_told(runs: dict[str, list[int]]) -> None:
    session = visit("train", {"seed": str(2**31 - 1)})
    session.number_input(key="start.seeds").set_value(2).run()
    before = len(server().store.runs())
    button(session, "Start 2 runs")
    assert any("seed" in item.value for item in session.error)
    assert len(server().store.runs()) == before


def test_a_run_and_a_comparison_can_be_taken_away(runs: dict[str, list[int]]) -> None:
    def offered(session: AppTest) -> set[str]:
        return {item.proto.label for item in session.get("download_button")}

    tables = {"Epochs as CSV", "Points as CSV", "TensorBoard log"}
    one = {"Keras script", "Notebook", "Keras model", "Recipe and plan as JSON"}
    assert tables | one <= offered(run_detail(runs["adam"][0]))
    assert tables <= offered(run_detail(runs["adam"][0], runs["sgd"][0]))


def test_a_tensorboard_log_of_too_many_runs_is_refused_in_words(
    runs: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrlab.ui.runs.downloads.MOST_LOGGED", 1)
    session = run_detail(runs["adam"][0], runs["sgd"][0])
    offered = {item.proto.label for item in session.get("download_button")}
    assert offered == {"Epochs as CSV", "Points as CSV"}
    assert "at most 1 runs; these are 2" in said(session)


def test_a_run_that_went_wrong_is_told_why_and_what_to_try(runs: dict[str, list[int]]) -> None:
    session = run_detail(runs["lost"][0])
    assert "Try this:" in session.info[0].value


def test_what_the_network_learned_is_seen_epoch_by_epoch(runs: dict[str, list[int]]) -> None:
    session = run_detail(runs["adam"][0])
    drawn = {chart["description"] for chart in charts(session)}
    assert any("Confusion matrix" in text for text in drawn)
    assert any("class" in text and "recognised" in text for text in drawn)
    pictures = [text for item in session.image for text in item.captions]
    assert any("After epoch 3" in caption for caption in pictures)
    assert "T-shirt, taken for shirt (100.0%)" in pictures
    spoken = [picture.alt for item in session.image for picture in item.proto.imgs]
    assert "Test image of the class T-shirt" in spoken and all(spoken)
    scrubber = next(item for item in session.select_slider if item.label == "After epoch")
    scrubber.set_value(1).run()
    assert_well(session)
    pictures = [text for item in session.image for text in item.captions]
    assert any("After epoch 1" in caption for caption in pictures)
