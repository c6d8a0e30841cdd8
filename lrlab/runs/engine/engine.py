"""The engine: runs queued runs in worker processes and supervises them.

It lives in the pages' process, which must never load TensorFlow. It holds no state of its own: the
queue, the states of runs and the list of live workers are in the store, so several servers can
share one store. Which server dispatches is decided by a lease in the store, which its holder
renews; the store gives runs only to the holder's workers. A server takes the lease over when it
finds that nobody holds it or that the holder no longer renews it.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lrlab.runs.engine.heartbeat import HeartbeatMonitor
from lrlab.runs.engine.orphans import end_orphans
from lrlab.runs.engine.worker_process import (
    StopRequest,
    WorkerProcess,
    describe_exit,
    start_worker,
)
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store, StoreError, StoreUnavailable, WorkerRecord
from lrlab.runs.worker import SERVER_ENDED
from lrlab.text import format_duration

CHECK_SECONDS = 0.5
"""The time between two checks of the workers."""

RENEW_SECONDS = 1.0
"""The time between two renewals of the lease."""

LEASE_SECONDS = 4.0
"""Another server takes the lease over when its holder has not renewed it for this long."""

FOREIGN_WORKER_SECONDS = 6.0
"""A ready worker counts as dead after this long without a heartbeat if its server no longer
dispatches. It can be short, because such a worker ends when its server ends."""

CLEANUP_SECONDS = 5.0
"""The time between two clean-ups, which delete old runs and kill orphan workers."""

MAX_START_PAUSE = 60.0
"""The longest pause between two tries to start a worker, in seconds; the first are 2, 4, 8, ..."""

logger = logging.getLogger("lrlab.runs.engine")

Fault = Literal["reading", "writing", "workers"]


@dataclass(frozen=True)
class EngineStatus:
    """The status of the engine.

    Args:
        state: "off" before `Engine.start` and after `Engine.stop`; "standby" while another server
            dispatches; "starting" while the workers import TensorFlow; "ready" when a worker trains
            or can train; "unavailable" when queued runs must wait because no worker can start or
            the store is unavailable.
        reason: why it is unavailable, a sentence for people.
        fault: what fails then: "reading" or "writing" the store, or starting "workers".
        pids: the process ids of its workers.
    """

    state: Literal["off", "standby", "starting", "ready", "unavailable"]
    reason: str = ""
    fault: Fault | None = None
    pids: tuple[int, ...] = ()


class Engine:
    """Keeps workers running and the states in the store correct. Each server starts one.

    Args:
        store: holds the queue.
        settings: number of workers, how they are started, and the timeouts.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._name = uuid.uuid4().hex
        self._dispatches = False
        self._next_renewal = 0.0
        self._next_cleanup = 0.0
        self._last_check = time.monotonic()
        self._last_successful_check = self._last_check
        self._lease_monitor = HeartbeatMonitor()
        self._worker_monitor = HeartbeatMonitor()
        self._workers: list[WorkerProcess] = []
        self._failures = 0
        """Consecutive workers that ended before they were ready."""
        self._problem = ""
        self._next_start = 0.0
        self._status = EngineStatus("off")
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start a thread that starts and supervises workers; returns at once."""
        if self._thread is None:
            self._stopping.clear()
            self._status = EngineStatus("starting")
            self._thread = threading.Thread(target=self._supervise, name="engine", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the workers, which interrupts their runs. Returns when they have ended.

        Raises:
            StoreUnavailable: this could not be written to the store.
        """
        if self._thread is None:
            return
        self._stopping.set()
        self._thread.join()
        self._thread = None
        self._status = EngineStatus("off")
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.ask_to_end()
        for worker in workers:
            worker.wait_until_ended()
        for worker in workers:
            self._store.mark_dead(worker.name, SERVER_ENDED)
        self._store.release_lease(self._name)

    def status(self) -> EngineStatus:
        """The status at the latest check."""
        return self._status

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            fault: Fault = "reading"
            try:
                records = self._store.workers()
                fault = "writing"
                self._check({record.name: record for record in records})
                self._last_successful_check = time.monotonic()
                problem, fault = self._problem, "workers"
            except StoreError as error:
                problem = str(error)
                self._end_all_if_blocked(error)
            except Exception:
                logger.exception("the engine failed with an error")
                problem = "The engine failed with an error; the server's log has the details."
                fault = "workers"
            self._status = self._current_status(problem, fault)
            self._stopping.wait(CHECK_SECONDS)

    def _current_status(self, problem: str, fault: Fault) -> EngineStatus:
        pids = tuple(worker.process.pid for worker in self._workers)
        if problem:
            return EngineStatus("unavailable", problem, fault, pids)
        if not self._dispatches:
            return EngineStatus("standby", pids=pids)
        ready = any(worker.ready for worker in self._workers)
        return EngineStatus("ready" if ready else "starting", pids=pids)

    def _check(self, records: Mapping[str, WorkerRecord]) -> None:
        now = time.monotonic()
        elapsed, self._last_check = now - self._last_check, now
        heartbeats = {name: record.heartbeat for name, record in records.items()}
        ages = self._worker_monitor.update(heartbeats, elapsed)
        self._dispatches = self._hold_lease(now, elapsed)
        for worker in list(self._workers):
            self._check_own_worker(worker, records.get(worker.name), ages.get(worker.name, 0.0))
        if not self._dispatches:
            return
        own_names = {worker.name for worker in self._workers}
        for name in records.keys() - own_names:
            self._check_foreign_worker(records[name], ages[name])
        settings = self._settings
        seconds = settings.run_minutes * 60
        self._store.stop_overdue(
            seconds, f"a run may take {format_duration(seconds)} on this server"
        )
        if now >= self._next_cleanup:
            self._next_cleanup = now + CLEANUP_SECONDS
            alive = [name for name in records if ages[name] <= FOREIGN_WORKER_SECONDS]
            end_orphans(settings, spared=alive)
            self._store.delete_old_runs(settings.keep_runs, settings.keep_mb * 10**6)
        if len(self._workers) < settings.workers:
            self._start_worker()

    def _end_all_if_blocked(self, error: StoreError) -> None:
        """End all workers, and all orphans, once the store has been unavailable for the heartbeat
        timeout: one of them may have stalled with the database locked, and without the store none
        of them can work."""
        blocked = time.monotonic() - self._last_successful_check
        if isinstance(error, StoreUnavailable) and blocked > self._settings.heartbeat_timeout:
            for worker in self._workers:
                worker.end_reason = worker.end_reason or "could not use the run database"
                worker.ask_to_end()
                worker.has_ended()
            end_orphans(self._settings)

    def _hold_lease(self, now: float, elapsed: float) -> bool:
        """Renew the lease, or take it over if it has expired; return whether this server has it."""
        lease = self._store.lease()
        if lease and lease.holder == self._name:
            if now < self._next_renewal:
                return True
            renewed = self._store.renew_lease(self._name)
            # Only after a success: a failed write is retried, and so reported, at every check.
            self._next_renewal = now + RENEW_SECONDS
            return renewed
        heartbeats = {lease.holder: lease.heartbeat} if lease else {}
        ages = self._lease_monitor.update(heartbeats, elapsed)
        if lease and ages[lease.holder] < LEASE_SECONDS:
            return False
        return self._store.take_lease(self._name, lease)

    def _check_own_worker(
        self, worker: WorkerProcess, record: WorkerRecord | None, age: float
    ) -> None:
        """End a worker of this server if necessary, and mark it as dead once it has ended.

        Args:
            worker: the worker.
            record: its record in the store, if it has one.
            age: seconds since its heartbeat changed.
        """
        if record and record.ready and not worker.ready:
            worker.ready = True
            self._failures = 0
            self._problem = ""
        worker.end_reason = worker.end_reason or self._find_end_reason(worker, record, age)
        if not worker.end_reason:
            return
        worker.ask_to_end()
        # A stalled worker may hold a lock on the database, so nothing is written before it ends.
        if not worker.has_ended():
            return
        logger.warning("worker %s %s", worker.name, worker.end_reason)
        reason = f"its worker {worker.end_reason}"
        run = self._store.run_of_worker(worker.name)
        if run is not None and run.stop_requested is not None:
            self._store.finish(run.id, run.attempt, "stopped", reason)
        self._store.mark_dead(worker.name, reason)
        self._workers.remove(worker)
        if self._dispatches and not worker.ready:
            self._note_failure(f"the last one {worker.end_reason}")

    def _find_end_reason(
        self, worker: WorkerProcess, record: WorkerRecord | None, age: float
    ) -> str:
        """Why the worker ended or must end; empty if it works normally."""
        code = worker.process.poll()
        if code is not None:
            return describe_exit(code)
        if record is None:
            age = time.monotonic() - worker.started
        settings = self._settings
        if age > (settings.heartbeat_timeout if worker.ready else settings.start_timeout):
            return "stopped responding"
        run = self._store.run_of_worker(worker.name)
        if run is None:
            return "" if self._dispatches else "was ended because another server dispatches"
        if run.stop_requested is None:
            return ""
        request = worker.stop_request
        if request is None or (request.run_id, request.attempt) != (run.id, run.attempt):
            request = worker.stop_request = StopRequest(run.id, run.attempt, time.monotonic())
        if time.monotonic() - request.seen <= settings.stop_timeout:
            return ""
        return "did not obey the stop request and was ended"

    def _check_foreign_worker(self, record: WorkerRecord, age: float) -> None:
        """Mark a worker of another or earlier server as dead if its heartbeat is too old."""
        if age > (FOREIGN_WORKER_SECONDS if record.ready else self._settings.start_timeout):
            self._store.mark_dead(record.name, "its worker stopped responding")

    def _start_worker(self) -> None:
        if time.monotonic() < self._next_start:
            return
        try:
            self._workers.append(start_worker(self._settings, self._name))
        except OSError as error:
            self._note_failure(f"{self._settings.python} cannot be run: {error.strerror}")

    def _note_failure(self, cause: str) -> None:
        self._failures += 1
        self._problem = f"No worker can start: {cause}."
        self._next_start = time.monotonic() + min(2.0**self._failures, MAX_START_PAUSE)
