"""What a visitor does and sees, by the names that pages give to things."""

from __future__ import annotations

import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

CHART = "[data-testid=stVegaLiteChart] canvas"


def open_page(page: Page, link: str) -> None:
    """Follow a link, and wait until the server has run the page and knows the browser.

    On a browser's first visit the page runs once more when it has said who it is; what is typed
    in between can be lost, for which people are too slow.
    """
    page.goto(link)
    await_server(page)
    page.wait_for_function("document.cookie.includes('lrlab_browser')")
    await_server(page)


def await_server(page: Page) -> None:
    """Wait until the server has run the page."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_attached()


def go(page: Page, title: str) -> None:
    """Change to another page by the navigation, and wait until the server has run it."""
    heading = page.get_by_role("heading", level=1)
    before = heading.inner_text()
    page.get_by_test_id("stTopNav").get_by_role("link", name=title).click()
    expect(heading).not_to_have_text(before)
    await_server(page)


def choose(page: Page, what: str, entry: str) -> None:
    """Pick an entry from a list."""
    box = page.get_by_role("combobox", name=what)
    # Scrolling closes a list.
    box.scroll_into_view_if_needed()
    box.click()
    page.get_by_role("option", name=entry, exact=True).click()
    expect(box).to_have_value(entry)


def slider(page: Page, name: str) -> Locator:
    """The thumb of a parameter's slider."""
    return page.get_by_role("slider", name=re.compile(rf"\b{name}\b"))


def type_exactly(page: Page, name: str, value: str) -> None:
    """Type a value into the box beside a slider."""
    box = page.get_by_role("textbox", name=f"{name}, exact value")
    box.fill(value)
    box.press("Enter")
    expect(slider(page, name)).to_have_attribute("aria-valuetext", value)


def start_box(page: Page) -> Locator:
    """The box that holds the path's starting point."""
    return page.get_by_role("textbox", name="Start")


def picture(drawn: Locator) -> str:
    """What is painted in a chart, once it is there."""
    return drawn.evaluate("canvas => canvas.toDataURL()")


def await_other_picture(drawn: Locator, before: str) -> None:
    """Wait until a chart is painted differently, or anew."""
    drawn.page.wait_for_function(
        "([canvas, before]) => !canvas.isConnected || canvas.toDataURL() !== before",
        arg=[drawn.element_handle(), before],
    )


def metric(page: Page, label: str) -> Locator:
    """The value of a measured number."""
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def state(page: Page) -> Locator:
    """The state of the open run."""
    return page.get_by_test_id("stMain").locator(".stMarkdownBadge")


def turn(page: Page, theme: str) -> None:
    """Change between the light and the dark theme, and wait until the page has it."""
    page.emulate_media(color_scheme=theme)
    brightness = {"light": "> 600", "dark": "< 200"}[theme]
    page.wait_for_function(
        "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
        f".match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + +part, 0) {brightness}"
    )


def chart(page: Page, text: str) -> Locator:
    """The chart whose text alternative begins so."""
    return page.locator(f"[data-testid=stVegaLiteChart][aria-label^='{text}'] canvas")


def unfold(page: Page, title: str) -> None:
    """Open a fold, and wait until it has come to rest."""
    page.get_by_text(title).click()
    await_rest(page)


def await_rest(page: Page) -> None:
    """Wait until nothing moves any more that comes to an end.

    What moves between the press and the release of the mouse is not clicked.
    """
    page.wait_for_function(
        """() => document.getAnimations().every(one => one.playState !== "running"
            || one.effect.getComputedTiming().iterations === Infinity)"""
    )


def download(page: Page, button: str) -> Path:
    """Where the file is that a button gives; its name is the one a visitor would see."""
    pressed = page.get_by_role("button", name=button)
    with page.expect_download() as waiting:
        pressed.click()
    path = Path(waiting.value.path())
    # While it prepares the file it looks different, and the buttons beside it make room.
    expect(pressed).to_be_enabled()
    await_rest(page)
    return path


def assert_accessible(page: Page) -> None:
    """Axe, the automated accessibility check, finds nothing serious on the page as it is, and
    every chart has a text of its own."""
    await_server(page)
    # What is about to be drawn anew is paler until then.
    expect(page.locator("[data-stale=true]")).to_have_count(0)
    charts = page.get_by_test_id("stVegaLiteChart").all()
    for drawn in charts:
        expect(drawn).to_have_attribute("aria-label", re.compile(r"(\w+\W+){3}"))
    texts = [drawn.get_attribute("aria-label") for drawn in charts]
    assert len(set(texts)) == len(texts), f"two charts have the same text: {texts}"
    serious = [
        f"{item['id']}: {node['html'][:200]} {node['failureSummary']}"
        for item in Axe().run(page).response["violations"]
        for node in item["nodes"]
        if item["impact"] in ("serious", "critical")
    ]
    assert not serious, "\n".join(serious)
