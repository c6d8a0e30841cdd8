"""Trajectories, races and maps on pages."""
