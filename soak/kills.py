"""A writing worker, killed or stalled at any moment, hundreds of times.

The writer writes as a worker does, through the worker's own sink, but without TensorFlow, which
takes seconds to import. It says on a pipe what the store has acknowledged.
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
"""Seconds that a writer writes for, at most, before it is killed or stalled."""
STALL_PAUSE = 0.03
"""Seconds that a writer that is to be stalled pauses between two points: it is to be stalled
between them now and then, not always with the database locked."""

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["lrlab.runs.store", "lrlab.runs.worker"])


def write(url: str, name: str, pipe: Connection, pause: float) -> None:
    """In another process: claim a run and write points one after the other, saying which the
    store acknowledged. Ends when the attempt is over.

    Args:
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
    """A writer that has begun its run, and the pipe it reports on."""
    pipe, other = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=write, args=(url, name, other, pause))
    process.start()
    other.close()
    pipe.recv()
    return process, pipe


def said(pipe: Connection) -> list[int | str]:
    """All that a writer that is gone has said."""
    messages = []
    try:
        while True:
            messages.append(pipe.recv())
    except EOFError:
        return messages


def kill_writers(url: str, times: int, seed: int = 1) -> tuple[int, int]:
    """Kill a writer again and again, each time at a moment of chance.

    Args:
        url: a new database.
        times: how often.
        seed: of chance.

    Returns:
        Points that the store acknowledged, and how many of them are not there.
    """
    chance = random.Random(seed)
    store = Store(url)
    acknowledged = lost = 0
    for number in range(times):
        run_id = store.queue(PLAN, owner="soak", name=f"run {number}")
        process, pipe = start_writer(url, f"writer {number}")
        process.join(chance.uniform(0, LONGEST_LIFE))
        process.kill()
        process.join()
        steps = said(pipe)
        stored = [point.step for point in store.points(run_id)]
        acknowledged += len(steps)
        lost += len(set(steps) - set(stored))
        # One point may be written whose acknowledgement the kill cut off; a hole may not be.
        assert stored == list(range(len(stored))) and len(stored) <= len(steps) + 1
        assert store.bury(f"writer {number}", "its worker was killed").id == run_id
    store.close()
    return acknowledged, lost


def stall_writers(url: str, times: int, seed: int = 1) -> int:
    """Stall a writer, end its attempt, and let it wake up.

    Returns:
        How many wrote to the run that had moved on.
    """
    chance = random.Random(seed)
    store = Store(url)
    pool = ThreadPoolExecutor(1)
    wrote = 0
    for number in range(times):
        run_id = store.queue(PLAN, owner="soak", name=f"stall {number}")
        process, pipe = start_writer(url, f"stalled {number}", pause=STALL_PAUSE)
        process.join(chance.uniform(0, LONGEST_LIFE))
        send(process, signal.SIGSTOP)
        burying = pool.submit(store.bury, f"stalled {number}", "its worker stopped responding")
        while wait([burying], 0.2).not_done:
            # It was stalled with the database locked: wake it for a moment, as its end would.
            send(process, signal.SIGCONT)
            process.join(STALL_PAUSE)
            send(process, signal.SIGSTOP)
        assert burying.result().id == run_id
        before = store.points(run_id)
        send(process, signal.SIGCONT)
        process.join()
        assert said(pipe)[-1] == "over"
        wrote += store.points(run_id) != before
    pool.shutdown()
    store.close()
    return wrote


def send(process: BaseProcess, number: int) -> None:
    """Send a signal to a process that may have ended."""
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)


def problems_in(url: str) -> list[str]:
    """What SQLite finds wrong with a database; empty when it is sound."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        rows = [row[0] for row in connection.execute("pragma integrity_check")]
    return [row for row in rows if row != "ok"]


def main() -> bool:
    """Kill and stall writers; whether nothing was lost and the database is sound."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'runs.db'}"
        acknowledged, lost = kill_writers(url, KILLS)
        wrote = stall_writers(url, STALLS)
        problems = problems_in(url)
    return report(
        f"A writing worker, killed {KILLS} times and stalled {STALLS} times",
        [
            Figure("Acknowledged points", acknowledged, KILLS, "", at_least=True),
            Figure("Acknowledged points lost", lost, 0, ""),
            Figure("Stalled writers that wrote to a run that moved on", wrote, 0, ""),
            Figure("Problems SQLite finds in the database", len(problems), 0, ""),
        ],
    )
