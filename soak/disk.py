"""A file system that is really full, under the database and under the checkpoints."""

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
from soak.workers import COMPILED, SHORT, end_of, lives, ready_pid, resumed_again, wait

MEGABYTES = 24
TIMES = 5
"""How often the database's file system is filled."""


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own for a while, in memory.

    Raises:
        OSError: none can be mounted here.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise PermissionError("mounting a file system takes root, on Linux")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Not a byte more fits on a folder's file system for a while."""
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
    """A run under way that has written a checkpoint."""
    run_id = store.queue(COMPILED, owner="soak", name="full disk")
    wait(lambda: (folder / f"{run_id}.checkpoint").exists() and store.points(run_id))
    return run_id


def fill_under_the_database(folder: Path) -> list[Figure]:
    """Fill the disk while a run goes on: for a moment, which the run outlasts; then until its
    worker has given up, and resume the run."""
    url = f"sqlite:///{folder / 'runs.db'}"
    settings = Settings(url, worker_memory=100_000)
    store = Store(url)
    engine = Engine(store, settings)
    engine.start()
    told = outlasted = kept = interrupted = resumed = 0
    for _ in range(TIMES):
        pid = ready_pid(engine)
        run_id = queue_and_wait_for_checkpoint(store, settings.checkpoint_folder)
        before = store.points(run_id)
        with full(folder):
            wait(lambda: "full" in engine.status().reason)
            told += _refuses(store)
        wait(lambda run_id=run_id, before=before: store.points(run_id) != before)
        run = store.run(run_id)
        outlasted += (run.state, run.attempt) == ("running", 1)
        before = store.points(run_id)
        with full(folder):
            wait(lambda pid=pid: not lives(pid))
            kept += store.points(run_id)[: len(before)] == before
        run = end_of(store, run_id)
        interrupted += run.state == "interrupted" and "database" in run.reason
        resumed += "epoch" in resumed_again(store, run).resumed
        store.delete(run_id, by="soak")
    after = end_of(store, store.queue(SHORT, owner="soak", name="after"))
    engine.stop()
    store.close()
    return [
        Figure("Disk full: said so, and that nothing can be queued", told, TIMES, "", True),
        Figure("Full for a moment: the run goes on by itself", outlasted, TIMES, "", True),
        Figure("Full for longer: what was measured is kept", kept, TIMES, "", at_least=True),
        Figure("With space again: interrupted, with the reason", interrupted, TIMES, "", True),
        Figure("Resumed from a checkpoint", resumed, TIMES, "", at_least=True),
        Figure("The next run is trained", after.state == "finished", 1, "", at_least=True),
        Figure("Problems SQLite finds in the database", len(problems_in(url)), 0, ""),
    ]


def fill_under_the_checkpoints(folder: Path, disk: Path) -> list[Figure]:
    """Let a run begin with no space for checkpoints, and resume it when there is some."""
    url = f"sqlite:///{folder / 'runs.db'}"
    store = Store(url)
    engine = Engine(store, Settings(url, checkpoint_dir=str(disk), worker_memory=100_000))
    engine.start()
    with full(disk):
        run_id = store.queue(COMPILED, owner="soak", name="no checkpoint")
        wait(lambda: len(store.epochs(run_id)) >= 3)
        store.request_stop(run_id, by="soak")
        run = end_of(store, run_id)
        left = [path.name for path in disk.iterdir() if path.name != "filler"]
    anew = resumed_again(store, run)
    engine.stop()
    store.close()
    print(f"  no space for checkpoints: {run.state}, {run.reason}; then {anew.resumed}")
    return [
        Figure(
            "No space for checkpoints: trained all the same", run.state == "stopped", 1, "", True
        ),
        Figure("Files left of checkpoints that did not fit", len(left), 0, ""),
        Figure("Resumed: begun anew, and says so", "anew" in anew.resumed, 1, "", at_least=True),
    ]


def _refuses(store: Store) -> bool:
    """Whether a store refuses to queue a run because the disk is full."""
    try:
        store.queue(SHORT, owner="soak", name="refused")
    except StoreUnavailable as error:
        return "full" in str(error)
    return False


def main() -> bool:
    """Fill disks; whether it is said, nothing is lost, and all goes on when there is space."""
    try:
        with small_disk(MEGABYTES) as disk:
            figures = fill_under_the_database(disk)
        with tempfile.TemporaryDirectory() as folder, small_disk(MEGABYTES) as disk:
            figures += fill_under_the_checkpoints(Path(folder), disk)
    except PermissionError as error:
        print(f"\nNothing is known of full disks: {error}")
        return True
    return report(f"A disk of {MEGABYTES} MB, full while a run goes on", figures)
