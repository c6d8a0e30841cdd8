"""The worker: a process of its own that trains queued runs, one after the other.

The engine starts it as ``python -m lrlab.runs.worker --name NAME`` with the limits it has. It
finds its database in the environment (on the command line everybody on the machine could read the
password), imports TensorFlow before there is anything to train, says about once a second that it
lives, and lives as long as its standard input stays open: when the server dies, however it dies,
the pipe closes.

Importing this module imports nothing heavy; the engine reads `Exit` here.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrlab.datasets.sources import NoData, find_source
from lrlab.params import InvalidInput
from lrlab.runs.attempts import checkpoint_files_of, delete_unneeded_checkpoints, find_resume_point
from lrlab.runs.retry import retry_while_unavailable
from lrlab.runs.settings import Settings
from lrlab.runs.store import (
    Run,
    StaleAttempt,
    State,
    Store,
    StoreError,
    StoreUnavailable,
    WriteRefused,
)
from lrlab.training.compile_mode import choose_compile_mode
from lrlab.training.memory import (
    block_unused_imports,
    limit_memory,
    private_megabytes,
    release_freed_memory,
)

if TYPE_CHECKING:
    from lrlab.training.measurements import EpochRecord, EpochSnapshot, Point, RunResult
    from lrlab.training.recorder import Phase
    from lrlab.training.trainer import Outcome

    Train = Callable[..., Outcome]

BEAT_SECONDS = 1.0
"""How often a worker says that it lives."""

IDLE_SECONDS = 0.25
"""How often an idle worker looks for a queued run."""

FAREWELL_SECONDS = 5.0
"""What a worker whose server is gone may take to say so in the store."""

OUT_OF_MEMORY = ("MemoryError", "ResourceExhaustedError", "AbortedError")
"""Errors of Python and TensorFlow where memory is refused and the process need not end."""

SERVER_ENDED = "LR Lab's server ended while this run was under way"

NICENESS = 10
"""Training takes what the pages leave, so that these answer at once while it keeps all cores busy.
Alone it is as fast."""

logger = logging.getLogger("lrlab.worker")


class Exit(IntEnum):
    """Why a worker ended by itself, as its exit code."""

    NO_DATABASE = 3
    NO_TENSORFLOW = 4
    SERVER_ENDED = 5
    BURIED = 6
    RETIRED = 7


class StoreSink:
    """Writes what a training reports to the store, for one attempt at a run.

    A store that cannot be used for a while is waited for, see `lrlab.runs.retry`. Every call
    raises `StaleAttempt` once that attempt is over.
    """

    def __init__(self, store: Store, run: Run) -> None:
        self._store = store
        self._attempt = (run.id, run.attempt)

    def started(self, phase: Phase) -> None:
        """The run enters a phase."""
        self._write(self._store.record_phase, phase)

    def points(self, points: list[Point]) -> bool:
        """New points, in the order of their steps; returns whether the run should end now."""
        return bool(self._write(self._store.record_points, points))

    def epoch(self, record: EpochRecord) -> None:
        """An epoch has ended."""
        self._write(self._store.record_epoch, record)

    def learned(self, learned: EpochSnapshot) -> None:
        """What the network has learned by an epoch's end."""
        self._write(self._store.record_snapshot, learned)

    def result(self, result: RunResult) -> None:
        """All epochs are trained."""
        self._write(self._store.record_result, result)

    def _write(self, write: Callable[..., Any], what: object) -> Any:
        return retry_while_unavailable(lambda: write(*self._attempt, what))


def main(arguments: Sequence[str] | None = None) -> int:
    """Train queued runs, up to the number asked for or until it has grown large; returns an exit
    code (see `Exit`)."""
    parser = argparse.ArgumentParser(prog="python -m lrlab.runs.worker")
    parser.add_argument("--name", required=True, help="a name that no worker had before")
    parser.add_argument("--server", help="the server whose worker it is")
    parser.add_argument("--parent", help="that server's process, for the next one to see it gone")
    parser.add_argument("--runs", required=True, type=int, help="how many runs to train")
    parser.add_argument(
        "--memory", required=True, type=float, help="MB of its own to end above, after a run"
    )
    parser.add_argument("--most-memory", type=int, help="MB that the system gives at most")
    given = parser.parse_args(arguments)
    name = given.name
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    logging.basicConfig(format=f"%(asctime)s worker {name}: %(message)s", level=logging.INFO)
    if given.most_memory:
        limit_memory(given.most_memory)
    try:
        settings = Settings.from_environment()
        store = Store(settings.database_url)
        store.register_worker(name, given.server)
        return _work(store, name, given.runs, given.memory, settings.checkpoint_folder)
    except StoreError as error:
        logger.error("%s", error)
        return Exit.NO_DATABASE


