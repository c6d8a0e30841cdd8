"""Every page, used as a visitor would, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lrlab.controls.draft import optimizer_fields, schedule_fields, trajectory_fields
from lrlab.datasets import sources
from lrlab.descent.surfaces import SURFACES
from lrlab.optimizers import OPTIMIZERS
from lrlab.params import OFF
from lrlab.schedules import SCHEDULES
from lrlab.text import escape_markdown
from tests.app_visit import PAGES, assert_no_errors, button, go, page_text, serving, visit

QUICK = {"path_steps": "20"}
"""Short trajectories, for tests in which their length does not matter."""


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with serving(f"sqlite:///{tmp_path_factory.mktemp('pages') / 'runs.db'}"):
        yield


def keys(session: AppTest) -> set[str]:
    """The keys of all visible controls."""
    kinds = ("select_slider", "toggle", "number_input", "text_input", "selectbox")
    return {item.key for kind in kinds for item in session.get(kind)}


def code(session: AppTest) -> str:
    """The recipe's Keras code shown on the page."""
    return session.code[0].value


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(page: str) -> None:
    assert_no_errors(visit(page))


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_every_optimizer_can_be_chosen_on_every_page(key: str) -> None:
    session = visit("home", QUICK | {"schedule": "constant"})
    session.selectbox(key="optimizer").select(key).run()
    for page in PAGES:
        assert_no_errors(go(session, page))
        assert session.selectbox(key="optimizer").value == key
        assert {field.key for field in optimizer_fields(key)} <= keys(session)
    go(session, "home")
    spec = OPTIMIZERS[key]
    assert f"keras.optimizers.{spec.keras_class}(" in code(session)
    assert spec.latex.strip() in [item.value.strip("$\n ") for item in session.get("latex")]


@pytest.mark.parametrize("key", SCHEDULES)
def test_every_schedule_can_be_chosen_on_every_page(key: str) -> None:
    session = visit("home", QUICK)
    session.selectbox(key="schedule").select(key).run()
    fields = schedule_fields(key, "nadam", True)
    for page in PAGES:
        assert_no_errors(go(session, page))
        assert {field.key for field in fields} <= keys(session)


@pytest.mark.parametrize("key", SCHEDULES)
def test_every_schedule_can_be_set_in_steps(key: str) -> None:
    session = visit("home", QUICK | {"schedule": key, "stretch": "false"})
    assert_no_errors(session)
    assert {field.key for field in schedule_fields(key, "nadam", False)} <= keys(session)
    if SCHEDULES[key].keras_class:
        assert f"schedules.{SCHEDULES[key].keras_class}(" in code(session)


@pytest.mark.parametrize("key", SURFACES)
def test_every_surface_can_be_chosen(key: str) -> None:
    session = visit("paths", QUICK | {"surface": key})
    assert_no_errors(session)
    assert {field.key for field in trajectory_fields(key)} <= keys(session)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_works_with_a_surface_without_minimum(page: str) -> None:
    assert not SURFACES["saddle"].minima
    assert_no_errors(visit(page, QUICK | {"surface": "saddle"}))


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_every_parameter_of_an_update_rule_can_be_typed_exactly(key: str) -> None:
    session = visit("home", QUICK | {"optimizer": key})
    typed = {
        field.key: field.param.text(field.param.grid()[-2])
        for field in optimizer_fields(key)
        if field.param.kind != "bool" and not field.param.group
    }
    for box, value in typed.items():
        session.text_input(key=f"{box}.exact").set_value(value)
    assert_no_errors(session.run())
    assert {box: session.select_slider(key=box).value for box in typed} == typed


def test_a_typed_value_is_used_exactly_and_an_invalid_one_changes_nothing() -> None:
    session = visit("home", {"schedule": "constant"})
    box = "nadam.learning_rate.exact"
    session.text_input(key=box).set_value(" 3.3e-4 ").run()
    assert session.select_slider(key="nadam.learning_rate").value == "0.00033"
    assert "0.00033" in code(session)
    session.text_input(key=box).set_value("-1").run()
    assert escape_markdown("learning_rate = -1") in session.error[0].value
    assert session.select_slider(key="nadam.learning_rate").value == "0.00033"
    session.text_input(key=box).set_value("0.5").run()
    assert_no_errors(session)


def test_values_are_kept_across_pages_and_optimizers() -> None:
    session = visit("home", {"optimizer": "adam"})
    session.text_input(key="adam.beta_1.exact").set_value("0.77").run()
    go(session, "schedules")
    session.selectbox(key="optimizer").select("sgd").run()
    go(session, "paths")
    session.selectbox(key="optimizer").select("adam").run()
    assert session.select_slider(key="adam.beta_1").value == "0.77"


