"""A complete session in a real browser: from a link to a recipe, its trajectory and two real runs.

Its first visit is also the server's first: the module runs before the others in this folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from lrlab.datasets.sources import DataSource
from tests.browser.actions import (
    CHART,
    await_other_picture,
    choose,
    go,
    metric,
    open_page,
    picture,
    slider,
    start_box,
    state,
    type_exactly,
)
from tests.browser.selectors import SIDEBAR

FIRST_CHART = f"document.querySelector('{CHART}')"

IMAGES = "24000"
"""Training images; an epoch takes longer than the page's update interval of a second."""


def test_from_a_link_to_a_recipe_its_trajectory_and_two_runs(
    full_data: DataSource, page: Page, new_page: Callable[..., Page]
) -> None:
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))

    # The server's first visit, with a deep link.
    open_page(page, "/train?optimizer=adam")
    expect(page.get_by_role("heading", name="Train")).to_be_visible()
    expect(page.get_by_test_id(SIDEBAR)).to_be_visible()
    expect(page.get_by_role("combobox", name="Optimizer")).to_have_value("Adam")
    # The message disappears without a click once the worker has started.
    expect(page.get_by_text("The worker is starting")).to_have_count(0)
    page.evaluate("window.untouched = true")

    # The curve and the trajectory follow the recipe.
    go(page, "LR Lab")
    choose(page, "Optimizer", "Nadam")
    line = page.locator("polyline.ahead")
    curve = page.locator(CHART).first
    before, path = picture(curve), line.get_attribute("points")
    thumb = slider(page, "initial_learning_rate")
    rate = thumb.get_attribute("aria-valuetext")
    for _ in range(3):
        thumb.press("ArrowRight")
    expect(thumb).not_to_have_attribute("aria-valuetext", rate)
    await_other_picture(curve, before)
    expect(line).not_to_have_attribute("points", path)

    # A click on the map sets the trajectory's start.
    go(page, "Paths")
    start, path = start_box(page).input_value(), line.get_attribute("points")
    page.get_by_role("application").click(position={"x": 150, "y": 120})
    expect(start_box(page)).not_to_have_value(start)
    expect(line).not_to_have_attribute("points", path)

    # Play, pause and scrub work in the browser, without the server.
    frames = len(sent)
    scrub = page.get_by_role("slider", name="Step", exact=True)
    last = scrub.input_value()
    page.get_by_role("button", name="Play").click()
    expect(scrub).not_to_have_value(last)
    shown = scrub.input_value()
    expect(scrub).not_to_have_value(shown)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    scrub.press("Home")
    expect(page.get_by_text(f"step 0 of {int(last):,}")).to_be_visible()
    scrub.press("ArrowRight")
    expect(page.get_by_text(f"step 1 of {int(last):,}")).to_be_visible()
    assert len(sent) == frames

    # Epochs on real data appear while the run is trained.
    go(page, "Train")
    type_exactly(page, "Epochs", "8")
    type_exactly(page, "Training images", IMAGES)
    page.get_by_role("button", name="Start").click()
    accuracy = metric(page, "Validation accuracy")
    expect(accuracy).to_have_text("–")
    page.evaluate(f"{FIRST_CHART}.kept = true")
    expect(accuracy).to_have_text(re.compile("%"))
    early = accuracy.inner_text()
    expect(accuracy).not_to_have_text(early)
    expect(metric(page, "Test accuracy")).to_have_text(re.compile("%"))
    expect(state(page)).to_contain_text("finished")
    assert page.evaluate(f"{FIRST_CHART}.kept")
    assert page.evaluate("window.untouched"), "the page was reloaded"

    # A second, longer run is stopped and keeps its measurements.
    type_exactly(page, "Training images", "2000")
    type_exactly(page, "Epochs", "100")
    page.get_by_role("button", name="Start").click()
    expect(accuracy).to_have_text("–")
    expect(accuracy).to_have_text(re.compile("%"))
    page.get_by_role("button", name="Stop").click()
    expect(state(page)).to_contain_text("stopped")
    expect(accuracy).to_have_text(re.compile("%"))

    # Both runs are listed after a reload, and for other visitors under "All".
    page.reload()
    runs = page.locator("table[role=grid]")
    expect(runs).to_contain_text("finished")
    expect(runs).to_contain_text("stopped")
    other = new_page()
    open_page(other, "/runs")
    expect(other.get_by_text("You have no runs yet")).to_be_visible()
    other.get_by_text("All", exact=True).click()
    runs = other.locator("table[role=grid]")
    expect(runs).to_contain_text("finished")
    expect(runs).to_contain_text("stopped")
