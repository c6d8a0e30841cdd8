"""Runs: queued in the store, trained by a worker, supervised by an engine."""
