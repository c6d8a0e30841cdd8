"""Measures how long ago a heartbeat last changed."""

from __future__ import annotations

from collections.abc import Mapping

MAX_UPDATE_SECONDS = 1.0
"""The most seconds that one update adds, because this process may have been suspended itself, for
example when a laptop slept."""


class HeartbeatMonitor:
    """Monitors heartbeats using only its own clock: clocks of different machines disagree, and a
    clock can be set."""

    def __init__(self) -> None:
        self._ages: dict[str, tuple[float, float]] = {}
        """Name -> latest heartbeat and the seconds since it changed."""

    def update(self, heartbeats: Mapping[str, float], elapsed: float) -> dict[str, float]:
        """Process the latest heartbeats.

        Args:
            heartbeats: name -> heartbeat; names that are missing are forgotten.
            elapsed: seconds since the previous update.

        Returns:
            Name -> seconds for which the heartbeat has not changed.
        """
        ages = {}
        for name, heartbeat in heartbeats.items():
            previous, age = self._ages.get(name, (None, 0.0))
            unchanged = heartbeat == previous
            ages[name] = (heartbeat, age + min(elapsed, MAX_UPDATE_SECONDS) if unchanged else 0.0)
        self._ages = ages
        return {name: age for name, (_, age) in ages.items()}
