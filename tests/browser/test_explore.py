"""Race, hyperparameter map, step inspector and typed formulas in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.actions import CHART, await_server, open_page, slider

PATH = "schedule=constant&surface=booth&path_steps=100"


def test_a_click_on_the_map_sets_that_cells_values(page: Page) -> None:
    open_page(page, f"/map?optimizer=momentum&{PATH}")
    rate, momentum = slider(page, "learning_rate"), slider(page, "momentum")
    before = [each.get_attribute("aria-valuetext") for each in (rate, momentum)]
    chart = page.locator(CHART).first
    box = chart.bounding_box()
    cell = {"x": box["width"] * 0.4, "y": box["height"] * 0.3}
    chart.click(position=cell)
    expect(rate).not_to_have_attribute("aria-valuetext", before[0])
    expect(momentum).not_to_have_attribute("aria-valuetext", before[1])
    expect(page).to_have_url(re.compile(r"momentum\.learning_rate="))

    # The same cell can be used again after the recipe has changed.
    cell_rate = rate.get_attribute("aria-valuetext")
    rate.press("ArrowLeft")
    expect(rate).not_to_have_attribute("aria-valuetext", cell_rate)
    await_server(page)
    chart.click(position=cell)
    expect(rate).to_have_attribute("aria-valuetext", cell_rate)


def test_a_race_plays_all_recipes_together(page: Page) -> None:
    open_page(page, f"/race?optimizer=adam&{PATH}")
    heads = page.locator(".heads circle")
    expect(heads).to_have_count(4)
    scrub = page.get_by_role("slider", name="Step", exact=True)
    scrub.press("Home")
    starts = {head.get_attribute("cx") for head in heads.all()}
    assert len(starts) == 1
    page.get_by_role("button", name="Play").click()
    expect(scrub).to_have_js_property("value", "100")
    ends = {head.get_attribute("cx") for head in heads.all()}
    assert len(ends) > 1


def test_a_race_at_one_learning_rate_follows_its_slider(page: Page) -> None:
    open_page(page, f"/race?optimizer=adam&{PATH}")
    line = page.locator("polyline.ahead").first
    points_at_best_rates = line.get_attribute("points")
    page.get_by_text("all at one learning rate").click()
    expect(line).not_to_have_attribute("points", points_at_best_rates)
    points_at_one_rate = line.get_attribute("points")
    page.get_by_role("slider", name="Learning rate").press("ArrowRight")
    expect(line).not_to_have_attribute("points", points_at_one_rate)


def test_the_inspector_draws_arrows_that_follow_its_slider(page: Page) -> None:
    open_page(page, f"/paths?optimizer=adam&adam.learning_rate=0.1&{PATH}")
    page.get_by_text("Inspect a step").click()
    arrows = page.locator(".arrows")
    expect(arrows).to_contain_text("step taken")
    first = arrows.inner_html()
    # The player's slider is also named "Step"; Streamlit repeats the name of its own slider.
    page.get_by_role("slider", name="Step Step").press("ArrowRight")
    expect(page.get_by_text("Step 1", exact=True)).to_be_visible()
    expect(arrows).not_to_have_js_property("innerHTML", first)


def test_a_typed_formula_is_drawn_and_an_invalid_one_is_reported(page: Page) -> None:
    open_page(page, "/paths?surface=formula&optimizer=momentum")
    # The link has been normalised and the page has been run again for it.
    expect(page).to_have_url(re.compile("surface=Your"))
    await_server(page)
    picture = page.locator("svg[role=application] image")
    before = picture.get_attribute("href")
    box = page.get_by_role("textbox", name="Formula")
    box.fill("x^2 + 3*y^2 + cos(x*y)")
    box.press("Enter")
    expect(picture).not_to_have_attribute("href", before)
    box.fill("x^2 + __import__('os')")
    box.press("Enter")
    expect(page.get_by_text("__import__").first).to_be_visible()
