"""Settings, read once from the environment; the only place that knows their names."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from lrlab.params import InvalidInput, Param
from lrlab.recipes.plan import PLAN_PARAMS
from lrlab.runs.limits import DEFAULT_LIMITS, NO_ACCESS_CODES, AccessCodes, Limits

DATABASE_VARIABLE = "LRLAB_DATABASE_URL"
DEFAULT_DATABASE_URL = "sqlite:///.lrlab/lrlab.db"

CHECKPOINT_VARIABLE = "LRLAB_CHECKPOINT_DIR"

INSTRUCTOR_VARIABLE = "LRLAB_INSTRUCTOR_CODE"
CLASS_VARIABLE = "LRLAB_CLASS_CODE"
SHORTEST_CODE = 6
"""Characters. Nothing slows somebody down who guesses, so a short code is no code."""


@dataclass(frozen=True)
class Settings:
    """What a server of LR Lab can be told from outside.

    Args:
        database_url: an SQLAlchemy URL of an SQLite file or a PostgreSQL database; a relative
            SQLite path is below the folder the server was started in.
        checkpoint_dir: a folder for the checkpoints of this database's runs, and no other's;
            empty for the usual one, see `checkpoint_folder`.
        limits: what visitors may ask for.
        codes: what opens more to them.
        workers: how many runs are trained at a time, each by a worker of its own.
        run_minutes: how long a run may take, in minutes, before it is stopped.
        run_memory: MB that a worker may take for itself, beside what it shares with others; the
            system refuses more, which ends the worker.
        keep_runs: how many ended runs are kept; beyond that the oldest are removed.
        keep_mb: MB that they may take in the database; the same.
        python: the Python command that workers are started with.
        stop_patience: seconds a worker gets to obey a stop request before it is ended.
        silence_limit: seconds without a beat after which a ready worker counts as dead.
        start_limit: the same for a worker that is still importing TensorFlow, which can hold
            its process up for a minute on a shared core.
        runs_per_worker: how many runs a worker trains before it is replaced by a fresh one:
            each leaves some megabytes behind in TensorFlow.
        worker_memory: MB; a worker that takes more for itself after a run is replaced too. While
            it compiles its next program it may take 130 MB more.
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
    stop_patience: float = 7.0
    silence_limit: float = 20.0
    start_limit: float = 115.0
    runs_per_worker: int = 25
    worker_memory: float = 400.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings of this process; a variable that is missing or blank means the default.

        Args:
            environment: variable names and their values; `NUMBERS` and the four ``_VARIABLE``
                names of this module are read.

        Raises:
            InvalidInput: a variable has a value that is not allowed.
        """
        given = {name: text.strip() for name, text in environment.items() if text.strip()}
        numbers = {
            param.name.removeprefix("LRLAB_").lower(): param.parse(given[param.name], "settings")
            for param in NUMBERS
            if param.name in given
        }
        names = {field.name for field in fields(Limits)}
        limits = {name: value for name, value in numbers.items() if name in names}
        others = {name: value for name, value in numbers.items() if name not in names}
        return cls(
            database_url=given.get(DATABASE_VARIABLE, DEFAULT_DATABASE_URL),
            checkpoint_dir=given.get(CHECKPOINT_VARIABLE, ""),
            limits=Limits(**limits),
            codes=AccessCodes(_code(given, INSTRUCTOR_VARIABLE), _code(given, CLASS_VARIABLE)),
            **others,
        )

    @property
    def checkpoint_folder(self) -> Path:
        """Where the checkpoints of runs lie: unless another folder is set, beside an SQLite file,
        and for PostgreSQL in ``.lrlab``, by the database's name."""
        if self.checkpoint_dir:
            return Path(self.checkpoint_dir)
        address = self.database_url.partition("?")[0]
        if address.startswith("sqlite"):
            return Path(f"{address.partition(':///')[2]}-checkpoints")
        return Path(".lrlab", f"{address.rpartition('/')[2]}-checkpoints")


def _code(given: Mapping[str, str], variable: str) -> str:
    code = given.get(variable, "")
    if code and len(code) < SHORTEST_CODE:
        # The value is not repeated: messages are shown on pages.
        raise InvalidInput(
            f"settings: {variable} is too short. It must have at least {SHORTEST_CODE} characters."
        )
    return code


def _number(name: str, help: str, low: float, high: float) -> Param:
    field = name.removeprefix("LRLAB_").lower()
    holder = DEFAULT_LIMITS if hasattr(DEFAULT_LIMITS, field) else Settings
    default = getattr(holder, field)
    kind = "int" if isinstance(default, int) else "float"
    return Param(name, default, help, kind=kind, low=low, high=high)


_MOST = {param.name: int(param.high) for param in PLAN_PARAMS}

NUMBERS = (
    _number("LRLAB_WORKERS", "runs trained at a time, each in a process of its own", 1, 64),
    _number("LRLAB_RUN_MINUTES", "minutes a run may take before it is stopped", 0.1, 1_440),
    _number("LRLAB_RUN_MEMORY", "MB a run may take, on Linux", 800, 1_000_000),
    _number("LRLAB_KEEP_RUNS", "ended runs that are kept; the oldest go first", 1, 100_000),
    _number("LRLAB_KEEP_MB", "MB that these may take; the oldest go first", 100, 1_000_000),
    _number("LRLAB_MAX_WAITING", "runs or groups one browser may have waiting", 1, 1_000),
    _number("LRLAB_MAX_QUEUE", "runs that may wait in all", 1, 10_000),
    _number("LRLAB_MAX_GROUP", "runs in a group, such as seeds of one recipe", 1, 1_000),
    _number("LRLAB_MAX_EPOCHS", "epochs of a run", 1, _MOST["epochs"]),
    _number("LRLAB_MAX_BATCH_SIZE", "images in a step", 1, _MOST["batch_size"]),
    _number("LRLAB_MAX_TRAIN_SIZE", "training images of a run", 10, _MOST["train_size"]),
)
"""The settings that are numbers; each is a field of `Settings` or `Limits` by its name's rest."""
