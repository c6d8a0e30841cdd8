"""A worker's process, killed before each change that it makes to a file.

The process writes to the database and to checkpoints as a worker does, but without TensorFlow. It
is traced: the system stops it at each system call, so it is killed exactly there. Each time the
next attempt must find everything that was acknowledged, and finish the run.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from bench.report import Figure, report
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.attempts import delete_unneeded_checkpoints, find_resume_point
from lrlab.runs.store import Store
from lrlab.runs.worker import StoreSink
from lrlab.training.checkpoint_files import Checkpoint, CheckpointFiles
from lrlab.training.measurements import EpochRecord, Point
from soak.kills import CONTEXT, problems_in, remaining_messages

EPOCHS, STEPS = 3, 2
PLAN = RunPlan.of(
    Recipe.from_dict({"optimizer": {"name": "nadam"}}),
    epochs=EPOCHS,
    batch_size=32,
    train_size=32 * STEPS,
)

FILE_CHANGING_CALLS = {
    # write, writev, pwrite64, ftruncate, fsync, fdatasync; rename, unlink, mkdir and variants;
    # sendto, which asks a PostgreSQL server to change its files.
    "x86_64": {1, 20, 18, 77, 74, 75} | {82, 264, 316, 87, 263, 83, 258} | {44},
    "aarch64": {64, 66, 68, 46, 82, 83} | {38, 276, 35, 34} | {206},
}
"""Machine -> numbers of the system calls that change files."""
OPENAT = {"x86_64": 257, "aarch64": 56}
"""Machine -> number of openat, which may create a file."""

ATTACH, SYSCALL, SET_OPTIONS, SYSCALL_INFO = 16, 24, 0x4200, 0x420E
"""Requests of ptrace: PTRACE_ATTACH, _SYSCALL, _SETOPTIONS and _GET_SYSCALL_INFO."""
MARK_CALLS, END_WITH_TRACER = 0x1, 0x100000
STOPPED_AT_CALL = signal.SIGTRAP | 0x80
ENTERING = 1


class Call(ctypes.Structure):
    """A system call of a traced process, before or after it (``ptrace_syscall_info``)."""

    _fields_ = (
        ("kind", ctypes.c_uint8),
        ("machine", ctypes.c_uint32),
        ("places", ctypes.c_uint64 * 2),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    )


@dataclass
class KillResults:
    """Counts over all kills.

    Args:
        kills: killed workers.
        acknowledged: points, epochs, checkpoints and ends that were acknowledged as stored.
        lost: how many of these were missing.
        torn: kills after which a checkpoint file could not be read.
        unfinished: kills after which the next attempt did not complete the run.
        problems: problems found by SQLite's integrity check.
    """

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    torn: int = 0
    unfinished: int = 0
    problems: int = 0


def trace(request: int, pid: int, address: int = 0, data: object = None) -> None:
    """Calls ptrace.

    Raises:
        PermissionError: the system does not allow or support tracing.
    """
    system = ctypes.CDLL(None, use_errno=True)
    system.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    system.ptrace.restype = ctypes.c_long
    if system.ptrace(request, pid, address, data) == -1:
        raise PermissionError(f"no process can be traced: {os.strerror(ctypes.get_errno())}")


def kill_before_change(pid: int, number: int, go: Callable[[], None]) -> bool:
    """Traces a process and kills it before it changes a file for the ``number``-th time.

    Args:
        pid: a waiting process.
        number: number of the change, from 1.
        go: lets the process continue.

    Returns:
        Whether the process was killed; False if it ended earlier.
    """
    machine = os.uname().machine
    trace(ATTACH, pid)
    os.waitpid(pid, 0)
    trace(SET_OPTIONS, pid, 0, MARK_CALLS | END_WITH_TRACER)
    go()
    call, changes, passed_on = Call(), 0, 0
    while True:
        trace(SYSCALL, pid, 0, passed_on)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return False
        passed_on = 0
        if os.WSTOPSIG(status) != STOPPED_AT_CALL:
            passed_on = os.WSTOPSIG(status)
            continue
        trace(SYSCALL_INFO, pid, ctypes.sizeof(call), ctypes.addressof(call))
        creates_file = call.number == OPENAT[machine] and call.arguments[2] & os.O_CREAT
        changes += call.kind == ENTERING and bool(
            creates_file or call.number in FILE_CHANGING_CALLS[machine]
        )
        if changes == number:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return True


def checkpoint(epoch: int) -> Checkpoint:
    """A checkpoint at an epoch's end; every number in its array is the epoch."""
    return Checkpoint(epoch, (np.full(50_000, epoch, np.float32),), {})


