"""Ramps and reactive schedules in drafts, in links and on pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from lrlab.controls.draft import draft_of, query_of, read_query, resolve_plan, resolve_recipe
from lrlab.controls.fields import every_field, ramp_fields, schedule_fields
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.recipes.sentences import curve_sentence
from lrlab.runs.store import Store
from lrlab.schedules import RAMP, SCHEDULES
from lrlab.text import escape_markdown
from lrlab.training.measurements import EpochRecord, Point
from tests.app_visit import ME, PAGES, assert_no_errors, button, go, page_text, serving, visit

PERCENT = {
    "ramp.warmup_steps.percent": "5",
    "ramp.cooldown_steps.percent": "20",
    "ramp.cooldown_end.percent": "90",
}
STEPS = {"ramp.warmup_steps": "7", "ramp.cooldown_steps": "8", "ramp.cooldown_end": "99"}
REACTIVE = tuple(key for key, spec in SCHEDULES.items() if spec.reactive)
PLATEAU = RunPlan.of(
    Recipe.from_dict(
        {
            "optimizer": {"name": "adam"},
            "schedule": {"name": "reduce_lr_on_plateau", "learning_rate": 0.25, "patience": 1},
        }
    ),
    epochs=4,
    batch_size=100,
    train_size=1000,
)


def test_a_ramp_is_set_in_percent_of_the_run_or_in_steps() -> None:
    ramps = {
        stretch: resolve_recipe(PERCENT | STEPS | {"stretch": stretch}, 1_000).ramp
        for stretch in ("true", "false")
    }
    names = ("warmup_steps", "cooldown_steps", "cooldown_end")
    assert ramps["true"].values == tuple(zip(names, (50, 200, 900), strict=True))
    assert ramps["false"].values == tuple(zip(names, (7, 8, 99), strict=True))


@pytest.mark.parametrize("schedule", [key for key in SCHEDULES if key not in REACTIVE])
def test_a_draft_of_a_plan_with_a_ramp_gives_the_same_plan(schedule: str) -> None:
    plan = resolve_plan(PERCENT | {"schedule": schedule})
    assert plan.recipe.ramp is not None
    draft = draft_of(plan)
    assert resolve_plan(draft) == plan
    assert read_query(draft) == (draft, [])


def test_a_link_has_a_ramp_only_if_the_schedule_allows_one() -> None:
    draft = PERCENT | {"schedule": "constant"}
    assert query_of(draft).items() >= PERCENT.items()
    assert not any(key.startswith("ramp.") for key in query_of(draft | {"schedule": REACTIVE[0]}))


def test_a_draft_of_a_plan_without_a_ramp_removes_a_ramp() -> None:
    plan = resolve_plan({"schedule": "constant"})
    assert resolve_plan(PERCENT | STEPS | draft_of(plan)) == plan


def test_a_reactive_schedule_ignores_an_earlier_ramp() -> None:
    recipe = resolve_recipe(PERCENT | {"schedule": "reduce_lr_on_plateau"}, 1_000)
    assert recipe.ramp is None


def test_a_learning_rate_that_is_a_number_in_keras_belongs_to_the_optimizer() -> None:
    constant, plateau = (
        schedule_fields(key, "adam", stretch=False)[0] for key in ("constant", REACTIVE[0])
    )
    assert constant.key == plateau.key == "adam.learning_rate"
    assert not any(key.startswith(f"{REACTIVE[0]}.learning_rate") for key in every_field())


def test_the_sentence_about_a_reactive_schedule_describes_no_curve() -> None:
    text = curve_sentence(PLATEAU)
    assert "cannot be drawn ahead" in text and "0.25" in text
    assert "is the first that can have" not in text


@pytest.mark.parametrize(("patience", "first"), [(0, 3), (1, 3), (10, 12)])
def test_a_run_too_short_for_the_patience_is_reported(patience: int, first: int) -> None:
    for epochs in (first - 1, first):
        draft = {"schedule": REACTIVE[0], f"{REACTIVE[0]}.patience": str(patience)}
        text = curve_sentence(resolve_plan(draft | {"epochs": str(epochs)}))
        assert (f"epoch {first} is the first that can have a lower" in text) == (epochs < first)


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server with a finished run of a reactive schedule."""
    url = f"sqlite:///{tmp_path_factory.mktemp('controls') / 'runs.db'}"
    store = Store(url)
    store.register_worker("past")
    run_id = store.queue(PLATEAU, owner=ME, name="a run with cuts")
    attempt = store.claim("past").attempt
    rates = [0.25, 0.25, 0.025, 0.0025]
    for epoch, rate in enumerate(rates):
        store.record_points(run_id, attempt, [Point(10 * epoch + 9, 0.5, rate)])
        record = EpochRecord(epoch + 1, 10 * epoch + 10, 0.5, 0.8, 0.5, 0.8, rate, 1.0)
        store.record_epoch(run_id, attempt, record)
    store.finish(run_id, attempt, "finished", "completed all 40 steps", 0.5, 0.8)
    store.close()
    with serving(url):
        yield


