"""The Runs page: finding, showing, annotating and comparing runs, without a browser."""

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
from tests.app_visit import ME, SOMEBODY, assert_no_errors, button, page_text, serving, visit
from tests.run_histories import small_plan, train_all
from tests.store_runs import HIGH_LIMITS

NOTE = "tried on a Monday"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[int]]]:
    """A server with ended runs and groups; name -> run numbers."""
    url = f"sqlite:///{tmp_path_factory.mktemp('runs') / 'runs.db'}"
    store = Store(url, HIGH_LIMITS)
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
    store.annotate(ids["adam"][0], by=ME, tags=["baseline"], notes=NOTE)
    store.close()
    with serving(url):
        yield ids


def open_runs(*ids: int, browser: str = ME) -> AppTest:
    """A session opened with a link to these runs."""
    session = visit("runs", {"runs": ",".join(map(str, ids))}, browser)
    assert_no_errors(session)
    return session


def run_table(session: AppTest) -> pd.DataFrame:
    return session.dataframe[0].value


def table(session: AppTest, column: str) -> pd.DataFrame:
    """The table below the list that has this column, indexed by it."""
    data = next(item.value for item in session.dataframe[1:] if column in item.value)
    return data.set_index(column)


def charts(session: AppTest) -> list[dict]:
    return [json.loads(item.proto.spec) for item in session.get("vega_lite_chart")]


def test_the_list_has_a_row_for_each_run_and_each_group(runs: dict[str, list[int]]) -> None:
    session = visit("runs")
    assert_no_errors(session)
    rows = run_table(session).set_index("name")
    assert rows.loc["my SGD", "recipe"] == "SGD, 0.01"
    assert list(rows.index) == ["rmsprop seeds", "nadam seeds", "too fast", "my SGD", "my Adam"]
    assert rows.loc["my Adam", "last"] == pytest.approx(0.7)
    assert rows.loc["nadam seeds", "best"] == pytest.approx(0.68)
    assert rows.loc["nadam seeds", "state"] == "3 finished"
    assert rows.loc["too fast", "state"] == "diverged"
    assert len(rows.loc["my Adam", "curve"]) == 3
    session.toggle(key="runs.together").set_value(False).run()
    assert len(run_table(session)) == 9


def test_the_filters_find_runs_by_text_state_tag_and_owner(runs: dict[str, list[int]]) -> None:
    session = visit("runs")
    session.text_input(key="runs.find").set_value("monday").run()
    assert run_table(session)["name"].tolist() == ["my Adam"]
    session.text_input(key="runs.find").set_value("").run()
    session.selectbox(key="runs.tag").set_value("baseline").run()
    assert run_table(session)["name"].tolist() == ["my Adam"]
    session.selectbox(key="runs.state").set_value("failed").run()
    assert "No run matches" in page_text(session)
    session.selectbox(key="runs.tag").set_value("any")
    session.selectbox(key="runs.state").set_value("any").run()
    session.segmented_control(key="runs.whose").set_value("All").run()
    assert "their Lion" in run_table(session)["name"].tolist()


def test_a_link_opens_a_run_and_its_owner_can_annotate_it(runs: dict[str, list[int]]) -> None:
    run_id = runs["sgd"][0]
    session = visit("runs", {"run": str(run_id)})
    assert_no_errors(session)
    assert f"Run {run_id}: my SGD" in page_text(session)
    session.text_input(key=f"about.{run_id}.name").set_value("renamed")
    session.text_area(key=f"about.{run_id}.notes").set_value("slow but sure")
    button(session, "Save")
    assert_no_errors(session)
    after = server().store.run(run_id)
    assert (after.name, after.notes) == ("renamed", "slow but sure")
    assert f"Run {run_id}: renamed" in page_text(session.run())
    server().store.annotate(run_id, by=ME, name="my SGD", notes="")


