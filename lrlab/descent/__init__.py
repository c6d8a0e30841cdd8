"""A recipe on a function of two weights: surfaces, trajectories, races and maps."""
