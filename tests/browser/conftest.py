"""A real server with a real worker, and real Chromium, shared by all tests in this folder."""

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
from tests.store_runs import HIGH_LIMITS

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60
"""Seconds after which a test stops waiting for a condition and fails."""

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The installed browser; if there is none, tests fail in CI, else are skipped."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        message = "needs Chromium. Install it with: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        # Chromium's sandbox does not work for root, for example in a container.
        flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the server's database."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="package")
def sweeps(folder: Path) -> dict[str, int]:
    """Sweeps of `ME`, stored in the server's database before it starts; name -> group number."""
    store = Store(f"sqlite:///{folder / 'runs.db'}", HIGH_LIMITS)
    rates = SweepAxis.of("learning_rate", (0.001, 0.01, 0.1))
    momenta = SweepAxis.of("optimizer.momentum", (0.0, 0.9))
    plan = small_plan("momentum", 0.01, epochs=1)
    pairs = sweep(plan, [rates, momenta])
    seeded = sweep(plan, [rates], ("momentum", "sgd"), (1, 2))
    groups = {
        name: store.queue_group(plans, owner=ME, name=name, kind="sweep")
        for name, plans in (("pairs", pairs), ("seeded", seeded))
    }
    diverged = float("nan")
    train_all(store, [0.5, 0.4, 0.3, 0.2, 0.6, diverged] + [0.5, 0.4, 0.3, 0.3, 0.7, diverged] * 2)
    store.close()
    return groups


@pytest.fixture(scope="package")
def address(folder: Path, sweeps: dict[str, int]) -> Iterator[str]:
    """The address of a new server that has not been visited; its database contains `sweeps`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    options = [f"--server.port={port}", "--server.headless=true", "--server.fileWatcherType=none"]
    environment = os.environ | {DATABASE_VARIABLE: f"sqlite:///{folder / 'runs.db'}"}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command + options, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_healthy(url, server, folder / "server.log")
        yield url
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
    """Creates pages for new visitors and asserts that their consoles have no errors."""
    contexts, errors = [], []

    def note_error(message: ConsoleMessage) -> None:
        # Without the internet, a page's requests to other hosts fail. For a deep link, Streamlit
        # first looks for the server below the link's path, which also fails.
        source = message.location.get("url", "")
        expected = source and (not source.startswith(address) or "/_stcore/" in source)
        if message.type == "error" and not expected:
            errors.append(f"{message.text} ({source})")

    def make_page(
        width: int = 1280, height: int = 800, theme: str = "light", browser: str = ""
    ) -> Page:
        context = chromium.new_context(
            base_url=address,
            viewport={"width": width, "height": height},
            color_scheme=theme,
        )
        contexts.append(context)
        if browser:
            # The browser has an identity from an earlier visit.
            context.add_cookies([{"name": "lrlab_browser", "value": browser, "url": address}])
            context.add_init_script(f"localStorage.setItem('lrlab.browser', '{browser}')")
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.on("console", note_error)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A new visitor's page, 1280 x 800 pixels, light theme."""
    return new_page()
