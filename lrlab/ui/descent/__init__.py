"""Trajectories, races and hyperparameter maps on pages."""
