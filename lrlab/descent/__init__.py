"""Recipes on functions of two weights: surfaces, trajectories, races and hyperparameter maps."""
