"""In real Chromium: first paint, slider to repainted chart, payload, and memory with visitors."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from statistics import median, quantiles
from typing import NamedTuple

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from bench.report import Figure, report
from lrlab.runs.settings import DATABASE_VARIABLE
from tests.browser.selectors import CHART, COMPONENT, by_id

MOVES = 30
STARTS = 3
VISITORS = 10
PAGES = ("", "schedules", "paths", "race", "map", "train")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
QUERY = "optimizer=Adam&schedule=Constant&adam.learning_rate=0.05&surface=Rosenbrock"

# Measures the time until the path on the map, or the pixels of a chart, next change.
WATCH = """selector => {
  const roots = [...document.querySelectorAll(selector)].map((root) => root.shadowRoot ?? root);
  const inner = roots.find((root) => root.querySelector("polyline.ahead, canvas"));
  const look = () => {
    const line = inner.querySelector("polyline.ahead");
    return line ? line.getAttribute("points") : inner.querySelector("canvas").toDataURL();
  };
  const before = look();
  const began = performance.now();
  window.repainted = new Promise((resolve) => {
    const poll = () => {
      if (look() !== before) resolve(performance.now() - began);
      else if (performance.now() - began > 5000) resolve(5000);
      else requestAnimationFrame(poll);
    };
    requestAnimationFrame(poll);
  });
}"""


class Server(NamedTuple):
    """A running LR Lab."""

    address: str
    process_id: int
    database_url: str


def main() -> bool:
    """Prints the figures and returns whether every target was met."""
    figures = []
    with sync_playwright() as playwright, running_server() as server:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        address = server.address
        figures += _first_paints(browser)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        received = _count_bytes(page)
        for name, page_path, selector, target in (
            ("curve", "schedules", by_id(CHART), 150),
            ("path", "paths?path_steps=1000&", by_id(COMPONENT), 150),
            ("map", "map?path_steps=300&", by_id(CHART), 500),
        ):
            separator = "" if page_path.endswith("&") else "?"
            page.goto(f"{address}/{page_path}{separator}{QUERY}")
            page.locator("h1").first.wait_for()
            page.wait_for_timeout(4000)
            received.clear()
            times = sorted(_moves(page, selector))
            figures.append(
                Figure(f"slider to repainted {name}, median", median(times), target, "ms")
            )
            p95 = quantiles(times, n=20)[-1]
            figures.append(
                Figure(f"slider to repainted {name}, p95", p95, 300 if target < 500 else 500, "ms")
            )
            if name == "path":
                payload = sum(received) / MOVES / 1000
                figures.append(Figure("payload of the Paths page, a rerun", payload, 150, "KB"))
        page.close()
        figures.append(_memory_with_visitors(browser, server))
        browser.close()
    return report("In the browser", figures)


def _first_paints(browser: Browser) -> list[Figure]:
    """Times from starting a server to the page's first paint and to its title."""
    paints, titles = [], []
    for _ in range(STARTS):
        page = browser.new_page()
        began = time.perf_counter()
        with running_server() as server:
            opened = time.perf_counter() - began
            page.goto(server.address)
            page.locator("h1").first.wait_for()
            titles.append(time.perf_counter() - began)
            first = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
            paints.append(opened + page.evaluate(first) / 1e3)
        page.close()
    return [
        Figure("streamlit run to the page's first paint, cold", median(paints), 2, "s"),
        Figure("streamlit run to the page's title, cold", median(titles), 2, "s"),
    ]


def _memory_with_visitors(browser: Browser, server: Server) -> Figure:
    """Resident memory of the page process with visitors on all pages."""
    pages = [browser.new_page() for _ in range(VISITORS)]
    for page, page_path in zip(pages, cycle(PAGES), strict=False):
        page.goto(f"{server.address}/{page_path}?{QUERY}")
        page.locator("h1").first.wait_for()
        page.wait_for_timeout(1000)
    megabytes = psutil.Process(server.process_id).memory_info().rss / 2**20
    return Figure(f"page process with {VISITORS} visitors", megabytes, 250, "MB")


def _moves(page: Page, selector: str) -> Iterator[float]:
    """Milliseconds from each move of the learning-rate slider to the repaint."""
    thumb = page.get_by_role("slider", name="learning_rate").first
    thumb.focus()
    for i in range(MOVES + 2):
        page.evaluate(WATCH, selector)
        # Always in one direction: Streamlit does not resend a chart that it has sent before.
        page.keyboard.press("ArrowLeft")
        elapsed = page.evaluate("window.repainted")
        page.wait_for_timeout(400)
        if i >= 2:
            yield elapsed


def _count_bytes(page: Page) -> list[int]:
    """A list that collects the sizes of the websocket frames a page receives from now on."""
    sizes: list[int] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: sizes.append(len(frame))))
    return sizes


@contextmanager
def running_server() -> Iterator[Server]:
    """Runs LR Lab on a free port with a new database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        environment = os.environ | {DATABASE_VARIABLE: url}
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
        process = subprocess.Popen(
            [*command, f"--server.port={port}"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(lambda: _answers(f"{address}/_stcore/health"))
            yield Server(address, process.pid, url)
        finally:
            workers = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            process.wait()
            # Workers may still be writing into the folder.
            psutil.wait_procs(workers, timeout=30)


def _wait(ready: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            raise TimeoutError("LR Lab's server did not start")
        time.sleep(0.02)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False
