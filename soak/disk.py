"""Full file systems under the database and under the checkpoints."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.report import Figure, report
from lrlab.runs.engine import Engine
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store, StoreUnavailable
from soak.kills import problems_in
from soak.workers import COMPILED, SHORT, end_of, lives, ready_pid, resume_and_stop, wait

MEGABYTES = 24
TIMES = 5
"""How many times the database's file system is filled."""


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A temporary file system in memory.

    Args:
        megabytes: its size.

    Raises:
        PermissionError: the file system cannot be mounted.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise PermissionError("mounting a file system requires Linux and root")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Fills a folder's file system for the duration of the context."""
    filler = folder / "filler"
    handle = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(handle, bytes(4096))
    except OSError:
        os.close(handle)
    try:
        yield
    finally:
        filler.unlink()


def queue_and_wait_for_checkpoint(store: Store, folder: Path) -> int:
    """Queues a run and returns its number once it has written a checkpoint."""
    run_id = store.queue(COMPILED, owner="soak", name="full disk")
    wait(lambda: (folder / f"{run_id}.checkpoint").exists() and store.points(run_id))
    return run_id


def fill_under_the_database(folder: Path) -> list[Figure]:
    """Fills the disk during a run: briefly, so that the run continues; then until its worker gives
    up, after which the run is resumed."""
    url = f"sqlite:///{folder / 'runs.db'}"
    settings = Settings(url, worker_memory=100_000)
    store = Store(url)
    engine = Engine(store, settings)
    engine.start()
    refused = survived = kept = interrupted = resumed = 0
    for _ in range(TIMES):
        pid = ready_pid(engine)
        run_id = queue_and_wait_for_checkpoint(store, settings.checkpoint_folder)
        before = store.points(run_id)
        with full(folder):
            wait(lambda: "full" in engine.status().reason)
            refused += _refuses(store)
        wait(lambda run_id=run_id, before=before: store.points(run_id) != before)
        run = store.run(run_id)
        survived += (run.state, run.attempt) == ("running", 1)
        before = store.points(run_id)
        with full(folder):
            wait(lambda pid=pid: not lives(pid))
            kept += store.points(run_id)[: len(before)] == before
        run = end_of(store, run_id)
        interrupted += run.state == "interrupted" and "database" in run.reason
        resumed += "epoch" in resume_and_stop(store, run).resumed
        store.delete(run_id, by="soak")
    after = end_of(store, store.queue(SHORT, owner="soak", name="after"))
    engine.stop()
    store.close()
    return [
        Figure("Disk full: reported, and queueing refused", refused, TIMES, "", True),
        Figure("Full briefly: the run continues", survived, TIMES, "", True),
        Figure("Full for longer: measurements are kept", kept, TIMES, "", at_least=True),
        Figure("With space again: interrupted, with the reason", interrupted, TIMES, "", True),
        Figure("Resumed from a checkpoint", resumed, TIMES, "", at_least=True),
        Figure("The next run finishes", after.state == "finished", 1, "", at_least=True),
        Figure("Problems found by SQLite's integrity check", len(problems_in(url)), 0, ""),
    ]


def fill_under_the_checkpoints(folder: Path, disk: Path) -> list[Figure]:
    """Starts a run without space for checkpoints, and resumes it when there is space."""
    url = f"sqlite:///{folder / 'runs.db'}"
    store = Store(url)
    engine = Engine(store, Settings(url, checkpoint_dir=str(disk), worker_memory=100_000))
    engine.start()
    with full(disk):
        run_id = store.queue(COMPILED, owner="soak", name="no checkpoint")
        wait(lambda: len(store.epochs(run_id)) >= 3)
        store.request_stop(run_id, by="soak")
        run = end_of(store, run_id)
        leftover_files = [path.name for path in disk.iterdir() if path.name != "filler"]
    resumed_run = resume_and_stop(store, run)
    engine.stop()
    store.close()
    print(f"  no space for checkpoints: {run.state}, {run.reason}; then {resumed_run.resumed}")
    return [
        Figure("No space for checkpoints: trains anyway", run.state == "stopped", 1, "", True),
        Figure("Files left by checkpoints that did not fit", len(leftover_files), 0, ""),
        Figure(
            "Resumed: restarts from the beginning, and says so",
            "restarted" in resumed_run.resumed,
            1,
            "",
            at_least=True,
        ),
    ]


def _refuses(store: Store) -> bool:
    """Whether a store refuses to queue a run because the disk is full."""
    try:
        store.queue(SHORT, owner="soak", name="refused")
    except StoreUnavailable as error:
        return "full" in str(error)
    return False


def main() -> bool:
    """Fills disks; returns whether it is reported, nothing is lost, and work resumes afterwards."""
    try:
        with small_disk(MEGABYTES) as disk:
            figures = fill_under_the_database(disk)
        with tempfile.TemporaryDirectory() as folder, small_disk(MEGABYTES) as disk:
            figures += fill_under_the_checkpoints(Path(folder), disk)
    except PermissionError as error:
        print(f"\nFull disks were not tested: {error}")
        return True
    return report(f"A disk of {MEGABYTES} MB, full during a run", figures)