def test_reset_restores_every_default_and_keeps_optimizer_and_schedule() -> None:
    link = {"optimizer": "adam", "adam.beta_1": "0.5", "adam.amsgrad": "true"}
    link |= {"schedule": "exponential_decay", "stretch": "false"}
    link |= {"exponential_decay.decay_steps": "77"}
    session = visit("home", link)
    assert "beta_1=0.5" in code(session) and "decay_steps=77" in code(session)
    session.text_input(key="adam.beta_2.exact").set_value("5").run()
    assert session.error
    button(session, "Reset to the defaults")
    assert_no_errors(session)
    assert session.selectbox(key="optimizer").value == "adam"
    assert session.selectbox(key="schedule").value == "exponential_decay"
    defaults = (*optimizer_fields("adam"), *schedule_fields("exponential_decay", "adam", True))
    assert session.toggle(key="stretch").value is True
    for field in defaults:
        value = session.session_state[field.key]
        assert value == (field.default == "true" if field.param.kind == "bool" else field.default)


def test_lengths_are_set_in_percent_of_the_run_or_in_steps() -> None:
    session = visit("schedules", {"schedule": "exponential_decay"})
    percent, steps = "exponential_decay.decay_steps.percent", "exponential_decay.decay_steps"
    assert percent in keys(session) and steps not in keys(session)
    session.text_input(key=f"{percent}.exact").set_value("50").run()
    assert "decay_steps=1407" in code(session)
    session.toggle(key="stretch").set_value(False).run()
    assert steps in keys(session) and percent not in keys(session)
    session.text_input(key=f"{steps}.exact").set_value("100000").run()
    assert "decay_steps=100000" in code(session)
    assert "hardly moves" in page_text(session)


def test_a_percentage_follows_the_planned_run() -> None:
    session = visit("schedules", {"schedule": "exponential_decay", "epochs": "1"})
    assert "decay_steps=1407" in code(session)
    session.text_input(key="epochs.exact").set_value("10").run()
    assert "decay_steps=14070" in code(session)


def test_an_optional_parameter_can_be_turned_on_and_off() -> None:
    session = visit("home", {"optimizer": "adam"})
    assert "clipnorm" not in code(session)
    session.text_input(key="adam.clipnorm.exact").set_value("1.5").run()
    assert "clipnorm=1.5" in code(session)
    session.select_slider(key="adam.clipnorm").set_value(OFF).run()
    assert "clipnorm" not in code(session)


def test_both_of_two_incompatible_parameters_are_named() -> None:
    session = visit("home", {"optimizer": "adam", "adam.clipnorm": "1", "adam.clipvalue": "2"})
    assert [item.message for item in session.exception] == []
    assert escape_markdown("clipnorm = 1") in session.error[0].value
    assert escape_markdown("clipvalue = 2") in session.error[0].value
    session.select_slider(key="adam.clipvalue").set_value(OFF).run()
    assert_no_errors(session)


def test_recipes_can_be_pinned_and_unpinned() -> None:
    session = visit("schedules", {"schedule": "constant"})
    button(session, "Pin this recipe")
    pin = next(item for item in session.button if item.label == "Pin this recipe")
    assert pin.disabled, "the same recipe cannot be pinned twice"
    session.selectbox(key="schedule").select("cosine_decay").run()
    button(session, "Pin this recipe")
    assert_no_errors(session)
    unpin_buttons = [item for item in session.button if item.label == "Unpin"]
    assert len(unpin_buttons) == 2
    go(session, "home")
    go(session, "schedules")
    button(session, "Unpin")
    assert len([item for item in session.button if item.label == "Unpin"]) == 1
    assert_no_errors(session)


def test_the_number_of_pinned_recipes_is_limited_by_the_colours() -> None:
    session = visit("schedules", QUICK)
    for rate in ("0.1", "0.2", "0.3", "0.4", "0.5"):
        key = "cosine_decay.initial_learning_rate.exact"
        session.text_input(key=key).set_value(rate).run()
        button(session, "Pin this recipe")
        assert_no_errors(go(session, "race"))
        go(session, "schedules")
    session.text_input(key=key).set_value("0.6").run()
    assert next(item for item in session.button if item.label == "Pin this recipe").disabled
    for page in PAGES:
        assert_no_errors(go(session, page))


