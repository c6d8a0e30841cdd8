"""Silence is counted by the watcher's clock, and not while the watcher slept."""

from __future__ import annotations

from lrlab.runs.engine.heartbeat import HeartbeatMonitor


def test_a_beat_that_stays_the_same_counts_as_silence_until_it_changes() -> None:
    silence = HeartbeatMonitor()
    assert silence.look({"a": 100.0, "b": 7.0}, 0.5) == {"a": 0.0, "b": 0.0}
    assert silence.look({"a": 100.0, "b": 8.0}, 0.5) == {"a": 0.5, "b": 0.0}
    assert silence.look({"a": 100.0, "b": 8.0}, 0.25) == {"a": 0.75, "b": 0.25}
    assert silence.look({"a": 3.0}, 0.5) == {"a": 0.0}
    assert silence.look({"b": 8.0}, 0.5) == {"b": 0.0}


def test_a_watcher_that_slept_blames_nobody_for_it() -> None:
    silence = HeartbeatMonitor()
    silence.look({"a": 1.0}, 0.5)
    assert silence.look({"a": 1.0}, 3600.0) == {"a": 1.0}
