"""Real workers: killed, stopped and stalled in every phase, and out of memory."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from bench.report import Figure, report
from lrlab.datasets.sources import find_source
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.engine import Engine
from lrlab.runs.settings import Settings
from lrlab.runs.store import ENDED, Run, Store
from lrlab.training.checkpoint_files import NEWEST, UNFINISHED

RECIPE = Recipe.from_dict({"optimizer": {"name": "nadam"}})
SHORT = RunPlan.of(RECIPE, epochs=1, batch_size=32, train_size=256)
COMPILED = RunPlan.of(RECIPE, epochs=50, batch_size=8, train_size=4_000)
LONG = replace(COMPILED, network="cnn")
PATIENCE = 180.0
DEAD_DETECTED = 2.0
"""Seconds within which the end of a worker's process must be detected."""
STALLED_DETECTED, STALLED_START_DETECTED = 25.0, 120.0
"""The same for a worker whose heartbeats stop, and for one that never sends any."""
SLOT_FREE = 12.0
"""Seconds within which stopping a run must free its worker."""
TIMES = 3
"""How many times a worker is killed in each phase."""


def wait(condition: Callable[[], object], pause: float = 0.02) -> float:
    """Waits for a condition, checked every ``pause`` seconds; returns the seconds waited.

    Raises:
        TimeoutError: the condition was not met within `PATIENCE` seconds.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > PATIENCE:
            raise TimeoutError("a condition was never met")
        time.sleep(pause)
    return time.monotonic() - began


def end_of(store: Store, run_id: int) -> Run:
    """Waits until a run has ended and returns it."""
    wait(lambda: store.run(run_id).state in ENDED)
    return store.run(run_id)


def resume_and_stop(store: Store, run: Run) -> Run:
    """Resumes a run, stops it once it trains, and returns it when it has ended."""
    store.resume(run.id, by="soak")
    wait(lambda: store.run(run.id).phase == "training")
    store.request_stop(run.id, by="soak")
    return end_of(store, run.id)


def ready_pid(engine: Engine) -> int:
    """Waits until an engine's only worker accepts runs; returns its process id."""
    wait(lambda: engine.status().state == "ready" and all(map(lives, engine.status().pids)))
    return engine.status().pids[0]


def lives(pid: int) -> bool:
    """Whether a process is alive; zombies are not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill_in_phases(store: Store, engine: Engine) -> list[Figure]:
    """Kills a worker while it imports TensorFlow, compiles, and trains."""
    slowest = {"importing": 0.0, "compiling": 0.0, "training": 0.0}
    for _ in range(TIMES):
        os.kill(ready_pid(engine), signal.SIGKILL)
        wait(lambda: engine.status().state == "starting" and any(map(lives, engine.status().pids)))
        (importing,) = engine.status().pids
        os.kill(importing, signal.SIGKILL)
        slowest["importing"] = max(
            slowest["importing"], wait(lambda importing=importing: is_removed(engine, importing))
        )
        for phase, plan in (("compiling", COMPILED), ("training", LONG)):
            ready_pid(engine)
            run_id = store.queue(plan, owner="soak", name=phase)
            wait(lambda run_id=run_id, phase=phase: store.run(run_id).phase == phase)
            os.kill(ready_pid(engine), signal.SIGKILL)
            seconds = wait(lambda run_id=run_id: store.run(run_id).state == "interrupted")
            slowest[phase] = max(slowest[phase], seconds)
    after = end_of(store, store.queue(SHORT, owner="soak", name="after"))
    return [
        *(
            Figure(f"Killed while {phase}: slowest detection", seconds, DEAD_DETECTED, "s")
            for phase, seconds in slowest.items()
        ),
        Figure("The queue continues afterwards", after.state == "finished", 1, "", at_least=True),
    ]


def kill_while_a_checkpoint_is_written(store: Store, engine: Engine, folder: Path) -> list[Figure]:
    """Kills a worker while it writes a checkpoint that is not the run's first."""
    unfinished_files = resumed = 0
    for _ in range(TIMES):
        pid = ready_pid(engine)
        run_id = store.queue(COMPILED, owner="soak", name="checkpoint")
        newest, unfinished = (folder / f"{run_id}{end}" for end in (NEWEST, UNFINISHED))
        wait(newest.exists)
        wait(unfinished.exists, pause=0)
        os.kill(pid, signal.SIGKILL)
        run = end_of(store, run_id)
        unfinished_files += unfinished.exists()
        resumed += resume_and_stop(store, run).resumed.startswith("resumed at the end of epoch")
    return [
        Figure(
            "Killed while a checkpoint was half written", unfinished_files, 1, "", at_least=True
        ),
        Figure("Resumed from a complete one", resumed, TIMES, "", at_least=True),
    ]