@pytest.mark.parametrize("page", PAGES)
def test_a_link_opens_with_its_recipe(page: str) -> None:
    session = visit(
        page, QUICK | {"optimizer": "sgd", "sgd.clipnorm": "2.5", "schedule": "Constant"}
    )
    assert_no_errors(session)
    assert session.selectbox(key="optimizer").value == "sgd"
    assert session.selectbox(key="schedule").value == "constant"
    assert session.select_slider(key="sgd.clipnorm").value == "2.5"


@pytest.mark.parametrize("page", PAGES)
def test_invalid_values_in_a_link_are_reported_and_the_others_are_used(page: str) -> None:
    link = {"optimizer": "adam", "adam.beta_1": "7", "adam.beta_2": "0.5", "epochs": "nan"}
    session = visit(page, QUICK | link | {"schedule": "cosine", "no_such": "1"})
    assert [item.message for item in session.exception] == []
    text = page_text(session)
    for part in ("beta_1", "7", "below 1", "epochs", "nan", "cosine_decay", "no_such"):
        assert part in text
    assert session.selectbox(key="optimizer").value == "adam"
    assert session.select_slider(key="adam.beta_2").value == "0.5"
    assert session.select_slider(key="adam.beta_1").value == "0.9"
    assert "adam.beta_1" not in session.query_params
    button(session, "Dismiss")
    assert "no_such" not in page_text(session)
    assert_no_errors(session)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("present", "runs")])
def test_invalid_schedule_values_are_named_and_can_be_corrected(page: str) -> None:
    link = {"schedule": "piecewise_constant_decay", "stretch": "false"}
    session = visit(page, QUICK | link)
    box = session.text_input(key="piecewise_constant_decay.boundaries")
    good = box.value
    for bad in ("2000, 1000", "10", "many", "-5, 7"):
        box.set_value(bad).run()
        assert [item.message for item in session.exception] == []
        assert any("boundaries" in item.value for item in session.error), bad
        assert "optimizer" in keys(session)
        box = session.text_input(key="piecewise_constant_decay.boundaries")
    box.set_value(good).run()
    assert_no_errors(session)


@pytest.mark.parametrize("text", ["x^2 + 3*y^2", "log(x)", "1/x", "7", "exp(exp(x*x))", "-x^4"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_accepts_a_typed_formula(page: str, text: str) -> None:
    assert_no_errors(visit(page, QUICK | {"surface": "formula", "formula.formula": text}))


def test_an_invalid_formula_is_reported_and_can_be_corrected() -> None:
    session = visit("paths", QUICK | {"surface": "formula"})
    box = session.text_input(key="formula.formula")
    for bad in ("x +", "z^2", "__import__('os')", "", "x" * 300):
        box.set_value(bad).run()
        assert [item.message for item in session.exception] == []
        assert any("formula" in item.value for item in session.error), bad
        box = session.text_input(key="formula.formula")
    box.set_value("x^2 + y^2").run()
    assert_no_errors(session)


@pytest.mark.parametrize("page", PAGES)
def test_a_learning_rate_of_zero_breaks_no_page(page: str) -> None:
    link = {"schedule": "piecewise_constant_decay", "piecewise_constant_decay.values": "0, 0, 0"}
    session = visit(page, QUICK | link)
    assert [item.message for item in session.exception] == []
    assert session.selectbox(key="schedule").value == "piecewise_constant_decay"


def test_an_invalid_start_is_reported_and_can_be_corrected() -> None:
    session = visit("paths", {"surface": "booth"})
    session.text_input(key="booth.start").set_value("1, 2, 3").run()
    assert [item.message for item in session.exception] == []
    assert any("start" in item.value for item in session.error)
    session.text_input(key="booth.start").set_value("1, 2").run()
    assert_no_errors(session)


def test_the_paths_page_reports_divergence_with_its_step() -> None:
    link = {"optimizer": "sgd", "schedule": "constant", "sgd.learning_rate": "1"}
    session = visit("paths", link | {"surface": "rosenbrock"})
    assert_no_errors(session)
    assert "Diverges: at step" in page_text(session)


def test_every_page_works_with_only_the_bundled_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(sources.DATA_VARIABLE, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(sources, "PACKAGE_FOLDER", tmp_path / "package")
    session = visit("train", {"train_size": "45000"})
    assert_no_errors(session)
    text = page_text(session)
    assert "sample" in text and "python -m lrlab data" in text
    for page in PAGES:
        assert_no_errors(go(session, page))
    go(session, "schedules")
    assert "3,750" in page_text(session)


def test_a_damaged_copy_is_reported_on_the_train_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"not gzip")
    monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path))
    session = visit("train")
    assert_no_errors(session)
    warning = session.warning[0].value
    assert sources.DATA_VARIABLE in warning and "train-images-idx3-ubyte.gz is damaged" in warning
