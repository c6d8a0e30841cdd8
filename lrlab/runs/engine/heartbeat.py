"""How long something that should beat has been silent."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST_LOOK = 1.0
"""Seconds that one look can add: who watches may have been asleep itself, with the laptop."""


class HeartbeatMonitor:
    """Watches beats, by the watcher's clock alone: clocks of several machines disagree, and each
    can be set."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, float]] = {}

    def look(self, beats: Mapping[str, float], passed: float) -> dict[str, float]:
        """Take in the latest beats.

        Args:
            beats: by name; who is missing is forgotten.
            passed: seconds since the look before.

        Returns:
            By name, for how many seconds of being watched the beat has been the same.
        """
        seen = {}
        for name, beat in beats.items():
            before, silent = self._seen.get(name, (None, 0.0))
            seen[name] = (beat, silent + min(passed, LONGEST_LOOK) if beat == before else 0.0)
        self._seen = seen
        return {name: silent for name, (_, silent) in seen.items()}
