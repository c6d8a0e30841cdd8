"""A worker's process as the engine sees it: starting it, ending it, and describing its exit."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lrlab.runs.settings import CHECKPOINT_VARIABLE, DATABASE_VARIABLE, Settings
from lrlab.runs.worker import Exit

WORKER_ARGUMENTS = ("-m", "lrlab.runs.worker")
"""The arguments that make a Python command a worker."""

TERMINATE_SECONDS = 2.0
"""How long a worker may take to end after it was asked to, before it is killed."""

EXIT_PHRASES: Mapping[int, str] = {
    Exit.NO_DATABASE: "could not use the run database; the server's log says why",
    Exit.NO_TENSORFLOW: "could not import TensorFlow; install what requirements.txt lists",
    Exit.MARKED_DEAD: "stopped responding",
    Exit.RETIRED: "was retired, to be replaced by a fresh one",
}

OUT_OF_MEMORY = (signal.SIGABRT, signal.SIGSEGV, signal.SIGKILL)
"""The signals that end a process when memory runs out: TensorFlow aborts or crashes if it reaches
its own limit, and the system kills it if the machine has no memory left."""


class StopRequest(NamedTuple):
    """A stop request for the run that a worker trains, and when the engine first saw it."""

    run_id: int
    attempt: int
    seen: float


@dataclass
class WorkerProcess:
    """A worker of this server. All times are on the monotonic clock.

    Args:
        name: its name in the store.
        process: its process.
        started: when it was started.
        ready: whether it has reported that it takes runs.
        end_reason: why it ended or must end, a phrase that follows "its worker"; empty while it
            works normally.
        stop_request: the latest stop request for its run.
        asked_to_end: when it was asked to end; None before that.
    """

    name: str
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    ready: bool = False
    end_reason: str = ""
    stop_request: StopRequest | None = None
    asked_to_end: float | None = None

    def ask_to_end(self) -> None:
        """Ask the process to end by closing its input and by a signal. Returns at once."""
        if self.asked_to_end is None:
            self.asked_to_end = time.monotonic()
            if self.process.stdin:
                self.process.stdin.close()
            self.process.terminate()

    def has_ended(self) -> bool:
        """Whether the process has ended; kills it if it was asked to end too long ago."""
        if self.process.poll() is not None:
            return True
        if (
            self.asked_to_end is not None
            and time.monotonic() - self.asked_to_end > TERMINATE_SECONDS
        ):
            self.process.kill()
        return False

    def wait_until_ended(self) -> None:
        """End the process, and return when it has ended."""
        self.ask_to_end()
        try:
            self.process.wait(TERMINATE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_worker(settings: Settings, server: str) -> WorkerProcess:
    """Start a worker.

    Args:
        settings: set its command, its store and its limits.
        server: the name of the server that manages it.

    Raises:
        OSError: the Python command cannot be run.
    """
    name = uuid.uuid4().hex
    paths = [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
    environment = {"TF_CPP_MIN_LOG_LEVEL": "2"} | os.environ
    environment[DATABASE_VARIABLE] = settings.database_url
    environment[CHECKPOINT_VARIABLE] = settings.checkpoint_dir
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    options = {
        "--name": name,
        "--server": server,
        "--server-pid": os.getpid(),
        "--max-runs": settings.runs_per_worker,
        "--retire-above-mb": settings.worker_memory,
        "--memory-limit-mb": settings.run_memory,
    }
    command = [settings.python, *WORKER_ARGUMENTS]
    for option, value in options.items():
        command += [option, str(value)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        env=environment,
        # Ctrl-C in the server's terminal must reach only the server; the worker ends with it.
        start_new_session=True,
    )
    return WorkerProcess(name, process)


def describe_exit(code: int) -> str:
    """Why a worker ended with this exit code, a phrase that follows "its worker"."""
    if code in EXIT_PHRASES:
        return EXIT_PHRASES[code]
    if code < 0:
        hint = ", probably because memory ran out" if -code in OUT_OF_MEMORY else ""
        return f"was ended by signal {-code} ({signal.strsignal(-code)}){hint}"
    return f"ended with exit code {code}; the server's log has the details"
