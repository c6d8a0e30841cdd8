"""The life of a run: queued in a store, trained by a worker, watched over by an engine."""
