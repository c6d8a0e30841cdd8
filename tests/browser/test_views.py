"""Links, history and appearance of every page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lrlab.controls.draft import draft_of
from lrlab.recipes.plan import PRESETS
from tests.app_visit import PAGES
from tests.browser.actions import (
    CHART,
    assert_accessible,
    await_server,
    choose,
    go,
    open_page,
    slider,
    start_box,
    switch_theme,
    type_exactly,
)
from tests.browser.selectors import MAIN, by_id

LINK = (
    "/paths?optimizer=sgd&schedule=exponential_decay&stretch=false&sgd.clipnorm=2.5"
    "&exponential_decay.initial_learning_rate=0.00123&surface=booth&booth.start=1,%202"
    "&path_steps=77&epochs=5"
)


def expect_values_of_link(page: Page) -> None:
    expect(page.get_by_role("combobox", name="Optimizer")).to_have_value("SGD")
    expect(page.get_by_role("combobox", name="schedule")).to_have_value("Exponential decay")
    expect(page.get_by_role("combobox", name="Test function")).to_have_value("Booth")
    rate = slider(page, "initial_learning_rate")
    expect(rate).to_have_attribute("aria-valuetext", "0.00123")
    expect(start_box(page)).to_have_value("1, 2")
    expect(page.get_by_text("step 77 of 77")).to_be_visible()


def test_a_link_sets_recipe_and_trajectory_and_a_reload_keeps_them(page: Page) -> None:
    open_page(page, LINK)
    expect_values_of_link(page)
    page.reload()
    expect_values_of_link(page)
    go(page, "Schedules")
    expect(page.get_by_role("combobox", name="Optimizer")).to_have_value("SGD")
    expect(page.get_by_text(re.compile(r"planned run: 5 epochs"))).to_be_visible()


def test_choices_are_in_the_address_for_another_visitor(
    page: Page, new_page: Callable[..., Page]
) -> None:
    open_page(page, "/")
    choose(page, "Optimizer", "Adamax")
    # Until the new optimizer's box is attached, the text would go into the old one's.
    expect(page.locator(".st-key-exact-adamax-beta_1")).to_be_attached()
    type_exactly(page, "beta_1", "0.777")
    expect(page).to_have_url(re.compile(r"adamax\.beta_1=0\.777"))
    other = new_page()
    open_page(other, page.url)
    expect(other.get_by_role("combobox", name="Optimizer")).to_have_value("Adamax")
    expect(slider(other, "beta_1")).to_have_attribute("aria-valuetext", "0.777")


def test_reset_removes_parameters_from_the_address_and_going_back_restores_them(
    page: Page,
) -> None:
    open_page(page, "/?optimizer=Adam&adam.beta_1=0.5")
    thumb = slider(page, "beta_1")
    expect(thumb).to_have_attribute("aria-valuetext", "0.5")
    page.get_by_role("button", name="Reset").click()
    expect(thumb).to_have_attribute("aria-valuetext", "0.9")
    expect(page).not_to_have_url(re.compile("beta_1"))
    expect(page).to_have_url(re.compile("optimizer=Adam"))
    page.go_back()
    expect(page).to_have_url(re.compile("beta_1=0.5"))
    expect(thumb).to_have_attribute("aria-valuetext", "0.5")


def test_going_back_shows_the_previous_page_with_its_recipe(page: Page) -> None:
    open_page(page, "/schedules?optimizer=Adam")
    go(page, "Map")
    page.go_back()
    expect(page.get_by_role("heading", name="Schedules")).to_be_visible()
    expect(page.get_by_role("combobox", name="Optimizer")).to_have_value("Adam")


def test_a_preset_changes_the_address_and_the_other_pages(page: Page) -> None:
    title = "Exercise 2: SGD, decay"
    open_page(page, "/train")
    page.get_by_role("button", name=title).click()
    expect(page.get_by_role("combobox", name="Optimizer")).to_have_value("SGD")
    expect(page).to_have_url(re.compile("stretch=false"))
    go(page, "LR Lab")
    decay = draft_of(PRESETS[title])["exponential_decay.decay_steps"]
    expect(slider(page, "decay_steps")).to_have_attribute("aria-valuetext", decay)
    expect(page.get_by_text("0.1 → 0.0999").first).to_be_visible()


def test_the_home_page_trains_the_recipe_that_it_shows(page: Page) -> None:
    open_page(page, "/?optimizer=Adam&adam.beta_1=0.5&epochs=1&train_size=100")
    page.get_by_role("button", name="Train this recipe").click()
    expect(page.get_by_role("heading", name="Train")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Run \d+: Adam"))).to_be_visible()
    expect(slider(page, "beta_1")).to_have_attribute("aria-valuetext", "0.5")
    expect(page).to_have_url(re.compile("beta_1=0.5"))


def test_an_invalid_link_is_reported_and_corrected_in_the_address(page: Page) -> None:
    open_page(page, "/schedules?optimizer=Adam&adam.beta_1=7&nonsense=1")
    expect(page.get_by_text(re.compile("beta_1 = 7 is not allowed"))).to_be_visible()
    expect(page.get_by_text(re.compile("nonsense"))).to_be_visible()
    expect(page).not_to_have_url(re.compile("beta_1|nonsense"))
    expect(page.locator(CHART).first).to_be_visible()


def test_the_map_can_be_used_with_the_keyboard(page: Page) -> None:
    open_page(page, "/paths")
    before = start_box(page).input_value()
    surface = page.get_by_role("application")
    surface.press("Shift+ArrowLeft")
    surface.press("ArrowUp")
    surface.press("Enter")
    expect(start_box(page)).not_to_have_value(before)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_wide_and_narrow_windows_and_passes_axe_in_light_and_dark(
    page: Page, name: str
) -> None:
    open_page(page, "/" if name == "home" else f"/{name}")
    main = page.get_by_test_id(MAIN)
    for theme in ("light", "dark"):
        switch_theme(page, theme)
        for width in (1280, 800):
            page.set_viewport_size({"width": width, "height": 800})
            await_server(page)
            expect(main).to_be_visible()
            page.wait_for_function(
                f"[document.documentElement, document.querySelector('{by_id(MAIN)}')]"
                ".every(part => part.scrollWidth <= part.clientWidth)"
            )
        assert_accessible(page)
