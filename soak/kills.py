"""A writing worker, killed or stalled at random moments, hundreds of times.

The writer uses the worker's sink, but not TensorFlow, which takes seconds to import. It reports on
a pipe what the store has acknowledged.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from bench.report import Figure, report
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.store import StaleAttempt, Store
from lrlab.runs.worker import StoreSink
from lrlab.training.measurements import Point

PLAN = RunPlan.of(Recipe.from_dict({"optimizer": {"name": "nadam"}}))
KILLS = 500
STALLS = 100
LONGEST_LIFE = 0.15
"""Longest time in seconds that a writer writes before it is killed or stalled."""
STALL_PAUSE = 0.03
"""Seconds between two points of a writer that will be stalled, so that it is sometimes stalled
between two points and not always with the database locked."""

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["lrlab.runs.store", "lrlab.runs.worker"])


def write(url: str, name: str, pipe: Connection, pause: float) -> None:
    """Runs in another process: claims a run and writes points until the attempt is over.

    Args:
        url: the database.
        name: the worker's name.
        pipe: receives -1 once the run is claimed, then each step that the store acknowledged, and
            finally ``"over"``.
        pause: seconds between two points.
    """
    store = Store(url)
    store.register_worker(name)
    run = store.claim(name)
    sink = StoreSink(store, run)
    pipe.send(-1)
    try:
        for step in itertools.count():
            sink.points([Point(step, 1.0 / (step + 1), 0.1)])
            pipe.send(step)
            time.sleep(pause)
    except StaleAttempt:
        pipe.send("over")


def start_writer(url: str, name: str, pause: float = 0.0) -> tuple[BaseProcess, Connection]:
    """Starts a writer; returns it and its pipe once it has claimed a run."""
    pipe, other = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=write, args=(url, name, other, pause))
    process.start()
    other.close()
    pipe.recv()
    return process, pipe


def remaining_messages(pipe: Connection) -> list[int | str]:
    """All messages left in the pipe of a writer that has ended."""
    messages = []
    try:
        while True:
            messages.append(pipe.recv())
    except EOFError:
        return messages


def kill_writers(url: str, times: int, seed: int = 1) -> tuple[int, int]:
    """Kills writers at random moments.

    Args:
        url: a new database.
        times: number of writers.
        seed: seed of the random moments.

    Returns:
        Number of points that the store acknowledged, and how many of them are missing.
    """
    rng = random.Random(seed)
    store = Store(url)
    acknowledged = lost = 0
    for number in range(times):
        run_id = store.queue(PLAN, owner="soak", name=f"run {number}")
        process, pipe = start_writer(url, f"writer {number}")
        process.join(rng.uniform(0, LONGEST_LIFE))
        process.kill()
        process.join()
        steps = remaining_messages(pipe)
        stored = [point.step for point in store.points(run_id)]
        acknowledged += len(steps)
        lost += len(set(steps) - set(stored))
        # The last acknowledgement may be lost in the kill, but no step may be missing in between.
        assert stored == list(range(len(stored))) and len(stored) <= len(steps) + 1
        assert store.mark_dead(f"writer {number}", "its worker was killed").id == run_id
    store.close()
    return acknowledged, lost


def stall_writers(url: str, times: int, seed: int = 1) -> int:
    """Stalls writers, ends their attempts, and wakes the writers up.

    Args:
        url: a new database.
        times: number of writers.
        seed: seed of the random moments.

    Returns:
        Number of writers that wrote to their run after its attempt had ended.
    """
    rng = random.Random(seed)
    store = Store(url)
    pool = ThreadPoolExecutor(1)
    late_writers = 0
    for number in range(times):
        run_id = store.queue(PLAN, owner="soak", name=f"stall {number}")
        process, pipe = start_writer(url, f"stalled {number}", pause=STALL_PAUSE)
        process.join(rng.uniform(0, LONGEST_LIFE))
        send(process, signal.SIGSTOP)
        marking = pool.submit(store.mark_dead, f"stalled {number}", "its worker stopped responding")
        while wait([marking], 0.2).not_done:
            # It was stalled with the database locked: wake it briefly to release the lock.
            send(process, signal.SIGCONT)
            process.join(STALL_PAUSE)
            send(process, signal.SIGSTOP)
        assert marking.result().id == run_id
        before = store.points(run_id)
        send(process, signal.SIGCONT)
        process.join()
        assert remaining_messages(pipe)[-1] == "over"
        late_writers += store.points(run_id) != before
    pool.shutdown()
    store.close()
    return late_writers


def send(process: BaseProcess, number: int) -> None:
    """Sends a signal to a process that may have ended."""
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)


def problems_in(url: str) -> list[str]:
    """Problems found by SQLite's integrity check; empty if there are none."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        rows = [row[0] for row in connection.execute("pragma integrity_check")]
    return [row for row in rows if row != "ok"]


def main() -> bool:
    """Kills and stalls writers; returns whether nothing is lost and the database is intact."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'runs.db'}"
        acknowledged, lost = kill_writers(url, KILLS)
        late_writers = stall_writers(url, STALLS)
        problems = problems_in(url)
    return report(
        f"A writing worker, killed {KILLS} times and stalled {STALLS} times",
        [
            Figure("Acknowledged points", acknowledged, KILLS, "", at_least=True),
            Figure("Acknowledged points lost", lost, 0, ""),
            Figure("Stalled writers that wrote after their attempt ended", late_writers, 0, ""),
            Figure("Problems found by SQLite's integrity check", len(problems), 0, ""),
        ],
    )
