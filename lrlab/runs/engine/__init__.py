"""The engine: runs queued runs in worker processes and supervises them."""

from __future__ import annotations

from lrlab.runs.engine.engine import Engine, EngineStatus, Fault
from lrlab.runs.engine.orphans import end_orphans

__all__ = ["Engine", "EngineStatus", "Fault", "end_orphans"]