def _work(store: Store, name: str, runs: int, memory: float, checkpoints: Path) -> int:
    ready = threading.Event()
    for task in (_end_with_the_server, _keep_beating):
        threading.Thread(target=task, args=(store, name, ready), daemon=True).start()
    block_unused_imports()
    try:
        from lrlab.training.trainer import preload_images, train
    except ImportError:
        logger.exception("TensorFlow cannot be imported")
        return Exit.NO_TENSORFLOW
    try:
        preload_images()
    except (NoData, OSError, EOFError, zlib.error):
        # Whether that matters, and to whom, the first run will say.
        logger.exception("no image could be read ahead")
    ready.set()
    retry_while_unavailable(lambda: store.beat(name, ready=True))
    for _ in range(runs):
        while (run := retry_while_unavailable(lambda: next_run(store, name))) is None:
            time.sleep(IDLE_SECONDS)
        _attempt(store, run, train, checkpoints)
        delete_unneeded_checkpoints(checkpoints, store)
        release_freed_memory()
        if private_megabytes() > memory:
            break
    return Exit.RETIRED


def next_run(store: Store, name: str) -> Run | None:
    """The run that a worker is to train, if there is one.

    Args:
        store: where runs are queued.
        name: the worker's.
    """
    # The connection may have been lost while it was given a run: then it has one already.
    return store.run_of(name) or store.claim(name)


def _attempt(store: Store, run: Run, train: Train, checkpoints: Path) -> None:
    try:
        state, reason, outcome = _end_of(store, run, train, checkpoints)
        tested = (outcome.test_loss, outcome.test_accuracy) if outcome else (None, None)
        diverged = outcome is not None and outcome.kind == "diverged"
        retry_while_unavailable(
            lambda: store.finish(run.id, run.attempt, state, reason, *tested, diverged=diverged)
        )
    except WriteRefused as error:
        logger.warning("run %d went on without this worker: %s", run.id, error)


def _end_of(
    store: Store, run: Run, train: Train, checkpoints: Path
) -> tuple[State, str, Outcome | None]:
    """Trains a run, and says what becomes of it and why."""
    try:
        source = find_source(download=True)
        way = choose_compile_mode(run.plan)
        files = checkpoint_files_of(run, way, source, checkpoints)
        start, resumed = find_resume_point(files, run)
        setup = {"data_source": source.label, "compile_mode": way.key, "resumed": resumed}
        done = start.epoch if start else 0
        retry_while_unavailable(
            lambda: store.record_setup(run.id, run.attempt, epoch=done, **setup)
        )
        outcome = train(run.plan, StoreSink(store, run), source, way, files=files, start=start)
    except (StaleAttempt, StoreUnavailable):
        raise
    except (InvalidInput, NoData) as error:
        return "failed", str(error), None
    except Exception as error:
        logger.exception("run %d failed", run.id)
        return "failed", describe_error(error), None
    # A loss that stopped being finite is a result too: the run has finished.
    return ("stopped" if outcome.kind == "stopped" else "finished"), outcome.text, outcome


def describe_error(error: Exception) -> str:
    """An error that nobody foresaw, in words; its own may name what is no business of visitors."""
    what = type(error).__name__
    hint = ", most often because memory ran out" if what in OUT_OF_MEMORY else ""
    return f"training met an error ({what}){hint}; the server's log has the details"


def _keep_beating(store: Store, name: str, ready: threading.Event) -> None:
    while True:
        try:
            if not store.beat(name, ready=ready.is_set()):
                logger.error("counted as dead; not going on")
                os._exit(Exit.BURIED)
        except StoreUnavailable as error:
            logger.warning("no beat: %s", error)
        time.sleep(BEAT_SECONDS)


def _end_with_the_server(store: Store, name: str, _ready: threading.Event) -> None:
    # Not through sys.stdin: its lock, held while waiting, makes Python abort when it exits.
    while os.read(sys.stdin.fileno(), 1):
        continue
    # The main thread may sit in TensorFlow, and the store may be locked: nothing holds this up.
    threading.Timer(FAREWELL_SECONDS, os._exit, (Exit.SERVER_ENDED,)).start()
    try:
        store.bury(name, SERVER_ENDED)
    except StoreUnavailable as error:
        logger.warning("no farewell: %s", error)
    os._exit(Exit.SERVER_ENDED)


if __name__ == "__main__":
    sys.exit(main())
