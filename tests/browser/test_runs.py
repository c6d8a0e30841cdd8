"""Seeds, comparison, links, taking away, sweep, range test and projector in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.actions import CHART, assert_accessible, go, open_page, slider

SMALL = "schedule=constant&train_size=200&epochs=2&batch_size=50"


def tick(page: Page, row: int) -> None:
    """Tick a row of the table of runs, counted from 0."""
    table = page.get_by_test_id("stDataFrame").first
    table.click(position={"x": 18, "y": 36 + 35 * row + 17})


def start_with_seeds(page: Page, optimizer: str, seeds: int) -> None:
    open_page(page, f"/train?optimizer={optimizer}&{SMALL}")
    box = page.get_by_role("spinbutton", name="Seeds")
    box.fill(str(seeds))
    box.press("Enter")
    page.get_by_role("button", name=f"Start {seeds} runs").click()
    expect(page.get_by_text(f"{seeds} runs: {seeds} finished.")).to_be_visible()


def test_recipes_with_seeds_are_compared_and_the_comparison_is_linked_and_taken_away(
    page: Page, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    start_with_seeds(page, "adam", 2)
    page.get_by_text("seed 2", exact=True).click()
    expect(page.get_by_text(re.compile(r"Run \d+: Adam.*seed 2"))).to_be_visible()
    start_with_seeds(page, "rmsprop", 2)

    # One row is a group, two rows are a comparison, and both are in the address.
    go(page, "Runs")
    tick(page, 0)
    expect(page).to_have_url(re.compile(r"runs=\d+(,|%2C)\d+$"))
    expect(page.get_by_text("Look at", exact=True)).to_be_visible()
    tick(page, 1)
    expect(page).to_have_url(re.compile(r"runs=\d+((,|%2C)\d+){3}$"))
    expect(page.get_by_text("What differs")).to_be_visible()
    expect(
        page.get_by_text(re.compile("distinguishable|Cannot tell|is better than"))
    ).to_be_visible()
    assert_accessible(page)

    # Somebody else opens it by the link, and sees another axis without leaving it.
    other = new_page(theme="dark")
    open_page(other, page.url)
    expect(other.get_by_text("What differs")).to_be_visible()
    other.get_by_text("seconds", exact=True).click()
    described = other.get_by_role("img", name=re.compile("Validation loss against seconds"))
    expect(described.or_(other.locator("[aria-label*='against seconds']")).first).to_be_attached()
    assert_accessible(other)

    # Back leads to the group alone, whose row alone is then ticked.
    page.go_back()
    expect(page.get_by_text("Look at", exact=True)).to_be_visible()
    expect(page.get_by_text("What differs")).not_to_be_visible()

    page.get_by_text("Take it away").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Epochs as CSV").click()
    table = Path(waiting.value.path()).read_text()
    assert table.startswith("run,name,step,epoch,loss") and len(table.splitlines()) == 5


def test_the_pointer_reads_all_curves_of_a_comparison_at_once(page: Page) -> None:
    open_page(page, "/runs?runs=1,2,3,4,5,6,7,8")
    page.get_by_text("All", exact=True).click()
    chart = page.locator(CHART).nth(2)
    box = chart.bounding_box()
    chart.hover(position={"x": box["width"] / 2, "y": box["height"] / 2})
    tooltip = page.locator("#vg-tooltip-element")
    expect(tooltip).to_contain_text("epoch")
    expect(tooltip.locator("tr")).not_to_have_count(2)


def test_a_sweep_is_started_watched_and_its_best_is_taken(page: Page) -> None:
    open_page(page, f"/sweep?optimizer=adam&{SMALL}&epochs=1")
    page.get_by_text("these values").click()
    box = page.get_by_role("textbox", name="Values, with commas between them")
    box.fill("0.0001, 0.004")
    box.press("Enter")
    page.get_by_role("button", name="Start 2 runs").click()
    expect(page.get_by_text("2 runs: 2 finished.")).to_be_visible()
    expect(page.get_by_text(re.compile("Best: Adam, learning_rate"))).to_be_visible()
    page.get_by_role("button", name="Take the best").click()
    expect(slider(page, "learning_rate")).to_have_attribute(
        "aria-valuetext", re.compile(r"1e-4|0\.0001|0\.004")
    )
    assert_accessible(page)


def test_a_range_test_suggests_a_rate_that_is_taken(page: Page) -> None:
    open_page(page, "/range_test?optimizer=adam&schedule=constant&train_size=2000")
    page.get_by_role("button", name="Start the test").click()
    use = page.get_by_role("button", name="tenth of the minimum")
    expect(use).to_be_visible()
    rate = re.search(r"Use (\S+):", use.inner_text()).group(1)
    use.click()
    expect(slider(page, "learning_rate")).to_have_attribute("aria-valuetext", rate)
    assert_accessible(page)


def test_a_projector_follows_the_newest_run(page: Page, new_page: Callable[..., Page]) -> None:
    open_page(page, "/present")
    page.get_by_text("the newest run of all").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).not_to_have_text("No run yet")
    expect(page.get_by_test_id("stSidebar")).not_to_be_visible()
    other = new_page()
    open_page(other, f"/train?optimizer=lion&{SMALL}")
    other.get_by_role("button", name="Start", exact=True).click()
    expect(heading).to_contain_text("Lion")