def is_removed(engine: Engine, pid: int) -> bool:
    """Whether an engine no longer lists a process among its workers."""
    return pid not in engine.status().pids


def stop_in_phases(store: Store, engine: Engine) -> list[Figure]:
    """Stops runs that are compiling and training, and one whose worker is stuck."""
    figures = []
    for phase, plan, stuck in (
        ("compiling", COMPILED, False),
        ("training", LONG, False),
        ("training", LONG, True),
    ):
        pid = ready_pid(engine)
        run_id = store.queue(plan, owner="soak", name=phase)
        wait(lambda run_id=run_id, phase=phase: store.run(run_id).phase == phase)
        if stuck:
            os.kill(pid, signal.SIGSTOP)
        store.request_stop(run_id, by="soak")
        seconds = wait(lambda run_id=run_id: store.run(run_id).state == "stopped")
        if stuck:
            seconds += wait(lambda pid=pid: is_removed(engine, pid))
        situation = f"{phase}, stuck" if stuck else phase
        figures.append(Figure(f"Stopped while {situation}: slot free", seconds, SLOT_FREE, "s"))
    return figures


def stall(store: Store, engine: Engine) -> list[Figure]:
    """Stalls a worker while it trains, and the next one while it imports TensorFlow."""
    pid = ready_pid(engine)
    run_id = store.queue(LONG, owner="soak", name="stalled")
    wait(lambda: store.points(run_id))
    os.kill(pid, signal.SIGSTOP)
    stalled_seconds = wait(lambda: store.run(run_id).state == "interrupted")
    wait(lambda: engine.status().state == "starting" and any(map(lives, engine.status().pids)))
    (importing,) = engine.status().pids
    os.kill(importing, signal.SIGSTOP)
    stalled_start_seconds = wait(lambda: is_removed(engine, importing))
    return [
        Figure("Stalled while training: detected", stalled_seconds, STALLED_DETECTED, "s"),
        Figure(
            "Stalled while importing: detected", stalled_start_seconds, STALLED_START_DETECTED, "s"
        ),
    ]


def run_out_of_memory(url: str) -> list[Figure]:
    """Trains a run that needs more memory than allowed."""
    store = Store(url)
    engine = Engine(store, Settings(database_url=url, run_memory=850))
    engine.start()
    images = find_source().largest_train_size
    large = RunPlan.of(RECIPE, "cnn", epochs=1, batch_size=4096, train_size=min(45_000, images))
    large_run = end_of(store, store.queue(large, owner="soak", name="too large"))
    after = end_of(store, store.queue(SHORT, owner="soak", name="after"))
    engine.stop()
    store.close()
    print(f"  out of memory: {large_run.state}, {large_run.reason}")
    return [
        Figure(
            "Out of memory: interrupted, with the reason", "memory" in large_run.reason, 1, "", True
        ),
        Figure("The next run finishes", after.state == "finished", 1, "", at_least=True),
    ]


def main() -> bool:
    """Harms workers; returns whether each run reports the cause and the queue continues."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'runs.db'}"
        store = Store(url)
        settings = Settings(database_url=url, worker_memory=100_000)
        engine = Engine(store, settings)
        engine.start()
        figures = kill_in_phases(store, engine)
        figures += stop_in_phases(store, engine)
        figures += kill_while_a_checkpoint_is_written(store, engine, settings.checkpoint_folder)
        figures += stall(store, engine)
        engine.stop()
        store.close()
        figures += run_out_of_memory(url)
    return report("Real workers, killed, stopped, stalled and out of memory", figures)
