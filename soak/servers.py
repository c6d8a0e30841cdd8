"""A server killed with four running and twenty waiting runs, and the next server's start."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from bench.report import Figure, report
from lrlab.runs.store import Store
from lrlab.runs.store.queue import round_robin
from soak.workers import LONG, SHORT, end_of, lives, wait

RUNNING, WAITING = 4, 20
STATES_CORRECT = 10.0
"""Seconds within which all states must be correct."""

SERVER = """
import sys
from lrlab.runs.engine import Engine
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store
settings = Settings(sys.argv[1], workers=int(sys.argv[2]), worker_memory=100_000)
Engine(Store(settings.database_url), settings).start()
sys.stdin.read()
"""


def start_server(url: str, workers: int) -> subprocess.Popen[bytes]:
    """Starts an engine without pages in a new process, which ends when its stdin is closed."""
    command = [sys.executable, "-c", SERVER, url, str(workers)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def main() -> bool:
    """Kills a server and starts another; returns whether no run is lost or trained twice."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'runs.db'}"
        store = Store(url)
        first = start_server(url, RUNNING)
        running = [store.queue(LONG, owner=f"at it {n}", name="running") for n in range(RUNNING)]
        for run_id in running:
            wait(lambda run_id=run_id: store.points(run_id))
        owners = [f"waits {n // 2}" for n in range(WAITING)]
        waiting = [store.queue(SHORT, owner=owner, name="waits") for owner in owners]
        workers = psutil.Process(first.pid).children(recursive=True)
        # A stalled worker cannot notice that its server is gone: the next server must end it.
        workers[0].suspend()
        first.kill()
        first.wait()
        second = start_server(url, 1)
        states_correct = wait(lambda: all(store.run(i).state == "interrupted" for i in running))
        workers_gone = states_correct + wait(
            lambda: not any(lives(worker.pid) for worker in workers)
        )
        ended = [end_of(store, run_id) for run_id in waiting]
        last_workers = psutil.Process(second.pid).children(recursive=True)
        second.stdin.close()
        second.wait()
        wait(lambda: not any(lives(worker.pid) for worker in last_workers))
        order = [run.id for run in sorted(ended, key=lambda run: run.started)]
        expected_order = round_robin(zip(waiting, owners, strict=True), {})
        store.close()
    out_of_turn = sum(a != b for a, b in zip(order, expected_order, strict=True))
    finished = sum(run.state == "finished" and run.attempt == 1 for run in ended)
    return report(
        f"A server killed with {RUNNING} running and {WAITING} waiting runs",
        [
            Figure("All states are correct after", states_correct, STATES_CORRECT, "s"),
            Figure("Its workers are gone after", workers_gone, STATES_CORRECT, "s"),
            Figure(
                "Waiting runs finished, each started once", finished, WAITING, "", at_least=True
            ),
            Figure("Runs started out of turn", out_of_turn, 0, ""),
        ],
    )
