"""Settings, read once from the environment; the only place that knows their names."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

DATABASE_VARIABLE = "LRLAB_DATABASE_URL"
DEFAULT_DATABASE_URL = "sqlite:///.lrlab/lrlab.db"


@dataclass(frozen=True)
class Settings:
    """What a server of LR Lab can be told from outside.

    Args:
        database_url: an SQLAlchemy URL of an SQLite file or a PostgreSQL database; a relative
            SQLite path is below the folder the server was started in.
        python: the Python command that workers are started with.
        stop_patience: seconds a worker gets to obey a stop request before it is ended.
        silence_limit: seconds without a beat after which a ready worker counts as dead.
        start_limit: the same for a worker that is still importing TensorFlow, which can hold
            its process up for a minute on a shared core.
        runs_per_worker: how many runs a worker trains before it is replaced by a fresh one:
            each leaves some megabytes behind in TensorFlow.
        worker_memory: MB; a worker that takes more after a run is replaced too. While it compiles
            its next program it may take 140 MB more.
    """

    database_url: str = DEFAULT_DATABASE_URL
    python: str = sys.executable
    stop_patience: float = 10.0
    silence_limit: float = 20.0
    start_limit: float = 120.0
    runs_per_worker: int = 25
    worker_memory: float = 760.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings of this process; a variable that is missing or blank means the default.

        Args:
            environment: variable names and their values; ``LRLAB_DATABASE_URL`` is read.
        """
        url = environment.get(DATABASE_VARIABLE, "").strip()
        return cls(database_url=url or DEFAULT_DATABASE_URL)