def test_a_group_can_be_renamed_and_its_runs_tagged_together(runs: dict[str, list[int]]) -> None:
    first, *others = runs["rmsprop"]
    store = server().store
    store.annotate(first, by=ME, tags=["mine"], notes="only here")
    session = open_runs(*runs["rmsprop"])
    group = store.run(first).group
    key = f"about.group.{group}"
    session.text_input(key=f"{key}.name").set_value("steady")
    session.text_input(key=f"{key}.tags").set_value("mine, late,")
    button(session, "Save")
    assert_no_errors(session)
    assert store.group(group).name == "steady"
    assert store.run(first).tags == ("mine", "late")
    assert {store.run(run_id).tags for run_id in others} == {("late",)}
    assert [store.run(run_id).notes for run_id in (first, *others)] == ["only here", "", ""]
    store.rename_group(group, by=ME, name="rmsprop seeds")
    for run_id in runs["rmsprop"]:
        store.annotate(run_id, by=ME, tags=[], notes="")


def test_somebody_else_cannot_rename_a_group(runs: dict[str, list[int]]) -> None:
    assert not open_runs(*runs["rmsprop"], browser=SOMEBODY).text_area


def test_an_invalid_name_is_refused_with_the_reason(runs: dict[str, list[int]]) -> None:
    run_id = runs["sgd"][0]
    session = visit("runs", {"run": str(run_id)})
    session.text_input(key=f"about.{run_id}.name").set_value("x" * 101)
    button(session, "Save")
    assert "1 to 100 printable characters" in session.error[0].value
    assert server().store.run(run_id).name == "my SGD"


def test_somebody_else_cannot_annotate_a_run(runs: dict[str, list[int]]) -> None:
    session = open_runs(runs["adam"][0], browser=SOMEBODY)
    assert NOTE in page_text(session)
    assert not session.text_area


def test_a_link_to_a_deleted_run_says_so(runs: dict[str, list[int]]) -> None:
    session = open_runs(9999)
    assert "There is no run 9999" in session.warning[0].value


def test_an_invalid_link_to_runs_is_reported(runs: dict[str, list[int]]) -> None:
    session = visit("runs", {"runs": "3,x"})
    assert [item.message for item in session.exception] == []
    assert "must be run numbers" in page_text(session)


def test_two_recipes_are_compared_in_text_curves_numbers_and_settings(
    runs: dict[str, list[int]],
) -> None:
    session = open_runs(*runs["nadam"], *runs["rmsprop"])
    text = page_text(session)
    assert "nadam seeds is better than rmsprop seeds" in text and "paired t-test" in text
    assert BAND in text
    titles = {chart["description"].split(" against")[0] for chart in charts(session)}
    curves = {"Training loss", "Validation loss", "Validation accuracy", "Learning rate"}
    assert curves <= titles
    numbers = table(session, "Measured")
    assert list(numbers.columns) == ["nadam seeds", "rmsprop seeds"]
    assert numbers.loc["Last validation accuracy", "nadam seeds"] == "68.00%"
    assert numbers.loc["Finished runs", "rmsprop seeds"] == "3 of 3"
    assert numbers.loc["Largest difference from the planned learning rate", "nadam seeds"] == "0"
    differences = table(session, "Setting")
    assert differences.loc["Optimizer"].tolist() == ["Nadam", "RMSprop"]
    assert "Epochs" not in differences.index


def test_single_runs_are_not_called_better(runs: dict[str, list[int]]) -> None:
    text = page_text(open_runs(runs["adam"][0], runs["sgd"][0]))
    assert "Cannot tell" in text and "may be chance" in text
    assert BAND not in text


def test_a_diverged_run_is_shown_as_diverged_in_a_comparison(runs: dict[str, list[int]]) -> None:
    session = open_runs(runs["adam"][0], runs["lost"][0])
    assert "too fast diverged" in page_text(session)
    assert table(session, "Measured").loc["Last validation loss", "too fast"] == "diverged"


def test_axes_and_smoothing_can_be_chosen(runs: dict[str, list[int]]) -> None:
    session = open_runs(runs["adam"][0], runs["sgd"][0])
    assert any("training loss (log)" in json.dumps(item) for item in charts(session))
    session.segmented_control(key="compare.unit").set_value("seconds")
    session.pills(key="compare.log").set_value(["the others"])
    session.slider(key="compare.smoothing").set_value(0.9).run()
    assert_no_errors(session)
    specs = {item["description"].split(" against")[0]: json.dumps(item) for item in charts(session)}
    assert "against seconds" in specs["Training loss"]
    assert "(log)" in specs["Learning rate"] and "(log)" not in specs["Training loss"]


