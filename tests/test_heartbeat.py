"""The age of a heartbeat is measured by the monitor's own clock, without the time it slept."""

from __future__ import annotations

from lrlab.runs.engine.heartbeat import HeartbeatMonitor


def test_the_age_of_a_heartbeat_grows_until_it_changes() -> None:
    monitor = HeartbeatMonitor()
    assert monitor.update({"a": 100.0, "b": 7.0}, 0.5) == {"a": 0.0, "b": 0.0}
    assert monitor.update({"a": 100.0, "b": 8.0}, 0.5) == {"a": 0.5, "b": 0.0}
    assert monitor.update({"a": 100.0, "b": 8.0}, 0.25) == {"a": 0.75, "b": 0.25}
    assert monitor.update({"a": 3.0}, 0.5) == {"a": 0.0}
    assert monitor.update({"b": 8.0}, 0.5) == {"b": 0.0}


def test_time_during_which_the_monitor_slept_does_not_count() -> None:
    monitor = HeartbeatMonitor()
    monitor.update({"a": 1.0}, 0.5)
    assert monitor.update({"a": 1.0}, 3600.0) == {"a": 1.0}
