"""Seeds, comparison, links, downloads, sweep, range test and Present page in a real browser."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.app_visit import ME
from tests.browser.actions import (
    assert_accessible,
    await_other_picture,
    await_server,
    chart,
    choose,
    download,
    expand,
    go,
    open_page,
    picture,
    slider,
    state,
    switch_theme,
)
from tests.browser.selectors import SIDEBAR, TABLE

MEASURED = (
    "Training loss",
    "Validation loss",
    "Validation accuracy",
    "Learning rate",
    "Gradient norm",
    "Update-to-weight ratio",
)
SMALL = "schedule=constant&train_size=200&epochs=2&batch_size=50"


def tick(page: Page, row: int) -> None:
    """Ticks a row of the table of runs, counted from 0."""
    table = page.get_by_test_id(TABLE).first
    table.click(position={"x": 18, "y": 36 + 35 * row + 17})


def start_with_seeds(page: Page, optimizer: str, seeds: int) -> None:
    open_page(page, f"/train?optimizer={optimizer}&{SMALL}")
    box = page.get_by_role("spinbutton", name="Seeds")
    box.fill(str(seeds))
    box.press("Enter")
    page.get_by_role("button", name=f"Start {seeds} runs").click()
    expect(page.get_by_text(f"{seeds} runs: {seeds} finished.")).to_be_visible()


def test_recipes_with_seeds_can_be_compared_linked_and_downloaded(
    page: Page, new_page: Callable[..., Page]
) -> None:
    start_with_seeds(page, "adam", 2)
    page.get_by_text("seed 2", exact=True).click()
    expect(page.get_by_text(re.compile(r"Run \d+: Adam.*seed 2"))).to_be_visible()
    start_with_seeds(page, "rmsprop", 2)

    # Sorted by name, the older group comes first. One ticked row shows a group, two rows show a
    # comparison, and both are in the address.
    go(page, "Runs")
    page.get_by_test_id(TABLE).first.click(position={"x": 110, "y": 18})
    tick(page, 0)
    expect(page.get_by_text(re.compile(r"Group \d+: Adam"))).to_be_visible()
    expect(page).to_have_url(re.compile(r"runs=\d+(,|%2C)\d+$"))
    expect(page.get_by_text("Show", exact=True)).to_be_visible()
    tick(page, 1)
    expect(page).to_have_url(re.compile(r"runs=\d+((,|%2C)\d+){3}$"))
    expect(page.get_by_text("What differs")).to_be_visible()
    expect(
        page.get_by_text(re.compile("distinguishable|Cannot tell|is better than"))
    ).to_be_visible()
    assert_accessible(page)

    # Another visitor opens the comparison by its link and changes its axes.
    other = new_page(theme="dark")
    open_page(other, page.url)
    expect(other.get_by_text("What differs")).to_be_visible()
    settings = other.locator("table[role=grid]").filter(has_text="Setting")
    expect(settings).to_contain_text("Optimizer")
    expect(settings).not_to_contain_text("Batch size")
    expect(other.get_by_text("Lines are means over seeds")).to_be_visible()
    for unit in ("step", "seconds"):
        other.get_by_text(unit, exact=True).click()
        for measured in MEASURED:
            expect(chart(other, f"{measured} against {unit}")).to_be_visible()
    loss_chart = chart(other, "Validation loss against seconds")
    norm_chart = chart(other, "Gradient norm against seconds")
    for change in (
        lambda: slider(other, "Smoothing").press("PageUp"),
        lambda: other.get_by_role("button", name="the others").click(),
        lambda: other.get_by_role("button", name="across").click(),
    ):
        before = picture(norm_chart)
        change()
        await_server(other)
        await_other_picture(norm_chart, before)
    assert_accessible(other)

    # The tooltip shows all curves at once.
    loss_chart.scroll_into_view_if_needed()
    box = loss_chart.bounding_box()
    loss_chart.hover(position={"x": box["width"] / 2, "y": box["height"] / 2})
    for text in ("seconds", "Adam, 0.001, 2 seeds", "RMSprop, 0.001, 2 seeds"):
        expect(other.locator("#vg-tooltip-element")).to_contain_text(text)

    # Going back shows only the group, whose row is then the only one ticked.
    page.go_back()
    expect(page.get_by_text("Show", exact=True)).to_be_visible()
    expect(page.get_by_text("What differs")).not_to_be_visible()

    expand(page, "Downloads")
    table = download(page, "Epochs as CSV").read_text()
    assert table.startswith("run,name,step,epoch,loss") and len(table.splitlines()) == 5


def test_a_sweep_can_be_started_and_its_points_and_its_best_used(page: Page) -> None:
    open_page(page, f"/sweep?optimizer=adam&{SMALL}&epochs=1")
    page.get_by_role("combobox", name="Optimizers").click()
    page.get_by_role("option", name="SGD", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Start 14 runs")).to_be_visible()
    seeds = page.get_by_role("spinbutton", name="Seeds")
    seeds.fill("2")
    seeds.press("Enter")
    expect(page.get_by_role("button", name="Start 28 runs")).to_be_visible()
    page.get_by_text("these values").click()
    box = page.get_by_role("textbox", name="Values, separated by commas")
    box.fill("0.0001, 0.004")
    box.press("Enter")
    page.get_by_role("button", name="Start 8 runs").click()
    expect(page.get_by_text("8 runs: 8 finished.")).to_be_visible()
    best = page.get_by_text(re.compile("Best: "))
    match = re.search(r"Best: (\w+), learning_rate (\S+),", best.inner_text())
    assert match
    rate = slider(page, "learning_rate")
    for last, value in ((False, "0.0001"), (True, "0.004")):
        curve = chart(page, "Last validation loss against learning_rate")
        curve.click(position=end_point(curve, last))
        expect(page.get_by_text(re.compile(f"Now in the recipe: .*{value}"))).to_be_visible()
        expect(rate).to_have_attribute("aria-valuetext", value)
        await_server(page)
    page.get_by_role("button", name="Use the best").click()
    expect(rate).to_have_attribute("aria-valuetext", match[2])
    expect(page.get_by_role("combobox", name="Optimizer", exact=True)).to_have_value(match[1])
    assert_accessible(page)


def test_a_learning_rate_suggested_by_a_range_test_can_be_used(page: Page) -> None:
    open_page(page, "/range_test?optimizer=adam&schedule=constant&train_size=2000")
    page.get_by_role("button", name="Start the test").click()
    use_button = page.get_by_role("button", name="tenth of the minimum")
    expect(use_button).to_be_visible()
    rate = re.search(r"Use (\S+):", use_button.inner_text()).group(1)
    use_button.click()
    expect(slider(page, "learning_rate")).to_have_attribute("aria-valuetext", rate)
    assert_accessible(page)


def test_a_click_on_a_sweeps_heat_map_curve_or_row_changes_the_recipe(
    new_page: Callable[..., Page], sweeps: dict[str, int]
) -> None:
    page = new_page(browser=ME)
    open_page(page, "/sweep?optimizer=momentum&schedule=constant&epochs=7")
    choose(page, "Sweep", f"{sweeps['pairs']}: pairs")
    rate, momentum = slider(page, "learning_rate"), slider(page, "momentum")
    heat = chart(page, "Heat map")
    box = heat.bounding_box()
    top_right, bottom_middle = (
        {"x": box["width"] * across, "y": box["height"] * down}
        for across, down in ((0.85, 0.2), (0.6, 0.6))
    )
    # The same cell can be used again after the recipe has changed.
    for _ in range(2):
        heat.click(position=bottom_middle)
        expect(rate).to_have_attribute("aria-valuetext", "0.01")
        expect(momentum).to_have_attribute("aria-valuetext", "0")
        expect(page.get_by_text("Now in the recipe: Momentum, learning_rate 0.01")).to_be_visible()
        heat.click(position=top_right)
        expect(rate).to_have_attribute("aria-valuetext", "0.1")
        expect(momentum).to_have_attribute("aria-valuetext", "0.9")
    # The planned run is not changed.
    expect(page).to_have_url(re.compile("epochs=7"))

    await_server(page)
    choose(page, "Sweep", f"{sweeps['seeded']}: seeded")
    curve = chart(page, "Last validation loss against learning_rate")
    expect(curve).to_have_attribute("width", re.compile(r"[6-9]\d\d"))
    curve.click(position=end_point(curve))
    expect(rate).to_have_attribute("aria-valuetext", "0.001")

    expand(page, "All values in numbers")
    table = page.get_by_test_id(TABLE)
    expect(table).to_be_visible()
    table.click(position={"x": 18, "y": 36 + 17})
    expect(rate).to_have_attribute("aria-valuetext", "0.01")
    for theme in ("dark", "light"):
        switch_theme(page, theme)
        assert_accessible(page)


def end_point(curve: Locator, last: bool = False) -> dict[str, float]:
    """The position in its chart of a U-curve's leftmost or rightmost point.

    All strongly coloured pixels below the legend and the crosses lie between these points.
    """
    position = curve.evaluate(
        """(canvas, last) => {
            const { width, height } = canvas;
            const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
            for (let i = 0; i < width; i++) {
                const x = last ? width - 1 - i : i;
                for (let y = 60; y < height; y++) {
                    const at = 4 * (x + y * width);
                    const colour = pixels.slice(at, at + 3);
                    if (Math.max(...colour) - Math.min(...colour) > 100) {
                        return { x: last ? x - 3 : x + 3, y };
                    }
                }
            }
        }""",
        last,
    )
    assert position, "the chart has no point"
    return position


def test_a_run_can_be_annotated_inspected_downloaded_and_its_plan_uploaded(
    page: Page, new_page: Callable[..., Page]
) -> None:
    open_page(page, f"/train?optimizer=lamb&{SMALL}")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(state(page)).to_contain_text("finished")
    go(page, "Runs")
    tick(page, 0)
    expect(page.get_by_text(re.compile(r"Run \d+: Lamb"))).to_be_visible()

    expand(page, "Name, tags and notes")
    page.get_by_role("textbox", name="Name").fill("my Lamb")
    page.get_by_role("textbox", name="Tags, separated by commas").fill("baseline, lamb")
    page.get_by_role("textbox", name="Notes").fill("tried on a Monday")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(re.compile(r"Run \d+: my Lamb"))).to_be_visible()
    for text in ("baseline", "tried on a Monday"):
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
    find = page.get_by_role("textbox", name="Find")
    find.fill("tuesday")
    find.press("Enter")
    expect(page.get_by_text("No run matches these filters.")).to_be_visible()
    find.fill("monday baseline")
    find.press("Enter")
    expect(page.locator("table[role=grid]").first).to_contain_text("my Lamb")
    for measured in ("Loss", "Accuracy", "Learning rate"):
        expect(chart(page, measured)).to_be_visible()
    expect(page.get_by_text(re.compile("Largest difference .* planned: .*e-"))).to_be_visible()

    expand(page, "What the network learned")
    expect(chart(page, "Confusion matrix")).to_be_visible()
    expect(chart(page, "The share of each class")).to_be_visible()
    weights = page.get_by_role("img", name="Sixteen pictures")
    expect(weights).to_have_attribute("alt", re.compile("after epoch 2"))
    expect(page.get_by_role("img", name="Test image of the class").first).to_be_visible()
    expect(page.get_by_text(re.compile(r", classified as .* \(\d+\.\d%\)")).first).to_be_visible()
    for theme in ("dark", "light"):
        switch_theme(page, theme)
        assert_accessible(page)
    before = weights.get_attribute("src")
    page.get_by_role("slider", name="After epoch").press("ArrowLeft")
    expect(weights).to_have_attribute("alt", re.compile("after epoch 1"))
    assert weights.get_attribute("src") != before

    expand(page, "Downloads")
    assert_downloads_have_their_formats(page)
    plan = download(page, "Recipe and plan as JSON").read_bytes()
    other = new_page()
    open_page(other, page.url)
    expect(other.get_by_text(re.compile(r"Run \d+: my Lamb"))).to_be_visible()
    other.get_by_text("All", exact=True).click()
    await_server(other)
    choose(other, "State", "failed")
    expect(other.get_by_text("No run matches these filters.")).to_be_visible()
    await_server(other)
    choose(other, "State", "finished")
    await_server(other)
    choose(other, "Tag", "baseline")
    expect(other.locator("table[role=grid]").first).to_contain_text("my Lamb")
    open_page(other, "/schedules?optimizer=adam")
    other.get_by_text("Keras code, link and JSON").click()
    file = {"name": "lamb.json", "mimeType": "application/json", "buffer": plan}
    other.locator("input[type=file]").set_input_files([file])
    expect(other.get_by_role("combobox", name="Optimizer")).to_have_value("Lamb")
    expect(other).to_have_url(re.compile("train_size=200"))


def assert_downloads_have_their_formats(page: Page) -> None:
    script = download(page, "Keras script").read_text()
    compile(script, "script", "exec")
    assert "keras.optimizers.Lamb(" in script and "import lrlab" not in script
    notebook = json.loads(download(page, "Notebook").read_text())
    assert notebook["nbformat"] == 4
    assert any("Lamb(" in "".join(cell["source"]) for cell in notebook["cells"])
    with zipfile.ZipFile(download(page, "Keras model")) as model:
        assert {"config.json", "metadata.json", "model.weights.h5"} <= set(model.namelist())
        assert json.loads(model.read("config.json"))["class_name"] == "Sequential"
    epochs = download(page, "Epochs as CSV").read_text().splitlines()
    rows = [line.split(",") for line in epochs]
    assert rows[0][:4] == ["run", "name", "step", "epoch"]
    assert [row[1:4] for row in rows[1:]] == [["my Lamb", "4", "1"], ["my Lamb", "8", "2"]]
    points = download(page, "Points as CSV").read_text().splitlines()
    assert points[0].startswith("run,name,step,loss,learning_rate") and len(points) == 1 + 8
    with zipfile.ZipFile(download(page, "TensorBoard log")) as log:
        parts = {name.split("/")[1]: log.read(name) for name in log.namelist()}
    assert set(parts) == {"train", "validation"}
    assert all(b"brain.Event:2" in content for content in parts.values())
    assert b"batch_loss" in parts["train"] and b"epoch_accuracy" in parts["validation"]


def test_the_present_page_follows_the_newest_run_also_a_diverging_one(
    page: Page, new_page: Callable[..., Page]
) -> None:
    open_page(page, "/present")
    page.get_by_text("the newest run of all").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).not_to_have_text("No run yet")
    expect(page.get_by_test_id(SIDEBAR)).not_to_be_visible()
    other = new_page()
    open_page(other, f"/train?optimizer=sgd&sgd.learning_rate=1000&{SMALL}")
    other.get_by_role("button", name="Start", exact=True).click()
    expect(heading).to_contain_text("SGD, 1000")
    expect(state(other)).to_contain_text("diverged")
    expect(other.get_by_text("Try this:")).to_be_visible()
    for theme in ("dark", "light"):
        switch_theme(page, theme)
        assert_accessible(page)
