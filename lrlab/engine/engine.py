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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lrlab.settings import DATABASE_VARIABLE, Settings
from lrlab.store import Store, StoreError, WorkerRecord, WriteRefused
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

EXIT_PHRASES: Mapping[int, str] = {
    Exit.NO_DATABASE: "could not use the run database; the server's log says why",
    Exit.NO_TENSORFLOW: "could not import TensorFlow; install what requirements.txt lists",
    Exit.BURIED: "had stopped responding",
    Exit.RETIRED: "made room for a fresh one",
}

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


class Engine:
    """Keeps one worker alive and the store's states right; a server starts one.

    Args:
        store: where runs are queued.
        settings: how workers are started, and how patient the engine is.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._worker: _Worker | None = None
        self._beats: dict[str, tuple[float, float]] = {}
        """Of each worker in the store the last beat, and when it was first seen here by the
        monotonic clock."""
        self._failures = 0
        """Workers that ended before they were ready, since one last was."""
        self._problem = ""
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
            StoreUnavailable: the interruption could not be written.
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
                problem = self._problem
            except StoreError as error:
                problem = str(error)
            except Exception:
                logger.exception("the engine met an error")
                problem = "The engine met an error; the server's log has the details."
            self._status = self._assess(problem)
            self._stopping.wait(CHECK_SECONDS)

    def _assess(self, problem: str) -> EngineStatus:
        worker = self._worker
        pid = worker.process.pid if worker else None
        if problem:
            return EngineStatus("unavailable", problem, pid)
        return EngineStatus("ready" if worker and worker.ready else "starting", pid=pid)

    def _look(self) -> None:
        records = {record.name: record for record in self._store.workers()}
        silent = self._find_silent(records.values())
        worker = self._worker
        if worker is None:
            if time.monotonic() >= self._next_start:
                self._start_worker()
        else:
            record = records.get(worker.name)
            if record and record.ready:
                worker.ready = True
                self._failures = 0
                self._problem = ""
            end = self._find_end(worker, record, silent)
            if end:
                self._replace(worker, end)
            silent.discard(worker.name)
        # What is left are workers of other servers, or of one that was here before.
        for name in silent:
            self._store.bury(name, "its worker stopped responding")

    def _find_silent(self, records: Iterable[WorkerRecord]) -> set[str]:
        """The workers that count as dead because they stopped beating."""
        now = time.monotonic()
        beats, silent = {}, set()
        for record in records:
            beat, seen = self._beats.get(record.name, (None, now))
            beats[record.name] = (record.beat, seen if beat == record.beat else now)
            settings = self._settings
            limit = settings.silence_limit if record.ready else settings.start_limit
            unchanged = now - beats[record.name][1]
            if time.time() - record.beat > limit and unchanged > GRACE_SECONDS:
                silent.add(record.name)
        self._beats = beats
        return silent

    def _find_end(
        self, worker: _Worker, record: WorkerRecord | None, silent: set[str]
    ) -> str | None:
        """What the worker did that ended it or must end it; None while all is well."""
        code = worker.process.poll()
        if code is not None:
            return _describe_exit(code)
        age = time.monotonic() - worker.started
        if worker.name in silent or (record is None and age > self._settings.start_limit):
            return "stopped responding"
        run = self._store.run_of(worker.name)
        if run is None or run.stop_requested is None:
            return None
        if time.time() - run.stop_requested <= self._settings.stop_patience:
            return None
        phrase = "did not obey the stop request and was ended"
        try:
            self._store.finish(run.id, run.attempt, "stopped", f"its worker {phrase}")
        except WriteRefused:
            # It obeyed after all, just now.
            return None
        return phrase

    def _start_worker(self) -> None:
        name = uuid.uuid4().hex
        paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = {"TF_CPP_MIN_LOG_LEVEL": "2"} | os.environ
        environment[DATABASE_VARIABLE] = self._settings.database_url
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        command = [self._settings.python, "-m", "lrlab.training.worker", "--name", name]
        try:
            process = subprocess.Popen(
                [
                    *command,
                    *("--runs", str(self._settings.runs_per_worker)),
                    *("--memory", str(self._settings.worker_memory)),
                ],
                stdin=subprocess.PIPE,
                env=environment,
                # Ctrl-C in the server's terminal is for the server; the worker ends with it.
                start_new_session=True,
            )
        except OSError as error:
            self._note_failure(f"{self._settings.python} cannot be run: {error.strerror}")
        else:
            self._worker = _Worker(name, process, time.monotonic())

    def _replace(self, worker: _Worker, phrase: str) -> None:
        _end(worker.process)
        logger.warning("worker %s %s", worker.name, phrase)
        self._store.bury(worker.name, f"its worker {phrase}")
        self._worker = None
        if not worker.ready:
            self._note_failure(f"the last one {phrase}")

    def _note_failure(self, why: str) -> None:
        self._failures += 1
        self._problem = f"No worker can start: {why}."
        self._next_start = time.monotonic() + min(2.0**self._failures, LONGEST_PAUSE)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(TERMINATE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _describe_exit(code: int) -> str:
    if code in EXIT_PHRASES:
        return EXIT_PHRASES[code]
    if code < 0:
        hint = ", most often because memory ran out" if code == -9 else ""
        return f"was ended by signal {-code} ({signal.strsignal(-code)}){hint}"
    return f"ended with exit code {code}; the server's log has the details"
