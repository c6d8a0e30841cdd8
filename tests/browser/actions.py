"""What a visitor does and sees, by the accessible names of elements."""

from __future__ import annotations

import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser import selectors
from tests.browser.selectors import by_id

CHART = f"{by_id(selectors.CHART)} canvas"


def open_page(page: Page, link: str) -> None:
    """Follows a link and waits until the server has run the page and knows the browser.

    On a browser's first visit the page runs again after the browser has reported its identity.
    Input in between can be lost; people are too slow for that.
    """
    page.goto(link)
    await_server(page)
    page.wait_for_function("document.cookie.includes('lrlab_browser')")
    await_server(page)


def await_server(page: Page) -> None:
    """Waits until the server has run the page."""
    expect(page.locator(selectors.IDLE_APP)).to_be_attached()


def go(page: Page, title: str) -> None:
    """Goes to another page by the navigation and waits until the server has run it."""
    heading = page.get_by_role("heading", level=1)
    before = heading.inner_text()
    page.get_by_test_id(selectors.NAVIGATION).get_by_role("link", name=title).click()
    expect(heading).not_to_have_text(before)
    await_server(page)


def choose(page: Page, what: str, entry: str) -> None:
    """Chooses an entry from a list."""
    box = page.get_by_role("combobox", name=what)
    # Scrolling would close the list.
    box.scroll_into_view_if_needed()
    box.click()
    page.get_by_role("option", name=entry, exact=True).click()
    expect(box).to_have_value(entry)


def slider(page: Page, name: str) -> Locator:
    """The thumb of a parameter's slider."""
    return page.get_by_role("slider", name=re.compile(rf"\b{name}\b"))


def type_exactly(page: Page, name: str, value: str) -> None:
    """Types a value into the box beside a slider."""
    box = page.get_by_role("textbox", name=f"{name}, exact value")
    box.fill(value)
    box.press("Enter")
    expect(slider(page, name)).to_have_attribute("aria-valuetext", value)


def start_box(page: Page) -> Locator:
    """The box with the trajectory's start point."""
    return page.get_by_role("textbox", name="Start")


def picture(canvas: Locator) -> str:
    """The pixels of a chart, once it is attached."""
    return canvas.evaluate("canvas => canvas.toDataURL()")


def await_other_picture(canvas: Locator, before: str) -> None:
    """Waits until a chart's pixels change or the chart is replaced."""
    canvas.page.wait_for_function(
        "([canvas, before]) => !canvas.isConnected || canvas.toDataURL() !== before",
        arg=[canvas.element_handle(), before],
    )


def metric(page: Page, label: str) -> Locator:
    """The value of the metric with this label."""
    metrics = page.get_by_test_id(selectors.METRIC).filter(has_text=label)
    return metrics.get_by_test_id(selectors.METRIC_VALUE)


def state(page: Page) -> Locator:
    """The state of the open run."""
    return page.get_by_test_id(selectors.MAIN).locator(selectors.BADGE)


def switch_theme(page: Page, theme: str) -> None:
    """Switches to the light or the dark theme and waits until the page uses it."""
    page.emulate_media(color_scheme=theme)
    brightness = {"light": "> 600", "dark": "< 200"}[theme]
    page.wait_for_function(
        f"getComputedStyle(document.querySelector('{by_id(selectors.APP)}')).backgroundColor"
        f".match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + +part, 0) {brightness}"
    )


def chart(page: Page, text: str) -> Locator:
    """The chart whose text alternative starts with this text."""
    return page.locator(f"{by_id(selectors.CHART)}[aria-label^='{text}'] canvas")


def expand(page: Page, title: str) -> None:
    """Opens an expander and waits until its animation has ended."""
    page.get_by_text(title).click()
    await_animations(page)


def await_animations(page: Page) -> None:
    """Waits until all finite animations have ended.

    An element that moves between mouse down and mouse up is not clicked.
    """
    page.wait_for_function(
        """() => document.getAnimations().every(one => one.playState !== "running"
            || one.effect.getComputedTiming().iterations === Infinity)"""
    )


def download(page: Page, button: str) -> Path:
    """Downloads a button's file and returns its path."""
    download_button = page.get_by_role("button", name=button)
    with page.expect_download() as pending_download:
        download_button.click()
    path = Path(pending_download.value.path())
    # While the file is prepared the button looks different and the ones beside it move.
    expect(download_button).to_be_enabled()
    await_animations(page)
    return path


def assert_accessible(page: Page) -> None:
    """Asserts that Axe, the automated accessibility check, finds no serious problem on the page.

    Also asserts that every chart has a different text alternative.
    """
    await_server(page)
    # Elements that are about to be redrawn are paler, which lowers their contrast.
    expect(page.locator("[data-stale=true]")).to_have_count(0)
    charts = page.get_by_test_id(selectors.CHART).all()
    for canvas in charts:
        expect(canvas).to_have_attribute("aria-label", re.compile(r"(\w+\W+){3}"))
    texts = [canvas.get_attribute("aria-label") for canvas in charts]
    assert len(set(texts)) == len(texts), f"two charts have the same text: {texts}"
    serious = [
        f"{item['id']}: {node['html'][:200]} {node['failureSummary']}"
        for item in Axe().run(page).response["violations"]
        for node in item["nodes"]
        if item["impact"] in ("serious", "critical")
    ]
    assert not serious, "\n".join(serious)