def test_more_recipes_than_colours_are_not_drawn(runs: dict[str, list[int]]) -> None:
    session = open_runs(*runs["many"])
    assert "Tick fewer" in session.info[0].value
    assert not charts(session)


def test_the_seeds_of_one_recipe_share_a_view_and_each_can_be_opened(
    runs: dict[str, list[int]],
) -> None:
    session = open_runs(*runs["nadam"])
    text = page_text(session)
    assert "nadam seeds" in text and BAND in text
    assert "3 finished" in session.get("progress")[0].proto.text
    choice = next(item for item in session.segmented_control if item.label == "Show")
    choice.set_value(runs["nadam"][1]).run()
    assert_no_errors(session)
    assert f"Run {runs['nadam'][1]}: " in page_text(session)


def test_several_seeds_are_started_as_one_group(runs: dict[str, list[int]]) -> None:
    link = {"optimizer": "adam", "schedule": "constant", "seed": "7", "train_size": "1000"}
    session = visit("train", link)
    session.number_input(key="start.seeds").set_value(3).run()
    button(session, "Start 3 runs")
    assert_no_errors(session)
    store = server().store
    started = [run for run in store.runs(ME) if run.state in ("queued", "running")]
    assert sorted(run.plan.seed for run in started) == [7, 8, 9]
    assert len({run.group for run in started}) == 1
    assert "3 seeds" in page_text(session)
    button(session, "Stop all")
    assert_no_errors(session)
    after = [store.run(run.id) for run in started]
    assert all(run.state == "stopped" or run.stop_requested for run in after)


def test_a_seed_too_large_for_the_number_of_runs_is_refused(runs: dict[str, list[int]]) -> None:
    session = visit("train", {"seed": str(2**31 - 1)})
    session.number_input(key="start.seeds").set_value(2).run()
    before = len(server().store.runs())
    button(session, "Start 2 runs")
    assert any("seed" in item.value for item in session.error)
    assert len(server().store.runs()) == before


def test_a_run_and_a_comparison_can_be_downloaded(runs: dict[str, list[int]]) -> None:
    def downloads(session: AppTest) -> set[str]:
        return {item.proto.label for item in session.get("download_button")}

    tables = {"Epochs as CSV", "Points as CSV", "TensorBoard log"}
    run_files = {"Keras script", "Notebook", "Keras model", "Recipe and plan as JSON"}
    assert tables | run_files <= downloads(open_runs(runs["adam"][0]))
    assert tables <= downloads(open_runs(runs["adam"][0], runs["sgd"][0]))


def test_a_tensorboard_log_of_too_many_runs_is_refused_with_the_reason(
    runs: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrlab.ui.runs.downloads.MAX_TENSORBOARD_RUNS", 1)
    session = open_runs(runs["adam"][0], runs["sgd"][0])
    labels = {item.proto.label for item in session.get("download_button")}
    assert labels == {"Epochs as CSV", "Points as CSV"}
    assert "at most 1 runs; these are 2" in page_text(session)


def test_a_failed_run_shows_the_cause_and_a_suggestion(runs: dict[str, list[int]]) -> None:
    session = open_runs(runs["lost"][0])
    assert "Try this:" in session.info[0].value


def test_epoch_snapshots_can_be_viewed_epoch_by_epoch(runs: dict[str, list[int]]) -> None:
    session = open_runs(runs["adam"][0])
    descriptions = {chart["description"] for chart in charts(session)}
    assert any("Confusion matrix" in text for text in descriptions)
    assert any("class" in text and "recognised" in text for text in descriptions)
    captions = [text for item in session.image for text in item.captions]
    assert any("After epoch 3" in caption for caption in captions)
    assert "T-shirt, classified as shirt (100.0%)" in captions
    alternatives = [picture.alt for item in session.image for picture in item.proto.imgs]
    assert "Test image of the class T-shirt" in alternatives and all(alternatives)
    scrubber = next(item for item in session.select_slider if item.label == "After epoch")
    scrubber.set_value(1).run()
    assert_no_errors(session)
    captions = [text for item in session.image for text in item.captions]
    assert any("After epoch 1" in caption for caption in captions)
