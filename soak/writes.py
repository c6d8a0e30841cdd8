"""A worker's process, killed before every single change that it makes to a file.

What is killed writes as a worker does, to the database and to checkpoints, but without TensorFlow.
It is traced: the system stops it at each of its calls, so it is killed exactly there. Each time the
next attempt must find all that was acknowledged, and bring the run to its end.
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
from soak.kills import CONTEXT, problems_in, said

EPOCHS, STEPS = 3, 2
PLAN = RunPlan.of(
    Recipe.from_dict({"optimizer": {"name": "nadam"}}),
    epochs=EPOCHS,
    batch_size=32,
    train_size=32 * STEPS,
)

CHANGING = {
    # write, writev, pwrite64, ftruncate, fsync, fdatasync; rename, unlink, mkdir and their kin;
    # sendto, through which a PostgreSQL server is asked to change its files.
    "x86_64": {1, 20, 18, 77, 74, 75} | {82, 264, 316, 87, 263, 83, 258} | {44},
    "aarch64": {64, 66, 68, 46, 82, 83} | {38, 276, 35, 34} | {206},
}
"""The numbers of the calls that change files, by the machine's kind."""
OPENING = {"x86_64": 257, "aarch64": 56}
"""The number of openat, which may make a file."""

ATTACH, SYSCALL, SET_OPTIONS, SYSCALL_INFO = 16, 24, 0x4200, 0x420E
"""What ptrace is asked for."""
MARK_CALLS, END_WITH_TRACER = 0x1, 0x100000
STOPPED_AT_CALL = signal.SIGTRAP | 0x80
ENTERING = 1


class Call(ctypes.Structure):
    """What a traced process is about to ask of the system, or has asked."""

    _fields_ = (
        ("kind", ctypes.c_uint8),
        ("machine", ctypes.c_uint32),
        ("places", ctypes.c_uint64 * 2),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    )


@dataclass
class Found:
    """What was found after so many kills.

    Args:
        kills: how often a worker was killed.
        acknowledged: points, epochs, checkpoints and ends that it had been told were kept.
        lost: how many of these were not there.
        torn: kills after which a file of a checkpoint could not be read.
        unfinished: kills after which the next attempt did not make the run whole.
        problems: what SQLite found wrong with the database.
    """

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    torn: int = 0
    unfinished: int = 0
    problems: int = 0


def trace(request: int, pid: int, address: int = 0, data: object = None) -> None:
    """Ask something of ptrace.

    Raises:
        PermissionError: the system lets nobody trace, or knows no such thing.
    """
    system = ctypes.CDLL(None, use_errno=True)
    system.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    system.ptrace.restype = ctypes.c_long
    if system.ptrace(request, pid, address, data) == -1:
        raise PermissionError(f"no process can be traced: {os.strerror(ctypes.get_errno())}")


def kill_before_change(pid: int, number: int, go: Callable[[], None]) -> bool:
    """Trace a process, and kill it before it changes a file for the ``number``-th time.

    Args:
        pid: a process that waits.
        number: counted from 1.
        go: lets it go on.

    Returns:
        Whether it was killed; False when it ended before that.
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
        makes = call.number == OPENING[machine] and call.arguments[2] & os.O_CREAT
        changes += call.kind == ENTERING and bool(makes or call.number in CHANGING[machine])
        if changes == number:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return True


def checkpoint(epoch: int) -> Checkpoint:
    """The checkpoint of an epoch's end, which says in every number which it is."""
    return Checkpoint(epoch, (np.full(50_000, epoch, np.float32),), {})


def attempt(store: Store, name: str, folder: Path, say: Callable[[object], None]) -> None:
    """What a worker writes of a run, from claiming it to its end.

    Args:
        store: where a run waits.
        name: the worker's.
        folder: of the checkpoints.
        say: told what is kept, once it is.
    """
    store.register_worker(name)
    run = store.claim(name)
    files = CheckpointFiles(folder, run.id, {"plan": run.plan.to_dict()})
    start, resumed = find_resume_point(files, run)
    done = start.epoch if start else 0
    store.record_setup(
        run.id, run.attempt, data_source="none", compile_mode="fused", epoch=done, resumed=resumed
    )
    sink = StoreSink(store, run)
    for epoch in range(done + 1, EPOCHS + 1):
        for step in range((epoch - 1) * STEPS, epoch * STEPS):
            sink.points([Point(step, 0.5, 0.1)])
            say(("point", step))
        sink.epoch(EpochRecord(epoch, epoch * STEPS, 0.5, 0.8, 0.6, 0.7, 0.1, 1.0))
        say(("epoch", epoch))
        files.write(checkpoint(epoch))
        say(("checkpoint", epoch))
    store.finish(run.id, run.attempt, "finished", "completed")
    say(("state", "finished"))
    delete_unneeded_checkpoints(folder, store)


