"""The settings of a server, read from environment variables. Only this module knows their names."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from lrlab.params import InvalidInput, Kind, Param
from lrlab.recipes.plan import PLAN_PARAMS
from lrlab.runs.limits import DEFAULT_LIMITS, NO_ACCESS_CODES, AccessCodes, Limits

DATABASE_VARIABLE = "LRLAB_DATABASE_URL"
DEFAULT_DATABASE_URL = "sqlite:///.lrlab/lrlab.db"

CHECKPOINT_VARIABLE = "LRLAB_CHECKPOINT_DIR"

INSTRUCTOR_VARIABLE = "LRLAB_INSTRUCTOR_CODE"
CLASS_VARIABLE = "LRLAB_CLASS_CODE"
MIN_CODE_LENGTH = 6
"""The fewest characters in a code. Guesses are not rate-limited, so a shorter code is too weak."""


@dataclass(frozen=True)
class Settings:
    """The settings of an LR Lab server.

    Args:
        database_url: an SQLAlchemy URL of an SQLite file or a PostgreSQL database; a relative
            SQLite path is relative to the folder the server was started in.
        checkpoint_dir: a folder used only for the checkpoints of this database's runs; empty for
            the default, see `checkpoint_folder`.
        limits: what visitors may queue.
        codes: the access codes.
        workers: how many runs train at the same time, each in its own worker process.
        run_minutes: minutes after which a run is stopped.
        run_memory: the most private memory of a worker, in MB; beyond it allocations fail, which
            ends the worker.
        keep_runs: the most ended runs to keep; the oldest are deleted first.
        keep_mb: the most MB these may take in the database; the oldest are deleted first.
        python: the Python command that starts workers.
        stop_timeout: seconds that a worker may take to obey a stop request before it is killed.
        heartbeat_timeout: seconds without a heartbeat after which a ready worker counts as dead.
        start_timeout: the same for a worker that is still importing TensorFlow, which can block
            its process for a minute on a shared core.
        runs_per_worker: how many runs a worker trains before a fresh one replaces it, because
            TensorFlow leaks some megabytes in each.
        worker_memory: MB of private memory above which a worker is replaced after a run. While it
            compiles its next program it may take 130 MB more.
    """

    database_url: str = DEFAULT_DATABASE_URL
    checkpoint_dir: str = ""
    limits: Limits = DEFAULT_LIMITS
    codes: AccessCodes = NO_ACCESS_CODES
    workers: int = 1
    run_minutes: float = 10.0
    run_memory: int = 2_500
    keep_runs: int = 500
    keep_mb: int = 1_000
    python: str = sys.executable
    stop_timeout: float = 7.0
    heartbeat_timeout: float = 20.0
    start_timeout: float = 115.0
    runs_per_worker: int = 25
    worker_memory: float = 400.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings of this process; a missing or blank variable means the default.

        Args:
            environment: variable name -> text; the variables of `NUMBERS` and the four
                ``_VARIABLE`` names of this module are read.

        Raises:
            InvalidInput: the value of a variable is not allowed.
        """
        texts = {name: text.strip() for name, text in environment.items() if text.strip()}
        numbers = {
            _field(param.name): param.parse_number(texts[param.name], "settings")
            if param.name in texts
            else param.check_number(param.default, "settings")
            for param in NUMBERS
        }
        limits = {field.name: int(numbers[field.name]) for field in fields(Limits)}
        return cls(
            database_url=texts.get(DATABASE_VARIABLE, DEFAULT_DATABASE_URL),
            checkpoint_dir=texts.get(CHECKPOINT_VARIABLE, ""),
            limits=Limits(**limits),
            codes=AccessCodes(_code(texts, INSTRUCTOR_VARIABLE), _code(texts, CLASS_VARIABLE)),
            workers=int(numbers["workers"]),
            run_minutes=numbers["run_minutes"],
            run_memory=int(numbers["run_memory"]),
            keep_runs=int(numbers["keep_runs"]),
            keep_mb=int(numbers["keep_mb"]),
        )

    @property
    def checkpoint_folder(self) -> Path:
        """The folder for checkpoints. By default it is next to the SQLite file, or for PostgreSQL
        in ``.lrlab``, named after the database."""
        if self.checkpoint_dir:
            return Path(self.checkpoint_dir)
        address = self.database_url.partition("?")[0]
        if address.startswith("sqlite"):
            return Path(f"{address.partition(':///')[2]}-checkpoints")
        return Path(".lrlab", f"{address.rpartition('/')[2]}-checkpoints")


def _code(texts: Mapping[str, str], variable: str) -> str:
    code = texts.get(variable, "")
    if code and len(code) < MIN_CODE_LENGTH:
        # The value stays out of the message, because pages show it.
        raise InvalidInput(
            f"settings: {variable} is too short. It must have at least {MIN_CODE_LENGTH} "
            "characters."
        )
    return code


def _field(variable: str) -> str:
    """The field of `Settings` or `Limits` that a variable sets."""
    return variable.removeprefix("LRLAB_").lower()


def _number(variable: str, help: str, low: float, high: float) -> Param:
    field = _field(variable)
    owner = DEFAULT_LIMITS if hasattr(DEFAULT_LIMITS, field) else Settings
    default = getattr(owner, field)
    kind: Kind = "int" if isinstance(default, int) else "float"
    return Param(variable, default, help, kind=kind, low=low, high=high)


_PLAN_MAX = {param.name: int(param.high) for param in PLAN_PARAMS}

NUMBERS = (
    _number("LRLAB_WORKERS", "runs that train at the same time, each in its own process", 1, 64),
    _number("LRLAB_RUN_MINUTES", "minutes after which a run is stopped", 0.1, 1_440),
    _number("LRLAB_RUN_MEMORY", "MB that a run may take, on Linux", 800, 1_000_000),
    _number("LRLAB_KEEP_RUNS", "ended runs to keep; the oldest are deleted first", 1, 100_000),
    _number("LRLAB_KEEP_MB", "MB these may take; the oldest are deleted first", 100, 1_000_000),
    _number("LRLAB_MAX_WAITING", "runs or groups that one browser may have waiting", 1, 1_000),
    _number("LRLAB_MAX_QUEUE", "runs that may wait in total", 1, 10_000),
    _number("LRLAB_MAX_GROUP", "runs in a group, such as seeds of one recipe", 1, 1_000),
    _number("LRLAB_MAX_EPOCHS", "epochs of a run", 1, _PLAN_MAX["epochs"]),
    _number("LRLAB_MAX_BATCH_SIZE", "images in a step", 1, _PLAN_MAX["batch_size"]),
    _number("LRLAB_MAX_TRAIN_SIZE", "training images of a run", 10, _PLAN_MAX["train_size"]),
)
"""The numeric settings. ``LRLAB_NAME`` sets the field ``name`` of `Settings` or `Limits`."""
