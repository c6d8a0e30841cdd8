"""The engine: gets queued runs trained by a worker process, and watches over it.

It lives in the page's process, which TensorFlow must never enter. It holds no truth: the queue,
the states and who lives are in the store, so several servers can share one.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lrlab.settings import DATABASE_VARIABLE, Settings
from lrlab.store import State, Store, StoreError, WorkerRecord
from lrlab.training.worker import SERVER_ENDED, Exit

CHECK_SECONDS = 0.5
"""How often the engine looks at its worker."""

GRACE_SECONDS = 5.0
"""How long an old beat must stay the last one before its worker counts as dead: a laptop that
slept, or a clock that was set, makes every beat old for a moment."""

TERMINATE_SECONDS = 2.0
"""What a worker may take to end after it was told to, before it is killed."""

LONGEST_PAUSE = 60.0
"""Seconds between two tries to start a worker, at most; the first pauses are 2, 4, 8, ..."""

EXIT_PHRASES = {
    Exit.NO_DATABASE: "could not use the run database",
    Exit.NO_TENSORFLOW: "cannot import TensorFlow; install what requirements.txt lists",
    Exit.BURIED: "had stopped responding",
    -signal.SIGTERM: "was ended by somebody on its machine",
}

if hasattr(signal, "SIGKILL"):
    EXIT_PHRASES[-signal.SIGKILL] = "was killed, most often because memory ran out"

logger = logging.getLogger("lrlab.engine")


@dataclass(frozen=True)
class EngineStatus:
    """How the engine is doing.

    Args:
        state: "off" before `Engine.start` and after `Engine.stop`; "starting" while the worker
            imports TensorFlow; "ready" when it trains or could; "unavailable" when queued runs
            must wait because no worker can start or the store cannot be used.
        reason: why it is unavailable, a sentence for people.
        pid: the worker's process id, while there is one.
    """

    state: Literal["off", "starting", "ready", "unavailable"]
    reason: str = ""
    pid: int | None = None


@dataclass
class _Worker:
    name: str
    process: subprocess.Popen[bytes]
    started: float
    """By the monotonic clock."""
    ready: bool = False


@dataclass(frozen=True)
class _LastBeat:
    beat: float
    seen: float
    """When the engine first saw it, by its monotonic clock."""


class Engine:
    """Keeps one worker alive and the store's states right; start one in a server.

    Args:
        store: where runs are queued.
        settings: how workers are started, and how patient the engine is.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._worker: _Worker | None = None
        self._last_beats: dict[str, _LastBeat] = {}
        self._failures = 0
        self._next_start = 0.0
        self._status = EngineStatus("off")
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start a worker, and a thread that watches over it; returns at once."""
        if self._thread is None:
            self._stopping.clear()
            self._status = EngineStatus("starting")
            self._thread = threading.Thread(target=self._supervise, name="engine", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the worker; a run it had is interrupted. Returns when it is gone.

        Raises:
            StoreUnavailable: that could not be written down.
        """
        if self._thread is None:
            return
        self._stopping.set()
        self._thread.join()
        self._thread = None
        self._status = EngineStatus("off")
        worker, self._worker = self._worker, None
        if worker is not None:
            _end(worker.process)
            self._store.bury(worker.name, SERVER_ENDED)

    def status(self) -> EngineStatus:
        """How the engine is doing, as of its last look."""
        return self._status

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            try:
                self._look()
            except StoreError as error:
                self._report("unavailable", str(error))
            except Exception:
                logger.exception("the engine met an error")
                self._report("unavailable", "The engine met an error; the server's log has it.")
            self._stopping.wait(CHECK_SECONDS)

    def _look(self) -> None:
        worker = self._worker
        if worker is None:
            if time.monotonic() >= self._next_start:
                self._start_worker()
        elif (code := worker.process.poll()) is not None:
            self._replace(worker, _phrase(code))
        else:
            self._check(worker)
        self._bury_silent_workers()

    def _start_worker(self) -> None:
        name = uuid.uuid4().hex
        package_home = Path(__file__).parents[1]
        paths = [str(package_home), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {
            DATABASE_VARIABLE: self._settings.database_url,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }
        environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        try:
            process = subprocess.Popen(
                [self._settings.python, "-m", "lrlab.training.worker", "--name", name],
                stdin=subprocess.PIPE,
                env=environment,
                # Ctrl-C in the server's terminal is the server's: the worker ends with it.
                start_new_session=True,
            )
        except OSError as error:
            why = f"{self._settings.python} cannot be run: {error.strerror}"
            self._note_failure(f"No worker can start: {why}.")
            return
        self._worker = _Worker(name, process, time.monotonic())
        if self._failures == 0:
            self._report("starting")

    def _check(self, worker: _Worker) -> None:
        records = {record.name: record for record in self._store.workers()}
        record = records.get(worker.name)
        if record and record.ready:
            worker.ready = True
            self._failures = 0
            self._report("ready")
        elif self._failures == 0:
            self._report("starting")
        run = self._store.run_of(worker.name)
        if run and run.stop_requested is not None:
            waited = time.time() - run.stop_requested
            if waited > self._settings.stop_patience:
                _end(worker.process)
                reason = f"stopped after step {run.step}; its worker did not obey and was ended"
                self._replace(worker, reason, "stopped")
                return
        never_began = record is None and (
            time.monotonic() - worker.started > self._settings.start_limit
        )
        if never_began or (record and self._is_silent(record)):
            _end(worker.process)
            self._replace(worker, "stopped responding")

    def _replace(self, worker: _Worker, phrase: str, state: State = "interrupted") -> None:
        ...
