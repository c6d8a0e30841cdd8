"""Waiting, limits and codes on the Train page, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lrlab.recipes.plan import PRESETS
from lrlab.runs.store import Store
from lrlab.text import escape_markdown
from lrlab.ui.app.server import server
from tests.app_visit import ME, SOMEBODY, button, button_labels, page_text, serving, visit

PLAN = PRESETS["Exercise 1: Nadam"]
CODES = {"LRLAB_INSTRUCTOR_CODE": "chalk dust", "LRLAB_CLASS_CODE": "room 12"}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of a server whose engine is stopped, so that queued runs wait."""
    with serving(f"sqlite:///{tmp_path / 'runs.db'}"):
        server().engine.stop()
        yield server().store


@pytest.fixture
def store_with_codes(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Store:
    """The same store on a server with both codes."""
    for name, code in CODES.items():
        monkeypatch.setenv(name, code)
    return request.getfixturevalue("store")


def open_run(run_id: int, browser: str = ME) -> AppTest:
    session = visit("train", browser=browser)
    session.session_state["run"] = run_id
    return session.run()


def test_a_waiting_run_shows_its_position(store: Store) -> None:
    for owner in (ME, ME, SOMEBODY):
        run_id = store.queue(PLAN, owner=owner, name="a run")
    waiting = open_run(run_id, SOMEBODY).get("progress")[0].proto.text
    assert waiting == "Waiting: number 2 in the queue."


@pytest.mark.parametrize(("page", "label"), [("train", "Start"), ("home", "Train this recipe")])
def test_a_third_waiting_run_is_refused_with_a_message(store: Store, page: str, label: str) -> None:
    for _ in range(2):
        store.queue(PLAN, owner=ME, name="a run")
    session = button(visit(page), label)
    assert "You have 2 runs or groups waiting" in session.error[0].value
    assert not session.exception
    assert len(store.runs()) == 2


def test_a_server_without_codes_asks_for_none(store: Store) -> None:
    session = visit("train")
    assert "Class code" not in [box.label for box in session.text_input]
    assert "Instructor code" not in [box.label for box in session.text_input]


def test_runs_can_be_queued_with_the_class_code(store_with_codes: Store) -> None:
    session = visit("train")
    session.text_input(key="code.class").set_value("wrong one").run()
    assert "This is not the class code." in page_text(session)
    button(session, "Start")
    assert "class code" in session.error[0].value
    assert store_with_codes.runs() == []
    session.text_input(key="code.instructor").set_value("a wrong guess").run()
    session.text_input(key="code.class").set_value("room 12").run()
    button(session, "Start")
    assert [run.owner for run in store_with_codes.runs()] == [ME]


def test_the_instructor_code_allows_stopping_others_runs_and_clearing_the_queue(
    store_with_codes: Store,
) -> None:
    ids = [
        store_with_codes.queue(PLAN, owner=SOMEBODY, name="a run", code="room 12") for _ in range(2)
    ]
    session = open_run(ids[0])
    assert "Stop" not in button_labels(session) and "Clear the queue" not in button_labels(session)
    session.text_input(key="code.instructor").set_value("wrong one").run()
    assert "This is not the instructor code." in page_text(session)
    assert "Stop" not in button_labels(session)
    session.text_input(key="code.instructor").set_value("chalk dust").run()
    button(session, "Stop")
    assert (
        store_with_codes.run(ids[0]).reason == "stopped before it began; the instructor stopped it"
    )
    button(session, "Clear the queue")
    assert store_with_codes.run(ids[1]).reason == (
        "stopped before it began; the instructor cleared the queue"
    )
    assert not session.exception


def test_an_invalid_setting_is_named_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRLAB_WORKERS", "<b>many</b>")
    with serving(f"sqlite:///{tmp_path / 'runs.db'}"):
        session = visit("train")
        assert not session.exception
        assert (
            escape_markdown("LRLAB_WORKERS = '<b>many</b>' is not allowed")
            in session.error[0].value
        )
