"""The worker: a separate process that trains queued runs, one after the other.

The engine starts it as ``python -m lrlab.runs.worker --name NAME`` with its limits. The database
URL is in the environment, because every user of the machine could read a password on the command
line. The worker imports TensorFlow before it has a run, writes a heartbeat about once a second, and
ends when its standard input closes: when the server dies in any way, the pipe closes.

Importing this module loads neither TensorFlow nor Keras; the engine imports `Exit` from here.
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
from typing import TYPE_CHECKING, TypeVar

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

Item = TypeVar("Item")
Result = TypeVar("Result")

HEARTBEAT_SECONDS = 1.0
"""The time between two heartbeats of a worker."""

IDLE_SECONDS = 0.25
"""The time between two checks for a queued run."""

SERVER_ENDED_SECONDS = 5.0
"""How long a worker whose server has ended may take to write that to the store."""

OUT_OF_MEMORY = ("MemoryError", "ResourceExhaustedError", "AbortedError")
"""Errors of Python and TensorFlow when an allocation fails and the process can continue."""

SERVER_ENDED = "LR Lab's server ended during this run"

NICENESS = 10
"""Low priority, so that pages respond at once while training uses all cores. Without load from the
pages training is as fast as with normal priority."""

logger = logging.getLogger("lrlab.worker")


class Exit(IntEnum):
    """Exit codes of a worker that ends by its own decision."""

    NO_DATABASE = 3
    NO_TENSORFLOW = 4
    SERVER_ENDED = 5
    MARKED_DEAD = 6
    RETIRED = 7


class StoreSink:
    """A sink that writes the measurements of one attempt at a run to the store.

    It retries while the store is unavailable, see `lrlab.runs.retry`. Every method raises
    `StaleAttempt` once the attempt has ended.
    """

    def __init__(self, store: Store, run: Run) -> None:
        self._store = store
        self._attempt = (run.id, run.attempt)

    def started(self, phase: Phase) -> None:
        """The run enters a phase."""
        self._write(self._store.record_phase, phase)

    def points(self, points: list[Point]) -> bool:
        """New points in the order of their steps; returns whether the run must stop now."""
        return bool(self._write(self._store.record_points, points))

    def epoch(self, record: EpochRecord) -> None:
        """An epoch has ended."""
        self._write(self._store.record_epoch, record)

    def snapshot(self, snapshot: EpochSnapshot) -> None:
        """The snapshot at the end of an epoch."""
        self._write(self._store.record_snapshot, snapshot)

    def result(self, result: RunResult) -> None:
        """All epochs are trained and the network is tested."""
        self._write(self._store.record_result, result)

    def _write(self, record: Callable[[int, int, Item], Result], item: Item) -> Result | None:
        return retry_while_unavailable(lambda: record(*self._attempt, item))


def main(arguments: Sequence[str] | None = None) -> int:
    """Train queued runs until the run or memory limit is reached; return an exit code (`Exit`)."""
    parser = argparse.ArgumentParser(prog="python -m lrlab.runs.worker")
    parser.add_argument("--name", required=True, help="a name that no worker has had before")
    parser.add_argument("--server", help="the name of the server that manages this worker")
    parser.add_argument("--server-pid", help="its process id, by which orphans are recognised")
    parser.add_argument("--max-runs", required=True, type=int, help="how many runs to train")
    parser.add_argument(
        "--retire-above-mb",
        required=True,
        type=float,
        help="MB of private memory above which the worker ends after a run",
    )
    parser.add_argument("--memory-limit-mb", type=int, help="the most private memory, in MB")
    options = parser.parse_args(arguments)
    name: str = options.name
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    logging.basicConfig(format=f"%(asctime)s worker {name}: %(message)s", level=logging.INFO)
    if options.memory_limit_mb:
        limit_memory(options.memory_limit_mb)
    try:
        settings = Settings.from_environment()
        store = Store(settings.database_url)
        store.register_worker(name, options.server)
        checkpoints = settings.checkpoint_folder
        return _work(store, name, options.max_runs, options.retire_above_mb, checkpoints)
    except StoreError as error:
        logger.error("%s", error)
        return Exit.NO_DATABASE


def _work(store: Store, name: str, max_runs: int, retire_above_mb: float, checkpoints: Path) -> int:
    ready = threading.Event()
    for task in (_end_with_server, _send_heartbeats):
        threading.Thread(target=task, args=(store, name, ready), daemon=True).start()
    block_unused_imports()
    try:
        from lrlab.training.trainer import preload_images, train
    except ImportError:
        logger.exception("cannot import TensorFlow")
        return Exit.NO_TENSORFLOW
    try:
        preload_images()
    except (NoData, OSError, EOFError, zlib.error):
        # The first run reports the error if it matters.
        logger.exception("cannot preload the images")
    ready.set()
    retry_while_unavailable(lambda: store.heartbeat(name, ready=True))
    for _ in range(max_runs):
        while (run := retry_while_unavailable(lambda: next_run(store, name))) is None:
            time.sleep(IDLE_SECONDS)
        _attempt(store, run, train, checkpoints)
        delete_unneeded_checkpoints(checkpoints, store)
        release_freed_memory()
        if private_megabytes() > retire_above_mb:
            break
    return Exit.RETIRED


def next_run(store: Store, name: str) -> Run | None:
    """The run that a worker must train next; None if there is none.

    Args:
        store: holds the queue.
        name: the worker's name.
    """
    # If the connection was lost while it claimed a run, the worker has a run already.
    return store.run_of_worker(name) or store.claim(name)


def _attempt(store: Store, run: Run, train: Train, checkpoints: Path) -> None:
    try:
        state, reason, outcome = _train_run(store, run, train, checkpoints)
        test = (outcome.test_loss, outcome.test_accuracy) if outcome else (None, None)
        diverged = outcome is not None and outcome.kind == "diverged"
        retry_while_unavailable(
            lambda: store.finish(run.id, run.attempt, state, reason, *test, diverged=diverged)
        )
    except WriteRefused as error:
        logger.warning("run %d is no longer this worker's: %s", run.id, error)


def _train_run(
    store: Store, run: Run, train: Train, checkpoints: Path
) -> tuple[State, str, Outcome | None]:
    """Train a run; return its new state, the reason for people, and the outcome if it has one."""
    try:
        compile_mode = choose_compile_mode(run.plan)
        source = find_source(download=True)
        files = checkpoint_files_of(run, compile_mode, source, checkpoints)
        start, resumed = find_resume_point(files, run)
        retry_while_unavailable(
            lambda: store.record_setup(
                run.id,
                run.attempt,
                data_source=source.label,
                compile_mode=compile_mode.key,
                epoch=start.epoch if start else 0,
                resumed=resumed,
            )
        )
        sink = StoreSink(store, run)
        outcome = train(run.plan, sink, source, compile_mode, files=files, start=start)
    except (StaleAttempt, StoreUnavailable):
        raise
    except (InvalidInput, NoData) as error:
        return "failed", str(error), None
    except Exception as error:
        logger.exception("run %d failed", run.id)
        return "failed", describe_error(error), None
    # A diverged run is finished too: divergence is a result.
    return ("stopped" if outcome.kind == "stopped" else "finished"), outcome.text, outcome


def describe_error(error: Exception) -> str:
    """A text for people about an unexpected error. It leaves out the error's own message, which may
    contain details that visitors must not see."""
    name = type(error).__name__
    hint = ", probably because memory ran out" if name in OUT_OF_MEMORY else ""
    return f"training failed with an error ({name}){hint}; the server's log has the details"


def _send_heartbeats(store: Store, name: str, ready: threading.Event) -> None:
    while True:
        try:
            if not store.heartbeat(name, ready=ready.is_set()):
                logger.error("marked as dead; ending")
                os._exit(Exit.MARKED_DEAD)
        except StoreUnavailable as error:
            logger.warning("cannot write a heartbeat: %s", error)
        time.sleep(HEARTBEAT_SECONDS)


def _end_with_server(store: Store, name: str, _ready: threading.Event) -> None:
    # Not sys.stdin.read(): it holds a lock while waiting, which makes Python abort at exit.
    while os.read(sys.stdin.fileno(), 1):
        continue
    # The main thread may be in TensorFlow and the store may be locked; the timer ends the process
    # in any case.
    threading.Timer(SERVER_ENDED_SECONDS, os._exit, (Exit.SERVER_ENDED,)).start()
    try:
        store.mark_dead(name, SERVER_ENDED)
    except StoreUnavailable as error:
        logger.warning("cannot record that the server has ended: %s", error)
    os._exit(Exit.SERVER_ENDED)


if __name__ == "__main__":
    sys.exit(main())
