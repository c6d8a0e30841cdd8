"""Takes the README's screenshots from a running LR Lab: ``python -m tools.screenshots URL FOLDER``.

Needs Chromium and the packages in ``requirements-dev.txt``. Trains some short runs; the store
must be empty.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

SIZE = {"width": 1280, "height": 860}
ADAM = "optimizer=Adam&schedule=Constant&adam.learning_rate=0.1&surface=Rosenbrock&path_steps=300"


def main(url: str, folder: Path) -> None:
    """Saves ``home.png``, ``schedules.png``, ... in the folder."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)

        open_page(page, f"{url}/")
        save(page, folder / "home.png")

        open_page(page, f"{url}/schedules?schedule=1cycle")
        page.get_by_role("button", name="Pin this recipe").click()
        for label in ("Exponential decay", "Cosine decay with restarts", "Warm-up-stable-decay"):
            page.get_by_role("combobox", name="Learning-rate schedule").click()
            page.keyboard.type(label)
            page.keyboard.press("Enter")
            page.wait_for_timeout(1500)
            if label != "Warm-up-stable-decay":
                page.get_by_role("button", name="Pin this recipe").click()
        save(page, folder / "schedules.png")

        open_page(page, f"{url}/paths?{ADAM}")
        save(page, folder / "paths.png")
        open_page(page, f"{url}/race?{ADAM}")
        save(page, folder / "race.png")
        open_page(page, f"{url}/map?{ADAM.replace('Adam', 'Momentum')}")
        save(page, folder / "map.png")

        page.set_viewport_size({"width": 1280, "height": 1500})
        open_page(page, f"{url}/train?epochs=3")
        page.get_by_role("button", name="Start", exact=True).click()
        page.get_by_text("Completed all").wait_for(timeout=300_000)
        save(page, folder / "train.png")

        for group, optimizer in enumerate(("RMSprop", "Adam"), start=1):
            open_page(page, f"{url}/train?optimizer={optimizer}&epochs=4&train_size=4000")
            seeds = page.get_by_role("spinbutton", name="Seeds")
            seeds.fill("4")
            seeds.press("Enter")
            page.get_by_role("button", name="Start 4 runs").click()
            # Until this appears, the page still shows the previous group.
            page.get_by_text(f"Group {group}:").wait_for()
            page.get_by_text("4 runs: 4 finished.").wait_for(timeout=300_000)
        open_page(page, f"{url}/runs?runs=2,3,4,5,6,7,8,9")
        save(page, folder / "runs.png")

        small = "optimizer=Adam&schedule=Constant&epochs=1&train_size=3000"
        page.set_viewport_size({"width": 1280, "height": 2000})
        open_page(page, f"{url}/sweep?{small}")
        page.get_by_role("combobox", name="And").click()
        page.keyboard.type("beta_1")
        page.keyboard.press("Enter")
        page.wait_for_timeout(1500)
        for count in page.get_by_role("spinbutton", name="How many").all():
            count.fill("4")
            count.press("Enter")
            page.wait_for_timeout(1500)
        page.get_by_role("button", name="Start 16 runs").click()
        page.get_by_text("16 runs: 16 finished.").wait_for(timeout=300_000)
        save(page, folder / "sweep.png")

        page.set_viewport_size({"width": 1280, "height": 1200})
        open_page(page, f"{url}/range_test?{small}")
        page.get_by_role("button", name="Start the test").click()
        page.get_by_role("button", name="tenth of the minimum").wait_for(timeout=300_000)
        save(page, folder / "range_test.png")

        page.set_viewport_size(SIZE)
        open_page(page, f"{url}/train?{small.replace('epochs=1', 'epochs=6')}")
        page.get_by_role("button", name="Start", exact=True).click()
        page.get_by_text("Completed all").wait_for(timeout=300_000)
        open_page(page, f"{url}/present")
        save(page, folder / "present.png")
        browser.close()


def open_page(page: Page, address: str) -> None:
    """Opens the address and waits until the page has been drawn."""
    page.goto(address)
    page.locator("h1").first.wait_for()
    page.wait_for_timeout(5000)


def save(page: Page, file: Path) -> None:
    """Saves a screenshot of the visible part of the page."""
    page.mouse.move(1270, 850)
    page.wait_for_timeout(2500)
    page.screenshot(path=file)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
