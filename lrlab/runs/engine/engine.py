"""The engine: gets queued runs trained by worker processes, and watches over them.

It lives in the page's process, which TensorFlow must never enter. It holds no truth: the queue,
the states and who lives are in the store, so several servers can share one. Which of them
dispatches is a lease in the store, which its holder renews; the store gives runs to the holder's
workers alone. A server that starts, or finds that the holder is silent, takes it over.
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
from lrlab.runs.engine.worker_process import WorkerProcess, describe_exit, start_worker
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store, StoreError, StoreUnavailable, WorkerRecord
from lrlab.runs.worker import SERVER_ENDED
from lrlab.text import format_duration

CHECK_SECONDS = 0.5
"""How often the engine looks at its workers."""

RENEW_SECONDS = 1.0
"""How often the holder of the lease says that it lives."""

LEASE_SECONDS = 4.0
"""Silence of the lease's holder after which another server takes over."""

FOREIGN_WORKER_SECONDS = 6.0
"""Silence after which a worker that takes runs counts as dead if its server no longer dispatches.
Once that server has ended the worker ends too, so there is little to be patient for."""

TIDY_SECONDS = 5.0
"""How often old runs beyond what is kept, and workers left over, are looked for."""

LONGEST_PAUSE = 60.0
"""Seconds between two tries to start a worker, at most; the first pauses are 2, 4, 8, ..."""

logger = logging.getLogger("lrlab.runs.engine")

Fault = Literal["reading", "writing", "workers"]


@dataclass(frozen=True)
class EngineStatus:
    """How the engine is doing.

    Args:
        state: "off" before `Engine.start` and after `Engine.stop`; "standby" while another server
            dispatches; "starting" while the workers import TensorFlow; "ready" when one trains or
            could; "unavailable" when queued runs must wait because no worker can start or the
            store cannot be used.
        reason: why it is unavailable, a sentence for people.
        fault: what cannot be done then: "reading" or "writing" the store, or starting "workers".
        pids: the process ids of its workers.
    """

    state: Literal["off", "standby", "starting", "ready", "unavailable"]
    reason: str = ""
    fault: Fault | None = None
    pids: tuple[int, ...] = ()


