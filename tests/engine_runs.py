"""Real engines and workers for tests, and functions that wait for them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.engine import Engine
from lrlab.runs.store import ENDED, Run, Store

RECIPE = Recipe.from_dict({"optimizer": {"name": "nadam"}})
SHORT = RunPlan.of(RECIPE, epochs=1, batch_size=32, train_size=256)
LONG = RunPlan.of(RECIPE, "cnn", epochs=100, batch_size=8, train_size=4_000)
"""Longer than any test waits; its network trains without being compiled first."""
ENOUGH_MEMORY = 100_000.0
"""MB; keeps workers from retiring, which tests would mistake for a replacement after a failure."""

PATIENCE = 120
"""Seconds after which a test stops waiting for a condition and fails."""


def wait_until(condition: Callable[[], object], event: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s, but this never happened: {event}"
        time.sleep(0.05)


def wait_until_ended(store: Store, run_id: int) -> Run:
    wait_until(lambda: store.run(run_id).state in ENDED, "the run ended")
    return store.run(run_id)


def queue_and_wait_until_measured(store: Store, owner: str = "ada") -> int:
    run_id = store.queue(LONG, owner=owner, name="a run")
    wait_until(lambda: store.points(run_id), "the run's first points appeared")
    return run_id


def worker_pid(engine: Engine) -> int:
    wait_until(lambda: engine.status().state == "ready", "the worker was ready")
    return engine.status().pids[0]


def is_alive(pid: int) -> bool:
    try:
        # Without an init process that reaps orphans, a dead one stays as a zombie.
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


SERVER = """
import os, sys
from lrlab.runs.engine import Engine
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store
settings = Settings(database_url=sys.argv[1], workers=int(sys.argv[2]))
Engine(Store(settings.database_url), settings).start()
sys.stdin.read()
"""


def start_server(url: str, workers: int = 1) -> subprocess.Popen[bytes]:
    """Starts an engine without pages in a new process, which ends when its stdin is closed."""
    command = [sys.executable, "-c", SERVER, url, str(workers)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


STALLING = """#!{python}
import os, signal, sqlite3
connection = sqlite3.connect({database!r}, isolation_level=None)
connection.execute("begin exclusive")
os.kill(os.getpid(), signal.SIGSTOP)
"""


def stalling_worker(database: Path) -> str:
    """Creates a Python command beside a database; its workers stall while they lock it."""
    command = database.parent / "python"
    command.write_text(STALLING.format(python=sys.executable, database=str(database)))
    command.chmod(0o755)
    return str(command)