def work(url: str, name: str, folder: Path, pipe: Connection) -> None:
    """In another process: say that all is imported, wait for a word, then make an attempt."""
    pipe.send("ready")
    pipe.recv()
    attempt(Store(url), name, folder, pipe.send)


def kill_at_changes(url: str, checkpoints: Path, numbers: Iterable[int]) -> Found:
    """Kill a worker before the n-th change it makes to files, each time on a run of its own.

    Args:
        url: a new database.
        checkpoints: a folder for these.
        numbers: the n's, growing; ends with the first that no attempt comes to.

    Raises:
        PermissionError: processes cannot be traced here.
    """
    if sys.platform != "linux" or os.uname().machine not in CHANGING:
        raise PermissionError("tracing a process takes Linux on a processor that is known here")
    store = Store(url)
    found = Found()
    for number in numbers:
        run_id = store.queue(PLAN, owner="soak", name=f"change {number}")
        name = f"worker {number}"
        pipe, other = CONTEXT.Pipe()
        process = CONTEXT.Process(target=work, args=(url, name, checkpoints, other))
        process.start()
        other.close()
        # What Python compiles while it imports is written to files too.
        pipe.recv()
        try:
            killed = kill_before_change(process.pid, number, lambda pipe=pipe: pipe.send("go"))
        finally:
            process.kill()
            process.join()
        kept = said(pipe)
        found.kills += killed
        found.acknowledged += len(kept)
        _look(store, run_id, checkpoints, kept, found)
        if not killed:
            assert process.exitcode == 0
            break
        store.bury(name, "its worker was killed")
        _finish(store, run_id, checkpoints, found)
        if url.startswith("sqlite"):
            found.problems += len(problems_in(url))
    store.close()
    return found


def _files(store: Store, run_id: int, folder: Path) -> CheckpointFiles:
    return CheckpointFiles(folder, run_id, {"plan": store.run(run_id).plan.to_dict()})


def _look(
    store: Store, run_id: int, folder: Path, kept: list[tuple[str, object]], found: Found
) -> None:
    """Compare what a killed worker was told with what there is."""
    steps = [point.step for point in store.points(run_id)]
    epochs = [epoch.epoch for epoch in store.epochs(run_id)]
    there = {("point", step) for step in steps} | {("epoch", epoch) for epoch in epochs}
    there.add(("state", store.run(run_id).state))
    newest, passed_over = _files(store, run_id, folder).read()
    reached = newest.epoch if newest else 0
    if ("state", "finished") in there:
        # Then it needs no checkpoint, and they may be gone.
        reached = EPOCHS
    there |= {("checkpoint", epoch) for epoch in range(1, reached + 1)}
    found.lost += len(set(kept) - there)
    whole = newest is None or bool((newest.variables[0] == newest.epoch).all())
    found.torn += bool(passed_over) or not whole


def _finish(store: Store, run_id: int, folder: Path, found: Found) -> None:
    """Let the next worker take a run over that was cut off, unless it had ended."""
    if store.run(run_id).state == "interrupted":
        store.resume(run_id, by="soak")
    if store.run(run_id).state == "queued":
        attempt(store, f"next {run_id}", folder, lambda _: None)
    steps = [point.step for point in store.points(run_id)]
    epochs = [epoch.epoch for epoch in store.epochs(run_id)]
    whole = (list(range(EPOCHS * STEPS)), list(range(1, EPOCHS + 1)), "finished")
    found.unfinished += (steps, epochs, store.run(run_id).state) != whole


def main() -> bool:
    """Kill a worker at each change; whether nothing is lost and every run comes to its end."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'runs.db'}"
            found = kill_at_changes(url, Path(folder) / "checkpoints", itertools.count(1))
    except PermissionError as error:
        print(f"\nNothing is known of kills at each change of a file: {error}")
        return True
    return report(
        f"A worker, killed before each of the {found.kills} changes it makes to files",
        [
            Figure("Points, epochs, checkpoints acknowledged", found.acknowledged, 1, "", True),
            Figure("Of these lost", found.lost, 0, ""),
            Figure("Checkpoints torn", found.torn, 0, ""),
            Figure("Runs that the next attempt did not make whole", found.unfinished, 0, ""),
            Figure("Problems SQLite finds in the database", found.problems, 0, ""),
        ],
    )