class Engine:
    """Keeps workers alive and the store's states right; a server starts one.

    Args:
        store: where runs are queued.
        settings: how many workers there are, how they are started, and how patient the engine is.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._name = uuid.uuid4().hex
        self._dispatches = False
        self._renew_at = 0.0
        self._tidy_at = 0.0
        self._looked = time.monotonic()
        self._looked_well = self._looked
        self._holder = HeartbeatMonitor()
        self._beats = HeartbeatMonitor()
        self._workers: list[WorkerProcess] = []
        self._failures = 0
        """Workers that ended before they were ready, since one last was."""
        self._problem = ""
        self._next_start = 0.0
        self._status = EngineStatus("off")
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start a thread that starts workers and watches over them; returns at once."""
        if self._thread is None:
            self._stopping.clear()
            self._status = EngineStatus("starting")
            self._thread = threading.Thread(target=self._supervise, name="engine", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the workers; runs they had are interrupted. Returns when they are gone.

        Raises:
            StoreUnavailable: that could not be written.
        """
        if self._thread is None:
            return
        self._stopping.set()
        self._thread.join()
        self._thread = None
        self._status = EngineStatus("off")
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.tell_to_end()
        for worker in workers:
            worker.wait_until_gone()
        for worker in workers:
            self._store.bury(worker.name, SERVER_ENDED)
        self._store.release_lease(self._name)

    def status(self) -> EngineStatus:
        """How the engine is doing, as of its last look."""
        return self._status

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            fault: Fault = "reading"
            try:
                records = self._store.workers()
                fault = "writing"
                self._look({record.name: record for record in records})
                self._looked_well = time.monotonic()
                problem, fault = self._problem, "workers"
            except StoreError as error:
                problem = str(error)
                self._end_all_if_blocked(error)
            except Exception:
                logger.exception("the engine met an error")
                problem = "The engine met an error; the server's log has the details."
                fault = "workers"
            self._status = self._assess(problem, fault)
            self._stopping.wait(CHECK_SECONDS)

    def _assess(self, problem: str, fault: Fault) -> EngineStatus:
        pids = tuple(worker.process.pid for worker in self._workers)
        if problem:
            return EngineStatus("unavailable", problem, fault, pids)
        if not self._dispatches:
            return EngineStatus("standby", pids=pids)
        ready = any(worker.ready for worker in self._workers)
        return EngineStatus("ready" if ready else "starting", pids=pids)

    def _look(self, records: Mapping[str, WorkerRecord]) -> None:
        now = time.monotonic()
        passed, self._looked = now - self._looked, now
        beats = {name: record.beat for name, record in records.items()}
        silent = self._beats.look(beats, passed)
        self._dispatches = self._keep_lease(now, passed)
        for worker in list(self._workers):
            self._watch(worker, records.get(worker.name), silent.get(worker.name, 0.0))
        if self._dispatches:
            own = {worker.name for worker in self._workers}
            for name in records.keys() - own:
                self._check_foreign_worker(records[name], silent[name])
            settings = self._settings
            minutes = settings.run_minutes
            limit = f"a run may take {format_duration(minutes * 60)} on this server"
            self._store.stop_overdue(minutes * 60, limit)
            if now >= self._tidy_at:
                self._tidy_at = now + TIDY_SECONDS
                end_orphans(settings, [n for n in records if silent[n] <= FOREIGN_WORKER_SECONDS])
                self._store.retire(settings.keep_runs, settings.keep_mb * 10**6)
            if len(self._workers) < settings.workers:
                self._start_worker()

    def _end_all_if_blocked(self, error: StoreError) -> None:
        """End all workers, those of servers that are gone too, when the store was of no use for as
        long as a worker may be silent: one of them may have stalled with the database locked, and
        none can do anything without it."""
        blocked = time.monotonic() - self._looked_well
        if isinstance(error, StoreUnavailable) and blocked > self._settings.silence_limit:
            for worker in self._workers:
                worker.end = worker.end or "could not use the run database"
                worker.tell_to_end()
                worker.is_gone()
            end_orphans(self._settings)

    def _keep_lease(self, now: float, passed: float) -> bool:
        """Renew the lease, or take it over where it has run out; whether this server has it."""
        lease = self._store.lease()
        if lease and lease.holder == self._name:
            if now < self._renew_at:
                return True
            renewed = self._store.renew_lease(self._name)
            # A store that could not be written is tried at every look, so that this is known.
            self._renew_at = now + RENEW_SECONDS
            return renewed
        silent = self._holder.look({lease.holder: lease.beat} if lease else {}, passed)
        if lease and silent[lease.holder] < LEASE_SECONDS:
            return False
        return self._store.take_lease(self._name, lease)

    def _watch(self, worker: WorkerProcess, record: WorkerRecord | None, silent: float) -> None:
        """See to one of this server's workers; one that must end is buried when it is gone."""
        if record and record.ready and not worker.ready:
            worker.ready = True
            self._failures = 0
            self._problem = ""
        worker.end = worker.end or self._find_end(worker, record, silent)
        if not worker.end:
            return
        worker.tell_to_end()
        # One that stalled may hold a lock of the database, so nothing is written until it is gone.
        if not worker.is_gone():
            return
        logger.warning("worker %s %s", worker.name, worker.end)
        said = f"its worker {worker.end}"
        run = self._store.run_of(worker.name)
        if run is not None and run.stop_requested is not None:
            self._store.finish(run.id, run.attempt, "stopped", said)
        self._store.bury(worker.name, said)
        self._workers.remove(worker)
        if self._dispatches and not worker.ready:
            self._note_failure(f"the last one {worker.end}")

    def _find_end(self, worker: WorkerProcess, record: WorkerRecord | None, silent: float) -> str:
        """What the worker did that ended it or must end it; empty while all is well."""
        code = worker.process.poll()
        if code is not None:
            return describe_exit(code)
        if record is None:
            silent = time.monotonic() - worker.started
        settings = self._settings
        if silent > (settings.silence_limit if worker.ready else settings.start_limit):
            return "stopped responding"
        run = self._store.run_of(worker.name)
        if run is None:
            return "" if self._dispatches else "left the queue to another server"
        if run.stop_requested is None:
            return ""
        if worker.asked is None or worker.asked[:2] != (run.id, run.attempt):
            worker.asked = (run.id, run.attempt, time.monotonic())
        if time.monotonic() - worker.asked[2] <= settings.stop_patience:
            return ""
        return "did not obey the stop request and was ended"

    def _check_foreign_worker(self, record: WorkerRecord, silent: float) -> None:
        """See to a worker of another server, or of one that was here before."""
        if silent > (FOREIGN_WORKER_SECONDS if record.ready else self._settings.start_limit):
            self._store.bury(record.name, "its worker stopped responding")

    def _start_worker(self) -> None:
        if time.monotonic() < self._next_start:
            return
        try:
            self._workers.append(start_worker(self._settings, self._name))
        except OSError as error:
            self._note_failure(f"{self._settings.python} cannot be run: {error.strerror}")

    def _note_failure(self, why: str) -> None:
        self._failures += 1
        self._problem = f"No worker can start: {why}."
        self._next_start = time.monotonic() + min(2.0**self._failures, LONGEST_PAUSE)