def charts(session: AppTest) -> int:
    return len(session.get("vega_lite_chart"))


def keys(session: AppTest) -> set[str]:
    return {item.key for item in session.select_slider}


@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_a_ramp_is_set_in_the_sidebar_and_kept_on_every_page(schedule: str) -> None:
    session = visit("home", {"schedule": schedule})
    assert "Ramp(" not in session.code[0].value
    session.text_input(key="ramp.warmup_steps.percent.exact").set_value("10").run()
    assert_no_errors(session)
    assert "warm-up" in session.title[0].value
    assert "warmup_steps=281" in session.code[0].value
    assert RAMP.latex.strip() in [item.value.strip("$\n ") for item in session.get("latex")]
    session.toggle(key="stretch").set_value(False).run()
    assert {field.key for field in ramp_fields(stretch=False)} <= keys(session)
    session.text_input(key="ramp.cooldown_steps.exact").set_value("30").run()
    assert "cooldown_steps=30" in session.code[0].value
    for page in PAGES:
        assert_no_errors(go(session, page))
    button(session, "Reset to the defaults")
    go(session, "home")
    assert "Ramp(" not in session.code[0].value


def test_an_inconsistent_ramp_is_reported_and_can_be_corrected() -> None:
    link = {"stretch": "false", "ramp.cooldown_steps": "50", "ramp.cooldown_end": "20"}
    session = visit("schedules", link)
    assert [item.message for item in session.exception] == []
    assert escape_markdown("cooldown_steps = 50") in session.error[0].value
    session.text_input(key="ramp.cooldown_end.exact").set_value("60").run()
    assert_no_errors(session)


@pytest.mark.parametrize("page", ["home", "schedules", "paths", "race", "map", "train"])
def test_every_page_says_that_a_reactive_schedule_has_no_curve(page: str) -> None:
    session = visit(page, {"schedule": REACTIVE[0]})
    assert_no_errors(session)
    text = page_text(session)
    assert ("cannot be drawn ahead" in text) or ("has no path here" in text)
    if page != "train":
        assert charts(session) == 0
    assert {field.key for field in schedule_fields(REACTIVE[0], "nadam", False)} <= keys(session)
    assert not any(key.startswith("ramp.") for key in keys(session))
    assert "keras.callbacks.ReduceLROnPlateau(" in session.code[0].value


def test_pinned_curves_stay_when_the_current_schedule_has_no_curve() -> None:
    session = visit("schedules", {"schedule": "constant"})
    button(session, "Pin this recipe")
    session.selectbox(key="schedule").select(REACTIVE[0]).run()
    assert_no_errors(session)
    assert charts(session) == 1
    assert next(item for item in session.button if item.label == "Pin this recipe").disabled


def test_a_run_of_a_reactive_schedule_is_shown_without_a_planned_curve() -> None:
    session = visit("train")
    assert_no_errors(session)
    text = page_text(session)
    assert "a run with cuts" in text
    assert "it depends on the validation loss" in text
    assert "Largest difference" not in text
    button(session, "Use these settings")
    assert_no_errors(session)
    assert session.selectbox(key="schedule").value == REACTIVE[0]
    assert session.select_slider(key="adam.learning_rate").value == "0.25"


def test_schedules_that_keras_lacks_have_all_their_controls() -> None:
    for key in ("inverse_sqrt", "warmup_stable_decay", "triangular", "one_cycle"):
        for stretch in ("true", "false"):
            session = visit("schedules", {"schedule": key, "stretch": stretch})
            assert_no_errors(session)
            control_keys = keys(session) | {item.key for item in session.toggle}
            fields = schedule_fields(key, "nadam", stretch == "true")
            assert {field.key for field in fields} <= control_keys
