"""A worker's process, seen from the engine: started, ended, and what its end means."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lrlab.runs.settings import CHECKPOINT_VARIABLE, DATABASE_VARIABLE, Settings
from lrlab.runs.worker import Exit

WORKER = ("-m", "lrlab.runs.worker")
"""What makes a Python command a worker."""

TERMINATE_SECONDS = 2.0
"""What a worker may take to end after it was told to, before it is killed."""

EXIT_PHRASES: Mapping[int, str] = {
    Exit.NO_DATABASE: "could not use the run database; the server's log says why",
    Exit.NO_TENSORFLOW: "could not import TensorFlow; install what requirements.txt lists",
    Exit.BURIED: "had stopped responding",
    Exit.RETIRED: "made room for a fresh one",
}

OUT_OF_MEMORY = (signal.SIGABRT, signal.SIGSEGV, signal.SIGKILL)
"""How a process ends that asks for more memory than it may have: TensorFlow aborts or crashes,
and a machine that has no more kills."""


@dataclass
class WorkerProcess:
    """A worker of this server.

    Args:
        name: its name in the store.
        process: its process.
        started: when, by the monotonic clock, as are all times here.
        ready: whether it has said that it takes runs.
        end: what it did that ended it or must end it; empty while all is well.
        asked: number and attempt of its run that is to stop, and since when that is known.
        told: since when it is told to end.
    """

    name: str
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    ready: bool = False
    end: str = ""
    asked: tuple[int, int, float] | None = None
    told: float | None = None

    def tell_to_end(self) -> None:
        """Ask the process to end, in both ways there are. Returns at once."""
        if self.told is None:
            self.told = time.monotonic()
            if self.process.stdin:
                self.process.stdin.close()
            self.process.terminate()

    def is_gone(self) -> bool:
        """Whether the process has ended; one that was told to long enough ago is killed."""
        if self.process.poll() is not None:
            return True
        if self.told is not None and time.monotonic() - self.told > TERMINATE_SECONDS:
            self.process.kill()
        return False

    def wait_until_gone(self) -> None:
        """End the process, and return when it has."""
        self.tell_to_end()
        try:
            self.process.wait(TERMINATE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_worker(settings: Settings, server: str) -> WorkerProcess:
    """Start a worker.

    Args:
        settings: how.
        server: the name of the server whose worker it is.

    Raises:
        OSError: the Python command cannot be run.
    """
    name = uuid.uuid4().hex
    paths = [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
    environment = {"TF_CPP_MIN_LOG_LEVEL": "2"} | os.environ
    environment[DATABASE_VARIABLE] = settings.database_url
    environment[CHECKPOINT_VARIABLE] = settings.checkpoint_dir
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    command = [settings.python, *WORKER, "--name", name, "--server", server]
    command += ["--parent", str(os.getpid())]
    limits = {
        "--runs": settings.runs_per_worker,
        "--memory": settings.worker_memory,
        "--most-memory": settings.run_memory,
    }
    for option, value in limits.items():
        command += [option, str(value)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        env=environment,
        # Ctrl-C in the server's terminal is for the server; the worker ends with it.
        start_new_session=True,
    )
    return WorkerProcess(name, process)


def describe_exit(code: int) -> str:
    """What a worker did that ended with this exit code, in words that follow "its worker"."""
    if code in EXIT_PHRASES:
        return EXIT_PHRASES[code]
    if code < 0:
        hint = ", most often because memory ran out" if -code in OUT_OF_MEMORY else ""
        return f"was ended by signal {-code} ({signal.strsignal(-code)}){hint}"
    return f"ended with exit code {code}; the server's log has the details"