def attempt(store: Store, name: str, folder: Path, acknowledge: Callable[[object], None]) -> None:
    """Writes what a worker writes about a run, from claiming it to its end.

    Args:
        store: a store with a waiting run.
        name: the worker's name.
        folder: folder for checkpoints.
        acknowledge: called with each item once it is stored.
    """
    store.register_worker(name)
    run = store.claim(name)
    files = CheckpointFiles(folder, run.id, {"plan": run.plan.to_dict()})
    start, resumed = find_resume_point(files, run)
    trained_epochs = start.epoch if start else 0
    store.record_setup(
        run.id,
        run.attempt,
        data_source="none",
        compile_mode="fused",
        epoch=trained_epochs,
        resumed=resumed,
    )
    sink = StoreSink(store, run)
    for epoch in range(trained_epochs + 1, EPOCHS + 1):
        for step in range((epoch - 1) * STEPS, epoch * STEPS):
            sink.points([Point(step, 0.5, 0.1)])
            acknowledge(("point", step))
        sink.epoch(EpochRecord(epoch, epoch * STEPS, 0.5, 0.8, 0.6, 0.7, 0.1, 1.0))
        acknowledge(("epoch", epoch))
        files.write(checkpoint(epoch))
        acknowledge(("checkpoint", epoch))
    store.finish(run.id, run.attempt, "finished", "completed")
    acknowledge(("state", "finished"))
    delete_unneeded_checkpoints(folder, store)


def work(url: str, name: str, folder: Path, pipe: Connection) -> None:
    """Runs in another process: reports that imports are done, waits for a message, then writes."""
    pipe.send("ready")
    pipe.recv()
    attempt(Store(url), name, folder, pipe.send)


def kill_at_changes(url: str, checkpoints: Path, numbers: Iterable[int]) -> KillResults:
    """Kills workers before the n-th change that they make to files, each with a new run.

    Args:
        url: a new database.
        checkpoints: folder for checkpoints.
        numbers: the values of n, ascending; stops at the first that an attempt does not reach.

    Raises:
        PermissionError: processes cannot be traced on this system.
    """
    if sys.platform != "linux" or os.uname().machine not in FILE_CHANGING_CALLS:
        raise PermissionError("tracing a process requires Linux on x86-64 or ARM64")
    store = Store(url)
    results = KillResults()
    for number in numbers:
        run_id = store.queue(PLAN, owner="soak", name=f"change {number}")
        name = f"worker {number}"
        pipe, other = CONTEXT.Pipe()
        process = CONTEXT.Process(target=work, args=(url, name, checkpoints, other))
        process.start()
        other.close()
        # Wait until imports are done: Python writes compiled modules to files too.
        pipe.recv()
        try:
            killed = kill_before_change(process.pid, number, lambda pipe=pipe: pipe.send("go"))
        finally:
            process.kill()
            process.join()
        acknowledged = remaining_messages(pipe)
        results.kills += killed
        results.acknowledged += len(acknowledged)
        _check_stored(store, run_id, checkpoints, acknowledged, results)
        if not killed:
            assert process.exitcode == 0
            break
        store.mark_dead(name, "its worker was killed")
        _complete(store, run_id, checkpoints, results)
        if url.startswith("sqlite"):
            results.problems += len(problems_in(url))
    store.close()
    return results


def _checkpoint_files(store: Store, run_id: int, folder: Path) -> CheckpointFiles:
    return CheckpointFiles(folder, run_id, {"plan": store.run(run_id).plan.to_dict()})


def _check_stored(
    store: Store,
    run_id: int,
    folder: Path,
    acknowledged: list[tuple[str, object]],
    results: KillResults,
) -> None:
    """Compares what was acknowledged to a killed worker with what is stored."""
    steps = [point.step for point in store.points(run_id)]
    epochs = [epoch.epoch for epoch in store.epochs(run_id)]
    stored = {("point", step) for step in steps} | {("epoch", epoch) for epoch in epochs}
    stored.add(("state", store.run(run_id).state))
    newest, checkpoint_problems = _checkpoint_files(store, run_id, folder).read()
    reached = newest.epoch if newest else 0
    if ("state", "finished") in stored:
        # A finished run needs no checkpoints, and they may have been deleted.
        reached = EPOCHS
    stored |= {("checkpoint", epoch) for epoch in range(1, reached + 1)}
    results.lost += len(set(acknowledged) - stored)
    intact = newest is None or bool((newest.variables[0] == newest.epoch).all())
    results.torn += bool(checkpoint_problems) or not intact


def _complete(store: Store, run_id: int, folder: Path, results: KillResults) -> None:
    """Lets another worker continue an interrupted run, unless it had ended."""
    if store.run(run_id).state == "interrupted":
        store.resume(run_id, by="soak")
    if store.run(run_id).state == "queued":
        attempt(store, f"next {run_id}", folder, lambda _: None)
    steps = [point.step for point in store.points(run_id)]
    epochs = [epoch.epoch for epoch in store.epochs(run_id)]
    expected = (list(range(EPOCHS * STEPS)), list(range(1, EPOCHS + 1)), "finished")
    results.unfinished += (steps, epochs, store.run(run_id).state) != expected


def main() -> bool:
    """Kills a worker at each change; returns whether nothing is lost and every run completes."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'runs.db'}"
            results = kill_at_changes(url, Path(folder) / "checkpoints", itertools.count(1))
    except PermissionError as error:
        print(f"\nKills at each change of a file were not tested: {error}")
        return True
    return report(
        f"A worker, killed before each of the {results.kills} changes it makes to files",
        [
            Figure("Points, epochs, checkpoints acknowledged", results.acknowledged, 1, "", True),
            Figure("Lost", results.lost, 0, ""),
            Figure("Unreadable checkpoints", results.torn, 0, ""),
            Figure("Runs that the next attempt did not complete", results.unfinished, 0, ""),
            Figure("Problems found by SQLite's integrity check", results.problems, 0, ""),
        ],
    )
