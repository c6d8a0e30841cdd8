"""The engine: gets queued runs trained by worker processes, and watches over them."""

from __future__ import annotations

from lrlab.engine.engine import Engine, EngineStatus, Fault
from lrlab.engine.leftovers import end_leftovers

__all__ = ["Engine", "EngineStatus", "Fault", "end_leftovers"]
