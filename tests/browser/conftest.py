"""A real server with a real worker, and a real Chromium to visit it, shared by all tests here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from lrlab.experiments.sweep import SweepAxis, sweep
from lrlab.runs.settings import DATABASE_VARIABLE
from lrlab.runs.store import Store
from tests.app_visit import ME
from tests.run_histories import small_plan, train_all
from tests.store_runs import ROOMY

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60
"""Seconds after which a condition that a test waits for counts as never met."""

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The installed browser; without one its tests fail in CI, else they are skipped."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        message = "needs Chromium. Install it with: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        # Chromium's sandbox refuses to work for root, as in a container.
        flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps its database."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="package")
def sweeps(folder: Path) -> dict[str, int]:
    """Sweeps of `ME` in the server's database, from before it was started, by name."""
    store = Store(f"sqlite:///{folder / 'runs.db'}", ROOMY)
    rates = SweepAxis.of("learning_rate", (0.001, 0.01, 0.1))
    momenta = SweepAxis.of("optimizer.momentum", (0.0, 0.9))
    plan = small_plan("momentum", 0.01, epochs=1)
    pairs = sweep(plan, [rates, momenta])
    seeded = sweep(plan, [rates], ("momentum", "sgd"), (1, 2))
    found = {
        name: store.queue_group(plans, owner=ME, name=name, kind="sweep")
        for name, plans in (("pairs", pairs), ("seeded", seeded))
    }
    lost = float("nan")
    train_all(store, [0.5, 0.4, 0.3, 0.2, 0.6, lost] + [0.5, 0.4, 0.3, 0.3, 0.7, lost] * 2)
    store.close()
    return found


@pytest.fixture(scope="package")
def address(folder: Path, sweeps: dict[str, int]) -> Iterator[str]:
    """The address of a new server that nobody has visited yet; its database has `sweeps`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = f"http://localhost:{port}"
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    options = [f"--server.port={port}", "--server.headless=true", "--server.fileWatcherType=none"]
    surroundings = os.environ | {DATABASE_VARIABLE: f"sqlite:///{folder / 'runs.db'}"}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command + options, cwd=ROOT, env=surroundings, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_healthy(found, server, folder / "server.log")
        yield found
    finally:
        server.terminate()
        server.wait()


def _wait_until_healthy(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=PATIENCE):
                return
        except OSError:
            alive = server.poll() is None and time.monotonic() < deadline
            assert alive, f"the server did not start:\n{log.read_text()}"
            time.sleep(0.05)


@pytest.fixture
def new_page(chromium: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Makes a new visitor's page; the console of each must stay without errors."""
    contexts, errors = [], []

    def note(message: ConsoleMessage) -> None:
        # What a page fetches from elsewhere is not there without the internet, and below a deep
        # link's path Streamlit first asks in vain whether the server is there.
        source = message.location.get("url", "")
        expected = source and (not source.startswith(address) or "/_stcore/" in source)
        if message.type == "error" and not expected:
            errors.append(f"{message.text} ({source})")

    def make(width: int = 1280, height: int = 800, theme: str = "light", browser: str = "") -> Page:
        context = chromium.new_context(
            base_url=address,
            viewport={"width": width, "height": height},
            color_scheme=theme,
        )
        contexts.append(context)
        if browser:
            # It keeps a name from an earlier visit.
            context.add_cookies([{"name": "lrlab_browser", "value": browser, "url": address}])
            context.add_init_script(f"localStorage.setItem('lrlab.browser', '{browser}')")
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A new visitor's page, 1280 x 800, light."""
    return new_page()
